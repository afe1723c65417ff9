package tlsflags

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// TestAskFlagged gives policies to a Wrapper. Each becomes those in the column want: the
// client_authentication, and what is matched.
func TestAskFlagged(t *testing.T) {
	names := caddy.ModuleMap{"sni": []byte(`["a.example"]`)}
	for _, test := range []struct {
		name  string
		mode  string
		match caddy.ModuleMap
		want  string
	}{
		{"asks flagged clients, and verifies", "verify_if_given", names, "verify_if_given sni tls_flag, none sni"},
		{"asks flagged clients", "request", nil, "request tls_flag, none"},
		{"leaves a policy that demands certificates", "require_and_verify", names, "require_and_verify sni"},
		{"leaves a policy that demands any certificate", "require", names, "require sni"},
		{"leaves a policy without mode, which demands them", "", names, " sni"},
		{"leaves a policy that has the matcher", "request", caddy.ModuleMap{"tls_flag": []byte(`{"flag":81}`)}, "request tls_flag"},
		{"leaves a policy that does not ask", "none", names, "none sni"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &caddytls.ConnectionPolicy{MatchersRaw: test.match, ALPN: []string{"h2"}}
			if test.mode != "none" {
				p.ClientAuthentication = &caddytls.ClientAuthentication{Mode: test.mode}
			}
			var got []string
			policies := askFlagged(caddytls.ConnectionPolicies{p})
			p.ALPN[0] = "changed"
			if last := policies[len(policies)-1]; last != p && last.ALPN[0] != "h2" {
				t.Error("policies share their protocols")
			}
			for _, p := range policies {
				words := []string{"none"}
				if p.ClientAuthentication != nil {
					words[0] = p.ClientAuthentication.Mode
				}
				for _, name := range []string{"sni", "tls_flag"} {
					if p.MatchersRaw[name] != nil {
						words = append(words, name)
					}
				}
				got = append(got, strings.Join(words, " "))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(names) != 1 {
				t.Error("a map that others use has changed")
			}
		})
	}
}

// connect returns both ends of a connection, which end with the test.
func connect(t *testing.T, l net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return client, server
}

// match sends a recorded ClientHello through a Wrapper, or past it, to a server that asks m.
func match(t *testing.T, m *MatchFlag, record string, wrapped bool) bool {
	t.Helper()
	entry, ok := corpus.Lookup(record)
	if !ok {
		t.Fatal("no ", record)
	}
	var w Wrapper
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	if err := w.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	l := inner
	if wrapped {
		l = w.WrapListener(inner)
	}
	client, conn := connect(t, l)
	if _, err := client.Write(entry.Data()); err != nil {
		t.Fatal(err)
	}
	matched, done := false, errors.New("seen")
	err = tls.Server(conn, &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		matched = m.Match(info)
		return nil, done
	}}).Handshake()
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	return matched
}

func TestMatchFlag(t *testing.T) {
	core, logs := observer.New(zapcore.ErrorLevel)
	m := &MatchFlag{Flag: extension.RequestMTLS, logger: zap.New(core)}
	const flagged = "records/utls-chrome-133-ext62-80.bin"
	if !match(t, m, flagged, true) {
		t.Error("a flagged client is not matched")
	}
	if other := (&MatchFlag{Flag: 81}); match(t, other, flagged, true) {
		t.Error("a client with another flag is matched")
	}
	if logs.Len() != 0 {
		t.Errorf("logged %v", logs.All())
	}
	for range 2 {
		if match(t, m, flagged, false) {
			t.Error("a client is matched without the wrapper")
		}
	}
	if logs.Len() != 1 {
		t.Errorf("%d lines are logged without the wrapper, want 1", logs.Len())
	}
}

// TestWrapperAfterTLS puts the wrapper in the wrong place: connections stay as they are.
func TestWrapperAfterTLS(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	l := new(Wrapper).WrapListener(tls.NewListener(inner, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}))
	_, conn := connect(t, l)
	if _, ok := conn.(*tls.Conn); !ok {
		t.Errorf("a %T", conn)
	}
}

func TestCaddyfile(t *testing.T) {
	for _, test := range []struct {
		name, text string
		module     caddyfile.Unmarshaler
		refused    string
	}{
		{"accepts the wrapper", "tls_flags", new(Wrapper), ""},
		{"refuses an argument of the wrapper", "tls_flags 80", new(Wrapper), "wrong argument count"},
		{"refuses a block of the wrapper", "tls_flags {\n\tflag 80\n}", new(Wrapper), "wrong argument count"},
		{"accepts the handler", "tls_flags", new(Handler), ""},
		{"refuses an argument of the handler", "tls_flags 80", new(Handler), "wrong argument count"},
		{"accepts the matcher", "tls_flag", new(MatchFlag), ""},
		{"accepts a flag", "tls_flag 81", new(MatchFlag), ""},
		{"refuses a name", "tls_flag request_mtls", new(MatchFlag), "is not the number"},
		{"refuses two flags", "tls_flag 80 81", new(MatchFlag), "wrong argument count"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.module.UnmarshalCaddyfile(caddyfile.NewTestDispenser(test.text))
			if (test.refused == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.refused) {
				t.Errorf("got %v, want %q", err, test.refused)
			}
		})
	}
}

func TestFlagNumbers(t *testing.T) {
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	for flag, ok := range map[extension.Flag]bool{0: true, 2039: true, 2040: false} {
		if err := (&MatchFlag{Flag: flag}).Provision(ctx); (err == nil) != ok {
			t.Errorf("flag %d: %v", flag, err)
		}
	}
	if m := new(MatchFlag).CaddyModule().New().(*MatchFlag); m.Flag != extension.RequestMTLS {
		t.Errorf("the default is %v", m.Flag)
	}
}

func TestPlaceholders(t *testing.T) {
	set, err := extension.NewFlagSet(8, extension.RequestMTLS)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		hello reqmtls.Hello
		want  string // flags, request_mtls, type, error
	}{
		{"no flags", reqmtls.Hello{}, " false  "},
		{"two flags", reqmtls.Hello{Flags: set}, "8,80 true  "},
		{"malformed", reqmtls.Hello{Err: extension.ErrFlagsAllZero}, " false  " + extension.ErrFlagsAllZero.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, key := range []string{"flags", "request_mtls", "type", "error"} {
				value, ok := placeholder(test.hello, "tls_flags."+key)
				if !ok {
					t.Error("no placeholder ", key)
				}
				got = append(got, fmt.Sprint(value))
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if _, ok := placeholder(test.hello, "http.request.host"); ok {
				t.Error("a placeholder of others")
			}
		})
	}
}

func TestHandler(t *testing.T) {
	repl := caddy.NewReplacer()
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), caddy.ReplacerCtxKey, repl), "GET", "/", nil)
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
		if got := repl.ReplaceAll("{tls_flags.request_mtls} {tls_flags.flags}", ""); got != "false " {
			t.Errorf("got %q", got)
		}
		return io.EOF
	})
	if err := new(Handler).ServeHTTP(nil, r, next); err != io.EOF {
		t.Error(err)
	}
}
