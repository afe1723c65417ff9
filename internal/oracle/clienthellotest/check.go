// Package clienthellotest has reference parsers and checks of ClientHello messages and of their extensions.
package clienthellotest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
)

// Check checks what clienthello.Parse, or ParseDTLS, promises, on one input.
func Check(msg []byte, dtls bool) error {
	parse := clienthello.Parse
	if dtls {
		parse = clienthello.ParseDTLS
	}
	want, n, code := Reference(msg, dtls)
	hello, err := extensiontest.Parser[clienthello.ClientHello]{Parse: parse, Bytes: clienthello.ClientHello.Raw}.Check(msg, n, code)
	if err != nil {
		return err
	}
	if code != 0 {
		if hello.Extensions().Len() != 0 || hello.HasFlag(0) {
			return errors.New("a refused message gives a ClientHello that is not zero")
		}
		return nil
	}
	if got := AsHello(hello); !got.equal(want) {
		return fmt.Errorf("reference parser (-) and parser (+) differ:\n%s", cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
	if !bytes.Equal(hello.AppendTo(nil), msg[:n]) {
		return errors.New("encoding again does not give back the bytes consumed")
	}
	if err := checkViews(hello, msg[:n]); err != nil {
		return err
	}
	if err := extensiontest.CheckParsed(hello.Extensions()); err != nil {
		return err
	}
	return CheckBodies(hello)
}

// AsHello copies what the accessors of h give into the form of the reference parser.
func AsHello(h clienthello.ClientHello) Hello {
	hello := Hello{
		Version:            uint16(h.LegacyVersion()),
		Random:             h.Random(),
		SessionID:          h.LegacySessionID(),
		Cookie:             h.LegacyCookie(),
		CompressionMethods: h.LegacyCompressionMethods(),
		HasExtensionBlock:  h.HasExtensionBlock(),
		Length:             len(h.Raw()),
	}
	for suite := range h.CipherSuites().All() {
		hello.CipherSuites = append(hello.CipherSuites, uint16(suite))
	}
	for e := range h.Extensions().All() {
		hello.Extensions = append(hello.Extensions, e)
	}
	return hello
}

// equal is what cmp.Equal says, without its cost, which would be most of a fuzz run.
func (h Hello) equal(o Hello) bool {
	return h.Version == o.Version && h.HasExtensionBlock == o.HasExtensionBlock && h.Length == o.Length &&
		bytes.Equal(h.Random, o.Random) && bytes.Equal(h.SessionID, o.SessionID) && bytes.Equal(h.Cookie, o.Cookie) &&
		bytes.Equal(h.CompressionMethods, o.CompressionMethods) && slices.Equal(h.CipherSuites, o.CipherSuites) &&
		slices.EqualFunc(h.Extensions, o.Extensions, extensiontest.SameExtension)
}

// checkViews checks that every view lies inside the message with no room to append, and
// that the fields tile the message without gap or overlap.
func checkViews(h clienthello.ClientHello, msg []byte) error {
	next := 4 + 2
	if h.IsDTLS() {
		next = 12 + 2
	}
	take := func(name string, view []byte, lengthSize int) error {
		next += lengthSize
		if err := extensiontest.Inside(name, view, msg, next); err != nil {
			return err
		}
		next += len(view)
		return nil
	}
	suites := 2 * h.CipherSuites().Len()
	err := errors.Join(
		extensiontest.Inside("Raw", h.Raw(), msg, 0),
		take("Random", h.Random(), 0),
		take("LegacySessionID", h.LegacySessionID(), 1))
	if h.IsDTLS() {
		err = errors.Join(err, take("LegacyCookie", h.LegacyCookie(), 1))
	}
	next += 2 + suites
	err = errors.Join(err, take("LegacyCompressionMethods", h.LegacyCompressionMethods(), 1))
	if h.HasExtensionBlock() {
		next += 2
	}
	for e := range h.Extensions().All() {
		err = errors.Join(err, take(e.Type.String(), e.Data, 4))
		if e.Offset != next-len(e.Data) {
			err = errors.Join(err, fmt.Errorf("%v says offset %d, its data is at %d", e.Type, e.Offset, next-len(e.Data)))
		}
	}
	if err == nil && next != len(msg) {
		err = fmt.Errorf("the fields cover %d of %d bytes", next, len(msg))
	}
	return err
}

// CheckBodies compares what the methods for extensions give with the reference, and checks
// that none leaves room to append.
func CheckBodies(h clienthello.ClientHello) error {
	for t := range clienthello.BodyTypes() {
		if err := checkBody(h, t); err != nil {
			return fmt.Errorf("%v: %w", t, err)
		}
	}
	versions, _ := h.SupportedVersions()
	list := slices.Collect(versions.All())
	for _, v := range append(list, clienthello.VersionTLS12) {
		if versions.Contains(v) != slices.Contains(list, v) {
			return fmt.Errorf("contains %v: %t", v, versions.Contains(v))
		}
	}
	if h.OffersTLS13() != (slices.Contains(list, clienthello.VersionTLS13) || slices.Contains(list, clienthello.VersionDTLS13)) {
		return errors.New("OffersTLS13 is not what supported_versions lists")
	}
	return nil
}

func checkBody(h clienthello.ClientHello, t extension.Type) error {
	var want Body
	var wantN int
	var wantCode extension.Code
	e, sent := h.Extensions().Lookup(t)
	if sent {
		if want, wantN, wantCode = ReferenceBody(t, e.Data); wantCode != 0 {
			wantN += e.Offset
		} else {
			wantN = 0
		}
	}
	if n, err := h.CheckExtension(t); n != wantN || extensiontest.CodeOf(err) != wantCode {
		return fmt.Errorf("%x: got %d and %v, the reference has %d and %q", e.Data, n, err, wantN, wantCode.Name())
	}
	got, err := AsBody(h, t)
	if t == extension.TLSFlags || t == extension.TLSFlagsExperimental {
		return nil // see CheckParsed
	}
	if extensiontest.CodeOf(err) != wantCode || !got.equal(want) {
		return fmt.Errorf("%x: got %v and %v, the reference has %v and %q", e.Data, got, err, want, wantCode.Name())
	}
	for _, s := range got.Strings {
		if cap(s) != len(s) {
			return errors.New("a view has room after it")
		}
	}
	return nil
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
