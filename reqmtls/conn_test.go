package reqmtls_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// oneByOne writes and reads single bytes.
type oneByOne struct{ net.Conn }

func (c oneByOne) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(1, len(p))]) }

// records writes what TLS writes as its first record in records of n bytes.
type records struct {
	net.Conn
	n    int
	done bool
}

func (c *records) Write(p []byte) (int, error) {
	if c.done {
		return c.Conn.Write(p)
	}
	c.done = true
	var b []byte
	for piece := range slices.Chunk(p[5:], c.n) {
		b = append(append(b, 22, 3, 1, byte(len(piece)>>8), byte(len(piece))), piece...)
	}
	if _, err := c.Conn.Write(b); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wrapped is a listener whose connections are wrapped.
type wrapped struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l wrapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(c), nil
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHowTheHelloArrives(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server func(net.Conn) net.Conn
		client func(net.Conn) net.Conn
	}{
		{"reads of one byte", func(c net.Conn) net.Conn { return oneByOne{c} }, nil},
		{"records of one byte", nil, func(c net.Conn) net.Conn { return &records{Conn: c, n: 1} }},
		{"records of 100 bytes", nil, func(c net.Conn) net.Conn { return &records{Conn: c, n: 100} }},
		{"records of one byte in reads of one byte", func(c net.Conn) net.Conn { return oneByOne{c} },
			func(c net.Conn) net.Conn { return &records{Conn: c, n: 1} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{events: make(chan reqmtls.Event, 1000), errs: make(chan error, 1000)}
			var err error
			s.Server, err = reqmtls.New(baseConfig(), reqmtls.Config{Policy: botsPolicy(), Observe: func(e reqmtls.Event) { s.events <- e }})
			if err != nil {
				t.Fatal(err)
			}
			inner := listen(t)
			s.addr = inner.Addr().String()
			if tt.server != nil {
				inner = wrapped{inner, tt.server}
			}
			s.serve(t, tls.NewListener(s.Listener(inner), s.TLSConfig()))
			for _, flags := range [][]extension.Flag{nil, {extension.RequestMTLS}} {
				c := testClient{flags: flags, wrap: tt.client}.with(testPKI().bot)
				if got := c.connect(t, s.addr); got.Asked != (flags != nil) || got.Flagged != got.Asked {
					t.Errorf("flags %v: asked %v", flags, got.Asked)
				}
			}
		})
	}
}

// TestHelloRetryRequest holds that the first hello decides, and that recording ends
// with it.
func TestHelloRetryRequest(t *testing.T) {
	base := baseConfig()
	base.CurvePreferences = []tls.CurveID{tls.CurveP384}
	var inspected atomic.Int32
	s := start(t, base, reqmtls.Config{
		Policy:  botsPolicy(),
		Inspect: func(*reqmtls.Conn, clienthello.ClientHello) { inspected.Add(1) },
	})
	for i, flags := range [][]extension.Flag{nil, {extension.RequestMTLS}} {
		got := testClient{flags: flags}.with(testPKI().bot).connect(t, s.addr)
		if !got.Retried || got.Asked != (flags != nil) {
			t.Errorf("flags %v: retried %v, asked %v", flags, got.Retried, got.Asked)
		}
		if n := inspected.Load(); n != int32(i+1) {
			t.Errorf("%d hellos were inspected in %d connections", n, i+1)
		}
	}
}

func TestLimit(t *testing.T) {
	client := flagged(extension.RequestMTLS).with(testPKI().bot)
	s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy(), Limit: 100})
	if got := client.connect(t, s.addr); got.Asked || got.Flagged {
		t.Errorf("asked %v beyond the limit", got.Asked)
	}
	if e := s.event(t); e.Hello.Code != extension.ErrOverLimit {
		t.Errorf("event has the code %v, want over_limit", e.Hello.Code)
	}
	s = start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy(), Limit: 1000})
	if got := client.connect(t, s.addr); !got.Asked {
		t.Error("not asked within the limit")
	}
}

// TestForeignBytes sends what is no ClientHello, or no good one, and then holds that
// the server serves.
func TestForeignBytes(t *testing.T) {
	hello := rawHello(t, flagged(extension.RequestMTLS))
	stray := bytes.Clone(hello)
	stray[len(stray)-1]++ // an extension's last byte
	early := append(bytes.Clone(hello), "\x17\x03\x03\x00\x20"...)
	early = append(early, make([]byte, 0x20)...)
	zeroRTT := rawHello(t, testClient{flagsType: extension.EarlyData, flagsData: []byte{}}) // and early data
	zeroRTT = append(append(zeroRTT, "\x17\x03\x03\x00\x20"...), make([]byte, 0x20)...)
	interleaved := append(bytes.Clone(hello[:5]), hello[5:]...)
	interleaved[3], interleaved[4] = 0, 10
	interleaved = append(interleaved[:15], "\x15\x03\x01\x00\x02\x01\x00"...)
	tests := map[string][]byte{
		"nothing":                          nil,
		"HTTP":                             []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"an SSLv2-compatible hello":        []byte("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + strings.Repeat("\x00", 37)),
		"64 KiB of zeros":                  make([]byte, 64<<10),
		"64 KiB of handshake records":      bytes.Repeat([]byte("\x16\x03\x01\x00\x03\x01\xff\xff"), 8<<10),
		"a hello that is cut":              hello[:len(hello)-1],
		"a header alone":                   hello[:5],
		"a hello that claims 16 MiB":       []byte("\x16\x03\x01\x00\x04\x01\xff\xff\xff"),
		"an empty record":                  append([]byte("\x16\x03\x01\x00\x00"), hello...),
		"a record that is too long":        append([]byte("\x16\x03\x01\xff\xff"), make([]byte, 0xffff)...),
		"an alert inside the hello":        interleaved,
		"a ServerHello":                    []byte("\x16\x03\x01\x00\x04\x02\x00\x00\x00"),
		"early data":                       zeroRTT,
		"bytes behind the hello":           early,
		"a hello with a broken extension":  stray,
		"a hello and 64 KiB in one record": append(bytes.Clone(hello), make([]byte, 64<<10)...),
	}
	s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy()})
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			go io.Copy(io.Discard, conn)
			conn.Write(data) // the server may hang up meanwhile
			conn.(*net.TCPConn).CloseWrite()
			if err := <-s.errs; err == nil {
				t.Error("a handshake succeeded")
			}
			if got := flagged(extension.RequestMTLS).with(testPKI().bot).connect(t, s.addr); !got.Asked {
				t.Error("the next client was not asked")
			}
			<-s.errs
		})
	}
}

// rawHello returns the first record that a client sends.
func rawHello(t *testing.T, c testClient) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer b.Close()
	got := make(chan []byte, 1)
	go func() {
		defer b.Close()
		header := make([]byte, 5)
		if _, err := io.ReadFull(b, header); err != nil {
			return
		}
		body := make([]byte, int(header[3])<<8|int(header[4]))
		io.ReadFull(b, body)
		got <- append(header, body...)
	}()
	c.start(t, a)
	return <-got
}

// counting counts what is asked of a connection.
type counting struct {
	net.Conn
	reads, writes *atomic.Int64
}

func (c counting) Read(p []byte) (int, error)  { c.reads.Add(1); return c.Conn.Read(p) }
func (c counting) Write(p []byte) (int, error) { c.writes.Add(1); return c.Conn.Write(p) }

// TestNoFurtherCalls holds that a server reads and writes as often as one without this
// package, and the same at each call.
func TestNoFurtherCalls(t *testing.T) {
	type calls struct{ reads, writes int64 }
	run := func(wrapper bool, config *tls.Config, s *reqmtls.Server, c testClient) calls {
		var reads, writes atomic.Int64
		a, b := net.Pipe() // whose reads and writes meet one to one
		var conn net.Conn = counting{b, &reads, &writes}
		if wrapper {
			conn = s.Wrap(conn)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			server := tls.Server(conn, config)
			server.Handshake()
			server.Close()
		}()
		c.start(t, a)
		<-done
		return calls{reads.Load(), writes.Load()}
	}
	base := baseConfig()
	base.SessionTicketsDisabled = true
	asking := base.Clone()
	asking.ClientAuth, asking.ClientCAs = tls.VerifyClientCertIfGiven, testPKI().bots.Pool()
	s, err := reqmtls.New(base, reqmtls.Config{Policy: botsPolicy()})
	if err != nil {
		t.Fatal(err)
	}
	plain := testClient{}
	if want, got := run(false, base, s, plain), run(true, s.TLSConfig(), s, plain); got != want {
		t.Errorf("plain client: %+v, without this package %+v", got, want)
	}
	flag := flagged(extension.RequestMTLS).with(testPKI().bot)
	if want, got := run(false, asking, s, flag), run(true, s.TLSConfig(), s, flag); got != want {
		t.Errorf("flagged client: %+v, without this package %+v", got, want)
	}
}

// httpClient returns a client for URLs of the test servers.
func httpClient(t *testing.T, flags []extension.Flag) *http.Client {
	t.Helper()
	c, err := client.New(client.Config{
		Flags:         flags,
		NoRequestMTLS: flags != nil,
		TLS:           &tls.Config{RootCAs: testPKI().site.Pool(), Certificates: []tls.Certificate{testPKI().bot}},
	})
	if err != nil {
		t.Fatal(err)
	}
	transport := c.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// TestHTTP covers the two lines of the package comment.
func TestHTTP(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		mtls, err := reqmtls.New(baseConfig(), reqmtls.Config{Policy: botsPolicy()})
		if err != nil {
			t.Fatal(err)
		}
		web := &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hello, ok := reqmtls.FromContext(r.Context())
				if !ok || hello.Flagged != (len(r.TLS.VerifiedChains) > 0) {
					t.Errorf("hello is %+v, %v, with %d chains", hello, ok, len(r.TLS.VerifiedChains))
				}
				name := "nobody"
				if len(r.TLS.PeerCertificates) > 0 {
					name = r.TLS.PeerCertificates[0].Subject.CommonName
				}
				io.WriteString(w, r.Proto+" "+name)
			}),
			ConnContext: reqmtls.ConnContext,
			Protocols:   new(http.Protocols),
		}
		web.Protocols.SetHTTP1(true)
		web.Protocols.SetHTTP2(http2)
		web.TLSConfig = mtls.TLSConfig()
		l := listen(t)
		served := make(chan error, 1)
		go func() { served <- web.ServeTLS(mtls.Listener(l), "", "") }()

		proto := "HTTP/1.1"
		if http2 {
			proto = "HTTP/2.0"
		}
		for want, flags := range map[string][]extension.Flag{proto + " nobody": {}, proto + " bot": nil} {
			for range 2 {
				resp, err := httpClient(t, flags).Get("https://" + l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(body) != want {
					t.Errorf("%q, %v; want %q", body, err, want)
				}
			}
		}
		web.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

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
		{"TCP keep-alive", kept, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{errs: make(chan error, 1000)}
			if s.Server, err = reqmtls.New(baseConfig(), reqmtls.Config{Policy: botsPolicy()}); err != nil {
				t.Fatal(err)
			}
			s.serve(t, tls.NewListener(s.Listener(tt.inner), s.TLSConfig()))
			c := flagged(extension.RequestMTLS).with(testPKI().bot)
			c.wrap = tt.wrap
			if got := c.connect(t, tt.inner.Addr().String()); !got.Asked {
				t.Error("not asked")
			}
		})
	}
}

// opaque hides what it wraps, as a listener does that limits connections.
type opaque struct{ net.Conn }

// TestUnrecorded covers servers that were put together wrongly, and what looks like
// them to this package, such as QUIC.
func TestUnrecorded(t *testing.T) {
	s := &server{events: make(chan reqmtls.Event, 10), errs: make(chan error, 10)}
	var err error
	if s.Server, err = reqmtls.New(baseConfig(), reqmtls.Config{Policy: botsPolicy(), Observe: func(e reqmtls.Event) { s.events <- e }}); err != nil {
		t.Fatal(err)
	}
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"no listener of this package": func(l net.Listener) net.Listener { return l },
		"something between it and TLS": func(l net.Listener) net.Listener {
			return wrapped{s.Listener(l), func(c net.Conn) net.Conn { return opaque{c} }}
		},
	} {
		l := listen(t)
		s.serve(t, tls.NewListener(wrap(l), s.TLSConfig()))
		if got := flagged(extension.RequestMTLS).with(testPKI().bot).connect(t, l.Addr().String()); got.Asked {
			t.Errorf("%s: asked", name)
		}
		if e := s.event(t); e.Outcome != reqmtls.Unrecorded {
			t.Errorf("%s: outcome %v, want unrecorded", name, e.Outcome)
		}
	}
}

func TestQUIC(t *testing.T) {
	events := make(chan reqmtls.Event, 1)
	mtls, err := reqmtls.New(baseConfig(), reqmtls.Config{Policy: botsPolicy(), Observe: func(e reqmtls.Event) { events <- e }})
	if err != nil {
		t.Fatal(err)
	}
	config := mtls.TLSConfig().Clone()
	config.MinVersion = tls.VersionTLS13
	quic := tls.QUICServer(&tls.QUICConfig{TLSConfig: config})
	defer quic.Close()
	if err := quic.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	hello := rawHello(t, flagged(extension.RequestMTLS))
	// The hello lacks QUIC's transport parameters, which comes out after the config is chosen.
	quic.HandleData(tls.QUICEncryptionLevelInitial, hello[5:])
	if e := <-events; e.Outcome != reqmtls.Unrecorded {
		t.Errorf("outcome %v, want unrecorded", e.Outcome)
	}
}

func TestFromConn(t *testing.T) {
	base := baseConfig()
	base.SessionTicketsDisabled = true // a pipe takes no ticket while the client writes
	mtls, err := reqmtls.New(base, reqmtls.Config{Policy: botsPolicy()})
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	if _, ok := reqmtls.FromConn(b); ok {
		t.Error("a connection that was never wrapped has a hello")
	}
	wrapped := mtls.Wrap(b)
	conn := tls.Server(wrapped, mtls.TLSConfig())
	if _, ok := reqmtls.FromConn(conn); ok {
		t.Error("there is a hello before one has come")
	}
	if wrapped.NetConn() != b {
		t.Error("NetConn is not what was wrapped")
	}
	go func() {
		conn.Handshake()
		conn.Close()
	}()
	flags := []extension.Flag{extension.ResumptionAcrossNames, extension.RequestMTLS}
	flagged(flags...).with(testPKI().bot).start(t, a)
	hello, ok := reqmtls.FromConn(conn)
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		t.Fatal(err)
	}
	want := reqmtls.Hello{Flags: set, Type: extension.TLSFlags, Flagged: true, Applied: true}
	if !ok || hello != want {
		t.Errorf("hello, -want +got:\n%s", cmp.Diff(want, hello, cmp.AllowUnexported(extension.FlagSet{})))
	}
	if _, ok := reqmtls.FromContext(context.Background()); ok {
		t.Error("a context of nobody has a hello")
	}
	if got, _ := reqmtls.FromContext(reqmtls.ConnContext(context.Background(), conn)); got != want {
		t.Error("the context's hello is another than the connection's")
	}
}

// TestCryptoTLS holds that clients of crypto/tls get through, in each of its ways.
func TestCryptoTLS(t *testing.T) {
	key, _ := echKey(t, 8)
	base := baseConfig()
	base.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{key}
	s := start(t, base, reqmtls.Config{Policy: botsPolicy()})
	list := append([]byte{byte(len(key.Config) >> 8), byte(len(key.Config))}, key.Config...)
	for name, config := range map[string]*tls.Config{
		"TLS 1.3":                {},
		"TLS 1.2":                {MaxVersion: tls.VersionTLS12},
		"Encrypted Client Hello": {EncryptedClientHelloConfigList: list},
		"a retry":                {CurvePreferences: []tls.CurveID{tls.CurveP256}},
	} {
		config.RootCAs, config.ServerName = testPKI().site.Pool(), "a.example"
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			t.Errorf("%s: asked", name)
			return &tls.Certificate{}, nil
		}
		conn, err := tls.Dial("tcp", s.addr, config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if accepted := conn.ConnectionState().ECHAccepted; accepted != (config.EncryptedClientHelloConfigList != nil) {
			t.Errorf("%s: ECH accepted: %v", name, accepted)
		}
		conn.Close()
	}
}

// TestClientWithAnotherNumber holds that server and client agree on any number.
func TestClientWithAnotherNumber(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy(), Flag: 17})
	for flag, asked := range map[extension.Flag]bool{17: true, 0: false, 80: false} {
		c, err := client.New(client.Config{
			Flag: &flag,
			TLS:  &tls.Config{RootCAs: testPKI().site.Pool(), Certificates: []tls.Certificate{testPKI().bot}},
		})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := c.Dial(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if r := conn.Report(); r.Requested != asked || r.Given != asked || r.Acknowledged {
			t.Errorf("client with flag %d: %+v", flag, r)
		}
	}
}

func TestCAsAreNamed(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{Policy: botsPolicy()})
	c, err := client.New(client.Config{TLS: &tls.Config{RootCAs: testPKI().site.Pool(), Certificates: []tls.Certificate{testPKI().bot}}})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.Dial(context.Background(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want := [][]byte{testPKI().bots.Certificate.RawSubject}
	if diff := cmp.Diff(want, conn.Report().Authorities); diff != "" {
		t.Errorf("authorities (-want +got):\n%s", diff)
	}
}
