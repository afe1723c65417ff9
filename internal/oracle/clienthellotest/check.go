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
	if err := checkTolerant(msg, dtls, n, code); err != nil {
		return err
	}
	if err := checkPartial(msg, dtls, n, code); err != nil {
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
	if err := checkFields(h); err != nil {
		return fmt.Errorf("ReadFields: %w", err)
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
