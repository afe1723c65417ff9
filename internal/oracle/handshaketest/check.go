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
	if len(msg) == 0 {
		return nil, 0, extension.ErrTruncated
	}
	limit, ok := largest[msg[0]]
	if !ok {
		return nil, 0, extension.ErrMessageType
	}
	header := cryptobyte.String(msg)
	var bodyLen uint32
	if !header.Skip(1) || !header.ReadUint24(&bodyLen) {
		return nil, len(msg), extension.ErrTruncated
	}
	if int(bodyLen) > limit {
		return nil, 1, extension.ErrMessageTooLarge
	}
	end := 4 + int(bodyLen)
	if len(msg) < end {
		return nil, len(msg), extension.ErrTruncated
	}
	r := messageReader{s: msg[4:end], end: end}
	switch msg[0] {
	case 2:
		r.skip(2)
		r.skip(32)
		r.sessionID()
		r.skip(2)
		r.skip(1)
		switch {
		case r.code == 0 && len(r.s) == 1:
			r.refuse(extension.ErrStrayBytes)
		case len(r.s) > 0:
			r.block()
		default: // as in TLS 1.2
			r.blocks = append(r.blocks, nil)
		}
	case 4:
		r.skip(4)
		r.skip(4)
		r.vector(1, 0)
		r.vector(2, 1)
		r.block()
	case 8:
		r.block()
	case 11:
		r.vector(1, 0)
		list := r.vector(3, 0)
		inner := messageReader{s: list, end: r.end - len(r.s), code: r.code, bad: r.bad}
		for inner.code == 0 && len(inner.s) > 0 {
			inner.vector(3, 1)
			inner.block()
		}
		r.blocks, r.code, r.bad = inner.blocks, inner.code, inner.bad
	case 13:
		r.vector(1, 0)
		r.block()
	}
	if r.code == 0 && len(r.s) > 0 {
		r.refuse(extension.ErrStrayBytes)
	}
	if r.code != 0 {
		return nil, r.bad, r.code
	}
	return r.blocks, end, 0
}

// messageReader reads the fields of one message; the first fault stays.
type messageReader struct {
	s      cryptobyte.String
	end    int // offset in the message of what follows s
	code   extension.Code
	bad    int
	blocks [][]extension.Extension
}

func (r *messageReader) refuse(code extension.Code) {
	if r.code == 0 {
		r.code, r.bad = code, r.end-len(r.s)
	}
}

func (r *messageReader) skip(n int) {
	if r.code == 0 && !r.s.Skip(n) {
		r.refuse(extension.ErrFieldOverrun)
	}
}

func (r *messageReader) sessionID() {
	if len(r.s) > 0 && r.s[0] > 32 {
		r.refuse(extension.ErrSessionIDTooLong)
	}
	r.vector(1, 0)
}

func (r *messageReader) vector(lengthSize, floor int) (v cryptobyte.String) {
	if r.code != 0 {
		return nil
	}
	length := r.s[:min(lengthSize, len(r.s))]
	if len(length) == lengthSize && floor > 0 && bytes.Equal(length, make([]byte, lengthSize)) {
		r.refuse(extension.ErrVectorEmpty)
		return nil
	}
	rest := r.s
	read := map[int]func(*cryptobyte.String) bool{
		1: rest.ReadUint8LengthPrefixed, 2: rest.ReadUint16LengthPrefixed, 3: rest.ReadUint24LengthPrefixed,
	}[lengthSize]
	if !read(&v) {
		r.refuse(extension.ErrFieldOverrun)
		return nil
	}
	r.s = rest
	return v
}

func (r *messageReader) block() {
	block := r.vector(2, 0)
	if r.code != 0 {
		return
	}
	list, bad, code := extensiontest.ReferenceList(extension.EncryptedExtensions, block, r.end-len(r.s)-len(block))
	if code != 0 {
		r.code, r.bad = code, bad
		return
	}
	r.blocks = append(r.blocks, list)
}

// Check holds handshake.Parse to its promise on one input.
func Check(msg []byte) error {
	before := bytes.Clone(msg)
	m, n, err := handshake.Parse(msg)
	if !bytes.Equal(before, msg) {
		return errors.New("the input was written to")
	}
	want, wantN, wantCode := Reference(msg)
	if got := extensiontest.CodeOf(err); n != wantN || got != wantCode {
		return fmt.Errorf("got position %d and %q, the reference parser has %d and %q", n, got.Name(), wantN, wantCode.Name())
	}
	for _, same := range extensiontest.SameInputs(msg) {
		if other, n2, err2 := handshake.Parse(same); n2 != n || err2 != err || !bytes.Equal(other.Raw(), m.Raw()) {
			return errors.New("the capacity of the slice changes the outcome")
		}
	}
	if err != nil {
		if !m.Empty() && m.Raw() != nil || m.Kind() != 0 || m.Extensions().Len() != 0 {
			return errors.New("a refused message gives a view that is not zero")
		}
		return nil
	}
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
		if m.HasFlag(f) && !flags[f] {
			return fmt.Errorf("the message has flag %d, and no block of it does", f)
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
	if !bytes.Equal(m.AppendTo(nil), msg[:n]) || !bytes.Equal(m.Raw(), msg[:n]) || cap(m.Raw()) != n {
		return errors.New("encoding again does not give back the bytes consumed")
	}
	if longer, n2, err := handshake.Parse(append(bytes.Clone(msg[:n]), 0xa5, 0xa5, 0xa5)); n2 != n || err != nil || !bytes.Equal(longer.Raw(), m.Raw()) {
		return errors.New("bytes behind the message change the outcome")
	}
	for i := range extensiontest.Prefixes(n) {
		if _, at, err := handshake.Parse(msg[:i]); err != extension.ErrTruncated || at != i {
			return fmt.Errorf("the prefix of %d bytes gives %v at %d, not truncated", i, err, at)
		}
	}
	return nil
}

// checkEntries holds that the entries of a Certificate cover its certificate_list with no
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
