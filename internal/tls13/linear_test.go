package tls13

import (
	"crypto/tls"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/linear"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
)

func TestWorkIsLinear(t *testing.T) {
	linear.Check(t, []string{"."}, linearShapes())
}

// linearShapes are handshakes with many messages, records or pieces.
func linearShapes() map[string]linear.Shape {
	read := func(size int, pieces ...conversationPiece) func() {
		return func() {
			var cut []conversationPiece
			for _, p := range pieces {
				for part := range slices.Chunk(p.data, size) {
					cut = append(cut, conversationPiece{p.sender, part})
				}
			}
			if _, err := converse(cut); err != nil {
				panic(err)
			}
		}
	}
	selects := extensiontest.Block([]extension.Extension{{Type: extension.SupportedVersions, Data: []byte{3, 4}}})
	server := assembletest.InRecords(handshaketest.Message(2, selects), nil)
	client := assembletest.InRecords(clienthellotest.Hello{}.Message(), nil)
	long := func(n int) []byte {
		return assembletest.InRecords(clienthellotest.Hello{Extensions: extensiontest.Many(n)}.Message(), nil)
	}
	// encrypted seals what a server sends after its ServerHello, in records of size bytes.
	encrypted := func(content []byte, size int) (stream []byte) {
		keys, err := NewKeys(tls.TLS_AES_128_GCM_SHA256, trafficSecret())
		if err != nil {
			panic(err)
		}
		for part := range slices.Chunk(content, size) {
			stream = append(stream, keys.Seal(22, part)...)
		}
		return stream
	}
	start := func(stream []byte) []conversationPiece {
		return []conversationPiece{{handshake.FromClient, client}, {handshake.FromServer, server}, {handshake.FromServer, stream}}
	}
	const most = 4_000
	return map[string]linear.Shape{
		"a ClientHello, a byte a time": {N: most, Prepare: func(n int) func() {
			return read(1, conversationPiece{handshake.FromClient, long(n)})
		}},
		"a ClientHello in records of a byte": {N: most, Prepare: func(n int) func() {
			hello := clienthellotest.Hello{Extensions: extensiontest.Many(n)}.Message()
			return read(1<<20, conversationPiece{handshake.FromClient, assembletest.InRecords(hello, []byte{1})})
		}},
		"a long Certificate in records of a byte": {N: most, Prepare: func(n int) func() {
			return read(1<<20, start(encrypted(handshaketest.Message(11, make([][]byte, n/6)...), 1))...)
		}},
		"a long Certificate, a byte a time": {N: most, Prepare: func(n int) func() {
			return read(1, start(encrypted(handshaketest.Message(11, make([][]byte, n)...), 1000))...)
		}},
		"many messages": {N: most, Prepare: func(n int) func() {
			return read(1<<20, start(encrypted(slices.Repeat(handshaketest.Message(8, nil), n), 1000))...)
		}},
	}
}
