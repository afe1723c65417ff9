package clienthellotest

import (
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

// Append appends the message that h describes to b; it ignores Length, and the Offset of
// the extensions. It writes what it is told, allowed or not. What does not fit its length
// field is an error.
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

// Reference is the obvious parser of RFC 9846, Section 4.2.2, written on
// cryptobyte with slices and maps: slow, and easy to compare with the standard. Its
// verdicts are those that clienthello.Parse and clienthello.ParseDTLS have to give.
// On refusal it returns the offset of the refused field and the code.
func Reference(msg []byte, dtls bool) (hello Hello, offset int, code extension.Code) {
	refuse := func(offset int, code extension.Code) (Hello, int, extension.Code) {
		return Hello{}, offset, code
	}
	headerLen, maxBody := 4, 131396
	if dtls {
		headerLen, maxBody = 12, 131396+256
	}

	if len(msg) > 0 && msg[0] != 1 {
		return refuse(0, extension.ErrMessageType)
	}
	header := cryptobyte.String(msg)
	var bodyLen uint32
	if !header.Skip(1) || !header.ReadUint24(&bodyLen) {
		return refuse(len(msg), extension.ErrTruncated)
	}
	if int(bodyLen) > maxBody {
		return refuse(1, extension.ErrMessageTooLarge)
	}
	hello.Length = headerLen + int(bodyLen)
	if len(msg) < hello.Length {
		return refuse(len(msg), extension.ErrTruncated)
	}
	if dtls {
		var seq uint16
		var fragmentOffset, fragmentLen uint32
		header.ReadUint16(&seq)
		header.ReadUint24(&fragmentOffset)
		header.ReadUint24(&fragmentLen)
		if fragmentOffset != 0 {
			return refuse(6, extension.ErrFragment)
		}
		if fragmentLen != bodyLen {
			return refuse(9, extension.ErrFragment)
		}
	}
	s := cryptobyte.String(msg[headerLen:hello.Length])
	at := func() int { return hello.Length - len(s) }

	field := at()
	if !s.ReadUint16(&hello.Version) {
		return refuse(field, extension.ErrFieldOverrun)
	}
	field = at()
	if !s.ReadBytes(&hello.Random, 32) {
		return refuse(field, extension.ErrFieldOverrun)
	}

	field = at()
	var vector cryptobyte.String
	if len(s) > 0 && s[0] > 32 {
		return refuse(field, extension.ErrSessionIDTooLong)
	}
	if !s.ReadUint8LengthPrefixed(&vector) {
		return refuse(field, extension.ErrFieldOverrun)
	}
	hello.SessionID = vector

	if dtls {
		field = at()
		if !s.ReadUint8LengthPrefixed(&vector) {
			return refuse(field, extension.ErrFieldOverrun)
		}
		hello.Cookie = vector
	}

	field = at()
	if len(s) >= 2 {
		switch n := int(s[0])*256 + int(s[1]); {
		case n == 0:
			return refuse(field, extension.ErrCipherSuitesEmpty)
		case n%2 == 1:
			return refuse(field, extension.ErrCipherSuitesOdd)
		}
	}
	if !s.ReadUint16LengthPrefixed(&vector) {
		return refuse(field, extension.ErrFieldOverrun)
	}
	for !vector.Empty() {
		var suite uint16
		vector.ReadUint16(&suite)
		hello.CipherSuites = append(hello.CipherSuites, suite)
	}

	field = at()
	if len(s) > 0 && s[0] == 0 {
		return refuse(field, extension.ErrCompressionMethodsEmpty)
	}
	if !s.ReadUint8LengthPrefixed(&vector) {
		return refuse(field, extension.ErrFieldOverrun)
	}
	hello.CompressionMethods = vector

	if s.Empty() {
		return hello, hello.Length, 0
	}
	hello.HasExtensionBlock = true
	field = at()
	if len(s) < 2 {
		return refuse(field, extension.ErrStrayBytes)
	}
	var block cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&block) {
		return refuse(field, extension.ErrFieldOverrun)
	}
	list, offset, code := extensiontest.ReferenceList(extension.ClientHello, block, at()-len(block))
	if code != 0 {
		return refuse(offset, code)
	}
	hello.Extensions = list
	if !s.Empty() {
		return refuse(at(), extension.ErrStrayBytes)
	}
	return hello, hello.Length, 0
}

// Message returns the message that h describes, with defaults for what it lacks.
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
