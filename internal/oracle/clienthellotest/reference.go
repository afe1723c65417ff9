package clienthellotest

import (
	"bytes"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"golang.org/x/crypto/cryptobyte"
)

// Hello is a ClientHello as the reference parser reads it.
type Hello struct {
	Version            uint16
	Random             []byte
	SessionID          []byte
	Cookie             []byte // DTLS only
	CipherSuites       []uint16
	CompressionMethods []byte
	HasExtensionBlock  bool
	Extensions         []extension.Extension
	Length             int // of the message
}

// Append appends the message that h describes to b, valid or not; it ignores Length, and the
// Offset of the extensions. It fails if a value does not fit its length field.
func (h Hello) Append(b []byte, dtls bool) ([]byte, error) {
	body := cryptobyte.NewBuilder(nil)
	body.AddUint16(h.Version)
	body.AddBytes(h.Random)
	body.AddUint8LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(h.SessionID) })
	if dtls {
		body.AddUint8LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(h.Cookie) })
	}
	body.AddUint16LengthPrefixed(func(c *cryptobyte.Builder) {
		for _, suite := range h.CipherSuites {
			c.AddUint16(suite)
		}
	})
	body.AddUint8LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(h.CompressionMethods) })
	if h.HasExtensionBlock {
		body.AddUint16LengthPrefixed(func(c *cryptobyte.Builder) {
			for _, e := range h.Extensions {
				c.AddUint16(uint16(e.Type))
				c.AddUint16LengthPrefixed(func(d *cryptobyte.Builder) { d.AddBytes(e.Data) })
			}
		})
	}
	content, err := body.Bytes()
	if err != nil {
		return b, err
	}
	msg := cryptobyte.NewBuilder(b)
	msg.AddUint8(1)
	msg.AddUint24(uint32(len(content)))
	if dtls {
		msg.AddUint16(0)
		msg.AddUint24(0)
		msg.AddUint24(uint32(len(content)))
	}
	msg.AddBytes(content)
	return msg.Bytes()
}

// Reference is the obvious parser of RFC 9846, Section 4.2.2: slow, and easy to compare with
// the standard. Its verdicts are those that clienthello.Parse and clienthello.ParseDTLS have
// to give. On refusal it returns the offset of the refused field and the code.
func Reference(msg []byte, dtls bool) (hello Hello, offset int, code extension.Code) {
	headerLen, maxBody := 4, 131396
	if dtls {
		headerLen, maxBody = 12, 131396+256
	}
	end, code := extensiontest.ReferenceHeader(msg, headerLen, map[uint8]int{1: maxBody})
	if code != 0 {
		return Hello{}, end, code
	}
	if dtls {
		if msg[6]|msg[7]|msg[8] != 0 { // fragment_offset
			return Hello{}, 6, extension.ErrFragment
		}
		if !bytes.Equal(msg[9:12], msg[1:4]) { // fragment_length
			return Hello{}, 9, extension.ErrFragment
		}
	}
	r := extensiontest.NewReader(msg[headerLen:end], headerLen)
	hello.Length = end
	hello.Version = uint16(r.Uint(2))
	hello.Random = r.Bytes(32)
	if at := r.At(); r.Len() > 0 && msg[at] > 32 {
		r.Refuse(extension.ErrSessionIDTooLong, at)
	}
	hello.SessionID = r.Vector(1, 0)
	if dtls {
		hello.Cookie = r.Vector(1, 0)
	}
	if at := r.At(); r.Len() >= 2 {
		switch n := int(msg[at])*256 + int(msg[at+1]); {
		case n == 0:
			r.Refuse(extension.ErrCipherSuitesEmpty, at)
		case n%2 == 1:
			r.Refuse(extension.ErrCipherSuitesOdd, at)
		}
	}
	r.Elements(2, 0, func(r *extensiontest.Reader) { hello.CipherSuites = append(hello.CipherSuites, uint16(r.Uint(2))) })
	if at := r.At(); r.Len() > 0 && msg[at] == 0 {
		r.Refuse(extension.ErrCompressionMethodsEmpty, at)
	}
	hello.CompressionMethods = r.Vector(1, 0)
	switch r.Len() {
	case 0: // as in TLS 1.2
	case 1:
		r.Refuse(extension.ErrStrayBytes, r.At())
	default:
		hello.HasExtensionBlock = true
		hello.Extensions = r.Block(extension.ClientHello)
	}
	if n, code := r.Done(); code != 0 {
		return Hello{}, n, code
	}
	return hello, end, 0
}

// Message returns the message that h describes, with what it lacks filled in.
func (h Hello) Message() []byte {
	h.Version, h.Random, h.CompressionMethods, h.HasExtensionBlock = 0x0303, make([]byte, 32), []byte{0}, true
	if h.CipherSuites == nil {
		h.CipherSuites = []uint16{0x1301}
	}
	msg, err := h.Append(nil, false)
	if err != nil {
		panic(err)
	}
	return msg
}
