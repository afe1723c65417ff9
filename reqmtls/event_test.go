package reqmtls_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func TestEventText(t *testing.T) {
	s := startReal(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": botsPolicy()}})
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
	event := func(name string, exts ...extension.Extension) reqmtls.Event {
		e, _ := s.eventOf(t, rawHello(t, testClient{name: name}, exts...))
		e.RemoteAddr = addr
		return e
	}
	for _, tt := range []struct {
		name      string
		event     reqmtls.Event
		text, log string
	}{
		{"the zero value", reqmtls.Event{},
			"not applied, no TLS flags",
			`e.server_name="" e.outcome="not applied" e.certificate_requested=false e.hello.flagged=false e.hello.applied=false`},
		{"no flags", event("localhost"),
			`192.0.2.1:1234 "localhost" not applied, no TLS flags`,
			`e.remote=192.0.2.1:1234 e.server_name=localhost e.outcome="not applied" e.certificate_requested=false e.hello.flagged=false e.hello.applied=false`},
		{"the flag", event("a.example", tlsFlags(flag80)),
			`192.0.2.1:1234 "a.example" unfinished, certificate requested, flags request_mtls in tls_flags, flagged, policy applied (a.example)`,
			`e.remote=192.0.2.1:1234 e.server_name=a.example e.outcome=unfinished e.certificate_requested=true e.hello.flagged=true e.hello.applied=true e.hello.policy=a.example e.hello.extension=tls_flags e.hello.flags=request_mtls e.hello.ech=false`},
		{"malformed flags", event("localhost", tlsFlags("")),
			`192.0.2.1:1234 "localhost" not applied, malformed tls_flags: ` + extension.ErrFlagsEmptyData.Error(),
			fmt.Sprintf(`e.remote=192.0.2.1:1234 e.server_name=localhost e.outcome="not applied" e.certificate_requested=false e.hello.flagged=false e.hello.applied=false e.hello.extension=tls_flags e.hello.flags=none e.hello.ech=false e.hello.error=%q`, extension.ErrFlagsEmptyData)},
		{"an unread hello", reqmtls.Event{Hello: reqmtls.Hello{Err: extension.ErrOverLimit}},
			`not applied, unread ClientHello: ` + extension.ErrOverLimit.Error(),
			fmt.Sprintf(`e.server_name="" e.outcome="not applied" e.certificate_requested=false e.hello.flagged=false e.hello.applied=false e.hello.error=%q`, extension.ErrOverLimit)},
		{"refused", reqmtls.Event{Outcome: reqmtls.Refused, CertificateRequested: true, Err: errors.New("why")},
			`refused, certificate requested, no TLS flags: why`,
			`e.server_name="" e.outcome=refused e.certificate_requested=true e.hello.flagged=false e.hello.applied=false e.error=why`},
		{"not wrapped", reqmtls.Event{Outcome: reqmtls.NotWrapped}, `not wrapped`,
			`e.server_name="" e.outcome="not wrapped" e.certificate_requested=false`},
		{"encrypted", reqmtls.Event{Hello: reqmtls.Hello{ECH: true}}, `not applied, no TLS flags, encrypted`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprintf("%+v", tt.event); got != tt.text {
				t.Errorf("got  %s\nwant %s", got, tt.text)
			}
			var b bytes.Buffer
			leave := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
					return slog.Attr{}
				}
				return a
			}
			slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: leave})).Info("", "e", tt.event)
			if got := b.String(); tt.log != "" && got != tt.log+"\n" {
				t.Errorf("got  %swant %s", got, tt.log)
			}
		})
	}
}

func TestOutcomeString(t *testing.T) {
	var got []string
	for o := range reqmtls.Unfinished + 2 {
		got = append(got, o.String())
	}
	want := "[not applied not wrapped accepted no certificate refused unfinished unknown outcome]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}
