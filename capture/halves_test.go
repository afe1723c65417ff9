package capture_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// halves has the first and the second half of hellos of 2 kB, by what carries them.
var halves = map[string]func(n, half int) []byte{
	"TCP": func(n, half int) []byte {
		stream := records(helloOf(halfHello), 1<<14)
		at := half * len(stream) / 2
		return ipv4(peer(1<<20+n), server, 6, tcp(1, 443, 1+at, ack, stream[at:at+len(stream)/2+half]))
	},
	"QUIC":               func(n, half int) []byte { return quicHalf(n, uint64(half), half*halfHello/2, halfHello/2) },
	"QUIC, ends first":   func(n, half int) []byte { return quicHalf(n, uint64(half), (1-half)*halfHello/2, halfHello/2) },
	"QUIC, small frames": func(n, half int) []byte { return quicHalf(n, uint64(half), half*200, 200) },
	"QUIC, as Chromium": func(n, half int) []byte {
		return ipv4(peer(1<<20+n), server, 17, udp(1, 443, chromiumInitials()[half]))
	},
	"QUIC, full datagram": func(n, half int) []byte { return quicHalf(n, uint64(half), half*1140, 1140-half*(2*1140-halfHello)) },
	"DTLS": func(n, half int) []byte {
		const body = halfHello - 12
		return ipv4(peer(1<<20+n), server, 17, udp(1, 443, dtlsFragment(body, half*body/2, body/2)))
	},
}

const halfHello = 2000 // bytes

// quicHalf is a datagram of 1,200 bytes with size bytes of the hello from an offset on, and
// so on after each gap of size bytes, up to the half of it.
func quicHalf(n int, number uint64, offset, size int) []byte {
	msg := helloOf(halfHello)
	p := quicseal.Packet{
		Version: quicseal.V1, DCID: be32(n), SCID: be32(n), Number: number, NumberLen: 1,
	}
	p.DCID = append(p.DCID, p.DCID...)
	for ; offset < len(msg) && len(p.Payload) < halfHello/2; offset += 2 * size {
		p.Payload = quicseal.AppendCrypto(p.Payload, uint64(offset), msg[offset:min(offset+size, len(msg))])
	}
	return ipv4(peer(1<<20+n), server, 17, udp(1, 443, p.PadTo(1200).Seal()))
}

// scanHalves gives n first halves to s, and then the second halves, and returns how many
// hellos came out.
func scanHalves(s *capture.Scanner, packet func(n, half int) []byte, n int) (found int) {
	for half := range 2 {
		for i := range n {
			s.Scan(raw(packet(i, half)), func(h *capture.Hello) bool {
				if h.Code == 0 && h.Ambiguous == 0 && len(h.Message) > halfHello*9/10 {
					found++
				}
				return true
			})
		}
	}
	return found
}

// TestHalves checks that the default limits, or a hundredth of them, are enough for 100,000
// hellos of 2 kB that wait for their second half.
func TestHalves(t *testing.T) {
	const run, all, part = "BE_HALVED", 100_000, 100
	if name := os.Getenv(run); name != "" {
		s := capture.NewScanner(capture.Options{})
		if found := scanHalves(s, halves[name], all); found != all {
			t.Errorf("found %d hellos of %d; %+v", found, all, s.Stats())
		}
		checkResident(t)
		return
	}
	for name, packet := range halves {
		t.Run(name, func(t *testing.T) {
			if *flood > 0 && runtime.GOOS == "linux" {
				inProcess(t, "TestHalves", run, name)
				return
			}
			s := capture.NewScanner(capture.Options{MaxMemory: capture.DefaultMaxMemory / part, MaxFlows: capture.DefaultMaxFlows / part})
			if found := scanHalves(s, packet, all/part); found != all/part {
				t.Errorf("found %d hellos of %d; %+v", found, all/part, s.Stats())
			}
		})
	}
}
