package tls13

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
)

// A conversationPiece is what one side of a TLS connection writes at once.
type conversationPiece struct {
	sender handshake.Sender
	data   []byte
}

// Bits of the first byte of a piece in an input. Two bytes follow with the length of
// what is written, and that.
const (
	byClient = 1 << iota
	sealed   // it is the content of a handshake record, to be encrypted
	newKeys  // which is the first one under its keys
)

func appendPiece(input []byte, bits byte, data []byte) []byte {
	input = append(input, bits, byte(len(data)>>8), byte(len(data)))
	return append(input, data...)
}

// trafficSecret is every secret of the connection.
func trafficSecret() []byte { return make([]byte, 32) }

// splitConversation takes an input apart, and encrypts what is to be encrypted, so that
// a fuzzer's bytes get past the AEAD.
func splitConversation(input []byte) (pieces []conversationPiece, err error) {
	var keys [2]*Keys // by handshake.Sender
	for len(input) >= 3 {
		bits := input[0]
		n := min(int(input[1])<<8|int(input[2]), len(input)-3)
		p := conversationPiece{handshake.FromServer, input[3 : 3+n]}
		input = input[3+n:]
		if bits&byClient != 0 {
			p.sender = handshake.FromClient
		}
		if bits&sealed != 0 {
			if keys[p.sender] == nil || bits&newKeys != 0 {
				if keys[p.sender], err = NewKeys(tls.TLS_AES_128_GCM_SHA256, trafficSecret()); err != nil {
					return nil, err
				}
			}
			p.data = keys[p.sender].Seal(22, p.data[:min(n, 1<<14)])
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

// converse returns the messages that each side sends, and why there are no more.
func converse(pieces []conversationPiece) (messages [2][][]byte, err error) {
	lookup := func([32]byte) (Secrets, bool) {
		s := trafficSecret()
		return Secrets{ClientHandshake: s, ServerHandshake: s, ServerTraffic: s}, true
	}
	c := NewConversation(lookup, func(s handshake.Sender, msg []byte) {
		messages[s] = append(messages[s], bytes.Clone(msg))
	})
	for _, p := range pieces {
		before := bytes.Clone(p.data)
		c.Feed(p.sender, p.data)
		if !bytes.Equal(before, p.data) {
			return messages, errInputChanged
		}
		if c.Done() && c.Held() > 0 {
			return messages, errHeld
		}
	}
	return messages, c.Err()
}

var (
	errInputChanged = errors.New("the input was written to")
	errHeld         = errors.New("nothing more is looked for, and bytes are held")
)

// checkConversationInput checks that a conversation reads the same, however the two
// streams are cut.
func checkConversationInput(input []byte) error {
	if len(input) > 1<<17 {
		return nil
	}
	pieces, err := splitConversation(input)
	if err != nil {
		return err
	}
	whole, wholeErr := converse(pieces)
	if wholeErr == errInputChanged || wholeErr == errHeld {
		return wholeErr
	}
	var bytewise []conversationPiece
	for _, p := range pieces {
		for b := range slices.Chunk(p.data, 1) {
			bytewise = append(bytewise, conversationPiece{p.sender, b})
		}
	}
	cut, cutErr := converse(bytewise)
	if (wholeErr == nil) != (cutErr == nil) {
		return fmt.Errorf("%v becomes %v when it comes byte by byte", wholeErr, cutErr)
	}
	for s := range whole {
		// Once one side breaks a rule the other is not read any further, and which is
		// read first depends on the cuts.
		n := min(len(whole[s]), len(cut[s]))
		if wholeErr == nil && len(whole[s]) != len(cut[s]) || !slices.EqualFunc(whole[s][:n], cut[s][:n], bytes.Equal) {
			return fmt.Errorf("%v: %d messages become %d others when they come byte by byte",
				handshake.Sender(s), len(whole[s]), len(cut[s]))
		}
	}
	return nil
}

// conversationSeeds are handshakes with the ClientHellos of recorded clients.
func conversationSeeds(yield func([]byte) bool) {
	selects := extensiontest.Block([]extension.Extension{{Type: extension.SupportedVersions, Data: []byte{3, 4}}})
	finished := append([]byte{20, 0, 0, 32}, make([]byte, 32)...)
	changeCipherSpec := []byte{20, 3, 3, 0, 1, 1}
	for hello := range fuzzing.Messages {
		read, _, _ := clienthellotest.Reference(hello, false)
		message := func(t byte) []byte {
			n := int(t) % (len(read.Extensions) + 1)
			return handshaketest.Message(t, extensiontest.Block(read.Extensions[:n]), extensiontest.Block(read.Extensions[n:]))
		}
		input := appendPiece(nil, byClient, assembletest.InRecords(hello, nil))
		input = appendPiece(input, 0, slices.Concat(assembletest.InRecords(handshaketest.Message(2, selects), nil), changeCipherSpec))
		input = appendPiece(input, sealed, message(8))
		input = appendPiece(input, sealed, slices.Concat(message(13), message(11)))
		input = appendPiece(input, sealed, finished)
		input = appendPiece(input, byClient, changeCipherSpec)
		input = appendPiece(input, byClient|sealed, slices.Concat(message(11), finished))
		input = appendPiece(input, sealed|newKeys, message(4))
		if !yield(input) {
			return
		}
	}
}
