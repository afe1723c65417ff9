package reqmtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// TestNewRefuses has what is seen before anything runs: what is written, and the error of
// New.
func TestNewRefuses(t *testing.T) {
	with := func(set func(*tls.Config)) *tls.Config {
		c := baseConfig()
		set(c)
		return c
	}
	name := func(key string) reqmtls.Config {
		return reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{key: botsPolicy()}}
	}
	limit := func(n int) reqmtls.Config { return reqmtls.Config{ClientCAs: botCAs(), Limit: n} }
	bots, good := reqmtls.Config{ClientCAs: botCAs()}, baseConfig()
	all := botsPolicy()
	all.AskAll = true
	verifying := with(func(c *tls.Config) { c.ClientAuth = tls.VerifyClientCertIfGiven })
	for _, tt := range []struct {
		written string
		base    *tls.Config
		config  reqmtls.Config
		want    string // "" if it is accepted
	}{
		{"no base config", nil, bots, "no certificate"},
		{"a base config without certificate", &tls.Config{}, bots, "no certificate"},
		{"a base config that demands certificates", with(func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }), bots, "only weaken"},
		{"a base config that demands any certificate", with(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), bots, "only weaken"},
		{"a base config that verifies, mode Request", verifying, reqmtls.Config{Mode: reqmtls.Request}, "use mode VerifyIfGiven"},
		{"a base config that verifies, mode Request for a name", verifying, reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": {Mode: reqmtls.Request}}}, "use mode VerifyIfGiven"},
		{"a base config that verifies, mode VerifyIfGiven", verifying, bots, ""},
		{"a base config without TLS 1.3", with(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), bots, "MaxVersion"},
		{"a base config without TLS 1.3, AskAll for a name", with(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": all}}, ""},
		{"a base config without TLS 1.3, AskAll", with(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), withPolicy(all, reqmtls.Config{}), ""},
		{"a base config with TLS 1.3", with(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS13 }), bots, ""},
		{"a base config without TLS 1.3 that chooses others", with(func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
		}), bots, ""},
		{"the web's authorities", good, reqmtls.Config{}, "needs ClientCAs"},
		{"the web's authorities for a name", good, reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": {}}}, "a.example"},
		{"an unknown mode", good, reqmtls.Config{Mode: 77}, "mode(77)"},
		{"mode Ignore with AskAll", good, reqmtls.Config{Mode: reqmtls.Ignore, AskAll: true}, "use one of them"},
		{"a flag above the highest", good, reqmtls.Config{ClientCAs: botCAs(), Flags: []extension.Flag{80, 2040}}, "2039"},
		{"the highest flag", good, reqmtls.Config{ClientCAs: botCAs(), Flags: []extension.Flag{2039}}, ""},
		{"a type that has no flags", good, reqmtls.Config{ClientCAs: botCAs(), Types: []extension.Type{16}}, "application_layer"},
		{"a negative limit", good, limit(-1), "use 0 for the default of 16384, or at least 4096"},
		{"a limit of 1", good, limit(1), "at least 4096"},
		{"a limit below the lowest", good, limit(4095), "at least 4096"},
		{"the lowest limit", good, limit(4096), ""},
		{"the highest limit", good, limit(assemble.MaxMessage), ""},
		{"a limit above the longest ClientHello", good, limit(assemble.MaxMessage + 1), "longest valid"},
		{"a limit above it", good, limit(1 << 20), fmt.Sprintf("at most %d, the longest", assemble.MaxMessage)},
		{"a limit above all memory", good, limit(math.MaxInt), "longest valid"},
		{"no name", good, name(""), "no server name"},
		{"a wildcard for everything", good, name("*"), "Config itself"},
		{"a wildcard alone", good, name("*."), "empty"},
		{"two wildcards", good, name("*.*"), "Config itself"},
		{"a wildcard in a label", good, name("*a.example"), "whole first label"},
		{"a wildcard in the middle", good, name("a.*.example"), "whole first label"},
		{"two wildcard labels", good, name("*.*.example"), "whole first label"},
		{"a name in upper case", good, name("A.example"), "lower case"},
		{"a final dot", good, name("a.example."), "final dot"},
		{"a port", good, name("a.example:443"), "without port"},
		{"a URL", good, name("https://a.example"), "without port and scheme"},
		{"a path", good, name("a.example/"), `no '/'`},
		{"Unicode", good, name("bücher.example"), "xn--"},
		{"an IPv4 address", good, name("10.0.0.1"), "IP address"},
		{"an IPv6 address", good, name("2001:db8::1"), "IP address"},
		{"an IPv6 address in brackets", good, name("[::1]"), "IP address"},
		{"an IPv6 address with a port", good, name("[::1]:443"), "IP address"},
		{"a space before", good, name(" a.example"), `no ' '`},
		{"a line end after", good, name("a.example\n"), `no '\n'`},
		{"a control character", good, name("a\x7f.example"), `no '\x7f'`},
		{"the first character after ASCII", good, name("a\u0080.example"), "xn--"},
		{"a character before a", good, name("`a.example"), "no '`'"},
		{"a character after z", good, name("z{.example"), "no '{'"},
		{"the first and last of what is allowed", good, name("az-09_.example"), ""},
		{"an empty label", good, name("a..example"), "1 to 63"},
		{"a dot before", good, name(".example.com"), "1 to 63"},
		{"a label of 64 bytes", good, name(strings.Repeat("a", 64)), "1 to 63"},
		{"a label of 63 bytes", good, name(strings.Repeat("a", 63)), ""},
		{"a name of 254 bytes", good, name(strings.Repeat("a.", 126) + "aa"), "253"},
		{"a name of 253 bytes", good, name(strings.Repeat("a.", 126) + "a"), ""},
		{"a host name", good, name("xn--bcher-kva.a_b-1.example"), ""},
		{"a single label", good, name("localhost"), ""},
		{"a wildcard label", good, name("*.example.com"), ""},
	} {
		t.Run(tt.written, func(t *testing.T) {
			_, err := reqmtls.New(tt.base, tt.config)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := reqmtls.New(good, reqmtls.Config{ClientCAs: x509.NewCertPool()}); err != nil {
		t.Errorf("an empty pool, to which authorities may be added later: %v", err)
	}
}
