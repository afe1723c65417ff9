package capture_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/extension"
)

func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

const (
	proxy1  = "PROXY TCP4 192.0.2.1 198.51.100.1 40000 443\r\n"
	proxy2  = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + "\xc0\x00\x02\x01\xc6\x33\x64\x01\x9c\x40\x01\xbb"
	connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n"
)

// prologues are what a client sends before TLS, perhaps in the same segment.
var prologues = map[string]string{
	"HTTP CONNECT":        connect,
	"HTTP CONNECT 1.0":    "CONNECT x:443 HTTP/1.0\r\n\r\n",
	"SOCKS4":              "\x04\x01\x01\xbb\xc6\x33\x64\x01user\x00",
	"SOCKS4, address x.0": "\x04\x01\x01\xbb\xc6\x33\x64\x00user\x00",
	"SOCKS4A":             "\x04\x01\x01\xbb\x00\x00\x00\x01\x00example.com\x00",
	"SOCKS5":              "\x05\x01\x00" + "\x05\x01\x00\x03\x0bexample.com\x01\xbb",
	"SOCKS5, password":    "\x05\x02\x00\x02" + "\x01\x01u\x01p" + "\x05\x01\x00\x01\xc6\x33\x64\x01\x01\xbb",
	"SOCKS5, IPv6":        "\x05\x01\x00" + "\x05\x01\x00\x04" + strings.Repeat("\x20", 16) + "\x01\xbb",
	"PROXY v1":            proxy1,
	"PROXY v1, unknown":   "PROXY UNKNOWN\r\n",
	"PROXY v2":            proxy2,
	"PROXY v1, 107 bytes": "PROXY " + strings.Repeat("x", 99) + "\r\n",
	"SOCKS5, 8 methods":   "\x05\x08" + strings.Repeat("\x00", 8) + "\x05\x01\x00\x01\xc6\x33\x64\x01\x01\xbb",
	"SOCKS4, no user":     "\x04\x01\x01\xbb\xc6\x33\x64\x01\x00",
	"PROXY v2, empty":     proxy2[:14] + "\x00\x00",
	"4,000 bytes":         "CONNECT x:443 HTTP/1.1\r\nCookie: " + strings.Repeat("x", 3962) + "\r\n\r\n",
	"MySQL":               " \x00\x00\x01\x85\xae\xff\x19" + strings.Repeat("\x00", 28),
	"AMQP":                "AMQP\x02\x01\x00\x00",
	"PROXY and CONNECT":   proxy1 + connect,
	"PROXY twice, SOCKS5": proxy1 + proxy2 + "\x05\x01\x00" + "\x05\x01\x00\x03\x0bexample.com\x01\xbb",
}

func TestFindsWhatFollowsAPrologue(t *testing.T) {
	for name, before := range prologues {
		stream := append([]byte(before), hello()...)
		for _, size := range []int{1, 7, 1400, len(stream)} {
			for order, packets := range map[string][][]byte{
				"in order": segments(1, stream, size),
				"reversed": reversed(segments(1, stream, size)),
			} {
				hellos, stats := scan(capture.Options{}, append([][]byte{up(0, syn, nil)}, packets...)...)
				if len(hellos) != 1 || !bytes.Equal(hellos[0].Message, message()) || hellos[0].Prologue != len(before) {
					t.Errorf("%s, segments of %d, %s: got %+v, %+v", name, size, order, hellos, stats)
				}
			}
		}
		for n := range before { // a part of it has no length yet
			checkPrologueLen(t, name, before[:n+1])
		}
		// The frames of the prologue are not those of the hello.
		hellos, _ := scan(capture.Options{}, up(0, syn, nil), up(1, ack, []byte(before)), up(1+len(before), ack, hello()))
		want := []brief{{N: 1, Frames: []int{3}, Index: 1, Before: len(before)}}
		if diff := cmp.Diff(want, summarize(hellos)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// checkPrologueLen checks that a prologue has a length if TLS follows, and else has none.
func checkPrologueLen(t *testing.T, name, before string) {
	t.Helper()
	if n, follows := capture.ProloguePart([]byte(before)); (n != 0) != follows || n > len(before) {
		t.Errorf("%s: %d bytes of %d, TLS follows: %t", name, n, len(before), follows)
	}
}

func TestSecondHelloFollowsAPrologue(t *testing.T) {
	before := []byte(connect)
	hellos, _ := scan(capture.Options{}, up(0, syn, nil), up(1, ack, before),
		up(1+len(before), ack, hello()), up(1+len(before)+len(hello()), ack, records(messageWith(2), 20)))
	want := []brief{{N: 1, Frames: []int{3}, Index: 1, Before: len(before)}, {N: 2, Frames: []int{4}, Index: 2, Before: len(before)}}
	if diff := cmp.Diff(want, summarize(hellos)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRefusalAfterAPrologue(t *testing.T) {
	hellos, _ := scan(capture.Options{}, up(0, syn, nil), up(1, ack, []byte(proxy1)), up(1+len(proxy1), ack, []byte{22, 3, 1, 0xff, 0xff}))
	if len(hellos) != 1 || hellos[0].Offset != len(proxy1)+3 {
		t.Fatalf("got %+v", hellos)
	}
	if _, offset, err := hellos[0].Parse(); offset != len(proxy1)+3 || err != extension.ErrRecordOverflow {
		t.Errorf("Parse returns offset %d, %v", offset, err)
	}
}

// TestGivesUpOtherProtocols checks that other protocols are recognized early, also if there
// is something in them that looks like a hello, but for one at the beginning of a segment.
func TestGivesUpOtherProtocols(t *testing.T) {
	for name, row := range map[string]struct {
		before string
		after  int // bytes that must be enough
	}{
		"HTTP":                      {"POST /upload HTTP/1.1\r\nContent-Length: 73\r\n\r\n", 2},
		"HTTP CONNECT of no HTTP":   {"CONNECT me\r\n\r\n", 12},
		"SSH":                       {"SSH-2.0-OpenSSH_9.9\r\n", 1},
		"SMTP":                      {crlf("EHLO client.example", "STARTTLS"), 1},
		"PROXY in small letters":    {"PROXy TCP4\r\n", 5},
		"SOCKS5, no methods":        {"\x05\x00\x00", 3},
		"SOCKS5, another version":   {"\x05\x01\x00\x04\x01\x00\x01\x7f", 8},
		"SOCKS5, reserved byte":     {"\x05\x01\x00\x05\x01\x01\x01\x7f", 8},
		"SOCKS5, address type":      {"\x05\x01\x00\x05\x01\x00\x02\x7f", 8},
		"MySQL without TLS":         {" \x00\x00\x01\x85\xa6\xff\x19", 6},
		"MySQL, another packet":     {" \x00\x00\x03", 4},
		"AMQP with SASL":            {"AMQP\x03\x01\x00\x00", 5},
		"PROXY line too long":       {"PROXY " + strings.Repeat("x", 101), 107},
		"PROXY line without CR":     {"PROXY TCP4\n", 11},
		"PROXY v2, wrong signature": {"\r\n\r\n\x00\r\nQUIP\n", 11},
		"PROXY v2 over 4 kB":        {"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x10\x00", 16},
		"SOCKS5, too many methods":  {"\x05\x09\x00", 3},
		"SOCKS5, UDP":               {"\x05\x01\x00\x05\x03\x00\x01\x7f\x00\x00\x01\x00\x50", 8},
		"SOCKS4, bind":              {"\x04\x02\x01\xbb\xc6\x33\x64\x01\x00", 2},
		"CONNECT over 4 kB":         {"CONNECT x:443 HTTP/1.1\r\nCookie: " + strings.Repeat("x", 5000), 4096},
		"zeros":                     {strings.Repeat("\x00", 20), 2}, // one may be a length
	} {
		for n := range row.before {
			checkPrologueLen(t, name, row.before[:n+1])
		}
		hellos, stats := scan(capture.Options{}, up(0, syn, nil), up(1, ack, join([]byte(row.before), hello())))
		if len(hellos) > 0 || stats.Refused > 0 {
			t.Errorf("%s: got %+v", name, summarize(hellos))
		}
		// Evicted counts flows that are undecided. With a limit of one flow it is 1 before
		// enough bytes were seen, and 0 after that.
		for _, n := range []int{row.after - 1, row.after} {
			_, stats := scan(capture.Options{MaxFlows: 1}, up(0, syn, nil), up(1, ack, []byte(row.before)[:n]), ipv4(client, server, 6, tcp(1, 2, 0, syn, nil)))
			want := 1
			if n == row.after {
				want = 0
			}
			if stats.Evicted != want {
				t.Errorf("%s: after %d bytes %d flows are undecided, want %d", name, n, stats.Evicted, want)
			}
		}
	}
}
