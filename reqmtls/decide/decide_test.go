package decide_test

import (
	"fmt"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls/decide"
)

const (
	illegal         = extension.AlertIllegalParameter
	badCertificate  = extension.AlertBadCertificate
	required        = extension.AlertCertificateRequired
	handshakeFailed = extension.AlertHandshakeFailure
)

// Each row cites what it follows: the editors' copy of draft-jhoyla-req-mtls-flag unless
// it says otherwise.
func TestServerRequest(t *testing.T) {
	tests := []struct {
		name string
		cite string
		s    decide.Server
		want decide.Request
	}{
		{"accepts the flag with an acknowledged request", "Section 3", decide.Server{TLS13: true, Offered: true, Honor: true}, decide.AcknowledgedRequest},
		{"accepts the flag with a plain request in -02", "-02, Section 3", decide.Server{Text: decide.Text02, TLS13: true, Offered: true, Honor: true}, decide.PlainRequest},
		{"does not have to accept the flag", "Section 3", decide.Server{TLS13: true, Offered: true}, decide.NoRequest},
		{"does not have to accept the flag in -02", "-02, Section 3", decide.Server{Text: decide.Text02, TLS13: true, Offered: true}, decide.NoRequest},
		{"asks for another reason without the flag", "Section 3", decide.Server{TLS13: true, Offered: true, Always: true}, decide.PlainRequest},
		{"asks for both reasons with the flag", "Section 3", decide.Server{TLS13: true, Offered: true, Honor: true, Always: true}, decide.AcknowledgedRequest},
		{"does not set the flag where it was not offered", "Section 3", decide.Server{TLS13: true, Honor: true, Always: true}, decide.PlainRequest},
		{"does not ask a client that offers nothing", "Section 3", decide.Server{TLS13: true, Honor: true}, decide.NoRequest},
		{"does not ask on resumption with a PSK", "RFC 9846, Section 4.4.2", decide.Server{TLS13: true, Resumed: true, Offered: true, Honor: true}, decide.NoRequest},
		{"does not ask on resumption for another reason", "RFC 9846, Section 4.4.2", decide.Server{TLS13: true, Resumed: true, Always: true}, decide.NoRequest},
		{"does not ask on resumption in -02", "RFC 9846, Section 4.4.2", decide.Server{Text: decide.Text02, TLS13: true, Resumed: true, Offered: true, Honor: true}, decide.NoRequest},
		{"ignores the flag under TLS 1.2", "draft-ietf-tls-tlsflags-16, Section 1", decide.Server{Offered: true, Honor: true}, decide.NoRequest},
		{"asks under TLS 1.2 for another reason", "RFC 5246, Section 7.4.4", decide.Server{Offered: true, Honor: true, Always: true}, decide.PlainRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.Request(); got != tt.want {
				t.Errorf("%v, want %v (%s)", got, tt.want, tt.cite)
			}
		})
	}
}

func TestServerOnEmptyCertificate(t *testing.T) {
	tests := []struct {
		name string
		s    decide.Server
		want decide.Decision
	}{
		{"goes on where no certificate is required", decide.Server{TLS13: true, Offered: true}, decide.Decision{Clause: "RFC 9846, Section 4.5.1.3"}},
		{"goes on in -02 where no certificate is required", decide.Server{Text: decide.Text02, TLS13: true, Offered: true}, decide.Decision{Clause: "RFC 9846, Section 4.5.1.3"}},
		{"ends with certificate_required", decide.Server{TLS13: true, Offered: true, Require: true}, decide.Decision{Alert: required, Clause: "RFC 9846, Section 4.5.1.3"}},
		{"ends with bad_certificate in -02", decide.Server{Text: decide.Text02, TLS13: true, Offered: true, Require: true},
			decide.Decision{Alert: badCertificate, Alternative: required, Clause: "draft-jhoyla-req-mtls-flag-02, Section 4"}},
		{"ends with certificate_required in -02 where the flag was not set", decide.Server{Text: decide.Text02, TLS13: true, Require: true},
			decide.Decision{Alert: required, Clause: "RFC 9846, Section 4.5.1.3"}},
		{"goes on under TLS 1.2", decide.Server{}, decide.Decision{Clause: "RFC 5246, Section 7.4.6"}},
		{"ends with handshake_failure under TLS 1.2", decide.Server{Offered: true, Require: true}, decide.Decision{Alert: handshakeFailed, Clause: "RFC 5246, Section 7.4.6"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.OnEmptyCertificate(); got != tt.want || got.GoOn() != (tt.want.Alert == 0) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestClientOnCertificateRequest(t *testing.T) {
	const (
		editor = "draft-jhoyla-req-mtls-flag (editors' copy), Section 3"
		base   = "RFC 9846, Section 4.5.1"
	)
	tests := []struct {
		name         string
		c            decide.Client
		acknowledged bool
		want         decide.Response
	}{
		{"sends its certificate when the flag is acknowledged", decide.Client{Offered: true, HasCertificate: true}, true,
			decide.Response{Answer: decide.SendCertificate, Decision: decide.Decision{Clause: editor}}},
		{"sends an empty Certificate when the flag is acknowledged", decide.Client{Offered: true}, true,
			decide.Response{Answer: decide.SendEmpty, Decision: decide.Decision{Clause: editor}}},
		{"may quit when the request cannot be met", decide.Client{Offered: true, Mismatch: true}, true,
			decide.Response{Answer: decide.SendEmpty, Decision: decide.Decision{Clause: editor}, MayQuit: true}},
		{"does not quit when it has a certificate", decide.Client{Offered: true, Mismatch: true, HasCertificate: true}, true,
			decide.Response{Answer: decide.SendCertificate, Decision: decide.Decision{Clause: editor}}},
		{"follows the base rules without the flag", decide.Client{Offered: true, HasCertificate: true}, false,
			decide.Response{Answer: decide.SendCertificate, Decision: decide.Decision{Clause: base}}},
		{"sends an empty Certificate without the flag", decide.Client{Offered: true, Mismatch: true}, false,
			decide.Response{Answer: decide.SendEmpty, Decision: decide.Decision{Clause: base}}},
		{"answers a request although it offered nothing", decide.Client{HasCertificate: true}, false,
			decide.Response{Answer: decide.SendCertificate, Decision: decide.Decision{Clause: base}}},
		{"refuses the flag that it did not offer", decide.Client{HasCertificate: true}, true,
			decide.Response{Answer: decide.Abort, Decision: decide.Decision{Alert: illegal, Clause: editor}}},
		{"tolerates the flag that it did not offer in -02", decide.Client{Text: decide.Text02, HasCertificate: true}, true,
			decide.Response{Answer: decide.SendCertificate, Decision: decide.Decision{Clause: base}}},
		{"follows the base rules in -02", decide.Client{Text: decide.Text02, Offered: true}, false,
			decide.Response{Answer: decide.SendEmpty, Decision: decide.Decision{Clause: base}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.c.OnCertificateRequest(tt.acknowledged); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// Every message, both texts and both sides.
func TestOnFlag(t *testing.T) {
	const editor, text02 = decide.TextEditor, decide.Text02
	type key struct {
		text decide.Text
		m    extension.Message
	}
	serverGoesOn := map[key]bool{{editor, extension.ClientHello}: true, {text02, extension.ClientHello}: true}
	offeredGoesOn := map[key]bool{
		{editor, extension.CertificateRequest}: true,
		{text02, extension.CertificateRequest}: true, {text02, extension.NewSessionTicket}: true,
	}
	unofferedGoesOn := map[key]bool{{text02, extension.CertificateRequest}: true, {text02, extension.NewSessionTicket}: true}
	check := func(who string, k key, got decide.Decision, goesOn bool) {
		t.Helper()
		want := illegal
		if goesOn {
			want = 0
		}
		if got.Alert != want || got.Clause == "" {
			t.Errorf("%s, %v, flag in %v: %v, %q; want %v", who, k.text, k.m, got.Alert, got.Clause, want)
		}
	}
	for _, text := range []decide.Text{editor, text02} {
		for m := extension.ClientHello; m <= extension.NewSessionTicket; m++ {
			k := key{text, m}
			check("server", k, decide.Server{Text: text, Offered: true}.OnFlag(m), serverGoesOn[k])
			if m == extension.ClientHello {
				continue // no server sends one
			}
			check("client that offered it", k, decide.Client{Text: text, Offered: true}.OnFlag(m), offeredGoesOn[k])
			check("client that did not offer it", k, decide.Client{Text: text}.OnFlag(m), unofferedGoesOn[k])
		}
	}
}

func TestClientMayOffer(t *testing.T) {
	tests := []struct {
		name            string
		text            decide.Text
		atHand, prompts bool
		want            bool
	}{
		{"with a certificate at hand", decide.TextEditor, true, false, true},
		{"not without a certificate", decide.TextEditor, false, false, false},
		{"not where the user would be prompted", decide.TextEditor, true, true, false},
		{"with a configured certificate in -02", decide.Text02, true, true, true},
		{"not without a certificate in -02", decide.Text02, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (decide.Client{Text: tt.text}).MayOffer(tt.atHand, tt.prompts); got != tt.want {
				t.Errorf("%t, want %t", got, tt.want)
			}
		})
	}
}

// TestTextRegistry compares what extension.Exchange says about the flag in every message
// with the decisions of the client.
func TestTextRegistry(t *testing.T) {
	flags, err := extension.NewFlagSet(extension.RequestMTLS)
	if err != nil {
		t.Fatal(err)
	}
	wire, err := flags.AppendExtension(nil, extension.TLSFlags)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []decide.Text{decide.TextEditor, decide.Text02} {
		r, err := text.Registry(extension.Registry{})
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := r.RequestMTLS(); !ok || f != extension.RequestMTLS {
			t.Errorf("%v: number %d, %t", text, f, ok)
		}
		for _, offered := range []bool{true, false} {
			x := extension.Exchange{Registry: r}
			if offered {
				x.Hello, _, _ = extension.ParseList(extension.ClientHello, wire, 0)
			}
			for m := extension.ServerHello; m <= extension.NewSessionTicket; m++ {
				block, _, _ := extension.ParseList(m, wire, 0)
				v := x.Judge(m, extension.FromServer, block)
				d := decide.Client{Text: text, Offered: offered}.OnFlag(m)
				if v.OK() != d.GoOn() {
					t.Errorf("%v, offered %t, flag in %v: Judge says %q, the decision is %v", text, offered, m, v.Code.Name(), d.Alert)
				}
			}
		}
	}
}

func TestNoAllocs(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		_ = decide.Server{TLS13: true, Offered: true, Honor: true}.Request()
		_ = decide.Server{TLS13: true, Require: true}.OnEmptyCertificate()
		_ = decide.Client{Offered: true}.OnCertificateRequest(true)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestStrings(t *testing.T) {
	for _, s := range []fmt.Stringer{
		decide.TextEditor, decide.Text02, decide.NoRequest, decide.PlainRequest, decide.AcknowledgedRequest,
		decide.Abort, decide.SendEmpty, decide.SendCertificate,
	} {
		if s.String() == "" || s.String()[:2] == "un" {
			t.Errorf("%#v is %q", s, s)
		}
	}
}

func ExampleServer_Request() {
	s := decide.Server{TLS13: true, Offered: true, Honor: true}
	fmt.Println(s.Request())
	s.Text = decide.Text02
	fmt.Println(s.Request())
	s.Resumed = true
	fmt.Println(s.Request())
	// Output:
	// acknowledged request
	// plain request
	// no request
}

func ExampleClient_OnCertificateRequest() {
	r := decide.Client{Offered: true}.OnCertificateRequest(true)
	fmt.Println(r.Answer)
	r = decide.Client{}.OnCertificateRequest(true)
	fmt.Println(r.Answer, r.Alert)
	// Output:
	// send an empty Certificate
	// abort illegal_parameter
}
