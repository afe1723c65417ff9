package reqmtls_test

import (
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls"
)

var soak = flag.Bool("soak", false, "make 10,000 handshakes in TestSoak, and 5,000 connections in TestIdleConnections, as make test-soak does under the race detector")

// watched remembers the connections that are accepted.
type watched struct {
	net.Listener
	mu    sync.Mutex
	conns []*reqmtls.Conn
}

func (l *watched) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c.(*reqmtls.Conn))
	return c, nil
}

// startWatched runs a server and returns a function that stops it and checks that nothing
// is left of it.
func startWatched(t *testing.T, c reqmtls.Config) (s *server, stop func()) {
	t.Helper()
	goroutines := runtime.NumGoroutine()
	s = newServer(t, baseConfig(), c)
	inner := listen(t)
	s.addr = inner.Addr().String()
	listener := &watched{Listener: s.Listener(inner)}
	config := s.TLSConfig()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.answer(tls.Server(conn, config)) })
		}
	})
	return s, func() {
		t.Helper()
		inner.Close()
		wg.Wait()
		for _, c := range listener.conns {
			if c.HoldsBuffer() {
				t.Error("a connection has kept its buffer")
				break
			}
		}
		for range 100 { // those of the runtime end a moment later
			if runtime.NumGoroutine() <= goroutines {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
	}
}

// TestSoak checks that among many clients at once exactly those are asked that set the
// flag, and that nothing is left over.
func TestSoak(t *testing.T) {
	n := 300
	if *soak {
		n = 10_000
	}
	s, stop := startWatched(t, reqmtls.Config{ClientCAs: botCAs()})
	split := flagged()
	split.wrap = func(c net.Conn) net.Conn { return &records{Conn: c, n: 50} }
	clients := []struct {
		testClient
		asked bool
	}{
		{testClient{}, false},
		{flagged().with(testPKI().bot), true},
		{testClient{}.with(testPKI().bot), false},
		{flagged(), true},
		{testClient{tls12: true}, false},
		{testClient{tls12: true, flagged: true}.with(testPKI().bot), false},
		{split, true},
	}
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for i := range jobs {
				c := clients[i%len(clients)]
				if got := c.connect(t, s.addr); got.Asked != c.asked || got.Resumed {
					t.Errorf("client %d: asked %v, want %v", i%len(clients), got.Asked, c.asked)
				}
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	stop()
}

// TestHostileClients checks that others are served while some send slowly, send half, or
// send what is no hello.
func TestHostileClients(t *testing.T) {
	s, stop := startWatched(t, reqmtls.Config{ClientCAs: botCAs()})
	hello := rawFlagged(t)
	garbage := make([]byte, 64<<10)
	for i := range garbage {
		garbage[i] = byte(i * 7)
	}
	long := append([]byte("\x16\x03\x01\x40\x00\x01\x00\xf0\x00"), make([]byte, 1<<14-4)...)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 40 {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer conn.Close()
			switch i % 5 {
			case 0: // says nothing
			case 1: // a byte now and then
				for _, b := range hello[:len(hello)-1] {
					if _, err := conn.Write([]byte{b}); err != nil {
						return
					}
					select {
					case <-done:
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			case 2:
				conn.Write(hello[:len(hello)/2])
			case 3:
				conn.Write(garbage)
			case 4: // a hello over the limit, never ended
				conn.Write(long)
			}
			<-done
		})
	}
	for range 50 {
		if got := flagged().with(testPKI().bot).connect(t, s.addr); !got.Asked {
			t.Error("not asked among hostile clients")
		}
		if got := (testClient{}).connect(t, s.addr); got.Asked {
			t.Error("asked among hostile clients")
		}
	}
	close(done)
	wg.Wait()
	stop()
}

// pipes is a listener of connections in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// heapOfEach returns the bytes of heap that each of n connections takes when sent has been
// read of it.
func heapOfEach(t *testing.T, n int, listener func(net.Listener) net.Listener, config *tls.Config, sent []byte) int {
	t.Helper()
	runtime.GC()
	runtime.GC() // empties the pools
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	inner := &pipes{conns: make(chan net.Conn)}
	l := tls.NewListener(listener(inner), config)
	var wg sync.WaitGroup
	clients := make([]net.Conn, n)
	for i := range clients {
		a, b := net.Pipe()
		clients[i] = a
		go func() { inner.conns <- b }()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := conn.(*tls.Conn).Handshake(); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("handshake: %v", err)
			}
			conn.Close()
		})
		if _, err := a.Write(sent); err != nil { // a pipe's write returns when it was read
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for _, c := range clients {
		c.Close()
	}
	l.Close()
	wg.Wait()
	return int(after.HeapAlloc-before.HeapAlloc) / n
}

// TestIdleConnections checks that many connections cost little more than without this
// package while nothing has been sent, and a buffer each while their hello is arriving.
func TestIdleConnections(t *testing.T) {
	if reqmtls.RaceEnabled {
		t.Skip("measures memory")
	}
	n := 1000
	if *soak {
		n = 5000
	}
	hello := rawFlagged(t)
	mtls, err := reqmtls.New(baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	if err != nil {
		t.Fatal(err)
	}
	plain := func(l net.Listener) net.Listener { return l }
	config := baseConfig()
	for _, tt := range []struct {
		name  string
		sent  []byte
		limit int
	}{
		{"nothing sent", nil, 256},
		{"half a hello sent", hello[:len(hello)/2], reqmtls.DefaultLimit + 1024},
	} {
		without, with := heapOfEach(t, n, plain, config, tt.sent), heapOfEach(t, n, mtls.Listener, mtls.TLSConfig(), tt.sent)
		t.Logf("%s: %d bytes a connection, %d without this package", tt.name, with, without)
		if with > without+tt.limit {
			t.Errorf("%s: %d bytes more, want %d at most", tt.name, with-without, tt.limit)
		}
	}
}
