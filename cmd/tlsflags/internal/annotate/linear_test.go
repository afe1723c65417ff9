package annotate

import (
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/linear"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
)

func TestWorkIsLinear(t *testing.T) {
	const module = "github.com/tlsflags/tlsflags/"
	linear.Check(t, []string{".", module + "clienthello", module + "extension", module + "handshake"}, linearShapes())
}

// linearShapes are inputs with many parts.
func linearShapes() map[string]linear.Shape {
	explain := func(kind Kind, input []byte) func() {
		return func() {
			if table := Explain(kind, input); table.Refused != nil {
				panic(table.Refused.Code)
			}
		}
	}
	const most = 8_000
	return map[string]linear.Shape{
		"Explain, many extensions": {N: most, Prepare: func(n int) func() {
			return explain(ClientHello, clienthellotest.Hello{Extensions: extensiontest.Many(n)}.Message())
		}},
		"Explain, many extensions of which the last is malformed": {N: most, Prepare: func(n int) func() {
			list := extensiontest.Many(n)
			list[n-1].Data = []byte{1}
			list[n-1].Type = extension.TLSFlags
			return explain(ClientHello, clienthellotest.Hello{Extensions: list}.Message())
		}},
		"Explain, many cipher suites": {N: most, Prepare: func(n int) func() {
			return explain(ClientHello, clienthellotest.Hello{CipherSuites: make([]uint16, n)}.Message())
		}},
		"Explain, many protocol names": {N: most, Prepare: func(n int) func() {
			return explain(ClientHello, clienthellotest.Hello{Extensions: []extension.Extension{
				{Type: extension.ALPN, Data: extensiontest.Prefixed(2, strings.Repeat("\x01h", n))},
			}}.Message())
		}},
		"Explain, many certificates with flags": {N: most / 2, Prepare: func(n int) func() {
			return explain(Certificate, handshaketest.Message(11, slices.Repeat([][]byte{[]byte{0, byte(extension.TLSFlags), 0, 2, 1, 2}}, n)...))
		}},
		"Explain, a long name": {N: 8 * 7000, Prepare: func(n int) func() {
			name := extensiontest.Prefixed(2, "\x00"+string(extensiontest.Prefixed(2, strings.Repeat("n", n))))
			return explain(ClientHello, clienthellotest.Hello{Extensions: []extension.Extension{{Type: extension.ServerName, Data: name}}}.Message())
		}},
	}
}
