package capture_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestRoomForTheRest checks that a flood which comes from few places leaves room for hellos
// of others: all first halves come before it, and all second halves after it.
func TestRoomForTheRest(t *testing.T) {
	const honest, hostile, pairs = 400, 20_000, 20
	limits := capture.Options{MaxMemory: 4 << 20}
	half := hello()[:60]
	syns := func(src, n int) []byte { return ipv4(peer(src), server, 6, tcp(n%60000, 80+n/60000, n, syn, nil)) }
	begun := func(src, n int) []byte { return ipv4(peer(src), server, 6, tcp(n%60000, 80+n/60000, n, ack, half)) }
	tunnel := func(from int, p []byte) []byte { return ipv4(peer(from), server, 4, p) }
	for name, flood := range map[string]func(n int) []byte{
		"DTLS from one socket": func(n int) []byte {
			b := dtlsFragment(1000, n%1000, 1)
			b[18] = byte(n / 1000) // of the message_seq
			return ipv4(peer(1<<20), server, 17, udp(1, 443, b))
		},
		"QUIC from one socket": func(n int) []byte {
			return ipv4(peer(1<<20), server, 17, udp(1, 443, sealed(uint64(n), 0, message()[:1])))
		},
		"SYNs from one address":            func(n int) []byte { return syns(1<<20, n) },
		"beginnings from one address":      func(n int) []byte { return begun(1<<20, n) },
		"beginnings from few addresses":    func(n int) []byte { return begun(1<<20+n%pairs, n) },
		"beginnings in one tunnel":         func(n int) []byte { return tunnel(1<<20, begun(1<<20+n, n)) },
		"few addresses in many tunnels":    func(n int) []byte { return tunnel(1<<20+n, begun(1<<20+n%pairs, n)) },
		"fragments from one address":       func(n int) []byte { return ipv4Fragment(peer(1<<20), server, 17, n, 0, true, make([]byte, 64)) },
		"SYNs from everywhere":             func(n int) []byte { return syns(1<<20+n, n) },
		"fragments from everywhere":        func(n int) []byte { return ipv4Fragment(peer(1<<20+n), server, 17, 1, 0, true, make([]byte, 64)) },
		"whole hellos from everywhere":     func(n int) []byte { return ipv4(peer(1<<20+n), server, 6, tcp(1, 443, n, ack, hello())) },
		"short beginnings from everywhere": func(n int) []byte { return ipv4(peer(1<<20+n), server, 6, tcp(1, 443, n, ack, half)) },
		"other protocols from everywhere": func(n int) []byte {
			return ipv4(peer(1<<20+n), server, 6, tcp(1, 443, n, syn, []byte("GET / HTTP/1.1\r\n")))
		},
		"middles of streams from everywhere": func(n int) []byte { return ipv4(peer(1<<20+n), server, 6, tcp(1, 443, n, ack, make([]byte, 100))) },
	} {
		t.Run(name, func(t *testing.T) {
			s, found := capture.NewScanner(limits), 0
			msg := helloOf(1000)
			stream := records(msg, 1<<14)
			scan := func(p []byte) {
				s.Scan(raw(p), func(h *capture.Hello) bool {
					if h.Code == 0 && len(h.Message) == len(msg) {
						found++
					}
					return true
				})
			}
			const at = 600
			for i := range honest {
				scan(ipv4(peer(i), server, 6, tcp(2, 443, 1, ack, stream[:at])))
			}
			for n := range hostile {
				scan(flood(n))
			}
			for i := range honest {
				scan(ipv4(peer(i), server, 6, tcp(2, 443, 1+at, ack, stream[at:])))
			}
			if found != honest {
				t.Errorf("found %d of %d hellos; %+v", found, honest, s.Stats())
			}
		})
	}
}

// TestFloodOfDatagrams checks that 830 datagrams from one socket evict no hello.
func TestFloodOfDatagrams(t *testing.T) {
	for name, datagram := range map[string]func(n int) []byte{
		"DTLS": func(n int) []byte { return udp(n+1, 443, dtlsFragment(16_000, 15_000, 1)) },
		"QUIC": func(n int) []byte { return udp(1, 443, sealed(uint64(n), 16_000, []byte{1})) },
	} {
		packets := [][]byte{up(1, ack, hello()[:50])}
		for n := range 830 {
			packets = append(packets, ipv4(client, server, 17, datagram(n)))
		}
		hellos, stats := scan(capture.Options{MaxMemory: 16 << 20}, append(packets, up(51, ack, hello()[50:]))...)
		if len(hellos) != 1 || stats.Evicted != 0 {
			t.Errorf("%s: %d hellos, %+v", name, len(hellos), stats)
		}
	}
}

// TestEvictedFlowsCountOnce checks that connections which were evicted and are seen again
// count once, but for those whose hashes share a place.
func TestEvictedFlowsCountOnce(t *testing.T) {
	const flows, limit = 100, 10
	var packets [][]byte
	for range 2 {
		for n := range flows {
			packets = append(packets, ipv4(peer(n), server, 6, tcp(1, 443, 1, ack, []byte("GET / HTTP/1.1\r\n"))))
		}
	}
	if _, stats := scan(capture.Options{MaxFlows: limit}, packets...); stats.Flows < flows || stats.Flows > flows+6 {
		t.Errorf("%d connections: %+v", flows, stats)
	}
}
