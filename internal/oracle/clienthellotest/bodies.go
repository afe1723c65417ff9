package clienthellotest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
)

// Body is an extension_data of a ClientHello as the reference parser reads it: the numbers
// and the strings in it, in the order of the message.
type Body struct {
	Numbers []uint64
	Strings [][]byte
}

// ReferenceBody is a simple parser of the bodies of extensions in a ClientHello. It
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

// equal takes nil and empty strings for the same.
func (b Body) equal(o Body) bool {
	return slices.Equal(b.Numbers, o.Numbers) && slices.EqualFunc(b.Strings, o.Strings, bytes.Equal)
}

// AsBody copies what the method for extensions of type t gives into the form of the
// reference parser.
func AsBody(h clienthello.ClientHello, t extension.Type) (b Body, err error) {
	_, sent := h.Extensions().Lookup(t)
	strings := func(s ...[]byte) {
		if sent && err == nil {
			b.Strings = s
		}
	}
	opaque := func(s []byte, e error) {
		err = e
		strings(s)
	}
	flag := func(present bool, e error) {
		if err = e; present {
			b.Numbers = []uint64{1}
		}
	}
	var ok bool // of the methods that tell
	switch t {
	case extension.ServerName:
		opaque(h.ServerName())
	case extension.ALPN:
		var v clienthello.ProtocolNames
		v, err = h.ALPN()
		b.Strings = slices.Collect(v.All())
	case extension.SupportedVersions:
		b, err = numbers(h.SupportedVersions())
	case extension.SupportedGroups:
		b, err = numbers(h.SupportedGroups())
	case extension.SignatureAlgorithms:
		b, err = numbers(h.SignatureAlgorithms())
	case extension.SignatureAlgorithmsCert:
		b, err = numbers(h.SignatureAlgorithmsCert())
	case extension.CompressCertificate:
		b, err = numbers(h.CompressCertificate())
	case extension.KeyShare:
		var v clienthello.KeyShares
		v, err = h.KeyShares()
		for s := range v.All() {
			b.Numbers = append(b.Numbers, uint64(s.Group))
			b.Strings = append(b.Strings, s.KeyExchange)
		}
	case extension.PSKKeyExchangeModes:
		opaque(h.PSKKeyExchangeModes())
	case extension.ECPointFormats:
		opaque(h.ECPointFormats())
	case extension.Cookie:
		opaque(h.Cookie())
	case extension.RenegotiationInfo:
		opaque(h.RenegotiationInfo())
	case extension.PreSharedKey:
		var v clienthello.OfferedPSKs
		v, err = h.PreSharedKey()
		for id := range v.Identities() {
			b.Numbers = append(b.Numbers, uint64(id.ObfuscatedTicketAge))
			b.Strings = append(b.Strings, id.Identity)
		}
		b.Strings = slices.AppendSeq(b.Strings, v.Binders())
		if v.Len() != len(b.Numbers) {
			err = errors.Join(err, fmt.Errorf("%d identities, Len is %d", len(b.Numbers), v.Len()))
		}
	case extension.EarlyData:
		flag(h.EarlyData())
	case extension.ExtendedMasterSecret:
		flag(h.ExtendedMasterSecret())
	case extension.EncryptedClientHello:
		var v clienthello.ECH
		if v, ok, err = h.EncryptedClientHello(); ok && err == nil {
			b.Numbers = []uint64{uint64(v.Type), uint64(v.KDF), uint64(v.AEAD), uint64(v.ConfigID)}
		}
		strings(v.Enc, v.Payload)
	case extension.RecordSizeLimit:
		var limit uint16
		if limit, ok, err = h.RecordSizeLimit(); ok && err == nil {
			b.Numbers = []uint64{uint64(limit)}
		}
	case extension.StatusRequest:
		var v clienthello.StatusRequest
		if v, ok, err = h.StatusRequest(); ok && err == nil {
			b.Numbers = []uint64{uint64(v.Type)}
		}
		strings(v.ResponderIDs, v.RequestExtensions)
	case extension.SessionTicket:
		data, _ := h.SessionTicket()
		strings(data)
	case extension.QUICTransportParameters:
		data, _ := h.QUICTransportParameters()
		strings(data)
	}
	switch t {
	case extension.EncryptedClientHello, extension.RecordSizeLimit, extension.StatusRequest:
		if ok != sent {
			err = errors.Join(err, fmt.Errorf("sent: %t, the method says %t", sent, ok))
		}
	}
	return b, err
}

func numbers[T ~uint16](v clienthello.Vector[T], err error) (b Body, _ error) {
	for x := range v.All() {
		b.Numbers = append(b.Numbers, uint64(x))
	}
	return b, err
}
