package fuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
	"golang.org/x/crypto/cryptobyte"
)

// RulesCase is one message of a handshake to be judged, with what came before it.
type RulesCase struct {
	Flags   extension.Registry
	Message extension.MessageKind
	Sender  handshake.Sender
	Hello   []extension.Extension // of the ClientHello
	Request []extension.Extension // of the CertificateRequest
	Block   []extension.Extension // of the message
}

// ReferenceJudge applies draft-ietf-tls-tlsflags-16, Section 3 and what the documents of
// the known flags say, to one message, in plain words. It returns the code of the first
// objection, and the flag that is to blame or -1.
func ReferenceJudge(c RulesCase) (extension.Code, int) {
	find := func(list []extension.Extension, types ...extension.Type) *extension.Extension {
		for _, t := range types {
			for i := range list {
				if list[i].Type == t {
					return &list[i]
				}
			}
		}
		return nil
	}
	in := func(m extension.MessageKind, set ...extension.MessageKind) bool { return slices.Contains(set, m) }

	e := find(c.Block, extension.TLSFlags, extension.TLSFlagsExperimental)
	if e == nil {
		return 0, -1
	}
	// Where the extension may stand at all.
	if c.Message < extension.ClientHello || c.Message > extension.NewSessionTicket {
		return extension.ErrFlagsMisplaced, -1
	}
	// What is an answer needs something to answer, under the same code point.
	answer := in(c.Message, extension.ServerHello, extension.HelloRetryRequest, extension.EncryptedExtensions, extension.Certificate)
	asked := c.Hello
	if c.Message == extension.Certificate && c.Sender == handshake.FromClient {
		asked = c.Request
	}
	proposal := find(asked, e.Type)
	if answer && proposal == nil {
		return extension.ErrFlagsUnrequested, -1
	}
	flags, _, code := ReferenceFlags(e.Data)
	if code != 0 {
		return code, -1
	}
	var proposed []extension.Flag
	if proposal != nil {
		proposed, _, _ = ReferenceFlags(proposal.Data)
	}
	if answer {
		for _, f := range flags {
			if !slices.Contains(proposed, f) {
				return extension.ErrFlagUnsolicited, int(f)
			}
		}
	}
	slices.Sort(flags)
	for _, f := range flags {
		info, known := c.Flags.ByNumber(f)
		if !known || info.Messages.IsEmpty() {
			continue
		}
		if !info.Messages.Has(c.Message) {
			return extension.ErrFlagMisplaced, int(f)
		}
		if info.Answers.Has(c.Message) && !slices.Contains(proposed, f) {
			return extension.ErrFlagUnsolicited, int(f)
		}
	}
	return 0, -1
}

// CheckRules holds rules.Handshake to the reference on one message, and to what it
// says of itself: what it answers, it accepts; what it agrees on, both sides have set.
func CheckRules(c RulesCase) error {
	parse := func(m extension.MessageKind, list []extension.Extension) (extension.List, bool) {
		l, _, err := extension.ParseList(m, block(list), 4)
		return l, err == nil
	}
	hello, ok1 := parse(extension.ClientHello, c.Hello)
	request, ok2 := parse(extension.CertificateRequest, c.Request)
	message, ok3 := parse(c.Message, c.Block)
	if !ok1 || !ok2 || !ok3 {
		return nil // a type stands twice: not a matter of these rules
	}
	x := rules.Handshake{Registry: c.Flags, Hello: hello, Request: request}
	v := x.Check(c.Message, c.Sender, message)
	code, flag := ReferenceJudge(c)
	got := -1
	if f, ok := v.Flag(); ok {
		got = int(f)
	}
	if v.Code != code || got != flag || v.OK() != (code == 0) {
		return fmt.Errorf("got %q about flag %d, the reference has %q about flag %d", v.Code.Name(), got, code.Name(), flag)
	}
	if text := v.String(); (text == "accepted") != v.OK() || !v.OK() && !strings.Contains(text, v.Clause()) {
		return fmt.Errorf("%q reads %q", v.Code.Name(), text)
	}
	if !v.OK() {
		e, _ := message.FlagsExtension()
		if v.Clause() == "" || v.Offset < e.Offset-4 || v.Offset > e.Offset+len(e.Data) {
			return fmt.Errorf("%q at %d has the clause %q; the extension's data is at %d", v.Code.Name(), v.Offset, v.Clause(), e.Offset)
		}
	}
	agreed, v2 := x.Agreed(c.Message, c.Sender, message)
	if v2 != v || !v.OK() && agreed.Len() > 0 {
		return fmt.Errorf("agreed on %d flags, with %q for %q", agreed.Len(), v2.Code.Name(), v.Code.Name())
	}

	// The answer to what was proposed has to pass.
	var supported extension.FlagSet
	for f := range extension.MaxFlag + 1 {
		if err := supported.Add(f); err != nil {
			return err
		}
	}
	answer := x.Answer(c.Message, c.Sender, supported)
	encoded := x.AppendAnswer(nil, c.Message, c.Sender, supported)
	if (answer.Len() == 0) != (len(encoded) == 0) {
		return fmt.Errorf("the answer has %d flags and %d bytes", answer.Len(), len(encoded))
	}
	list, _, err := extension.ParseList(c.Message, encoded, 4)
	if err != nil {
		return err
	}
	if v := x.Check(c.Message, c.Sender, list); !v.OK() {
		return fmt.Errorf("its own answer %x gives %q", encoded, v.Code.Name())
	}
	if agreed, _ := x.Agreed(c.Message, c.Sender, list); agreed != answer {
		return fmt.Errorf("the answer %x does not read as it was meant", encoded)
	}
	second := x.CheckSecondHello(hello)
	if second.Code == extension.ErrSecondHelloChanged {
		return fmt.Errorf("the same ClientHello once more gives %q", second.Code.Name())
	}
	return nil
}

// readRulesCase reads a case from an input: three choices, then extension_data behind
// two bytes each: which block and type it is for, and its length.
func readRulesCase(data []byte) (c RulesCase, ok bool) {
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
	return CheckRules(c)
}

// rulesSeeds are messages of every kind that answer a hello with the same flags.
func rulesSeeds(yield func([]byte) bool) {
	g := NewGenerator(10)
	part := func(where byte, data []byte) []byte {
		return append([]byte{where, byte(len(data))}, data...)
	}
	for i := range 6 * 9 * 4 {
		set := g.FlagSet()
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
