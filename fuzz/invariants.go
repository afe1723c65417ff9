package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// lookups is how many extensions of a list are looked up: each time costs a walk over
// the list, and all of the longest list would cost minutes.
const lookups = 64

// CheckClientHello holds clienthello.Parse (or ParseDTLS) to its promise on one input,
// and returns what is broken. It covers what one run can tell: allocations and time
// are measured by tests of their own.
func CheckClientHello(msg []byte, dtls bool) error {
	parse := clienthello.Parse
	if dtls {
		parse = clienthello.ParseDTLS
	}
	before := bytes.Clone(msg)
	hello, n, err := parse(msg)
	if !bytes.Equal(before, msg) {
		return errors.New("the input was written to")
	}
	if n < 0 || n > len(msg) {
		return fmt.Errorf("position %d is outside of the %d bytes given", n, len(msg))
	}
	want, wantN, wantCode := ReferenceClientHello(msg, dtls)
	if got := codeOf(err); n != wantN || got != wantCode {
		return fmt.Errorf("got position %d and %q, the reference parser has %d and %q", n, got.Name(), wantN, wantCode.Name())
	}
	for _, same := range sameInputs(msg) {
		if other, m, err2 := parse(same); m != n || err2 != err || !bytes.Equal(other.Raw(), hello.Raw()) {
			return errors.New("the capacity of the slice changes the outcome")
		}
	}
	if err != nil {
		return checkRefused(hello, n, err.(extension.Code), msg, parse)
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
	if longer, m, err := parse(append(bytes.Clone(msg[:n]), 0xa5, 0xa5, 0xa5)); m != n || err != nil || !bytes.Equal(longer.Raw(), hello.Raw()) {
		return errors.New("bytes behind the message change the outcome")
	}
	for i := range prefixes(n) {
		if _, m, err := parse(msg[:i]); err != extension.ErrTruncated || m != i {
			return fmt.Errorf("the prefix of %d bytes gives %v at %d, not truncated", i, err, m)
		}
	}
	if err := checkList(hello.Extensions()); err != nil {
		return err
	}
	checked := 0
	for e := range hello.Extensions().All() {
		if checked++; checked > lookups {
			break
		}
		offset, err := hello.CheckExtension(e.Type)
		if err != nil && (offset < e.Offset || offset > e.Offset+len(e.Data)) {
			return fmt.Errorf("the fault of %v at %d is outside of its data", e.Type, offset)
		}
	}
	return checkBodies(hello)
}

func checkRefused(hello clienthello.ClientHello, n int, code extension.Code, msg []byte, parse func([]byte) (clienthello.ClientHello, int, error)) error {
	if hello.Raw() != nil || hello.Extensions().Len() != 0 || hello.HasFlag(0) {
		return errors.New("a refused message gives a ClientHello that is not zero")
	}
	if code.Name() == "" || code.Clause() == "" {
		return fmt.Errorf("code %d has no row", code)
	}
	switch code.Alert() {
	case extension.AlertDecodeError, extension.AlertIllegalParameter, extension.AlertUnexpectedMessage:
	default:
		return fmt.Errorf("%s has the alert %v", code.Name(), code.Alert())
	}
	if code == extension.ErrTruncated || code == extension.ErrMessageTooLarge {
		return nil // concern all of the message
	}
	// What stands behind the field at the offset has no say. A length field has at
	// most three bytes, random 32.
	const widest = 32
	if n+widest < len(msg) {
		changed := bytes.Clone(msg)
		for i := n + widest; i < len(changed); i++ {
			changed[i] ^= 0xff
		}
		if _, m, err := parse(changed); m != n || err != code {
			return fmt.Errorf("bytes behind the fault at %d change %s to %v at %d", n, code.Name(), err, m)
		}
	}
	return nil
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
		slices.EqualFunc(h.Extensions, o.Extensions, sameExtension)
}

func sameExtension(a, b extension.Extension) bool {
	return a.Type == b.Type && a.Offset == b.Offset && bytes.Equal(a.Data, b.Data)
}

// checkViews holds that every view lies inside the message with no room to append, and
// that the fields tile the message without gap or overlap.
func checkViews(h clienthello.ClientHello, msg []byte) error {
	next := 4 + 2
	if h.IsDTLS() {
		next = 12 + 2
	}
	take := func(name string, view []byte, lengthSize int) error {
		next += lengthSize
		if err := inside(name, view, msg, next); err != nil {
			return err
		}
		next += len(view)
		return nil
	}
	suites := 2 * h.CipherSuites().Len()
	err := errors.Join(
		inside("Raw", h.Raw(), msg, 0),
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

func inside(name string, view, msg []byte, offset int) error {
	if len(view) == 0 {
		return nil
	}
	if cap(view) != len(view) {
		return fmt.Errorf("%s has room behind it", name)
	}
	if unsafe.SliceData(view) != unsafe.SliceData(msg[offset:]) || offset+len(view) > len(msg) {
		return fmt.Errorf("%s is not at offset %d of the message", name, offset)
	}
	return nil
}

// CheckList holds extension.ParseList to its promise on one extension block.
func CheckList(m extension.MessageKind, block []byte) error {
	const offset = 77
	before := bytes.Clone(block)
	list, n, err := extension.ParseList(m, block, offset)
	if !bytes.Equal(before, block) {
		return errors.New("the input was written to")
	}
	want, wantN, wantCode := ReferenceList(m, block, offset)
	if got := codeOf(err); n != wantN || got != wantCode {
		return fmt.Errorf("got position %d and %q, the reference parser has %d and %q", n, got.Name(), wantN, wantCode.Name())
	}
	var got []extension.Extension
	for e := range list.All() {
		got = append(got, e)
	}
	if !slices.EqualFunc(got, want, sameExtension) {
		return fmt.Errorf("reference parser (-) and parser (+) differ:\n%s", cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
	if err == nil && !bytes.Equal(list.AppendTo(nil), block) {
		return errors.New("encoding again does not give back the block")
	}
	return checkList(list)
}

// checkList holds that Lookup gives the first of All, and checks the flags.
func checkList(l extension.List) error {
	count := 0
	for e := range l.All() {
		if count < lookups {
			if found, ok := l.Lookup(e.Type); !ok || found.Offset != e.Offset {
				return fmt.Errorf("the result of Lookup(%v) is not what All yields", e.Type)
			}
		}
		count++
	}
	if count != l.Len() {
		return fmt.Errorf("the list yields %d extensions, Len is %d", count, l.Len())
	}
	holder, ok := l.Lookup(extension.TLSFlags)
	if !ok {
		holder, ok = l.Lookup(extension.TLSFlagsExperimental)
	}
	flags, t, err := l.Flags()
	if !ok {
		if t != 0 || err != nil || flags.Len() != 0 {
			return errors.New("an extension is found by Flags and not by Lookup")
		}
		return nil
	}
	if t != holder.Type {
		return fmt.Errorf("the flags are from %v, not from %v", t, holder.Type)
	}
	for f := range extension.Flag(extension.MaxFlag + 10) {
		if l.HasFlag(f) != (err == nil && flags.Has(f)) {
			return fmt.Errorf("about flag %d HasFlag and Flags disagree", f)
		}
	}
	return CheckFlags(holder.Data)
}

// CheckFlags holds extension.ParseFlags to its promise on one input.
func CheckFlags(data []byte) error {
	before := bytes.Clone(data)
	flags, n, err := extension.ParseFlags(data)
	if !bytes.Equal(before, data) {
		return errors.New("the input was written to")
	}
	want, wantN, wantCode := ReferenceFlags(data)
	if got := codeOf(err); n != wantN || got != wantCode {
		return fmt.Errorf("flags: got position %d and %q, the reference parser has %d and %q", n, got.Name(), wantN, wantCode.Name())
	}
	var all []extension.Flag
	for f := range flags.All() {
		all = append(all, f)
	}
	if !slices.Equal(want, all) {
		return fmt.Errorf("flags of reference parser (-) and parser (+) differ:\n%s", cmp.Diff(want, all))
	}
	if flags.Len() != len(all) {
		return fmt.Errorf("flags: All yields %d, Len is %d", len(all), flags.Len())
	}
	if err != nil {
		return nil
	}
	set, err := extension.NewFlagSet(all...)
	if err != nil {
		return err
	}
	encoded, err := set.AppendTo(nil)
	if err != nil || !bytes.Equal(encoded, data) || !bytes.Equal(flags.AppendTo(nil), data) {
		return errors.New("flags: encoding them again does not give the same bytes")
	}
	if set != flags.Set() {
		return errors.New("flags: Set is not the set of All")
	}
	if text := flags.String(); text != set.String() || strings.Count(text, ", ") != len(all)-1 || !strings.HasPrefix(text, all[0].String()) {
		return fmt.Errorf("flags: %d of them are listed as %q, and as a set as %q", len(all), text, set)
	}
	return nil
}

// checkBodies walks everything that the extension accessors give.
func checkBodies(h clienthello.ClientHello) error {
	var err error
	view := func(name string, v []byte) {
		if len(v) > 0 && cap(v) != len(v) {
			err = errors.Join(err, fmt.Errorf("%s has room behind it", name))
		}
	}
	name, _ := h.ServerName()
	view("ServerName", name)
	protocols, _ := h.ALPN()
	for p := range protocols.All() {
		view("ALPN", p)
	}
	shares, _ := h.KeyShares()
	for s := range shares.All() {
		view("KeyShares", s.KeyExchange)
	}
	psks, _ := h.PreSharedKey()
	identities := 0
	for id := range psks.Identities() {
		view("Identities", id.Identity)
		identities++
	}
	if identities != psks.Len() {
		err = errors.Join(err, fmt.Errorf("%d identities, %d binders", identities, psks.Len()))
	}
	for b := range psks.Binders() {
		view("Binders", b)
		if len(b) < 32 {
			err = errors.Join(err, errors.New("a binder is shorter than 32 bytes"))
		}
	}
	ech, _, _ := h.EncryptedClientHello()
	view("ECH.Enc", ech.Enc)
	view("ECH.Payload", ech.Payload)
	status, _, _ := h.StatusRequest()
	view("StatusRequest.ResponderIDs", status.ResponderIDs)
	view("StatusRequest.RequestExtensions", status.RequestExtensions)
	ticket, _ := h.SessionTicket()
	view("SessionTicket", ticket)
	parameters, _ := h.QUICTransportParameters()
	view("QUICTransportParameters", parameters)
	versions, _ := h.SupportedVersions()
	list := slices.Collect(versions.All())
	for _, v := range append(list, clienthello.VersionTLS12) {
		if versions.Contains(v) != slices.Contains(list, v) {
			err = errors.Join(err, fmt.Errorf("contains %v: %t", v, versions.Contains(v)))
		}
	}
	if h.OffersTLS13() != (slices.Contains(list, clienthello.VersionTLS13) || slices.Contains(list, clienthello.VersionDTLS13)) {
		err = errors.Join(err, errors.New("OffersTLS13 is not what supported_versions lists"))
	}
	if limit, ok, bad := h.RecordSizeLimit(); (ok && bad == nil) != (limit >= 64) {
		err = errors.Join(err, fmt.Errorf("record_size_limit %d", limit))
	}
	for _, present := range []struct {
		t        extension.Type
		accessor func() (bool, error)
	}{{extension.EarlyData, h.EarlyData}, {extension.ExtendedMasterSecret, h.ExtendedMasterSecret}} {
		_, sent := h.Extensions().Lookup(present.t)
		if has, bad := present.accessor(); has != (sent && bad == nil) {
			err = errors.Join(err, fmt.Errorf("%v: %t", present.t, has))
		}
	}
	_, certErr := h.SignatureAlgorithmsCert()
	_, compressErr := h.CompressCertificate()
	for t, got := range map[extension.Type]error{extension.SignatureAlgorithmsCert: certErr, extension.CompressCertificate: compressErr} {
		if _, want := h.CheckExtension(t); got != want {
			err = errors.Join(err, fmt.Errorf("%v: %v, and CheckExtension has %v", t, got, want))
		}
	}
	for _, accessor := range []func() ([]byte, error){h.PSKKeyExchangeModes, h.ECPointFormats, h.Cookie, h.RenegotiationInfo} {
		v, _ := accessor()
		view("opaque body", v)
	}
	return err
}

// sameInputs returns copies of msg that differ only in what lies behind their length.
func sameInputs(msg []byte) [][]byte {
	clipped := make([]byte, len(msg))
	copy(clipped, msg)
	poisoned := append(bytes.Clone(msg), bytes.Repeat([]byte{0xff}, 64)...)[:len(msg)]
	return [][]byte{clipped, poisoned}
}

// prefixes yields the lengths of proper prefixes to try of a message of n bytes: all
// of a short one, and the first and last of a long one.
func prefixes(n int) func(func(int) bool) {
	const each = 512
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if i == each && n > 2*each {
				i = n - each
			}
			if !yield(i) {
				return
			}
		}
	}
}

func codeOf(err error) extension.Code {
	code, _ := err.(extension.Code)
	return code
}
