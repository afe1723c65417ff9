package clienthellotest

import (
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
)

// Body is an extension_data of a ClientHello as the reference parser reads it: the numbers
// and the strings in it, in the order of the message.
type Body struct {
	Numbers []uint64
	Strings [][]byte
}

// ReferenceBody is the obvious parser of the bodies of extensions in a ClientHello. It
// returns the length, or the offset of the refused field and the code. Any body is fine
// of types that clienthello does not read.
func ReferenceBody(t extension.Type, data []byte) (b Body, n int, code extension.Code) {
	r := extensiontest.NewReader(data, 0)
	number := func(r *extensiontest.Reader, size int) uint64 {
		v := r.Uint(size)
		b.Numbers = append(b.Numbers, v)
		return v
	}
	vector := func(r *extensiontest.Reader, lengthSize, floor int) {
		b.Strings = append(b.Strings, r.Vector(lengthSize, floor))
	}
	values := func(lengthSize int) { // of 16 bits each
		if r.Len() >= lengthSize && data[lengthSize-1]%2 != 0 {
			r.Refuse(extension.ErrVectorSize, 0)
		}
		r.Elements(lengthSize, 2, func(r *extensiontest.Reader) { number(r, 2) })
	}
	switch t {
	case extension.ServerName:
		names := make(map[uint64][]byte)
		r.Elements(2, 1, func(r *extensiontest.Reader) {
			at := r.At()
			nameType := r.Uint(1)
			name := r.Vector(2, 1)
			if _, twice := names[nameType]; twice {
				r.Refuse(extension.ErrIllegalValue, at)
			}
			names[nameType] = name
		})
		b.Strings = append(b.Strings, names[0])
	case extension.ALPN:
		r.Elements(2, 2, func(r *extensiontest.Reader) { vector(r, 1, 1) })
	case extension.SupportedVersions, extension.CompressCertificate:
		values(1)
	case extension.SupportedGroups, extension.SignatureAlgorithms, extension.SignatureAlgorithmsCert:
		values(2)
	case extension.KeyShare:
		r.Elements(2, 0, func(r *extensiontest.Reader) {
			number(r, 2)
			vector(r, 2, 1)
		})
	case extension.PSKKeyExchangeModes, extension.ECPointFormats:
		vector(r, 1, 1)
	case extension.RenegotiationInfo:
		vector(r, 1, 0)
	case extension.Cookie:
		vector(r, 2, 1)
	case extension.PreSharedKey:
		r.Elements(2, 7, func(r *extensiontest.Reader) {
			vector(r, 2, 1)
			number(r, 4)
		})
		at := r.At()
		r.Elements(2, 33, func(r *extensiontest.Reader) { vector(r, 1, 32) })
		if len(b.Strings) != 2*len(b.Numbers) {
			r.Refuse(extension.ErrIllegalValue, at)
		}
	case extension.EarlyData, extension.ExtendedMasterSecret:
		b.Numbers = []uint64{1}
	case extension.EncryptedClientHello:
		switch number(r, 1) {
		case 0: // outer
			number(r, 2)
			number(r, 2)
			number(r, 1)
			vector(r, 2, 0)
			vector(r, 2, 1)
		case 1: // inner
			b = Body{[]uint64{1, 0, 0, 0}, make([][]byte, 2)}
		default:
			r.Refuse(extension.ErrIllegalValue, 0)
		}
	case extension.RecordSizeLimit:
		if number(r, 2) < 64 {
			r.Refuse(extension.ErrIllegalValue, 0)
		}
	case extension.StatusRequest:
		if number(r, 1) != 1 { // undefined
			b.Strings = make([][]byte, 2)
			r.Bytes(r.Len())
			break
		}
		list := r.At() + 2
		r.Elements(2, 0, func(r *extensiontest.Reader) { r.Vector(2, 1) })
		if r.Len() > 0 {
			b.Strings = append(b.Strings, data[list:r.At()])
		}
		vector(r, 2, 0)
	case extension.TLSFlags, extension.TLSFlagsExperimental:
		_, n, code := extensiontest.ReferenceFlags(data)
		return Body{}, n, code
	case extension.SessionTicket, extension.QUICTransportParameters:
		b.Strings = [][]byte{data}
		r.Bytes(r.Len())
	default:
		r.Bytes(r.Len())
	}
	if n, code = r.Done(); code != 0 {
		return Body{}, n, code
	}
	return b, n, 0
}

// CheckBody checks what reads the extension of type t, on one extension_data.
func CheckBody(t extension.Type, data []byte) error {
	h := Hello{
		Version:            0x0303,
		Random:             make([]byte, 32),
		CipherSuites:       []uint16{0x1301},
		CompressionMethods: []byte{0},
		HasExtensionBlock:  true,
		Extensions:         []extension.Extension{{Type: t, Data: data}},
	}
	msg, err := h.Append(nil, false)
	if err != nil {
		return nil // longer than an extension can be
	}
	return Check(msg, false)
}
