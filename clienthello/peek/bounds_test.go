package peek_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/extension"
)

// inputs are hellos with what may be before them.
func inputs(t *testing.T) map[string][]byte {
	whole := record(t)
	return map[string][]byte{
		"one record":     whole,
		"records of 700": records(whole[5:], 700),
		"records of 90":  records(whole[5:], 90),
		"PROXY 1":        append([]byte("PROXY TCP4 192.0.2.1 198.51.100.1 4096 443\r\n"), whole...),
		"PROXY 2":        append(proxyV2(1, 0x11, 192, 0, 2, 1, 198, 51, 100, 1, 0x10, 0, 1, 0xbb, 9, 9), whole...),
		"a health check": append(proxyV2(0, 0), whole...),
	}
}

// TestEveryEnd ends hellos after each byte, and reads them with each limit.
func TestEveryEnd(t *testing.T) {
	for name, in := range inputs(t) {
		for n := range in {
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			hello, err := peek.Read(bytes.NewReader(in[:n]), peek.Options{Proxy: true})
			if !errors.Is(err, want) || !bytes.Equal(hello.Raw, in[:n]) {
				t.Errorf("%s, %d bytes: %d read, %v", name, n, len(hello.Raw), err)
			}
			if n == 0 {
				continue
			}
			hello, err = peek.Read(bytes.NewReader(in), peek.Options{Proxy: true, Limit: n})
			if !errors.Is(err, peek.ErrTooLarge) || !bytes.HasPrefix(in, hello.Raw) || len(hello.Raw) > n || cap(hello.Raw) > max(n, 2048) {
				t.Errorf("%s, a limit of %d bytes: %d read, %v", name, n, len(hello.Raw), err)
			}
		}
		hello, err := peek.Read(bytes.NewReader(in), peek.Options{Proxy: true, Limit: len(in)})
		if err != nil || !bytes.Equal(hello.Raw, in) || cap(hello.Raw) > max(len(in), 2048) {
			t.Errorf("%s, a limit of its length: %d bytes, %v", name, len(hello.Raw), err)
		}
	}
}

// TestDefaultLimit reads hellos that take as much as there is by default, and a byte more.
func TestDefaultLimit(t *testing.T) {
	message := record(t)[5:]
	at := 4 + 2 + 32 // session_id, cipher_suites, compression_methods
	at += 1 + int(message[at])
	at += 2 + int(message[at])<<8 + int(message[at+1])
	at += 1 + int(message[at])
	for n, want := range map[int]error{peek.DefaultLimit - 5: nil, peek.DefaultLimit - 4: peek.ErrTooLarge} {
		long := bytes.Clone(message)
		fill := n - len(message) - 4
		long = append(append(long, 0xfa, 0xfa, byte(fill>>8), byte(fill)), make([]byte, fill)...)
		length := n - at - 2
		long[at], long[at+1] = byte(length>>8), byte(length)
		long[2], long[3] = byte((n-4)>>8), byte(n-4)
		if _, err := peek.Read(bytes.NewReader(records(long, 1<<14)), peek.Options{}); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", n, err, want)
		}
	}
}

// accepts reports whether a Listener accepts each of some hellos in turn, with as many bytes in all.
func accepts(t *testing.T, total int, hellos ...[]byte) bool {
	all := true
	inner := newPipes()
	refused := make(chan error, len(hellos))
	listener := peek.NewListener(inner, peek.Options{Total: total, Refused: func(c *peek.Conn, err error) { refused <- err }})
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for _, hello := range hellos {
		client := inner.dial()
		go client.Write(hello)
		select {
		case c := <-accepted:
			c.Close()
		case err := <-refused:
			if all = false; !errors.Is(err, peek.ErrTooLarge) {
				t.Error(err)
			}
		}
		client.Close()
	}
	listener.Close()
	return all
}

// TestTotal checks how many bytes hellos take of Options.Total: the buffers for what was read,
// without the 16 bytes that each connection has, and those for messages in several records. They
// are given back.
func TestTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := record(t)
		for name, c := range map[string]struct {
			hello []byte
			want  int
		}{
			"one record":     {whole, 2048 - 16},
			"records of 900": {records(whole[5:], 900), 2048 - 16 + len(whole) - 5},
			"records of 3":   {records(whole[5:], 3), 8192 - 16 + len(whole) - 5},
		} {
			got := sort.Search(1<<20, func(total int) bool { return accepts(t, total+1, c.hello) }) + 1
			if got != c.want {
				t.Errorf("%s: %d bytes, want %d", name, got, c.want)
			}
			if !accepts(t, got, c.hello, c.hello, c.hello) {
				t.Errorf("%s: the memory is not given back", name)
			}
		}
	})
}

// TestDefaults checks how many connections may wait, and what they may hold, by default.
func TestDefaults(t *testing.T) {
	part := append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3}, make([]byte, 8200)...)
	const held = 16<<10 - 16 // for which there are four buffers, each twice as large as the one before
	for name, c := range map[string]struct {
		options peek.Options
		sent    []byte
		want    int
	}{
		"waiting":      {peek.Options{}, part[:1], peek.DefaultWaiting},
		"held in all":  {peek.Options{Waiting: 2 * peek.DefaultWaiting}, part, peek.DefaultTotal / held},
		"chosen":       {peek.Options{Waiting: 3}, part[:1], 3},
		"chosen total": {peek.Options{Total: 3 * held}, part, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			var refused []error
			var mu sync.Mutex
			c.options.Timeout = time.Hour
			c.options.Refused = func(_ *peek.Conn, err error) {
				mu.Lock()
				defer mu.Unlock()
				refused = append(refused, err)
			}
			inner := newPipes()
			listener := peek.NewListener(inner, c.options)
			go listener.Accept()
			var clients []net.Conn
			dial := func() int {
				client := inner.dial()
				clients = append(clients, client)
				go client.Write(c.sent)
				synctest.Wait()
				mu.Lock()
				defer mu.Unlock()
				return len(refused)
			}
			for range c.want {
				if n := dial(); n != 0 {
					t.Fatalf("%s: %d connections, %d refused: %v", name, len(clients), n, refused)
				}
			}
			if n := dial(); n != 1 || !errors.Is(refused[0], peek.ErrReplaced) {
				t.Errorf("%s: one more than %d, %d refused: %v", name, c.want, n, refused)
			}
			listener.Close()
			for _, client := range clients {
				client.Close()
			}
		})
	}
}

// TestRefuseWaits refuses a client that does not read.
func TestRefuseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer client.Close()
		conn := peek.NewConn(server, peek.Options{})
		start := time.Now()
		conn.Refuse(extension.ErrDuplicateExtension)
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited for %v", waited)
		}
		go func() {
			time.Sleep(time.Minute)
			client.Read(make([]byte, 1))
		}()
		if _, err := conn.Write([]byte{1}); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

// TestReplay reads a hello again in pieces, and sends one on after a part of it was read.
func TestReplay(t *testing.T) {
	in := record(t)
	server, client := net.Pipe()
	defer client.Close()
	go client.Write(append(bytes.Clone(in), "more"...))
	conn := peek.NewConn(server, peek.Options{})
	first, err := conn.Hello(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := conn.Hello(t.Context()); err != nil || !bytes.Equal(again.Raw, first.Raw) {
		t.Errorf("called again: %v", err)
	}
	if hello, ok := peek.FromConn(tls.Server(conn, nil)); !ok || !bytes.Equal(hello.Raw, in) {
		t.Error("the hello is not found")
	}
	var got []byte
	for b := make([]byte, 100); len(got) < len(in); {
		n, err := conn.Read(b)
		if want := min(100, len(in)-len(got)); n != want || err != nil {
			t.Fatalf("after %d bytes: %d, %v, want %d", len(got), n, err, want)
		}
		got = append(got, b[:n]...)
	}
	rest := make([]byte, 4)
	if _, err := io.ReadFull(conn, rest); err != nil || !bytes.Equal(got, in) || string(rest) != "more" {
		t.Errorf("%q, %v", rest, err)
	}
	go func() {
		client.Write([]byte("end"))
		client.Close()
	}()
	var b bytes.Buffer
	if n, err := conn.WriteTo(&b); n != 3 || b.String() != "end" {
		t.Errorf("%d, %q, %v", n, b.String(), err)
	}
}

// TestProxyFields reads headers of version 2 with each command, family and protocol.
func TestProxyFields(t *testing.T) {
	whole := record(t)
	for n := range 1 << 16 {
		command, family := byte(n>>8), byte(n)
		if command>>4 != 2 && family != 0x11 {
			continue
		}
		for _, size := range []int{0, 1, 11, 12, 13, 35, 36, 37} {
			header := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family, 0, byte(size))
			for i := range size {
				header = append(header, byte(1+i))
			}
			hello, err := peek.Read(bytes.NewReader(append(header, whole...)), peek.Options{Proxy: true})
			least, valid := 0, command == 0x20 || command == 0x21
			if command == 0x21 {
				switch family >> 4 {
				case 1:
					least, valid = 12, family&0xf <= 2
				case 2:
					least, valid = 36, family&0xf <= 2
				case 0, 3:
				default:
					valid = false
				}
			}
			if valid = valid && size >= least; valid != (err == nil) || !valid && !errors.Is(err, peek.ErrProxyHeader) {
				t.Fatalf("command %#x, family %#x, %d bytes: %v", command, family, size, err)
			}
			if valid && hello.Src.IsValid() != (least > 0) {
				t.Fatalf("command %#x, family %#x, %d bytes: from %v", command, family, size, hello.Src)
			}
		}
	}
}

// TestProxyLines reads lines that are no headers of version 1, and checks how much is read.
func TestProxyLines(t *testing.T) {
	for line, read := range map[string]int{
		"PROXY\r\n":                         0,
		"PROXY \r\n":                        0,
		"PROXYX UNKNOWN\r\n":                0,
		"PROXY " + strings.Repeat("x", 200): 110,
		"PROXY UNKNOWN" + strings.Repeat("x", 93) + "\r\n": 0,
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n":         0,
		"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n":           0,
		"PROXY TCP6 ::1 ::2%a 1 2\r\n":                     0,
		"PROXY TCP4 [::1] 192.0.2.2 1 2\r\n":               0,
	} {
		hello, err := peek.Read(strings.NewReader(line+string(record(t))), peek.Options{Proxy: true})
		if !errors.Is(err, peek.ErrProxyHeader) || read > 0 && len(hello.Raw) != read {
			t.Errorf("%q: %d bytes read, %v", line, len(hello.Raw), err)
		}
	}
	for text, want := range map[string]error{"": io.EOF, "P": io.ErrUnexpectedEOF, "PROX": io.ErrUnexpectedEOF, "PROXY": io.ErrUnexpectedEOF, "\r\n\r\n\x00": io.ErrUnexpectedEOF, "PX": peek.ErrNotTLS} {
		if _, err := peek.Read(strings.NewReader(text), peek.Options{Proxy: true}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	want := "\r\n\r\n\x00\r\nQUIT\n\x21\x21\x00\x24" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 15) + "\x02\x01\x02\x03\x04"
	if got := peek.AppendProxyHeader(nil, netip.MustParseAddrPort("[::1]:258"), netip.MustParseAddrPort("[::2]:772")); string(got) != want {
		t.Errorf("header: %q", got)
	}
}

// noProgress is a connection that gives nothing, and no error.
type noProgress struct{}

func (noProgress) Read([]byte) (int, error) { return 0, nil }

func TestNoProgress(t *testing.T) {
	if _, err := peek.Read(noProgress{}, peek.Options{}); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}
