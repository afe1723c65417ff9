// Package handshaketest has reference parsers and checks of the handshake messages other than ClientHello.
package handshaketest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"golang.org/x/crypto/cryptobyte"
)

// Reference is the obvious parser of the handshake messages of RFC 9846, Section
// 4, other than ClientHello, that have extension blocks. Its verdicts are those of
// handshake.Parse. It returns the blocks, and the length of the message or the
// offset of the refused field.
func Reference(msg []byte) (blocks [][]extension.Extension, n int, code extension.Code) {
	largest := map[uint8]int{
		2:  2 + 32 + 33 + 2 + 1 + 2 + 65535,         // ServerHello
		4:  4 + 4 + 1 + 255 + 2 + 65535 + 2 + 65535, // NewSessionTicket
		8:  2 + 65535,                               // EncryptedExtensions
		11: 1<<24 - 1,                               // Certificate
		13: 1 + 255 + 2 + 65535,                     // CertificateRequest
	}
	end, code := extensiontest.ReferenceHeader(msg, 4, largest)
	if code != 0 {
		return nil, end, code
	}
	r := extensiontest.NewReader(msg[4:end], 4)
	block := func(r *extensiontest.Reader) { blocks = append(blocks, r.Block(extension.EncryptedExtensions)) }
	switch msg[0] {
	case 2:
		r.Bytes(2)
		r.Bytes(32)
		if at := r.At(); r.Len() > 0 && msg[at] > 32 {
			r.Refuse(extension.ErrSessionIDTooLong, at)
		}
		r.Vector(1, 0)
		r.Bytes(2)
		r.Bytes(1)
		switch r.Len() {
		case 0: // as in TLS 1.2
			blocks = append(blocks, nil)
		case 1:
			r.Refuse(extension.ErrStrayBytes, r.At())
		default:
			block(r)
		}
	case 4:
		r.Bytes(4)
		r.Bytes(4)
		r.Vector(1, 0)
		r.Vector(2, 1)
		block(r)
	case 8:
		block(r)
	case 11:
		r.Vector(1, 0)
		r.Elements(3, 0, func(entry *extensiontest.Reader) {
			entry.Vector(3, 1)
			block(entry)
		})
	case 13:
		r.Vector(1, 0)
		block(r)
	}
	if n, code := r.Done(); code != 0 {
		return nil, n, code
	}
	return blocks, end, 0
}

// Check checks what handshake.Parse promises, on one input.
func Check(msg []byte) error {
	want, wantN, wantCode := Reference(msg)
	m, err := extensiontest.Parser[handshake.Message]{
		Parse: handshake.Parse, Bytes: handshake.Message.Raw,
	}.Check(msg, wantN, wantCode)
	if err != nil {
		return err
	}
	if wantCode != 0 {
		if m.Kind() != 0 || m.Extensions().Len() != 0 {
			return errors.New("a refused message gives a view that is not zero")
		}
		return nil
	}
	n := wantN
	var got [][]extension.Extension
	flags := make(map[extension.Flag]bool)
	for block := range m.Blocks() {
		got = append(got, slices.Collect(block.All()))
		if err := extensiontest.CheckParsed(block); err != nil {
			return err
		}
		for e := range block.All() {
			if err := extensiontest.Inside(e.Type.String(), e.Data, msg, e.Offset); err != nil {
				return err
			}
		}
		for f := range extension.MaxFlag + 1 {
			if block.HasFlag(f) {
				flags[f] = true
			}
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("reference parser (-) and parser (+) differ:\n%s", diff)
	}
	for f := range extension.MaxFlag + 1 {
		if m.HasFlag(f) != flags[f] {
			return fmt.Errorf("the message has flag %d: %t, a block of it: %t", f, m.HasFlag(f), flags[f])
		}
	}
	context := m.RequestContext()
	if len(context) > 0 && (cap(context) != len(context) || !bytes.Equal(context, msg[5:5+len(context)])) {
		return fmt.Errorf("certificate_request_context is %x", context)
	}
	if version, suite := referenceSelection(m.Kind(), msg, want); m.Version() != version || m.CipherSuite() != suite {
		return fmt.Errorf("%v selects version %#x and cipher suite %#x, the reference has %#x and %#x",
			m.Kind(), m.Version(), m.CipherSuite(), version, suite)
	}
	if err := checkEntries(m, msg[:n], len(want)); err != nil {
		return err
	}
	if !bytes.Equal(m.AppendTo(nil), msg[:n]) || cap(m.Raw()) != n {
		return errors.New("encoding again does not give back the bytes consumed")
	}
	return nil
}

// checkEntries checks that the entries of a Certificate cover its certificate_list with no
// gap and no overlap, and that no other message has any.
func checkEntries(m handshake.Message, msg []byte, blocks int) error {
	entries, at := 0, 4+1+len(m.RequestContext())+3
	for e := range m.Entries() {
		at += 3
		if err := extensiontest.Inside("CertData", e.CertData, msg, at); err != nil {
			return err
		}
		if len(e.CertData) == 0 {
			return fmt.Errorf("entry %d is empty", entries)
		}
		at += len(e.CertData) + 2 + len(e.Extensions.AppendTo(nil))
		entries++
	}
	switch {
	case m.Kind() != extension.Certificate && entries > 0:
		return fmt.Errorf("%v has %d entries", m.Kind(), entries)
	case m.Kind() == extension.Certificate && (entries != blocks || at != len(msg)):
		return fmt.Errorf("%d entries cover %d of %d bytes, and there are %d blocks", entries, at, len(msg), blocks)
	}
	return nil
}

// referenceSelection returns the version and the cipher suite that a message selects,
// which only a ServerHello and a HelloRetryRequest do.
func referenceSelection(kind extension.MessageKind, msg []byte, blocks [][]extension.Extension) (version, suite uint16) {
	if kind != extension.ServerHello && kind != extension.HelloRetryRequest {
		return 0, 0
	}
	s := cryptobyte.String(msg[4:])
	var sessionID cryptobyte.String
	_ = s.ReadUint16(&version) && s.Skip(32) && s.ReadUint8LengthPrefixed(&sessionID) && s.ReadUint16(&suite)
	for _, e := range slices.Concat(blocks...) {
		if data := cryptobyte.String(e.Data); e.Type == extension.SupportedVersions && len(data) == 2 {
			data.ReadUint16(&version)
		}
	}
	return version, suite
}

// Message wraps extension blocks into a message of type t that is otherwise plain.
func Message(t uint8, blocks ...[]byte) []byte {
	b := cryptobyte.NewBuilder(nil)
	block := func(c *cryptobyte.Builder, i int) {
		c.AddUint16LengthPrefixed(func(d *cryptobyte.Builder) { d.AddBytes(blocks[i]) })
	}
	b.AddUint8(t)
	b.AddUint24LengthPrefixed(func(c *cryptobyte.Builder) {
		switch t {
		case 2:
			c.AddBytes(make([]byte, 34))
			c.AddBytes([]byte{0, 0x13, 0x01, 0})
			block(c, 0)
		case 4:
			c.AddBytes(make([]byte, 8))
			c.AddBytes([]byte{1, 0, 0, 2, 7, 7})
			block(c, 0)
		case 8:
			block(c, 0)
		case 11:
			c.AddUint8(0)
			c.AddUint24LengthPrefixed(func(d *cryptobyte.Builder) {
				for i := range blocks {
					d.AddBytes([]byte{0, 0, 1, 0x30})
					block(d, i)
				}
			})
		case 13:
			c.AddUint8(0)
			block(c, 0)
		}
	})
	msg, err := b.Bytes()
	if err != nil {
		return nil // longer than its length field can say
	}
	return msg
}
