package reqmtls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
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
	if _, err := c.Conn.Write(inRecords(p[5:], c.n)); err != nil {
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
			s := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
			inner := listen(t)
			if tt.server != nil {
				inner = wrapped{inner, tt.server}
			}
			s.serve(t, inner, s.NewListener(inner))
			for _, flag := range []bool{false, true} {
				c := testClient{flagged: flag, wrap: tt.client}.with(testPKI().bot)
				if got := c.connect(t, s.addr); got.Asked != flag || got.Flagged != flag {
					t.Errorf("flag %v: asked %v", flag, got.Asked)
				}
			}
		})
	}
}

// TestHelloRetryRequest checks that the first hello decides, and that recording ends
// with it.
func TestHelloRetryRequest(t *testing.T) {
	base := baseConfig()
	base.CurvePreferences = []tls.CurveID{tls.CurveP384}
	var inspected atomic.Int32
	s := start(t, base, reqmtls.Config{
		ClientCAs: botCAs(),
		Inspect:   func(*reqmtls.Conn, clienthello.ClientHello) { inspected.Add(1) },
	})
	for i, flag := range []bool{false, true} {
		got := testClient{flagged: flag}.with(testPKI().bot).connect(t, s.addr)
		if !got.Retried || got.Asked != flag {
			t.Errorf("flag %v: retried %v, asked %v", flag, got.Retried, got.Asked)
		}
		if n := inspected.Load(); n != int32(i+1) {
			t.Errorf("%d hellos were inspected in %d connections", n, i+1)
		}
	}
}

// TestLimit sends hellos of the limit and a byte more. At the limit they are read, in one
// piece and in several.
func TestLimit(t *testing.T) {
	tests := []struct{ limit, length int }{
		{0, reqmtls.DefaultLimit}, {4096, 4096}, {5000, 5000},
		{assemble.MaxMessage, 1 << 15}, // which crypto/tls accepts
	}
	for _, tt := range tests {
		s := startReal(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs(), Limit: tt.limit})
		for _, more := range []int{0, 1} {
			for _, pieces := range []int{1 << 14, 1000} {
				hello := rawHello(t, testClient{}, tlsFlags(flag80), extension.Extension{Type: extension.Type(21)})
				padding := tt.length + more - (len(hello) - 5)
				hello = rawHello(t, testClient{}, tlsFlags(flag80), extension.Extension{Type: extension.Type(21), Data: make([]byte, padding)})
				e, _ := s.eventOf(t, inRecords(hello[5:], pieces))
				over := more > 0 && tt.limit != assemble.MaxMessage
				if (e.Hello.Err == extension.ErrOverLimit) != over || e.Hello.Applied == over {
					t.Errorf("limit %d, hello of %d bytes in records of %d: %v", tt.limit, tt.length+more, pieces, e)
				}
			}
		}
	}
}

// inRecords returns a handshake message in records of n bytes.
func inRecords(msg []byte, n int) []byte {
	var b []byte
	for piece := range slices.Chunk(msg, n) {
		b = append(append(b, 22, 3, 1, byte(len(piece)>>8), byte(len(piece))), piece...)
	}
	return b
}

// TestForeignBytes sends what is no ClientHello, or a malformed one, and then checks
// that the server serves.
func TestForeignBytes(t *testing.T) {
	hello := rawFlagged(t)
	stray := bytes.Clone(hello)
	stray[len(stray)-1]++ // an extension's last byte
	early := append(bytes.Clone(hello), "\x17\x03\x03\x00\x20"...)
	early = append(early, make([]byte, 0x20)...)
	zeroRTT := rawHello(t, testClient{}, extension.Extension{Type: extension.EarlyData})
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
		"bytes after the hello":            early,
		"a hello with a broken extension":  stray,
		"a hello and 64 KiB in one record": append(bytes.Clone(hello), make([]byte, 64<<10)...),
	}
	s := start(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			s.send(t, data)
			if err := <-s.errs; err == nil {
				t.Error("a handshake succeeded")
			}
			if got := flagged().with(testPKI().bot).connect(t, s.addr); !got.Asked {
				t.Error("the next client was not asked")
			}
			<-s.errs
		})
	}
}

// counting counts what is asked of a connection.
type counting struct {
	net.Conn
	reads, writes *atomic.Int64
}

func (c counting) Read(p []byte) (int, error)  { c.reads.Add(1); return c.Conn.Read(p) }
func (c counting) Write(p []byte) (int, error) { c.writes.Add(1); return c.Conn.Write(p) }

// TestNoFurtherCalls checks that a server reads and writes as often as one without this
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
		c.start(a)
		<-done
		return calls{reads.Load(), writes.Load()}
	}
	base := baseConfig()
	base.SessionTicketsDisabled = true
	asking := base.Clone()
	asking.ClientAuth, asking.ClientCAs = tls.VerifyClientCertIfGiven, testPKI().bots.Pool()
	s := newServer(t, base, reqmtls.Config{ClientCAs: botCAs()}).Server
	plain := testClient{}
	if want, got := run(false, base, s, plain), run(true, s.TLSConfig(), s, plain); got != want {
		t.Errorf("plain client: %+v, without this package %+v", got, want)
	}
	flag := flagged().with(testPKI().bot)
	if want, got := run(false, asking, s, flag), run(true, s.TLSConfig(), s, flag); got != want {
		t.Errorf("flagged client: %+v, without this package %+v", got, want)
	}
}

func TestFromConn(t *testing.T) {
	base := baseConfig()
	base.SessionTicketsDisabled = true // a pipe takes no ticket while the client writes
	mtls := newRealServer(t, base, reqmtls.Config{ClientCAs: botCAs()})
	a, b := net.Pipe()
	defer a.Close()
	if _, ok := reqmtls.FromConn(b); ok {
		t.Error("a connection that was never wrapped has a hello")
	}
	conn := mtls.NewConn(b)
	if _, ok := reqmtls.FromConn(conn); ok {
		t.Error("there is a hello before one has arrived")
	}
	go func() {
		a.Write(rawHello(t, testClient{}, tlsFlags("\x0b\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01")))
		a.Read(make([]byte, 1)) // of the answer
		a.Close()
	}()
	if err := conn.Handshake(); err == nil {
		t.Error("the handshake succeeded")
	}
	conn.Close()
	hello, ok := reqmtls.FromConn(conn)
	set, err := extension.NewFlagSet(extension.ResumptionAcrossNames, extension.RequestMTLS)
	if err != nil {
		t.Fatal(err)
	}
	if typ, _ := hello.Extension(); !ok || hello.Flags != set || typ != extension.TLSFlags || !hello.Flagged || !hello.Applied {
		t.Errorf("%v, %v", hello, ok)
	}
	if _, ok := reqmtls.FromContext(context.Background()); ok {
		t.Error("a context of nobody has a hello")
	}
	if got, _ := reqmtls.FromContext(reqmtls.ConnContext(context.Background(), conn)); got != hello {
		t.Error("the context's hello is another than the connection's")
	}
}

// TestConnMethods checks that what a TCP connection can do beyond net.Conn still works.
func TestConnMethods(t *testing.T) {
	mtls := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs(), Logger: slog.New(slog.DiscardHandler)})
	l := listen(t)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	inner, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var conn net.Conn = mtls.Wrap(inner)
	defer conn.Close()
	if got := tls.Server(conn, mtls.TLSConfig()).NetConn().(*reqmtls.Conn).NetConn().(*net.TCPConn); got != inner {
		t.Error("NetConn does not lead to the TCP connection")
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	called := false
	if err := raw.Control(func(uintptr) { called = true }); err != nil || !called {
		t.Errorf("SyscallConn: %v, called %v", err, called)
	}
	if n, err := conn.(io.ReaderFrom).ReadFrom(strings.NewReader("hello")); n != 5 || err != nil {
		t.Errorf("ReadFrom: %d, %v", n, err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Errorf("CloseWrite: %v", err)
	}
	if b, err := io.ReadAll(client); string(b) != "hello" || err != nil {
		t.Errorf("the client reads %q, %v", b, err)
	}

	a, b := net.Pipe()
	go io.Copy(io.Discard, a)
	piped := mtls.Wrap(b)
	if _, err := piped.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SyscallConn of a pipe: %v", err)
	}
	if err := piped.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite of a pipe: %v", err)
	}
	if n, err := piped.ReadFrom(strings.NewReader("hello")); n != 5 || err != nil {
		t.Errorf("ReadFrom to a pipe: %d, %v", n, err)
	}
	b.Close()
}

// TestCryptoTLS checks that clients of crypto/tls are served, in each of its ways.
func TestCryptoTLS(t *testing.T) {
	key, _ := echKey(t, 8)
	base := baseConfig()
	base.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{key}
	s := startReal(t, base, reqmtls.Config{ClientCAs: botCAs()})
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

func TestCAsAreNamed(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	var got [][]byte
	asked := false
	config := flagged().config(&asked)
	config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		got = info.AcceptableCAs
		return &tls.Certificate{}, nil
	}
	conn, err := tls.Dial("tcp", s.addr, config)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	want := [][]byte{testPKI().bots.Certificate.RawSubject}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("authorities (-want +got):\n%s", diff)
	}
}
