package rules_test

import (
	"fmt"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/rules"
)

func TestClientOnCertificateRequest(t *testing.T) {
	const (
		editor = "draft-jhoyla-req-mtls-flag (editors' copy), Section 3"
		base   = "RFC 9846, Section 4.5.1"
	)
	tests := []struct {
		name         string
		c            rules.Client
		acknowledged bool
		want         rules.Response
	}{
		{"sends its certificate when the flag is acknowledged", rules.Client{Offered: true, HasCertificate: true}, true,
			rules.Response{Answer: rules.SendCertificate, Decision: rules.Decision{Clause: editor}}},
		{"sends an empty Certificate when the flag is acknowledged", rules.Client{Offered: true}, true,
			rules.Response{Answer: rules.SendEmpty, Decision: rules.Decision{Clause: editor}}},
		{"may quit when the request cannot be met", rules.Client{Offered: true, Mismatch: true}, true,
			rules.Response{Answer: rules.SendEmpty, Decision: rules.Decision{Clause: editor}, MayQuit: true}},
		{"does not quit when it has a certificate", rules.Client{Offered: true, Mismatch: true, HasCertificate: true}, true,
			rules.Response{Answer: rules.SendCertificate, Decision: rules.Decision{Clause: editor}}},
		{"follows the base rules without the flag", rules.Client{Offered: true, HasCertificate: true}, false,
			rules.Response{Answer: rules.SendCertificate, Decision: rules.Decision{Clause: base}}},
		{"sends an empty Certificate without the flag", rules.Client{Offered: true, Mismatch: true}, false,
			rules.Response{Answer: rules.SendEmpty, Decision: rules.Decision{Clause: base}}},
		{"answers a request although it offered nothing", rules.Client{HasCertificate: true}, false,
			rules.Response{Answer: rules.SendCertificate, Decision: rules.Decision{Clause: base}}},
		{"refuses the flag that it did not offer", rules.Client{HasCertificate: true}, true,
			rules.Response{Answer: rules.Abort, Decision: rules.Decision{Alert: illegal, Clause: editor}}},
		{"tolerates the flag that it did not offer in -02", rules.Client{Draft: rules.Draft02, HasCertificate: true}, true,
			rules.Response{Answer: rules.SendCertificate, Decision: rules.Decision{Clause: base}}},
		{"follows the base rules in -02", rules.Client{Draft: rules.Draft02, Offered: true}, false,
			rules.Response{Answer: rules.SendEmpty, Decision: rules.Decision{Clause: base}}},
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
		draft   rules.Draft
		offered bool
		m       extension.MessageKind
	}
	goesOn := map[key]bool{
		{rules.DraftEditor, true, certificateRequest}: true,
		{rules.Draft02, true, certificateRequest}:     true, {rules.Draft02, true, newSessionTicket}: true,
		{rules.Draft02, false, certificateRequest}: true, {rules.Draft02, false, newSessionTicket}: true,
	}
	for _, draft := range []rules.Draft{rules.DraftEditor, rules.Draft02} {
		for _, offered := range []bool{true, false} {
			for m := serverHello; m <= newSessionTicket; m++ {
				want := illegal
				if goesOn[key{draft, offered, m}] {
					want = 0
				}
				if got := (rules.Client{Draft: draft, Offered: offered}).OnFlag(m); got.Alert != want || got.Clause == "" {
					t.Errorf("draft %d, offered %t, flag in %v: %v, %q; want %v", draft, offered, m, got.Alert, got.Clause, want)
				}
			}
		}
	}
}

// TestClientAgreesWithCheck compares what Check says about the flag in every message with
// the decisions of the client.
func TestClientAgreesWithCheck(t *testing.T) {
	info, _ := extension.Registry{}.ByName("request_mtls")
	info.Messages, info.Answers = extension.MessagesOf(clientHello, certificateRequest, newSessionTicket), extension.MessageSet{}
	registry02, err := extension.Registry{}.With(info)
	if err != nil {
		t.Fatal(err)
	}
	for draft, registry := range []extension.Registry{rules.DraftEditor: {}, rules.Draft02: registry02} {
		for _, offered := range []bool{true, false} {
			h := rules.Handshake{Registry: registry}
			if offered {
				h.Hello = hello(extension.RequestMTLS)
			}
			for m := serverHello; m <= newSessionTicket; m++ {
				v := h.Check(m, server, list(m, flagsExt(extension.RequestMTLS)))
				d := rules.Client{Draft: rules.Draft(draft), Offered: offered}.OnFlag(m)
				if v.OK() != d.GoOn() {
					t.Errorf("draft %d, offered %t, flag in %v: Check says %q, the decision is %v", draft, offered, m, v.Code.Name(), d.Alert)
				}
			}
		}
	}
}

func TestClientAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		_ = rules.Client{Offered: true}.OnCertificateRequest(true)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func ExampleClient_OnCertificateRequest() {
	r := rules.Client{Offered: true}.OnCertificateRequest(true)
	fmt.Println(r.Answer == rules.SendEmpty)
	r = rules.Client{}.OnCertificateRequest(true)
	fmt.Println(r.Answer == rules.Abort, r.Alert)
	// Output:
	// true
	// true illegal_parameter
}
