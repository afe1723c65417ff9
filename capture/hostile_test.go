package capture_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// peer is the address of the n-th attacker.
func peer(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// floods are attacks in which every packet begins something that never ends.
var floods = map[string]func(n int) []byte{
	"SYN": func(n int) []byte { return ipv4(peer(n), server, 6, tcp(1, 443, n, syn, nil)) },
	"beginning of a hello": func(n int) []byte {
		return ipv4(peer(n), server, 6, tcp(1, 443, n, ack, hello()[:50]))
	},
	"hello that announces all": func(n int) []byte {
		return ipv4(peer(n), server, 6, tcp(1, 443, n, syn, []byte{22, 3, 1, 0x40, 0, 1, 2, 1, 0x44, 3}))
	},
	"middle of a connection": func(n int) []byte {
		return ipv4(peer(n), server, 6, tcp(1, 443, n, ack, []byte("neither the beginning nor the end")))
	},
	"data ahead of its turn": func(n int) []byte {
		if n%2 == 0 {
			return ipv4(peer(n), server, 6, tcp(1, 443, 0, syn, nil))
		}
		return ipv4(peer(n-1), server, 6, tcp(1, 443, 200<<10, ack, []byte("x")))
	},
	"beginning of a prologue": func(n int) []byte {
		return ipv4(peer(n), server, 6, tcp(1, 443, n, syn, []byte("EHLO client.example\r\n")))
	},
	"first fragment":      func(n int) []byte { return ipv4Fragment(peer(n), server, 6, 1, 0, true, make([]byte, 64)) },
	"last fragment":       func(n int) []byte { return ipv4Fragment(peer(n), server, 17, 1, 65000, false, make([]byte, 64)) },
	"first DTLS fragment": func(n int) []byte { return ipv4(peer(n), server, 17, udp(1, 443, dtlsFragment(300, 0, 100))) },
	"DTLS of 16 MB":       func(n int) []byte { return ipv4(peer(n), server, 17, udp(1, 443, dtlsFragment(1<<24-1, 0, 100))) },
	"hello of nothing but flags": func(n int) []byte {
		copy(flagged[12:], peer(n).AsSlice()) // a new one each time would be much garbage
		return flagged
	},
	"a byte on each page": func(n int) []byte {
		return ipv4(peer(n/200), server, 6, tcp(1, 443, n%200<<10, syn*byte(1-min(n%200, 1)), []byte{22}))
	},
	"fragments that overlap and change": func(n int) []byte {
		return ipv4Fragment(peer(n/8), server, 6, 1, n%3*8, n%8 < 7, binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n)))
	},
	"datagram in 7,500 fragments": func(n int) []byte {
		i, end := n*8%len(fragmented), len(fragmented)
		return ipv4Fragment(peer(n*8/end), server, 17, 1, i, i+8 < end, fragmented[i:i+8])
	},
	"tunnels without an end": func(n int) []byte { return tunnels },
	"beginning of a hello in QUIC": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 443, sealed(uint64(n), 0, message()[:50])))
	},
	"QUIC far from the beginning": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 443, sealed(uint64(n), 1<<62-2, []byte{1})))
	},
	"first Initial": func(n int) []byte { return ipv4(peer(n), server, 17, udp(1, 443, firstInitial())) },
	"QUIC with keys that do not fit": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 443, quicInitial(uint64(n))))
	},
}

// flagged is a packet with a ClientHello of which almost all is a TLS Flags extension.
var flagged = func() []byte {
	const size = 16_000
	extensions := join(be16(62), be16(size), make([]byte, size))
	body := join([]byte{3, 3}, make([]byte, 32), []byte{0, 0, 2, 0x13, 1, 1, 0}, be16(len(extensions)), extensions)
	stream := records(join([]byte{1, 0}, be16(len(body)), body), 1<<14)
	return ipv4(client, server, 6, tcp(1, 443, 0, ack, stream))
}()

// fragmented is a datagram that begins with an Initial packet.
var fragmented = udp(1, 443, join(sealed(1, 0, message()[:50]), make([]byte, 60_000)))[:60_000]

// tunnels is GRE in GRE, 100 deep.
var tunnels = func() (p []byte) {
	for range 100 {
		p = ipv4(client, server, 47, join([]byte{0, 0, 8, 0}, p))
	}
	return p
}()

// sealed is an Initial packet that opens, with data at offset of the CRYPTO stream.
func sealed(dcid, offset uint64, data []byte) []byte {
	return quicseal.Packet{
		Version: quicseal.V1, DCID: binary.BigEndian.AppendUint64(nil, dcid),
		Payload: append(quicseal.AppendCrypto(nil, offset, data), make([]byte, 100)...),
	}.Seal()
}

// firstInitial is the first datagram of a hello over QUIC that takes two, as Chromium
// sent it.
var firstInitial = sync.OnceValue(func() []byte {
	entry, _ := corpus.Lookup("captures/quic-v1-chromium-156-unanswered.pcap")
	r, err := pcapgo.NewReader(bytes.NewReader(entry.Data()))
	if err != nil {
		panic(err)
	}
	data, _, err := r.ReadPacketData()
	if err != nil {
		panic(err)
	}
	packet := gopacket.NewPacket(data, r.LinkType(), gopacket.Default)
	return packet.Layer(layers.LayerTypeUDP).LayerPayload()
})

// dtlsFragment is a datagram with size bytes from offset of a ClientHello of length
// bytes.
func dtlsFragment(length, offset, size int) []byte {
	uint24 := func(n int) []byte { return be32(n)[1:] }
	fragment := join([]byte{1}, uint24(length), be16(0), uint24(offset), uint24(size), make([]byte, size))
	return join([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0}, be16(len(fragment)), fragment)
}

// quicInitial is a datagram with an Initial packet that does not open.
func quicInitial(dcid uint64) []byte {
	const size = 1200
	b := binary.BigEndian.AppendUint64([]byte{0xc0, 0, 0, 0, 1, 8}, dcid)
	b = append(b, 0, 0)                                    // no source connection ID, no token
	b = append(b, 0x40|(size-18)>>8, byte((size-18)&0xff)) // length
	return append(b, make([]byte, size-len(b))...)
}

var flood = flag.Int("flood", 0, "number of packets in each of TestFloods, instead of 1,000,000 in some and fewer in others")

// TestFloods sends many packets of each attack, with a hello every thousand packets
// that comes in two segments, with a hundred packets between them.
func TestFloods(t *testing.T) {
	const every, between = 1000, 100
	for name, packet := range floods {
		t.Run(name, func(t *testing.T) {
			s := capture.NewScanner(capture.Options{})
			found := 0
			scan := func(p []byte) {
				s.Scan(raw(p), func(h *capture.Hello) bool {
					if h.Code == 0 && len(h.Message) == len(message()) {
						found++
					}
					return true
				})
			}
			n := 200_000
			switch {
			case *flood > 0:
				n = *flood
			case testing.Short():
				n = 20_000
			case strings.Contains(name, "QUIC"):
				n = 50_000 // each costs a key schedule
			case name == "beginning of a hello":
				n = 1_000_000
			}
			base := liveHeap()
			start := time.Now()
			for i := range n {
				scan(packet(i))
				part := hello()[:30]
				seq := 1
				switch i % every {
				case 0:
				case between:
					seq += len(part)
					part = hello()[len(part):]
				default:
					continue
				}
				scan(ipv4(client, server, 6, tcp(i/every%60000+1, serverPort, seq, ack, part)))
				if i%(n/10) == 0 {
					checkCeiling(t, base)
				}
			}
			checkCeiling(t, base)
			stats := s.Stats()
			if want := n / every; found != want {
				t.Errorf("found %d hellos of %d; %+v", found, want, stats)
			}
			t.Logf("%v a packet; %+v", time.Since(start)/time.Duration(n), stats)
			runtime.KeepAlive(s)
		})
	}
}

// ceiling is what a Scanner with the default limits may hold: the flows with their
// table, the memory, and a little for pools and buffers.
const ceiling = capture.DefaultMaxFlows*384 + capture.DefaultMaxMemory + 8<<20

// TestFloodsResident runs the attacks that take most memory in a process of their own,
// and looks at what was resident at most.
func TestFloodsResident(t *testing.T) {
	const run = "BE_FLOODED"
	if os.Getenv(run) != "" {
		TestFloods(t)
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(status), "VmHWM:")
		var kB int
		if _, err := fmt.Sscan(after, &kB); err != nil || kB > 64<<10 {
			t.Errorf("%d kB resident, more than 64 MB; %v", kB, err)
		}
		return
	}
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("reads /proc, and needs a process without the race detector, whose runs are short")
	}
	for _, attack := range []string{"SYN", "beginning_of_a_hello", "last_fragment", "first_DTLS_fragment", "hello_of_nothing_but_flags", "beginning_of_a_hello_in_QUIC", "datagram_in"} {
		c := exec.Command(os.Args[0], "-test.run=^TestFloodsResident$/^"+attack+"$", "-flood=50000")
		c.Env = append(os.Environ(), run+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", attack, err, out)
		}
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func checkCeiling(t *testing.T, base uint64) {
	t.Helper()
	if live := liveHeap(); live > base+ceiling {
		t.Errorf("%d bytes held, more than %d", live-base, ceiling)
	}
}
