package fuzz

import (
	"bytes"
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"golang.org/x/crypto/cryptobyte"
)

// ReferenceBody reports whether data is a well-formed extension_data of type t in a
// ClientHello, as obvious as it gets. Types that clienthello does not read are fine.
func ReferenceBody(t extension.Type, data []byte) bool {
	s := cryptobyte.String(data)
	var v, w cryptobyte.String
	var n8 uint8
	var n16 uint16
	var n32 uint32
	switch t {
	case extension.ServerName:
		if !s.ReadUint16LengthPrefixed(&v) || v.Empty() {
			return false
		}
		seen := make(map[uint8]bool)
		for !v.Empty() {
			if !v.ReadUint8(&n8) || !v.ReadUint16LengthPrefixed(&w) || w.Empty() || seen[n8] {
				return false
			}
			seen[n8] = true
		}
	case extension.ALPN:
		if !s.ReadUint16LengthPrefixed(&v) || len(v) < 2 {
			return false
		}
		for !v.Empty() {
			if !v.ReadUint8LengthPrefixed(&w) || w.Empty() {
				return false
			}
		}
	case extension.SupportedVersions, extension.CompressCertificate:
		if !s.ReadUint8LengthPrefixed(&v) || v.Empty() || len(v)%2 != 0 {
			return false
		}
	case extension.SupportedGroups, extension.SignatureAlgorithms, extension.SignatureAlgorithmsCert:
		if !s.ReadUint16LengthPrefixed(&v) || v.Empty() || len(v)%2 != 0 {
			return false
		}
	case extension.KeyShare:
		if !s.ReadUint16LengthPrefixed(&v) {
			return false
		}
		for !v.Empty() {
			if !v.ReadUint16(&n16) || !v.ReadUint16LengthPrefixed(&w) || w.Empty() {
				return false
			}
		}
	case extension.PSKKeyExchangeModes, extension.ECPointFormats:
		if !s.ReadUint8LengthPrefixed(&v) || v.Empty() {
			return false
		}
	case extension.RenegotiationInfo:
		if !s.ReadUint8LengthPrefixed(&v) {
			return false
		}
	case extension.Cookie:
		if !s.ReadUint16LengthPrefixed(&v) || v.Empty() {
			return false
		}
	case extension.PreSharedKey:
		identities, binders := 0, 0
		if !s.ReadUint16LengthPrefixed(&v) || len(v) < 7 {
			return false
		}
		for ; !v.Empty(); identities++ {
			if !v.ReadUint16LengthPrefixed(&w) || w.Empty() || !v.ReadUint32(&n32) {
				return false
			}
		}
		if !s.ReadUint16LengthPrefixed(&v) || len(v) < 33 {
			return false
		}
		for ; !v.Empty(); binders++ {
			if !v.ReadUint8LengthPrefixed(&w) || len(w) < 32 {
				return false
			}
		}
		if identities != binders {
			return false
		}
	case extension.EarlyData, extension.ExtendedMasterSecret:
	case extension.EncryptedClientHello:
		if !s.ReadUint8(&n8) || n8 > 1 {
			return false
		}
		if n8 == 0 && (!s.Skip(5) || !s.ReadUint16LengthPrefixed(&v) || !s.ReadUint16LengthPrefixed(&v) || v.Empty()) {
			return false
		}
	case extension.RecordSizeLimit:
		if !s.ReadUint16(&n16) || n16 < 64 {
			return false
		}
	case extension.StatusRequest:
		if !s.ReadUint8(&n8) {
			return false
		}
		if n8 != 1 {
			return true
		}
		if !s.ReadUint16LengthPrefixed(&v) {
			return false
		}
		for !v.Empty() {
			if !v.ReadUint16LengthPrefixed(&w) || w.Empty() {
				return false
			}
		}
		if !s.ReadUint16LengthPrefixed(&v) {
			return false
		}
	case extension.TLSFlags, extension.TLSFlagsExperimental:
		_, _, code := ReferenceFlags(data)
		return code == 0
	default:
		return true
	}
	return s.Empty()
}

// CheckExtensionBody holds the reader of the extension of type t to its promise on one
// extension_data.
func CheckExtensionBody(t extension.Type, data []byte) error {
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
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		return err
	}
	offset, err := hello.CheckExtension(t)
	if want := ReferenceBody(t, data); want != (err == nil) {
		return fmt.Errorf("%v %x: got %v, the reference parser says %t", t, data, err, want)
	}
	if err != nil {
		// What stands behind the refused field, of at most 4 bytes, has no say.
		const widest = 4
		at := offset - (len(msg) - len(data))
		if at+widest < len(data) && err != extension.ErrFieldOverrun && t != extension.PreSharedKey {
			changed := bytes.Clone(msg)
			for i := offset + widest; i < len(changed); i++ {
				changed[i] ^= 0xff
			}
			again, _, parseErr := clienthello.Parse(changed)
			if parseErr != nil {
				return parseErr
			}
			if offset2, err2 := again.CheckExtension(t); offset2 != offset || err2 != err {
				return fmt.Errorf("%v %x: bytes behind the fault at %d change %v to %v at %d", t, data, offset, err, err2, offset2)
			}
		}
	}
	return CheckClientHello(msg, false)
}
