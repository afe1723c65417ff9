package reqmtls_test

import (
	"crypto/tls"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func TestPolicy(t *testing.T) {
	p := testPKI()
	bots := p.bots.Pool()
	deny := errors.New("denied")
	flag := flagged()
	tests := []struct {
		name    string
		policy  reqmtls.Policy
		client  testClient
		want    result
		outcome reqmtls.Outcome
	}{
		{"asks no client without the flag",
			reqmtls.Policy{ClientCAs: bots}, testClient{}.with(p.bot),
			result{}, reqmtls.NotApplied},
		{"asks a client with the flag",
			reqmtls.Policy{ClientCAs: bots}, flag.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}, reqmtls.Accepted},
		{"verify if given: serves a client without a certificate",
			reqmtls.Policy{ClientCAs: bots}, flag,
			result{Asked: true, reply: reply{Flagged: true, Applied: true}}, reqmtls.NoCertificate},
		{"verify if given: refuses another authority's certificate",
			reqmtls.Policy{ClientCAs: bots}, flag.with(p.stranger),
			result{Asked: true, alert: 48}, reqmtls.Unfinished},
		{"request: serves a client without a certificate",
			reqmtls.Policy{Mode: reqmtls.Request}, flag,
			result{Asked: true, reply: reply{Flagged: true, Applied: true}}, reqmtls.NoCertificate},
		{"request: leaves another authority's certificate to the application",
			reqmtls.Policy{Mode: reqmtls.Request, ClientCAs: bots}, flag.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Flagged: true, Applied: true}}, reqmtls.Accepted},
		{"require: refuses a client without a certificate with bad_certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, flag,
			result{Asked: true, alert: extension.AlertBadCertificate}, reqmtls.Refused},
		{"require: refuses another authority's certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, flag.with(p.stranger),
			result{Asked: true, alert: 48}, reqmtls.Unfinished},
		{"require: serves a client with a certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, flag.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}, reqmtls.Accepted},
		{"require: serves a client without the flag",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, testClient{},
			result{}, reqmtls.NotApplied},
		{"ignore: asks nobody",
			reqmtls.Policy{Mode: reqmtls.Ignore}, flag.with(p.bot),
			result{reply: reply{Flagged: true}}, reqmtls.NotApplied},
		{"everybody: asks a client without the flag",
			reqmtls.Policy{ClientCAs: bots, AskAll: true}, testClient{}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Applied: true}}, reqmtls.Accepted},
		{"calls VerifyConnection",
			reqmtls.Policy{ClientCAs: bots, VerifyConnection: func(tls.ConnectionState) error { return deny }}, flag.with(p.bot),
			result{Asked: true, alert: extension.AlertBadCertificate}, reqmtls.Refused},
		{"does not call VerifyConnection for a client without the flag",
			reqmtls.Policy{ClientCAs: bots, VerifyConnection: func(tls.ConnectionState) error { return deny }}, testClient{},
			result{}, reqmtls.NotApplied},
		{"everybody, require: refuses a client without the flag and a certificate with bad_certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots, AskAll: true}, testClient{},
			result{Asked: true, alert: extension.AlertBadCertificate}, reqmtls.Refused},
		{"everybody, require: refuses a client of TLS 1.2 without a certificate with bad_certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots, AskAll: true}, testClient{tls12: true},
			result{Asked: true, alert: extension.AlertBadCertificate}, reqmtls.Refused},
		{"everybody: asks a client of TLS 1.2",
			reqmtls.Policy{ClientCAs: bots, AskAll: true}, testClient{tls12: true}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Applied: true}}, reqmtls.Accepted},
		{"asks no client that speaks TLS 1.2 only",
			reqmtls.Policy{ClientCAs: bots}, testClient{flagged: true, tls12: true}.with(p.bot),
			result{reply: reply{Flagged: true}}, reqmtls.NotApplied},
		{"require: asks no client that speaks TLS 1.2 only",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, testClient{flagged: true, tls12: true}.with(p.bot),
			result{reply: reply{Flagged: true}}, reqmtls.NotApplied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, baseConfig(), withPolicy(tt.policy, reqmtls.Config{}))
			got := tt.client.connect(t, s.addr)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("client's view (-want +got):\n%s", diff)
			}
			e := s.event(t)
			if e.Outcome != tt.outcome || e.CertificateRequested != tt.want.Asked {
				t.Errorf("event says %v, asked %v; want %v, %v", e.Outcome, e.CertificateRequested, tt.outcome, tt.want.Asked)
			}
			if (e.Err != nil) != (tt.outcome == reqmtls.Refused) {
				t.Errorf("event has the error %v", e.Err)
			}
			if e.ServerName != "localhost" || e.RemoteAddr == nil {
				t.Errorf("event has server name %q and address %v", e.ServerName, e.RemoteAddr)
			}
		})
	}
}

// TestMaxVersion checks that a server without TLS 1.3 asks nobody: the certificate would be
// sent in the clear.
func TestMaxVersion(t *testing.T) {
	chosen := baseConfig()
	chosen.MaxVersion = tls.VersionTLS12
	choosing := baseConfig()
	choosing.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
	for _, name := range []string{"chosen config", "config of TLSConfig"} {
		s := newServer(t, choosing, reqmtls.Config{ClientCAs: botCAs()})
		inner, config := listen(t), s.TLSConfig()
		if name == "config of TLSConfig" {
			s = newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
			config = s.TLSConfig()
			config.MaxVersion = tls.VersionTLS12
		}
		s.serve(t, inner, tls.NewListener(s.Listener(inner), config))
		want := result{reply: reply{Flagged: true}}
		if got := flagged().with(testPKI().bot).connect(t, s.addr); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if e := s.event(t); e.Outcome != reqmtls.NotApplied || e.CertificateRequested {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestLowestMaxVersion checks that a server whose highest version is TLS 1.3 asks.
func TestLowestMaxVersion(t *testing.T) {
	base := baseConfig()
	base.MaxVersion = tls.VersionTLS13
	s := start(t, base, reqmtls.Config{ClientCAs: botCAs()})
	if got := flagged().with(testPKI().bot).connect(t, s.addr); !got.Asked {
		t.Error("not asked")
	}
}

func TestServerNames(t *testing.T) {
	p := testPKI()
	c := reqmtls.Config{
		Mode: reqmtls.Ignore,
		Names: map[string]reqmtls.Policy{
			"a.example":   {ClientCAs: p.bots.Pool()},
			"*.b.example": {ClientCAs: p.others.Pool(), Mode: reqmtls.Require},
		},
	}
	s := start(t, baseConfig(), c)
	tests := []struct {
		name   string
		client testClient
		want   result
	}{
		{"the general policy", testClient{name: "localhost"}.with(p.bot), result{reply: reply{Flagged: true}}},
		{"a policy of its own", testClient{name: "a.example"}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true, Policy: "a.example"}}},
		{"names in upper case", testClient{name: "A.EXAMPLE"}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true, Policy: "a.example"}}},
		{"a wildcard, with authorities of its own", testClient{name: "x.b.example"}.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true, Policy: "*.b.example"}}},
		{"one name's authority under another", testClient{name: "x.b.example"}.with(p.bot),
			result{Asked: true, alert: 48}},
		{"a wildcard does not cover its parent", testClient{name: "b.example"}.with(p.bot), result{reply: reply{Flagged: true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.flagged = true
			if diff := cmp.Diff(tt.want, tt.client.connect(t, s.addr), cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestApplicationsOwnChoice covers base configs with a GetConfigForClient.
func TestApplicationsOwnChoice(t *testing.T) {
	p := testPKI()
	demanding := baseConfig()
	demanding.ClientAuth = tls.RequireAndVerifyClientCert
	demanding.ClientCAs = p.others.Pool()
	optional := baseConfig()
	optional.ClientAuth = tls.VerifyClientCertIfGiven
	optional.ClientCAs = p.others.Pool()

	base := baseConfig()
	base.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		switch info.ServerName {
		case "a.example":
			return demanding, nil
		case "b.example":
			return optional, nil
		case "x.b.example":
			return nil, errors.New("no such site")
		}
		return nil, nil
	}
	s := start(t, base, reqmtls.Config{ClientCAs: botCAs()})
	tests := []struct {
		name   string
		client testClient
		want   result
	}{
		{"no choice: the flag decides", flagged().with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}},
		{"a demand is not weakened by the flag", testClient{name: "a.example", flagged: true},
			result{Asked: true, alert: extension.AlertCertificateRequired}},
		{"a demand is not turned to other authorities by the flag", testClient{name: "a.example", flagged: true}.with(p.bot),
			result{Asked: true, alert: 48}},
		{"a demand can be met by flagged clients", testClient{name: "a.example", flagged: true}.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true}}},
		{"an offer stays for clients without the flag", testClient{name: "b.example"}.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1}}},
		{"an offer has its authorities apart from those of the flag", testClient{name: "b.example"}.with(p.bot),
			result{Asked: true, alert: 48}},
		{"with the flag those of the flag count", testClient{name: "b.example", flagged: true}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}},
		{"an error ends the handshake", testClient{name: "x.b.example", flagged: true},
			result{alert: extension.AlertInternalError}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.client.connect(t, s.addr), cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNotObserved covers connections that end before a config is chosen.
func TestNotObserved(t *testing.T) {
	base := baseConfig()
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no config") }
	s := startReal(t, base, reqmtls.Config{ClientCAs: botCAs()})
	for name, data := range map[string][]byte{
		"nothing":                         nil,
		"HTTP":                            []byte("GET / HTTP/1.1\r\n\r\n"),
		"GetConfigForClient that fails":   rawFlagged(t),
		"a ClientHello that is cut short": rawFlagged(t)[:100],
	} {
		s.send(t, data)
		if n := len(s.events); n > 0 {
			t.Errorf("%s: event %+v", name, <-s.events)
		}
	}
}

// TestBaseVerifyConnection checks that the VerifyConnection of the base config is called
// for flagged clients as well.
func TestBaseVerifyConnection(t *testing.T) {
	base := baseConfig()
	base.VerifyConnection = func(tls.ConnectionState) error { return errors.New("not today") }
	s := start(t, base, reqmtls.Config{ClientCAs: botCAs()})
	for name, client := range map[string]testClient{"plain": {}, "flagged": flagged().with(testPKI().bot)} {
		if got := client.connect(t, s.addr).alert; got != extension.AlertBadCertificate {
			t.Errorf("%s: alert %v, want bad_certificate", name, got)
		}
	}
}

func TestModeString(t *testing.T) {
	var got []string
	for m := range reqmtls.Ignore + 2 {
		got = append(got, m.String())
	}
	want := []string{"verify if given", "request", "require", "ignore", "mode(4)"}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
