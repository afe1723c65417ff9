package check

import (
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

func TestClientOnCertificateRequest(t *testing.T) {
	const (
		editor = "draft-jhoyla-req-mtls-flag (editors' copy), Section 3"
		base   = "RFC 9846, Section 4.5.1"
	)
	tests := []struct {
		name         string
		c            Client
		acknowledged bool
		want         Response
	}{
		{"sends its certificate when the flag is acknowledged", Client{Offered: true, HasCertificate: true}, true,
			Response{Answer: SendCertificate, Decision: Decision{Clause: editor}}},
		{"sends an empty Certificate when the flag is acknowledged", Client{Offered: true}, true,
			Response{Answer: SendEmpty, Decision: Decision{Clause: editor}}},
		{"may quit when the request cannot be met", Client{Offered: true, Mismatch: true}, true,
			Response{Answer: SendEmpty, Decision: Decision{Clause: editor}, MayQuit: true}},
		{"does not quit when it has a certificate", Client{Offered: true, Mismatch: true, HasCertificate: true}, true,
			Response{Answer: SendCertificate, Decision: Decision{Clause: editor}}},
		{"follows the base rules without the flag", Client{Offered: true, HasCertificate: true}, false,
			Response{Answer: SendCertificate, Decision: Decision{Clause: base}}},
		{"sends an empty Certificate without the flag", Client{Offered: true, Mismatch: true}, false,
			Response{Answer: SendEmpty, Decision: Decision{Clause: base}}},
		{"answers a request although it offered nothing", Client{HasCertificate: true}, false,
			Response{Answer: SendCertificate, Decision: Decision{Clause: base}}},
		{"refuses the flag that it did not offer", Client{HasCertificate: true}, true,
			Response{Answer: Abort, Decision: Decision{Alert: illegal, Clause: editor}}},
		{"tolerates the flag that it did not offer in -02", Client{Draft: Draft02, HasCertificate: true}, true,
			Response{Answer: SendCertificate, Decision: Decision{Clause: base}}},
		{"follows the base rules in -02", Client{Draft: Draft02, Offered: true}, false,
			Response{Answer: SendEmpty, Decision: Decision{Clause: base}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.c.OnCertificateRequest(tt.acknowledged); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// Every message the server can send, and both drafts.
func TestClientOnFlag(t *testing.T) {
	type key struct {
		draft   Draft
		offered bool
		m       extension.MessageKind
	}
	goesOn := map[key]bool{
		{DraftEditor, true, extension.CertificateRequest}: true,
		{Draft02, true, extension.CertificateRequest}:     true, {Draft02, true, extension.NewSessionTicket}: true,
		{Draft02, false, extension.CertificateRequest}: true, {Draft02, false, extension.NewSessionTicket}: true,
	}
	for _, draft := range []Draft{DraftEditor, Draft02} {
		for _, offered := range []bool{true, false} {
			for m := extension.ServerHello; m <= extension.NewSessionTicket; m++ {
				want := illegal
				if goesOn[key{draft, offered, m}] {
					want = 0
				}
				if got := (Client{Draft: draft, Offered: offered}).OnFlag(m); got.Alert != want || got.Clause == "" {
					t.Errorf("draft %d, offered %t, flag in %v: %v, %q; want %v", draft, offered, m, got.Alert, got.Clause, want)
				}
			}
		}
	}
}

// flagBlock is the extension block of a message of kind m that sets the flag.
func flagBlock(t *testing.T, m extension.MessageKind) extension.List {
	t.Helper()
	set, err := extension.NewFlagSet(extension.RequestMTLS)
	if err != nil {
		t.Fatal(err)
	}
	b, err := set.AppendExtension(nil, extension.TLSFlags)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := extension.ParseList(m, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestClientAgreesWithCheck compares what Check says about the flag in every message with
// the decisions of the client.
func TestClientAgreesWithCheck(t *testing.T) {
	info, _ := extension.Registry{}.ByName("request_mtls")
	info.Messages, info.Answers = extension.MessagesOf(extension.ClientHello, extension.CertificateRequest, extension.NewSessionTicket), extension.MessageSet{}
	registry02, err := extension.Registry{}.With(info)
	if err != nil {
		t.Fatal(err)
	}
	for draft, registry := range []extension.Registry{DraftEditor: {}, Draft02: registry02} {
		for _, offered := range []bool{true, false} {
			h := rules.Handshake{Registry: registry}
			if offered {
				h.Hello = flagBlock(t, extension.ClientHello)
			}
			for m := extension.ServerHello; m <= extension.NewSessionTicket; m++ {
				v := h.Check(m, handshake.FromServer, flagBlock(t, m))
				d := Client{Draft: Draft(draft), Offered: offered}.OnFlag(m)
				if v.OK() != d.GoOn() {
					t.Errorf("draft %d, offered %t, flag in %v: Check says %q, the decision is %v", draft, offered, m, v.Code.Name(), d.Alert)
				}
			}
		}
	}
}
