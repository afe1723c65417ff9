package check

import (
	"testing"

	"github.com/tlsflags/tlsflags/extension"
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
		s    Server
		want Request
	}{
		{"accepts the flag with an acknowledged request", "Section 3", Server{TLS13: true, Offered: true, Honor: true}, AcknowledgedRequest},
		{"accepts the flag with a plain request in -02", "-02, Section 3", Server{Draft: Draft02, TLS13: true, Offered: true, Honor: true}, PlainRequest},
		{"does not have to accept the flag", "Section 3", Server{TLS13: true, Offered: true}, NoRequest},
		{"does not have to accept the flag in -02", "-02, Section 3", Server{Draft: Draft02, TLS13: true, Offered: true}, NoRequest},
		{"asks for another reason without the flag", "Section 3", Server{TLS13: true, Offered: true, Always: true}, PlainRequest},
		{"asks for both reasons with the flag", "Section 3", Server{TLS13: true, Offered: true, Honor: true, Always: true}, AcknowledgedRequest},
		{"does not set the flag if it was not offered", "Section 3", Server{TLS13: true, Honor: true, Always: true}, PlainRequest},
		{"does not ask a client that offers nothing", "Section 3", Server{TLS13: true, Honor: true}, NoRequest},
		{"does not ask on resumption with a PSK", "RFC 9846, Section 4.4.2", Server{TLS13: true, Resumed: true, Offered: true, Honor: true}, NoRequest},
		{"does not ask on resumption for another reason", "RFC 9846, Section 4.4.2", Server{TLS13: true, Resumed: true, Always: true}, NoRequest},
		{"does not ask on resumption in -02", "RFC 9846, Section 4.4.2", Server{Draft: Draft02, TLS13: true, Resumed: true, Offered: true, Honor: true}, NoRequest},
		{"ignores the flag under TLS 1.2", "draft-ietf-tls-tlsflags-16, Section 1", Server{Offered: true, Honor: true}, NoRequest},
		{"asks under TLS 1.2 for another reason", "RFC 5246, Section 7.4.4", Server{Offered: true, Honor: true, Always: true}, PlainRequest},
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
		s    Server
		want Decision
	}{
		{"goes on if no certificate is required", Server{TLS13: true, Offered: true}, Decision{Clause: "RFC 9846, Section 4.5.1.3"}},
		{"goes on in -02 if no certificate is required", Server{Draft: Draft02, TLS13: true, Offered: true}, Decision{Clause: "RFC 9846, Section 4.5.1.3"}},
		{"ends with certificate_required", Server{TLS13: true, Offered: true, Require: true}, Decision{Alert: required, Clause: "RFC 9846, Section 4.5.1.3"}},
		{"ends with bad_certificate in -02", Server{Draft: Draft02, TLS13: true, Offered: true, Require: true},
			Decision{Alert: badCertificate, Alternative: required, Clause: "draft-jhoyla-req-mtls-flag-02, Section 4"}},
		{"ends with certificate_required in -02 where the flag was not set", Server{Draft: Draft02, TLS13: true, Require: true},
			Decision{Alert: required, Clause: "RFC 9846, Section 4.5.1.3"}},
		{"goes on under TLS 1.2", Server{}, Decision{Clause: "RFC 5246, Section 7.4.6"}},
		{"ends with handshake_failure under TLS 1.2", Server{Offered: true, Require: true}, Decision{Alert: handshakeFailed, Clause: "RFC 5246, Section 7.4.6"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.OnEmptyCertificate(); got != tt.want || got.GoOn() != (tt.want.Alert == 0) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestServerOnFlag(t *testing.T) {
	for _, draft := range []Draft{DraftEditor, Draft02} {
		for m := extension.ClientHello; m <= extension.NewSessionTicket; m++ {
			want := illegal
			if m == extension.ClientHello {
				want = 0
			}
			if got := (Server{Draft: draft, Offered: true}).OnFlag(m); got.Alert != want || got.Clause == "" {
				t.Errorf("draft %d, flag in %v: %v, %q; want %v", draft, m, got.Alert, got.Clause, want)
			}
		}
	}
}
