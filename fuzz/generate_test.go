package fuzz

import (
	"math/rand"

	gofuzz "github.com/google/gofuzz"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// A generator makes structures that are valid, or off by a little: what a fuzzer that
// mutates bytes takes long to come up with. It is the only user of gofuzz, which is no
// longer developed. The same seed gives the same structures.
type generator struct {
	fuzzer *gofuzz.Fuzzer
	random *rand.Rand
}

// newGenerator returns a generator that starts from seed.
func newGenerator(seed int64) *generator {
	g := &generator{random: rand.New(rand.NewSource(seed))}
	g.fuzzer = gofuzz.NewWithSeed(seed).NilChance(0.1).NumElements(1, 12).Funcs(g.hello, g.extension, g.flagSet)
	return g
}

// randomHello returns a ClientHello that may be encoded. One in eight breaks a rule.
func (g *generator) randomHello() (h clienthellotest.Hello) {
	g.fuzzer.Fuzz(&h)
	return h
}

// randomFlagSet returns a set of up to 12 flags.
func (g *generator) randomFlagSet() (s extension.FlagSet) {
	g.fuzzer.Fuzz(&s)
	return s
}

// randomExtensions returns a list of extensions, in which one of eight types occurs twice.
func (g *generator) randomExtensions() (list []extension.Extension) {
	g.fuzzer.Fuzz(&list)
	return list
}

// bytes returns up to limit bytes.
func (g *generator) bytes(limit int) []byte { return assembletest.RandomBytes(g.random, limit) }

// cuts returns sizes of pieces, most of them small.
func (g *generator) cuts() []byte { return assembletest.RandomCuts(g.random) }

func (g *generator) hello(h *clienthellotest.Hello, c gofuzz.Continue) {
	h.Version = [...]uint16{0x0301, 0x0303, 0x0303, 0x0303, uint16(c.Uint32())}[c.Intn(5)]
	h.Random = make([]byte, 32)
	c.Read(h.Random)
	h.SessionID = make([]byte, [...]int{0, 32, c.Intn(33)}[c.Intn(3)])
	h.Cookie = g.bytes(255)
	h.CipherSuites = make([]uint16, 1+c.Intn(20))
	for i := range h.CipherSuites {
		h.CipherSuites[i] = uint16(c.Uint32())
	}
	h.CompressionMethods = make([]byte, 1+c.Intn(2))
	h.HasExtensionBlock = c.Intn(8) > 0
	if h.HasExtensionBlock {
		c.Fuzz(&h.Extensions)
	}
	switch c.Intn(8 * 4) {
	case 0:
		h.SessionID = make([]byte, 33+c.Intn(223))
	case 1:
		h.CipherSuites = nil
	case 2:
		h.CompressionMethods = nil
	case 3:
		h.Random = h.Random[:c.Intn(32)]
	}
}

func (g *generator) extension(e *extension.Extension, c gofuzz.Continue) {
	types := [...]extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental, extension.PreSharedKey,
		extension.Type(c.Intn(64)), extension.Type(c.Uint32()), extension.Type(c.Uint32()), 0x1a1a}
	e.Type = types[c.Intn(len(types))]
	switch {
	case e.Type != extension.TLSFlags && e.Type != extension.TLSFlagsExperimental:
		e.Data = g.bytes(40)
	case c.Intn(4) == 0:
		e.Data = g.bytes(20)
	default:
		var s extension.FlagSet
		c.Fuzz(&s)
		e.Data, _ = s.AppendTo(nil)
	}
}

func (g *generator) flagSet(s *extension.FlagSet, c gofuzz.Continue) {
	for range c.Intn(12) {
		limits := [...]extension.Flag{16, 100, extension.MaxFlag + 1}
		s.Add(extension.Flag(c.Intn(int(limits[c.Intn(3)])))) // in range
	}
}
