// Package rulestest has reference parsers and checks of the rules for flags.
package rulestest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
	"github.com/tlsflags/tlsflags/rules"
)

// Case is one message of a handshake to be judged, with what came before it.
type Case struct {
	Flags   extension.Registry
	Message extension.MessageKind
	Sender  handshake.Sender
	Hello   []extension.Extension // of the ClientHello
	Request []extension.Extension // of the CertificateRequest
	Block   []extension.Extension // of the message
}

// Reference applies draft-ietf-tls-tlsflags-16, Section 3 and what the documents of
// the known flags say, to one message, in plain words. It returns the code of the first
// objection, and the flag that is to blame or -1.
func Reference(c Case) (extension.Code, int) {
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
	// Which messages may have the extension.
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
	flags, _, code := extensiontest.ReferenceFlags(e.Data)
	if code != 0 {
		return code, -1
	}
	var proposed []extension.Flag
	if proposal != nil {
		proposed, _, _ = extensiontest.ReferenceFlags(proposal.Data)
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

// Check holds rules.Handshake to the reference on one message, and to what it
// says of itself: what it answers, it accepts; what it agrees on, both sides have set.
func Check(c Case) error {
	parse := func(m extension.MessageKind, list []extension.Extension) (extension.List, bool) {
		l, _, err := extension.ParseList(m, extensiontest.Block(list), 4)
		return l, err == nil
	}
	hello, ok1 := parse(extension.ClientHello, c.Hello)
	request, ok2 := parse(extension.CertificateRequest, c.Request)
	message, ok3 := parse(c.Message, c.Block)
	if !ok1 || !ok2 || !ok3 {
		return nil // a type occurs twice: not a matter of these rules
	}
	x := rules.Handshake{Registry: c.Flags, Hello: hello, Request: request}
	v := x.Check(c.Message, c.Sender, message)
	code, flag := Reference(c)
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

	// In a whole message the verdict is the same.
	types := map[extension.MessageKind]uint8{
		extension.ServerHello: 2, extension.NewSessionTicket: 4, extension.EncryptedExtensions: 8,
		extension.Certificate: 11, extension.CertificateRequest: 13,
	}
	if t, ok := types[c.Message]; ok {
		m, _, err := handshake.Parse(handshaketest.Message(t, extensiontest.Block(c.Block)))
		if err != nil {
			return err
		}
		v3 := x.CheckMessage(c.Sender, m)
		flag, blamed := v3.Flag()
		if v3.Code != v.Code || blamed != (got >= 0) || blamed && int(flag) != got {
			return fmt.Errorf("%q, and in a message %q about flag %d", v.Code.Name(), v3.Code.Name(), flag)
		}
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
