package fuzz

import (
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/oracle/rulestest"
	"golang.org/x/crypto/cryptobyte"
)

// readRulesCase reads a case from an input: three choices, then extension_data after
// two bytes each: which block and type it is for, and its length.
func readRulesCase(data []byte) (c rulestest.Case, ok bool) {
	s := cryptobyte.String(data)
	var message, sender, where uint8
	if !s.Skip(1) /* which seeds have, and nothing reads */ || !s.ReadUint8(&message) || !s.ReadUint8(&sender) {
		return c, false
	}
	c.Flags = answeringRegistry()
	c.Message = extension.MessageKind(message % 9)
	c.Sender = handshake.Sender(sender % 2)
	var body cryptobyte.String
	for s.ReadUint8(&where) && s.ReadUint8LengthPrefixed(&body) {
		t := [...]extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental, extension.ServerName, 0x1a1a}[(where>>2)%4]
		list := [...]*[]extension.Extension{&c.Block, &c.Hello, &c.Request, &c.Block}[where%4]
		*list = append(*list, extension.Extension{Type: t, Data: body})
	}
	return c, true
}

// Flags that are answered in other messages than those of published texts.
const (
	flagAnsweredEarly extension.Flag = 17
	flagAnsweredLate  extension.Flag = 250
)

// answeringRegistry is the registry with these flags.
func answeringRegistry() extension.Registry {
	var r extension.Registry
	for _, info := range []extension.FlagInfo{
		{Number: flagAnsweredEarly, Name: "answered_early",
			Messages:  extension.MessagesOf(extension.ClientHello, extension.ServerHello, extension.EncryptedExtensions),
			Answers:   extension.MessagesOf(extension.ServerHello, extension.EncryptedExtensions),
			Reference: "nowhere"},
		{Number: flagAnsweredLate, Name: "answered_late",
			Messages:  extension.MessagesOf(extension.ClientHello, extension.CertificateRequest, extension.Certificate, extension.EncryptedExtensions),
			Answers:   extension.MessagesOf(extension.Certificate, extension.EncryptedExtensions),
			Reference: "nowhere"},
	} {
		if with, err := r.With(info); err == nil {
			r = with
		}
	}
	return r
}

func checkRulesInput(data []byte) error {
	c, ok := readRulesCase(data)
	if !ok {
		return nil
	}
	return rulestest.Check(c)
}

// rulesSeeds are messages of every kind that answer a hello with the same flags.
func rulesSeeds(yield func([]byte) bool) {
	g := newGenerator(10)
	part := func(where byte, data []byte) []byte {
		return append([]byte{where, byte(len(data))}, data...)
	}
	for i := range 6 * 9 * 4 {
		set := g.randomFlagSet()
		for _, f := range []extension.Flag{extension.ResumptionAcrossNames, extension.RequestMTLS, flagAnsweredEarly, flagAnsweredLate}[i/54 : i/54+1] {
			if err := set.Add(f); err != nil {
				return
			}
		}
		flags, err := set.AppendTo(nil)
		if err != nil || len(flags) > 255 {
			continue
		}
		t := byte(i % 2 << 2)
		seed := []byte{byte(i / 9 % 6), byte(i % 9), byte(i / 2)}
		seed = append(seed, part(t|1, flags)...)
		seed = append(seed, part(t|2, flags)...)
		seed = append(seed, part(t, flags)...)
		if !yield(seed) {
			return
		}
	}
}
