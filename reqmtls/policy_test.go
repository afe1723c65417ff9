package reqmtls_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func TestPolicy(t *testing.T) {
	p := testPKI()
	bots := p.bots.Pool()
	deny := errors.New("denied")
	flag := flagged(extension.RequestMTLS)
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
		{"asks no client with another flag",
			reqmtls.Policy{ClientCAs: bots}, flagged(8, 79, 81).with(p.bot),
			result{}, reqmtls.NotApplied},
		{"asks a client with the flag",
			reqmtls.Policy{ClientCAs: bots}, flag.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}, reqmtls.Given},
		{"asks a client with the flag among others",
			reqmtls.Policy{ClientCAs: bots}, flagged(0, extension.RequestMTLS, extension.MaxFlag).with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}, reqmtls.Given},
		{"verify if given: serves a client without a certificate",
			reqmtls.Policy{ClientCAs: bots}, flag,
			result{Asked: true, reply: reply{Flagged: true, Applied: true}}, reqmtls.NotGiven},
		{"verify if given: refuses another authority's certificate",
			reqmtls.Policy{ClientCAs: bots}, flag.with(p.stranger),
			result{Asked: true, alert: 48}, reqmtls.Unfinished},
		{"request: serves a client without a certificate",
			reqmtls.Policy{Mode: reqmtls.Request}, flag,
			result{Asked: true, reply: reply{Flagged: true, Applied: true}}, reqmtls.NotGiven},
		{"request: leaves another authority's certificate to the application",
			reqmtls.Policy{Mode: reqmtls.Request, ClientCAs: bots}, flag.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Flagged: true, Applied: true}}, reqmtls.Given},
		{"require: refuses a client without a certificate with bad_certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, flag,
			result{Asked: true, alert: extension.AlertBadCertificate}, reqmtls.Refused},
		{"require: refuses another authority's certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, flag.with(p.stranger),
			result{Asked: true, alert: 48}, reqmtls.Unfinished},
		{"require: serves a client with a certificate",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, flag.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}, reqmtls.Given},
		{"require: serves a client without the flag",
			reqmtls.Policy{Mode: reqmtls.Require, ClientCAs: bots}, testClient{},
			result{}, reqmtls.NotApplied},
		{"ignore: asks nobody",
			reqmtls.Policy{Mode: reqmtls.Ignore}, flag.with(p.bot),
			result{reply: reply{Flagged: true}}, reqmtls.NotApplied},
		{"everybody: asks a client without the flag",
			reqmtls.Policy{ClientCAs: bots, AskEverybody: true}, testClient{}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Applied: true}}, reqmtls.Given},
		{"calls VerifyConnection",
			reqmtls.Policy{ClientCAs: bots, VerifyConnection: func(tls.ConnectionState) error { return deny }}, flag.with(p.bot),
			result{Asked: true, alert: extension.AlertBadCertificate}, reqmtls.Refused},
		{"does not call VerifyConnection for a client without the flag",
			reqmtls.Policy{ClientCAs: bots, VerifyConnection: func(tls.ConnectionState) error { return deny }}, testClient{},
			result{}, reqmtls.NotApplied},
		{"asks no client that speaks TLS 1.2 only",
			reqmtls.Policy{ClientCAs: bots}, testClient{flags: []extension.Flag{extension.RequestMTLS}, maxVersion: tls.VersionTLS12}.with(p.bot),
			result{reply: reply{Flagged: true}}, reqmtls.NotApplied},
		{"asks no client whose flags are malformed",
			reqmtls.Policy{ClientCAs: bots}, testClient{flagsData: []byte("\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00")}.with(p.bot),
			result{}, reqmtls.NotApplied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, baseConfig(), reqmtls.Config{Policy: tt.policy})
			got := tt.client.connect(t, s.addr)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("client's view (-want +got):\n%s", diff)
			}
			e := s.event(t)
			if e.Outcome != tt.outcome || e.Asked != tt.want.Asked {
				t.Errorf("event says %v, asked %v; want %v, %v", e.Outcome, e.Asked, tt.outcome, tt.want.Asked)
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

// TestDecisions checks that the server does what draft-jhoyla-req-mtls-flag-02 says when
// the client has no certificate.
func TestDecisions(t *testing.T) {
	for _, mode := range []reqmtls.Mode{reqmtls.VerifyIfGiven, reqmtls.Require} {
		for _, everybody := range []bool{false, true} {
			policy := botsPolicy()
			policy.Mode, policy.AskEverybody = mode, everybody
			s := start(t, baseConfig(), reqmtls.Config{Policy: policy})
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				for _, flags := range [][]extension.Flag{nil, {extension.RequestMTLS}} {
					honored := flags != nil && version == tls.VersionTLS13
					asked := honored || everybody
					var alert extension.Alert
					if asked && mode == reqmtls.Require {
						alert = extension.AlertBadCertificate // the only one that crypto/tls leaves us
					}
					got := testClient{flags: flags, maxVersion: version}.connect(t, s.addr)
					if got.Asked != asked || got.alert != alert {
						t.Errorf("mode %v, everybody %t, version %#x, flags %v: asked %v, alert %v; want %v, %v", mode, everybody, version, flags, got.Asked, got.alert, asked, alert)
					}
				}
			}
		}
	}
}

func TestCodePoints(t *testing.T) {
	const flag80 = "\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	types := func(ts ...extension.Type) []extension.Type { return ts }
	tests := []struct {
		name   string
		types  []extension.Type
		flag   extension.Flag
		client testClient
		asked  bool
	}{
		{"62 by default", nil, 0, testClient{flagsData: []byte(flag80)}, true},
		{"0xfe01 by default", nil, 0, testClient{flagsData: []byte(flag80), flagsType: extension.TLSFlagsExperimental}, true},
		{"0xfe01 where 62 is configured", types(62), 0, testClient{flagsData: []byte(flag80), flagsType: extension.TLSFlagsExperimental}, false},
		{"62 where 0xfe01 is configured", types(0xfe01), 0, testClient{flagsData: []byte(flag80)}, false},
		{"0xfe01 where it is configured", types(0xfe01), 0, testClient{flagsData: []byte(flag80), flagsType: extension.TLSFlagsExperimental}, true},
		{"another flag number", nil, 17, flagged(17), true},
		{"80 where the flag number is another", nil, 17, flagged(80), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy(), Types: tt.types, Flag: tt.flag})
			if got := tt.client.connect(t, s.addr).Asked; got != tt.asked {
				t.Errorf("asked = %v, want %v", got, tt.asked)
			}
		})
	}
}

func TestRefuseMalformed(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy(), RefuseMalformed: true})
	for name, tt := range map[string]struct {
		client testClient
		alert  extension.Alert
	}{
		"empty data":       {testClient{flagsData: []byte{}}, extension.AlertIllegalParameter},
		"a trailing zero":  {testClient{flagsData: []byte{2, 1, 0}}, extension.AlertIllegalParameter},
		"trailing bytes":   {testClient{flagsData: []byte{1, 1, 1}, flagsType: extension.TLSFlagsExperimental}, extension.AlertIllegalParameter},
		"the flag":         {flagged(80), 0},
		"another flag":     {flagged(8), 0},
		"no flag":          {testClient{}, 0},
		"TLS 1.2":          {testClient{maxVersion: tls.VersionTLS12}, 0},
		"malformed in 1.2": {testClient{flagsData: []byte{0}, maxVersion: tls.VersionTLS12}, 0},
	} {
		got := tt.client.connect(t, s.addr)
		if got.alert != tt.alert {
			t.Errorf("%s: alert %v, want %v", name, got.alert, tt.alert)
		}
		if e := s.event(t); (e.Outcome == reqmtls.Refused) != (tt.alert != 0) {
			t.Errorf("%s: outcome %v", name, e.Outcome)
		}
	}
}

// TestLegacyVersion sends hellos without supported_versions that name TLS 1.3 as their
// legacy_version: they are hellos of TLS 1.2, where flags mean nothing.
func TestLegacyVersion(t *testing.T) {
	for name, tt := range map[string]struct {
		client testClient
		config reqmtls.Config
	}{
		"the flag":         {flagged(extension.RequestMTLS), reqmtls.Config{Policy: botsPolicy()}},
		"a malformed flag": {testClient{flagsData: []byte{1, 0}}, reqmtls.Config{Policy: botsPolicy(), RefuseMalformed: true}},
	} {
		s := start(t, baseConfig(), tt.config)
		tt.client.maxVersion = tls.VersionTLS12
		hello := rawHello(t, tt.client)
		const version = 5 + 4 // behind the headers of the record and of the message
		copy(hello[version:], "\x03\x04")
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conn.Write(hello)
		conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn)
		conn.Close()
		if !bytes.Contains(answer, []byte("\x0e\x00\x00\x00")) {
			t.Errorf("%s: no ServerHelloDone of TLS 1.2 in %x", name, answer)
		}
		if e := s.event(t); e.Outcome != reqmtls.NotApplied || e.Asked {
			t.Errorf("%s: outcome %v, asked %v", name, e.Outcome, e.Asked)
		}
	}
}

func TestServerNames(t *testing.T) {
	p := testPKI()
	c := reqmtls.Config{
		Policy: reqmtls.Policy{Mode: reqmtls.Ignore},
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
			tt.client.flags = []extension.Flag{extension.RequestMTLS}
			if diff := cmp.Diff(tt.want, tt.client.connect(t, s.addr), cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	demanding := baseConfig()
	demanding.ClientAuth = tls.RequireAndVerifyClientCert
	pool := x509.NewCertPool()
	tests := []struct {
		name   string
		base   *tls.Config
		config reqmtls.Config
		want   string
	}{
		{"no base config", nil, reqmtls.Config{Policy: botsPolicy()}, "no certificate"},
		{"a base config without certificate", &tls.Config{}, reqmtls.Config{Policy: botsPolicy()}, "no certificate"},
		{"a base config that demands certificates", demanding, reqmtls.Config{Policy: botsPolicy()}, "only weaken"},
		{"the web's authorities", baseConfig(), reqmtls.Config{}, "needs ClientCAs"},
		{"the web's authorities for a name", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Names: map[string]reqmtls.Policy{"a.example": {}}}, "a.example"},
		{"a name in upper case", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Names: map[string]reqmtls.Policy{"A.example": {ClientCAs: pool}}}, "lower case"},
		{"an unknown mode", baseConfig(), reqmtls.Config{Policy: reqmtls.Policy{Mode: 77}}, "mode(77)"},
		{"a flag that cannot be", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Flag: 2040}, "2039"},
		{"a type that holds no flags", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Types: []extension.Type{16}}, "application_layer"},
		{"a negative limit", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Limit: -1}, "negative"},
		{"a limit that no memory has", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Limit: math.MaxInt}, "longest valid"},
		{"a limit above the longest ClientHello", baseConfig(), reqmtls.Config{Policy: botsPolicy(), Limit: assemble.MaxMessage + 1}, "longest valid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := reqmtls.New(tt.base, tt.config)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestNewAcceptsTheHighestLimit(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy(), Limit: assemble.MaxMessage})
	if got := flagged(extension.RequestMTLS).with(testPKI().bot).connect(t, s.addr); !got.Asked {
		t.Error("a client with the flag was not asked")
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
	s := start(t, base, reqmtls.Config{Policy: botsPolicy()})
	flag := []extension.Flag{extension.RequestMTLS}
	tests := []struct {
		name   string
		client testClient
		want   result
	}{
		{"no choice: the flag decides", testClient{flags: flag}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}},
		{"a demand is not weakened by the flag", testClient{name: "a.example", flags: flag},
			result{Asked: true, alert: extension.AlertCertificateRequired}},
		{"a demand is not turned to other authorities by the flag", testClient{name: "a.example", flags: flag}.with(p.bot),
			result{Asked: true, alert: 48}},
		{"a demand can be met by flagged clients", testClient{name: "a.example", flags: flag}.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true}}},
		{"an offer stays for clients without the flag", testClient{name: "b.example"}.with(p.stranger),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1}}},
		{"an offer has its authorities apart from those of the flag", testClient{name: "b.example"}.with(p.bot),
			result{Asked: true, alert: 48}},
		{"with the flag those of the flag count", testClient{name: "b.example", flags: flag}.with(p.bot),
			result{Asked: true, reply: reply{Certificates: 1, Chains: 1, Flagged: true, Applied: true}}},
		{"an error ends the handshake", testClient{name: "x.b.example", flags: flag},
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
	s := start(t, base, reqmtls.Config{Policy: botsPolicy()})
	for name, data := range map[string][]byte{
		"nothing":                         nil,
		"HTTP":                            []byte("GET / HTTP/1.1\r\n\r\n"),
		"GetConfigForClient that fails":   rawHello(t, flagged(extension.RequestMTLS)),
		"a ClientHello that is cut short": rawHello(t, flagged(extension.RequestMTLS))[:100],
	} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conn.Write(data)
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn) // until the server has closed it
		conn.Close()
		if n := len(s.events); n > 0 {
			t.Errorf("%s: event %+v", name, <-s.events)
		}
	}
}

// TestBaseVerifyConnection holds that what the base config checks of everybody is
// checked of flagged clients as well.
func TestBaseVerifyConnection(t *testing.T) {
	base := baseConfig()
	base.VerifyConnection = func(tls.ConnectionState) error { return errors.New("not today") }
	s := start(t, base, reqmtls.Config{Policy: botsPolicy()})
	for name, client := range map[string]testClient{"plain": {}, "flagged": flagged(80).with(testPKI().bot)} {
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
