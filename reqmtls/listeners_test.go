package reqmtls_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// proxied reads the header of the PROXY protocol before anything else.
type proxied struct {
	net.Conn
	r *bufio.Reader
}

func (c *proxied) Read(p []byte) (int, error) {
	if c.r == nil {
		c.r = bufio.NewReader(c.Conn)
		if _, err := c.r.ReadString('\n'); err != nil {
			return 0, err
		}
	}
	return c.r.Read(p)
}

func TestInnerListeners(t *testing.T) {
	keepAlive := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute}}
	kept, err := keepAlive.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	prologue := func(c net.Conn) net.Conn {
		io.WriteString(c, "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n")
		return c
	}
	for _, tt := range []struct {
		name  string
		inner net.Listener
		wrap  func(net.Conn) net.Conn
	}{
		{"PROXY protocol", wrapped{listen(t), func(c net.Conn) net.Conn { return &proxied{Conn: c} }}, prologue},
		{"PROXY protocol by peek", peek.NewListener(listen(t), peek.Options{Proxy: true}), prologue},
		{"TCP keep-alive", kept, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
			s.serve(t, tt.inner, s.NewListener(tt.inner))
			c := flagged().with(testPKI().bot)
			c.wrap = tt.wrap
			if got := c.connect(t, s.addr); !got.Asked {
				t.Error("not asked")
			}
		})
	}
}

// TestQUIC checks that the clients of a QUIC server are served, unless the policy demands
// certificates of some of them.
func TestQUIC(t *testing.T) {
	for mode, want := range map[reqmtls.Mode]reqmtls.Outcome{
		reqmtls.VerifyIfGiven: reqmtls.NotWrapped,
		reqmtls.Require:       reqmtls.Refused,
	} {
		policy := botsPolicy()
		policy.Mode = mode
		mtls := newRealServer(t, baseConfig(), withPolicy(policy, reqmtls.Config{Logger: slog.New(slog.DiscardHandler)}))
		config := mtls.TLSConfig()
		config.MinVersion = tls.VersionTLS13
		quic := tls.QUICServer(&tls.QUICConfig{TLSConfig: config})
		defer quic.Close()
		if err := quic.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		// The hello lacks QUIC's transport parameters, which is noticed after the config is
		// chosen.
		err := quic.HandleData(tls.QUICEncryptionLevelInitial, rawFlagged(t)[5:])
		if e := mtls.event(t); e.Outcome != want {
			t.Errorf("mode %v: %v, want %v", mode, e, want)
		}
		if refused := errors.Is(err, reqmtls.ErrNotWrapped); refused != (want == reqmtls.Refused) {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

// TestNotWrapped checks the events of connections that are not wrapped.
func TestNotWrapped(t *testing.T) {
	for _, askAll := range []bool{false, true} {
		policy := botsPolicy()
		policy.AskAll = askAll
		s := newServer(t, baseConfig(), withPolicy(policy, reqmtls.Config{Logger: slog.New(slog.DiscardHandler)}))
		inner := listen(t)
		s.serve(t, inner, tls.NewListener(inner, s.TLSConfig()))
		if got := flagged().with(testPKI().bot).connect(t, s.addr); got.Asked != askAll || got.Chains > 0 != askAll {
			t.Errorf("AskAll %v: %+v", askAll, got)
		}
		e := s.event(t)
		if e.Outcome != reqmtls.NotWrapped || e.RemoteAddr == nil || e.ServerName != "localhost" || e.CertificateRequested != askAll {
			t.Errorf("AskAll %v: %v", askAll, e)
		}
	}
}
