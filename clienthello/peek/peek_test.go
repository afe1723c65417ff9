package peek_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

// record returns a recorded hello in one record.
func record(t testing.TB) []byte {
	t.Helper()
	e, ok := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	if !ok {
		t.Fatal("the recorded hello is gone from the corpus")
	}
	return e.Data()
}

// records returns a message in records of n bytes.
func records(message []byte, n int) []byte {
	var b []byte
	for piece := range slices.Chunk(message, n) {
		b = append(append(b, 22, 3, 1, byte(len(piece)>>8), byte(len(piece))), piece...)
	}
	return b
}

func proxyV2(command, family byte, fields ...byte) []byte {
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), 0x20|command, family, 0, byte(len(fields)))
	return append(b, fields...)
}

// TestReadsNoFurther reads hellos in one and in many records, in pieces of all kinds, and
// checks that what follows is left.
func TestReadsNoFurther(t *testing.T) {
	whole := record(t)
	v2 := proxyV2(1, 0x11, 192, 0, 2, 1, 198, 51, 100, 1, 0x10, 0, 1, 0xbb, 9, 9)
	for name, in := range map[string][]byte{
		"one record":          whole,
		"two records":         records(whole[5:], 1000),
		"records of 7":        records(whole[5:], 7),
		"a PROXY line":        append([]byte("PROXY TCP4 192.0.2.1 198.51.100.1 4096 443\r\n"), whole...),
		"a PROXY header":      append(v2, whole...),
		"a health check":      append(proxyV2(0, 0, 1, 2), whole...),
		"a PROXY of a socket": append(proxyV2(1, 0x31, 1, 2), whole...),
		"an unknown PROXY":    append([]byte("PROXY UNKNOWN ::1 x\r\n"), whole...),
	} {
		for cut, reader := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "with EOF": iotest.DataErrReader,
		} {
			after := []byte{23, 3, 3, 0, 1, 0}
			if cut == "with EOF" {
				after = nil
			}
			rest := bytes.NewReader(append(bytes.Clone(in), after...))
			hello, err := peek.Read(reader(rest), peek.Options{Proxy: true})
			if err != nil || rest.Len() != len(after) || !bytes.Equal(hello.Raw, in) || !bytes.Equal(hello.ClientHello.Raw(), whole[5:]) {
				t.Errorf("%s, %s: %d bytes left, %v", name, cut, rest.Len(), err)
				continue
			}
			if proxied := name == "a PROXY line" || name == "a PROXY header"; proxied != (hello.Src == netip.MustParseAddrPort("192.0.2.1:4096")) ||
				proxied != (hello.Dst == netip.MustParseAddrPort("198.51.100.1:443")) || proxied && hello.Header == 0 {
				t.Errorf("%s: from %v to %v", name, hello.Src, hello.Dst)
			}
		}
	}
}

// TestErrors reads what is no hello, and checks that the error tells what it is, and that
// nothing is awaited that makes no difference.
func TestErrors(t *testing.T) {
	whole := record(t)
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		in   []byte
		want error
		left int // bytes that are not read
	}{
		{"nothing", nil, io.EOF, 0},
		{"one byte", whole[:1], io.ErrUnexpectedEOF, 0},
		{"half a hello", whole[:900], io.ErrUnexpectedEOF, 0},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), peek.ErrNotTLS, 11},
		{"one letter", []byte("G"), peek.ErrNotTLS, 0},
		{"SSLv2", []byte{0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10}, extension.ErrSSLv2Hello, 0},
		{"another message", append([]byte{22, 3, 1, 0, 9, 2, 0, 0, 5}, make([]byte, 5)...), extension.ErrMessageType, 5},
		{"a huge message", append([]byte{22, 3, 1, 0, 9, 1, 9, 0, 0}, make([]byte, 5)...), peek.ErrTooLarge, 5},
		{"a long message", append([]byte{22, 3, 1, 0, 9, 1, 0, 0x70, 0}, make([]byte, 5)...), peek.ErrTooLarge, 5},
		{"an empty record", append(records(whole[5:], 1000)[:1005], 22, 3, 1, 0, 0), extension.ErrRecordEmpty, 0},
		{"a malformed hello", []byte{22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3}, extension.ErrFieldOverrun, 0},
		{"a malformed PROXY line", append([]byte("PROXY TCP4 192.0.2.1 ::1 1 2\r\n"), whole...), peek.ErrProxyHeader, len(whole)},
		{"PROXY without a space", append([]byte("PROXYTCP4 1\r\n"), whole...), peek.ErrProxyHeader, len(whole) - 2},
		{"a PROXY line of another protocol", append([]byte("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"), whole...), peek.ErrProxyHeader, len(whole) - 4},
		{"an endless PROXY line", append([]byte("PROXY "), make([]byte, 200)...), peek.ErrProxyHeader, 96},
		{"a malformed PROXY header", append(proxyV2(1, 0x21, 1, 2), whole...), peek.ErrProxyHeader, len(whole)},
		{"a PROXY header of version 3", append(proxyV2(0x11, 0x11), whole...), peek.ErrProxyHeader, len(whole)},
		{"a PROXY header cut short", proxyV2(1, 0x11, 1, 2, 3)[:17], io.ErrUnexpectedEOF, 0},
		{"half a PROXY line", []byte("PROXY TCP4"), io.ErrUnexpectedEOF, 0},
		{"half a signature", []byte("\r\n\r\n\x00\r\n"), io.ErrUnexpectedEOF, 0},
	} {
		rest := bytes.NewReader(c.in)
		hello, err := peek.Read(rest, peek.Options{Proxy: true})
		if !errors.Is(err, c.want) || rest.Len() != c.left || len(hello.Raw)+c.left != len(c.in) || hello.Extensions().Len() != 0 {
			t.Errorf("%s: %v, %d bytes left, want %v, %d", c.name, err, rest.Len(), c.want, c.left)
		}
	}
	if _, err := peek.Read(iotest.ErrReader(broken), peek.Options{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := peek.Read(iotest.ErrReader(nil), peek.Options{}); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

// TestProxy reads headers of the PROXY protocol at the limits of what it allows.
func TestProxy(t *testing.T) {
	whole := record(t)
	zeros := strings.Repeat("0", 41)
	v6 := append(bytes.Repeat([]byte{0x20}, 16), bytes.Repeat([]byte{0x30}, 16)...)
	for _, c := range []struct {
		name, header, src, dst string // no src and dst: UNKNOWN
		bad                    bool
	}{
		{"IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "[2001:db8::1]:1", "[2001:db8::2]:65535", false},
		{"the longest line", "PROXY UNKNOWN " + zeros + zeros + "000000000\r\n", "", "", false},
		{"a byte more", "PROXY UNKNOWN " + zeros + zeros + "0000000000\r\n", "", "", true},
		{"UNKNOWN alone", "PROXY UNKNOWN\r\n", "", "", false},
		{"another word", "PROXYS UNKNOWN\r\n", "", "", true},
		{"no family", "PROXY \r\n", "", "", true},
		{"five words", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", "", "", true},
		{"a bad source", "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", "", "", true},
		{"a bad destination", "PROXY TCP4 192.0.2.1 192.0.2 1 2\r\n", "", "", true},
		{"a bad port", "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "", "", true},
		{"IPv6 under TCP4", "PROXY TCP4 ::1 192.0.2.2 1 2\r\n", "", "", true},
		{"a zone", "PROXY TCP6 fe80::1%a\nb ::1 1 2\r\n", "", "", true},
		{"another family", string(proxyV2(1, 0x4f)), "", "", true},
		{"another protocol", string(proxyV2(1, 0x13, 192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2)), "", "", true},
		{"IPv4 under TCP6", "PROXY TCP6 192.0.2.1 ::1 1 2\r\n", "", "", true},
		{"IPv4 behind it", "PROXY TCP6 ::1 192.0.2.1 1 2\r\n", "", "", true},
		{"IPv4", string(proxyV2(1, 0x11, 192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2)), "192.0.2.1:1", "192.0.2.2:2", false},
		{"IPv4, a byte short", string(proxyV2(1, 0x11, 192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0)), "", "", true},
		{"IPv6", string(proxyV2(1, 0x21, append(v6, 1, 0, 2, 0)...)), "[2020:2020:2020:2020:2020:2020:2020:2020]:256", "[3030:3030:3030:3030:3030:3030:3030:3030]:512", false},
		{"IPv6, a byte short", string(proxyV2(1, 0x21, append(v6, 1, 0, 2)...)), "", "", true},
		{"a command that is none", string(proxyV2(2, 0x11)), "", "", true},
		{"another signature", "\r\n\r\n\x00\r\nQUIT\r\x20\x00\x00\x00", "", "", true},
	} {
		hello, err := peek.Read(strings.NewReader(c.header+string(whole)), peek.Options{Proxy: true})
		if c.bad {
			if !errors.Is(err, peek.ErrProxyHeader) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		src, dst := "invalid AddrPort", "invalid AddrPort"
		if c.src != "" {
			src, dst = c.src, c.dst
		}
		if err != nil || hello.Header != len(c.header) || hello.Src.String() != src || hello.Dst.String() != dst {
			t.Errorf("%s: from %v to %v, header of %d bytes, %v", c.name, hello.Src, hello.Dst, hello.Header, err)
		}
	}
	if _, err := peek.Read(strings.NewReader("PROXY UNKNOWN\r\n"+string(whole)), peek.Options{}); !errors.Is(err, peek.ErrNotTLS) {
		t.Errorf("without the option: %v", err)
	}
}

func TestLimit(t *testing.T) {
	whole := record(t)
	for _, c := range []struct {
		in    []byte
		limit int
		want  error
	}{
		{whole, len(whole), nil},
		{whole, len(whole) - 1, peek.ErrTooLarge},
		{records(whole[5:], 1000), len(whole) + 5, nil},
		{records(whole[5:], 1000), len(whole) + 4, peek.ErrTooLarge},
		{append([]byte{22, 3, 1, 0x40, 0}, make([]byte, 1<<14)...), 0, extension.ErrMessageType},
	} {
		if _, err := peek.Read(bytes.NewReader(c.in), peek.Options{Limit: c.limit}); !errors.Is(err, c.want) {
			t.Errorf("%d bytes, limit %d: %v, want %v", len(c.in), c.limit, err, c.want)
		}
	}
	long := make([]byte, 4+16<<10)
	copy(long, []byte{1, 0, 0x40, 0})
	for _, n := range []int{1, 100, 1 << 14} {
		r := bytes.NewReader(records(long, n))
		hello, err := peek.Read(r, peek.Options{})
		if !errors.Is(err, peek.ErrTooLarge) || len(hello.Raw) > peek.DefaultLimit {
			t.Errorf("records of %d bytes: %d bytes held, %v", n, len(hello.Raw), err)
		}
	}
}

func TestAlert(t *testing.T) {
	for err, want := range map[error]extension.Alert{
		fmt.Errorf("x: %w", extension.ErrDuplicateExtension): extension.ErrDuplicateExtension.Alert(),
		peek.ErrTooLarge: extension.AlertIllegalParameter,
		io.EOF:           0, peek.ErrNotTLS: 0,
	} {
		if got, ok := peek.Alert(err); got != want || ok != (want != 0) {
			t.Errorf("%v: %v, %t, want %v", err, got, ok, want)
		}
	}
	if got := peek.AppendAlert(nil, extension.AlertIllegalParameter); !bytes.Equal(got, []byte{21, 3, 3, 0, 2, 2, 47}) {
		t.Errorf("% x", got)
	}
}

// TestDeadline lets time pass, and ends a context, while the client is silent.
func TestDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		timeout, cancel time.Duration
		want            []error
	}{
		"time-out":           {timeout: 3 * time.Second, want: []error{os.ErrDeadlineExceeded}},
		"default time-out":   {want: []error{os.ErrDeadlineExceeded}},
		"end of the context": {cancel: time.Second, want: []error{os.ErrDeadlineExceeded, context.Canceled}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := net.Pipe()
				defer client.Close()
				conn := peek.NewConn(server, peek.Options{Timeout: c.timeout})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, cancel)
				}
				go client.Write([]byte{22, 3})
				start := time.Now()
				hello, err := conn.Hello(ctx)
				for _, want := range c.want {
					if !errors.Is(err, want) {
						t.Errorf("%v, want %v", err, want)
					}
				}
				want := max(c.timeout, c.cancel)
				if want == 0 {
					want = peek.DefaultTimeout
				}
				if waited := time.Since(start); waited != want || len(hello.Raw) != 2 {
					t.Errorf("%d bytes after %v, want 2 after %v", len(hello.Raw), waited, want)
				}
				// The deadline is cleared, and what was read comes again.
				go func() {
					time.Sleep(time.Hour)
					client.Write([]byte{1})
				}()
				var b [3]byte
				if _, err := io.ReadFull(conn, b[:]); err != nil || b != [3]byte{22, 3, 1} {
					t.Errorf("% x, %v", b, err)
				}
			})
		})
	}
}

// TestAppendProxyHeader checks that headers are read as they were meant.
func TestAppendProxyHeader(t *testing.T) {
	for _, c := range [][4]string{
		{"192.0.2.1:1", "192.0.2.2:65535", "192.0.2.1:1", "192.0.2.2:65535"},
		{"[2001:db8::1]:1", "[2001:db8::2]:2", "[2001:db8::1]:1", "[2001:db8::2]:2"},
		{"[::ffff:192.0.2.1]:1", "192.0.2.2:2", "192.0.2.1:1", "192.0.2.2:2"},
		{"192.0.2.1:1", "[2001:db8::2]:2", "[::ffff:192.0.2.1]:1", "[2001:db8::2]:2"},
		{"[fe80::1%eth0]:1", "[fe80::2%eth0]:2", "[fe80::1]:1", "[fe80::2]:2"},
	} {
		header := peek.AppendProxyHeader([]byte("before"), netip.MustParseAddrPort(c[0]), netip.MustParseAddrPort(c[1]))
		header = bytes.TrimPrefix(header, []byte("before"))
		hello, err := peek.Read(bytes.NewReader(append(header, record(t)...)), peek.Options{Proxy: true})
		if err != nil || hello.Header != len(header) || hello.Src.String() != c[2] || hello.Dst.String() != c[3] {
			t.Errorf("from %s to %s: read as from %v to %v, %d bytes of %d, %v", c[0], c[1], hello.Src, hello.Dst, hello.Header, len(header), err)
		}
	}
}
