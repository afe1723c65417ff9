package capture_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestNoAllocs checks that packets cost no allocation once a Scanner has grown to what
// the traffic needs.
func TestNoAllocs(t *testing.T) {
	before := []byte(connect)
	end := 1 + len(hello())
	for name, packets := range map[string][][]byte{
		"connection with a hello": {up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack, nil), up(1, ack, hello()),
			down(0, ack, []byte{22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3}), up(end, ack, []byte{23, 3, 3, 0, 1, 0})},
		"two segments":           {up(0, syn, nil), up(1, ack, hello()[:40]), up(41, ack, hello()[40:]), up(end, ack, []byte{23, 3, 3})},
		"segments out of order":  {up(0, syn, nil), up(41, ack, hello()[40:]), up(1, ack, hello()[:40]), up(end, ack, []byte{23, 3, 3})},
		"HTTP CONNECT":           {up(0, syn, nil), up(1, ack, before), up(1+len(before), ack, hello()), up(1+len(before)+len(hello()), ack, []byte{23})},
		"another protocol":       {up(0, syn, nil), up(1, ack, []byte("GET / HTTP/1.1\r\n\r\n")), down(0, ack, []byte("HTTP/1.1 200 OK\r\n\r\n"))},
		"middle of a connection": {up(1, ack, make([]byte, 1400)), up(1401, ack, make([]byte, 1400))},
		"refused":                {up(0, syn, nil), up(1, ack, []byte{22, 3, 1, 0xff, 0xff})},
		"DTLS":                   {ipv4(client, server, 17, udp(1, 2, dtlsFragment(100, 0, 100)))},
		"DTLS in fragments":      {ipv4(client, server, 17, udp(1, 2, dtlsFragment(100, 50, 50))), ipv4(client, server, 17, udp(1, 2, dtlsFragment(100, 0, 50)))},
		"other UDP":              {ipv4(client, server, 17, udp(53, 1000, make([]byte, 100)))},
		"not IP":                 {{0}},
		"GRE in UDP":             {inUDP(4754, join(be16(0), be16(0x0800), up(1, ack, hello())))},
		"L2TP":                   {inUDP(1701, join([]byte{0, 3, 0, 0}, be32(7), ethernet(0x0800, ip4())))},
		"LISP":                   {inUDP(4341, join(zeros(8), ip4()))},
		"AYIYA":                  {inUDP(5072, join([]byte{0x44, 0x52, 0x11, 41}, zeros(4+16+20), ip6()))},
		"TZSP":                   {inUDP(37008, join([]byte{1, 0, 0, 18, 1}, wifi(0x08, 1, nil, snap(ip4()))))},
		"A-MSDU in CAPWAP":       {inUDP(5247, join([]byte{0, 0x10, 3, 0}, zeros(4), aggregated(up(1, ack, hello()[:40]), up(41, ack, hello()[40:]))))},
	} {
		s := capture.NewScanner(capture.Options{MaxFlows: 1})
		port := byte(0)
		run := func() { // each time another connection
			port++
			for _, p := range packets {
				switch {
				case len(p) > 28 && p[12] == 192: // from the client
					p[20] = port
				case len(p) > 28:
					p[22] = port
				}
				s.Scan(raw(p), func(*capture.Hello) bool { return true })
			}
		}
		run()
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
