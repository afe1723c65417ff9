// Package check compares the parsers of this module with the vectors.
package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// An answer is what the parsers say about one input.
type answer struct {
	code   extension.Code
	clause string // if it is not that of the code
	offset int
	parsed *vectors.Parsed
}

// Test gives the input of a test to the parsers, and returns an error if they
// disagree with its verdict.
func Test(g *vectors.Group, t *vectors.Test) error {
	if t.Prefixes != nil {
		for n := t.Prefixes.From; n <= t.Prefixes.To; n++ {
			prefix := *t
			prefix.Input, prefix.Offset = t.Input[:n:n], &n
			if err := compare(&prefix, read(g, &prefix)); err != nil {
				return fmt.Errorf("prefix of %d bytes: %w", n, err)
			}
		}
		return nil
	}
	switch g.Entry {
	case vectors.Records, vectors.Datagrams, vectors.QUICDatagrams, vectors.DTLSDatagrams:
		return testPieces(g, t)
	case vectors.Exchange:
		return testExchange(t)
	}
	return compare(t, read(g, t))
}

func read(g *vectors.Group, t *vectors.Test) answer {
	switch g.Kind {
	case vectors.TLSFlags:
		return readFlags(t.Input)
	case vectors.ClientHello:
		return readHello(t.Input)
	case vectors.ExtensionBodies:
		return readBodies(t.Input)
	case vectors.Messages:
		return readMessage(t)
	}
	panic("no such kind: " + g.Kind)
}

func refused(err error, offset int) answer {
	code, ok := err.(extension.Code)
	if !ok {
		panic(fmt.Sprintf("error %v is no Code", err))
	}
	return answer{code: code, offset: offset}
}

func readFlags(data []byte) answer {
	flags, n, err := extension.ParseFlags(data)
	if err != nil {
		return refused(err, n)
	}
	return answer{parsed: &vectors.Parsed{Flags: numbers(flags)}}
}

// numbers lists the flags that are set, and compares the other accessors with the list.
func numbers(flags extension.Flags) []uint16 {
	list := make([]uint16, 0, flags.Len())
	for f := range flags.All() {
		list = append(list, uint16(f))
	}
	if len(list) != flags.Len() {
		panic(fmt.Sprintf("All yields %d flags, Len is %d", len(list), flags.Len()))
	}
	for f := range extension.MaxFlag + 1 {
		if _, found := slices.BinarySearch(list, uint16(f)); found != flags.Has(f) {
			panic(fmt.Sprintf("All and Has disagree about flag %d", f))
		}
	}
	return list
}

func readHello(msg []byte) answer {
	h, n, err := clienthello.Parse(msg)
	if err != nil {
		return refused(err, n)
	}
	return readFields(h)
}

// readBodies is readHello with a look into every extension that the parser knows.
func readBodies(msg []byte) answer {
	h, n, err := clienthello.Parse(msg)
	if err != nil {
		return refused(err, n)
	}
	for e := range h.Extensions().All() {
		if offset, err := h.CheckExtension(e.Type); err != nil {
			return refused(err, offset)
		}
	}
	return readFields(h)
}

// readFields reads the flags of a hello and its other fields.
func readFields(h clienthello.ClientHello) answer {
	flags, typ, err := h.Flags()
	if err != nil {
		offset, _ := h.CheckExtension(typ)
		return refused(err, offset)
	}
	suites := h.CipherSuites()
	name, _ := h.ServerName()
	c := &vectors.Hello{
		LegacyVersion: uint16(h.LegacyVersion()),
		SessionID:     h.LegacySessionID(),
		CipherSuites: vectors.CipherSuites{
			Count: suites.Len(), First: uint16(suites.At(0)), Last: uint16(suites.At(suites.Len() - 1)),
		},
		CompressionMethods: h.LegacyCompressionMethods(),
	}
	if name != nil {
		c.ServerName = new(string(name))
	}
	for e := range h.Extensions().All() {
		c.Extensions = append(c.Extensions, uint16(e.Type))
	}
	protocols, _ := h.ALPN()
	for p := range protocols.All() {
		c.ALPN = append(c.ALPN, string(p))
	}
	versions, _ := h.SupportedVersions()
	for v := range versions.All() {
		c.SupportedVersions = append(c.SupportedVersions, uint16(v))
	}
	return answer{parsed: &vectors.Parsed{Flags: numbers(flags), FlagsExtension: uint16(typ), ClientHello: c}}
}

// compare returns how an answer differs from the verdict of a test.
func compare(t *vectors.Test, a answer) error {
	if a.code != 0 {
		if t.Result != vectors.Invalid {
			return fmt.Errorf("refused with %s at offset %d, is %s", a.code.Name(), a.offset, t.Result)
		}
		return compareRefusal(t, a.code, cmp.Or(a.clause, a.code.Clause()), a.offset)
	}
	if t.Result != vectors.Valid {
		return fmt.Errorf("accepted, is %s: %s", t.Result, t.Code)
	}
	return compareParsed(*t.Parsed, *a.parsed)
}

func compareRefusal(t *vectors.Test, code extension.Code, clause string, offset int) error {
	switch {
	case code.Name() != t.Code:
		return fmt.Errorf("code is %s, want %s", code.Name(), t.Code)
	case offset != *t.Offset:
		return fmt.Errorf("offset is %d, want %d (%s)", offset, *t.Offset, t.Code)
	case t.Alert == nil: // a fault of QUIC
		return nil
	case uint8(code.Alert()) != t.Alert.Value || code.Alert().String() != t.Alert.Name:
		return fmt.Errorf("alert is %s, want %s (%s)", code.Alert(), t.Alert.Name, t.Alert.Clause)
	case clause != t.Alert.Clause:
		return fmt.Errorf("clause is %s, want %s", clause, t.Alert.Clause)
	}
	other, ok := code.AlternativeAlert()
	return compareAlternative(t, other, ok)
}

// compareAlternative returns an error if the parsers have an alternative that the test
// does not list.
func compareAlternative(t *vectors.Test, other extension.Alert, ok bool) error {
	if ok && !slices.ContainsFunc(t.Alternatives, func(v vectors.Alternative) bool { return v.Alert == other.String() }) {
		return fmt.Errorf("alternative is %s, want one of %v", other, t.Alternatives)
	}
	return nil
}

func compareParsed(want, got vectors.Parsed) error {
	if !slices.Equal(got.Flags, want.Flags) || got.FlagsExtension != want.FlagsExtension {
		return fmt.Errorf("flags are %d in extension %d, want %d in %d", got.Flags, got.FlagsExtension, want.Flags, want.FlagsExtension)
	}
	if (got.ClientHello == nil) != (want.ClientHello == nil) {
		return fmt.Errorf("client_hello is %v, want %v", got.ClientHello, want.ClientHello)
	}
	if want.ClientHello == nil {
		return nil
	}
	g, w := *got.ClientHello, *want.ClientHello
	switch {
	case g.LegacyVersion != w.LegacyVersion:
		return fmt.Errorf("legacy_version is %#04x, want %#04x", g.LegacyVersion, w.LegacyVersion)
	case !slices.Equal(g.SessionID, w.SessionID):
		return fmt.Errorf("session_id is %x, want %x", g.SessionID, w.SessionID)
	case g.CipherSuites != w.CipherSuites:
		return fmt.Errorf("cipher_suites are %+v, want %+v", g.CipherSuites, w.CipherSuites)
	case !slices.Equal(g.CompressionMethods, w.CompressionMethods):
		return fmt.Errorf("compression_methods are %x, want %x", g.CompressionMethods, w.CompressionMethods)
	case !slices.Equal(g.Extensions, w.Extensions):
		return fmt.Errorf("extensions are %d, want %d", g.Extensions, w.Extensions)
	case (g.ServerName == nil) != (w.ServerName == nil) || g.ServerName != nil && *g.ServerName != *w.ServerName:
		return fmt.Errorf("server_name differs")
	case !slices.Equal(g.ALPN, w.ALPN):
		return fmt.Errorf("alpn is %q, want %q", g.ALPN, w.ALPN)
	case !slices.Equal(g.SupportedVersions, w.SupportedVersions):
		return fmt.Errorf("supported_versions are %#04x, want %#04x", g.SupportedVersions, w.SupportedVersions)
	}
	return nil
}
