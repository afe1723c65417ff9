package probe

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv/ackserver"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
	"github.com/tlsflags/tlsflags/reqmtls"
	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

type authorities struct{ site, clients *testca.CA }

func newAuthorities(t *testing.T) authorities {
	t.Helper()
	site, err := testca.New("site", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := testca.New("clients", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return authorities{site, clients}
}

func (a authorities) options(t *testing.T, addr string) Options {
	t.Helper()
	cert, err := a.clients.Client("bot")
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Addr:    addr,
		TLS:     &tls.Config{RootCAs: a.site.Pool(), Certificates: []tls.Certificate{cert}},
		Flag:    extension.RequestMTLS,
		Timeout: 10 * time.Second,
	}
}

// serve runs a server of crypto/tls that reads until the client closes the connection.
func (a authorities) serve(t *testing.T, setup func(net.Listener, *tls.Config) (net.Listener, *tls.Config)) string {
	t.Helper()
	cert, err := a.site.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := tls.NewListener(setup(inner, &tls.Config{Certificates: []tls.Certificate{cert}}))
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				io.Copy(io.Discard, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return inner.Addr().String()
}

// honouring is a server with package reqmtls.
func (a authorities) honouring(t *testing.T, c reqmtls.Config) string {
	t.Helper()
	c.ClientCAs = a.clients.Pool()
	return a.serve(t, func(l net.Listener, base *tls.Config) (net.Listener, *tls.Config) {
		mtls, err := reqmtls.New(base, c)
		if err != nil {
			t.Fatal(err)
		}
		return mtls.Listener(l), mtls.TLSConfig()
	})
}

func TestProbe(t *testing.T) {
	a := newAuthorities(t)
	experimental := []extension.Type{extension.TLSFlagsExperimental}
	type want struct {
		Verdict   Verdict
		Runs      []Verdict // under 62 and 0xfe01
		Types     []extension.Type
		Malformed Verdict // of all cases but duplicate_extension
		Duplicate Verdict
	}
	both := []extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental}
	only62 := both[:1]
	tests := []struct {
		name string
		addr func(*testing.T) string
		want want
	}{
		{"crypto/tls", func(t *testing.T) string {
			return a.serve(t, func(l net.Listener, c *tls.Config) (net.Listener, *tls.Config) { return l, c })
		}, want{Ignores, []Verdict{Ignores, Ignores}, only62, Ignores, Rejects}},
		{"crypto/tls that asks everybody", func(t *testing.T) string {
			return a.serve(t, func(l net.Listener, c *tls.Config) (net.Listener, *tls.Config) {
				c.ClientAuth = tls.RequestClientCert
				return l, c
			})
		}, want{AsksEverybody, []Verdict{AsksEverybody, AsksEverybody}, only62, Ignores, Rejects}},
		{"reqmtls", func(t *testing.T) string { return a.honouring(t, reqmtls.Config{}) },
			want{Asks, []Verdict{Asks, Asks}, both, Ignores, Rejects}},
		{"reqmtls under 0xfe01 alone", func(t *testing.T) string { return a.honouring(t, reqmtls.Config{Types: experimental}) },
			want{Asks, []Verdict{Ignores, Asks}, experimental, Ignores, Rejects}},
		{"reqmtls that refuses what is malformed", func(t *testing.T) string { return a.honouring(t, reqmtls.Config{RefuseMalformed: true}) },
			want{Asks, []Verdict{Asks, Asks}, both, Rejects, Rejects}},
		{"OpenSSL that acknowledges", func(t *testing.T) string { return ackserver.Start(t, a.site, a.clients, ackserver.Ack) },
			want{Acknowledges, []Verdict{Acknowledges, Acknowledges}, both, Ignores, Rejects}},
		{"OpenSSL that refuses what is malformed", func(t *testing.T) string { return ackserver.Start(t, a.site, a.clients, ackserver.Strict) },
			want{Acknowledges, []Verdict{Acknowledges, Acknowledges}, both, Rejects, Rejects}},
		{"OpenSSL that does not acknowledge", func(t *testing.T) string { return ackserver.Start(t, a.site, a.clients, ackserver.Silent) },
			want{Asks, []Verdict{Asks, Asks}, both, Ignores, Rejects}},
		{"OpenSSL that sends the flag to everybody", func(t *testing.T) string { return ackserver.Start(t, a.site, a.clients, ackserver.Unsolicited) },
			want{AsksEverybody, []Verdict{AsksEverybody, AsksEverybody}, only62, Ignores, Rejects}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, err := Probe(t.Context(), a.options(t, tt.addr(t)))
			if err != nil {
				t.Fatal(err)
			}
			if result.Runs[0].Acknowledged {
				t.Error("the run without the flag is acknowledged")
			}
			got := want{Verdict: result.Verdict}
			for _, r := range result.Runs[1:] {
				got.Runs = append(got.Runs, *r.Verdict)
			}
			seen := make(map[extension.Type]bool)
			for _, c := range result.Malformed {
				if !seen[c.Type] {
					seen[c.Type] = true
					got.Types = append(got.Types, c.Type)
				}
				if c.Case == "duplicate_extension" {
					got.Duplicate = c.Verdict
					continue
				}
				if got.Malformed != "" && c.Verdict != got.Malformed {
					t.Errorf("%s under %d: %s, others %s", c.Case, c.Type, c.Verdict, got.Malformed)
				}
				got.Malformed = c.Verdict
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestRequire uses a server that refuses a client without a certificate after the client's
// handshake is over.
func TestRequire(t *testing.T) {
	a := newAuthorities(t)
	addr := a.honouring(t, reqmtls.Config{Mode: reqmtls.Require})
	o := a.options(t, addr)
	o.TLS.Certificates = nil
	result, err := Probe(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	run := result.Runs[1]
	if *run.Verdict != Asks || run.Alert == nil || run.Alert.Value != uint32(extension.AlertBadCertificate) || run.Completed {
		t.Errorf("verdict %s, alert %v, completed %v; want asks, bad_certificate", *run.Verdict, run.Alert, run.Completed)
	}
	for _, c := range result.Malformed {
		if diff := cmp.Diff([]codepoint.Point{{Value: 47, Name: "illegal_parameter"}, {Value: 50, Name: "decode_error"}}, c.Expected); diff != "" {
			t.Errorf("%s: expected alerts (-want +got):\n%s", c.Case, diff)
		}
	}
}

// TestRuns checks what a run says besides its verdict.
func TestRuns(t *testing.T) {
	a := newAuthorities(t)
	result, err := Probe(t.Context(), a.options(t, a.honouring(t, reqmtls.Config{})))
	if err != nil {
		t.Fatal(err)
	}
	plain := Handshake{Completed: true, TLSVersion: &codepoint.Point{Value: 772, Name: "TLS 1.3"}}
	asked := plain
	asked.CertificateRequested, asked.CertificateGiven, asked.Authorities = true, true, []string{"CN=clients,O=tlsflags test"}
	want := []Handshake{plain, asked, asked}
	var got []Handshake
	for _, r := range result.Runs {
		got = append(got, r.Handshake)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// hangsUp closes the connections from a number on, and calls something before.
type hangsUp struct {
	net.Listener
	number int
	before func()
}

func (l *hangsUp) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if l.number--; err == nil && l.number <= 0 {
		l.before()
		conn.Close()
	}
	return conn, err
}

// TestHangsUp has servers that leave after some connections, and probes that are ended
// then. A probe of a server that ignores the flag makes three connections, and then nine
// malformed ones.
func TestHangsUp(t *testing.T) {
	a := newAuthorities(t)
	for number, want := range map[int]struct{ runs, malformed int }{2: {1, 0}, 3: {2, 0}, 4: {3, 0}, 6: {3, 2}} {
		for _, cancels := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			addr := a.serve(t, func(l net.Listener, c *tls.Config) (net.Listener, *tls.Config) {
				if cancels {
					return &hangsUp{l, number, cancel}, c
				}
				return &hangsUp{l, number, func() { l.Close() }}, c
			})
			result, err := Probe(ctx, a.options(t, addr))
			cancel()
			switch {
			case cancels && (err != context.Canceled || len(result.Runs) != want.runs || len(result.Malformed) != want.malformed):
				t.Errorf("ended at connection %d: %v after %d runs and %d malformed ones, want %v", number, err, len(result.Runs), len(result.Malformed), want)
			case !cancels && (err != nil || len(result.Runs) != 3 || len(result.Malformed) != 9):
				t.Errorf("without a server from connection %d on: %v after %d runs and %d malformed ones", number, err, len(result.Runs), len(result.Malformed))
			case !cancels && number == 2 && (*result.Runs[1].Verdict != Refuses || result.Runs[1].Error == nil || result.Runs[2].Error == nil):
				t.Errorf("runs that fail: %+v", result.Runs[1:])
			}
		}
	}
}

// TestAlertOfAClosedConnection checks that the alert of a server is found that has closed the
// connection already.
func TestAlertOfAClosedConnection(t *testing.T) {
	a := newAuthorities(t)
	addr := a.serve(t, func(l net.Listener, c *tls.Config) (net.Listener, *tls.Config) {
		c.ClientAuth = tls.RequireAnyClientCert
		return l, c
	})
	tcp, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	conn, _, err := flagconn.Handshake(t.Context(), tcp, flagconn.Config{TLS: &tls.Config{RootCAs: a.site.Pool(), ServerName: "127.0.0.1"}})
	for err == nil {
		_, err = conn.Write([]byte("x"))
	}
	if alert, _ := flagconn.Alert(aftermath(conn)); alert != extension.AlertCertificateRequired {
		t.Errorf("alert %v, want certificate_required", alert)
	}
}

func TestProbeFails(t *testing.T) {
	a := newAuthorities(t)
	other := newAuthorities(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := listener.Addr().String()
	listener.Close()
	for name, o := range map[string]Options{
		"nobody listens":             a.options(t, dead),
		"the server is not verified": other.options(t, a.honouring(t, reqmtls.Config{})),
		"no port":                    a.options(t, "127.0.0.1"),
	} {
		if result, err := Probe(t.Context(), o); err == nil || result.Target != o.Addr || result.Schema == "" {
			t.Errorf("%s: error %v, result %+v", name, err, result)
		}
	}
}

func TestJudgeMalformed(t *testing.T) {
	alert := func(a extension.Alert) Handshake {
		p := alertPoint(a)
		return Handshake{Alert: &p}
	}
	asking := Handshake{Completed: true, CertificateRequested: true}
	silent := Handshake{Completed: true}
	unsolicited := Handshake{Completed: true, CertificateRequested: true, RequestFlags: []extension.Flag{8, 80}}
	acknowledging := unsolicited
	acknowledging.Acknowledged = true
	tests := []struct {
		name     string
		plain, h Handshake
		want     Verdict
	}{
		{"as without it", silent, silent, Ignores},
		{"as without it, by a server that asks everybody", asking, asking, Ignores},
		{"asked because of it", silent, asking, Honours},
		{"acknowledged", asking, acknowledging, Honours},
		{"acknowledged, and sent without the offer", unsolicited, acknowledging, Ignores},
		{"illegal_parameter", silent, alert(extension.AlertIllegalParameter), Rejects},
		{"decode_error", silent, alert(extension.AlertDecodeError), Rejects},
		{"hung up", silent, Handshake{}, Rejects},
		{"internal_error", silent, alert(extension.AlertInternalError), RejectsOddly},
	}
	for _, tt := range tests {
		if got := judgeMalformed(80, tt.plain, tt.h); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestCasesAreMalformed checks that the parser refuses each case, for its own reason.
func TestCasesAreMalformed(t *testing.T) {
	reasons := map[string]error{
		"empty_data":      extension.ErrFlagsEmptyData,
		"empty_vector":    extension.ErrFlagsEmptyVector,
		"inner_too_long":  extension.ErrFlagsInnerTooLong,
		"trailing_bytes":  extension.ErrFlagsTrailingBytes,
		"too_many_octets": extension.ErrFlagsTrailingBytes,
		"all_zero":        extension.ErrFlagsAllZero,
		"all_zero_octets": extension.ErrFlagsAllZero,
		"trailing_zero":   extension.ErrFlagsTrailingZero,
	}
	for _, flag := range []extension.Flag{0, 8, 80, 2031, extension.MaxFlag} {
		for _, c := range malformedCases(flag) {
			_, _, err := extension.ParseFlags(c.data)
			if c.name == "duplicate_extension" {
				if err != nil || c.repeat == 0 {
					t.Errorf("flag %d: %s is %v, %d times more", flag, c.name, err, c.repeat)
				}
				continue
			}
			if err != reasons[c.name] {
				t.Errorf("flag %d: %s is refused with %v", flag, c.name, err)
			}
		}
	}
}
