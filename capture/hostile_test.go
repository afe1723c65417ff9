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
	"data out of order": func(n int) []byte {
		if n%2 == 0 {
			return ipv4(peer(n), server, 6, tcp(1, 443, 0, syn, nil))
		}
		return ipv4(peer(n-1), server, 6, tcp(1, 443, 200<<10, ack, []byte("x")))
	},
	"beginning of a prologue": func(n int) []byte {
		return ipv4(peer(n), server, 6, tcp(1, 443, n, syn, []byte("CONNECT x:443 HTTP/1.1\r\nHost")))
	},
	"late hellos that never end": func(n int) []byte {
		return ipv4(peer(n/2), server, 6, tcp(1, 443, n%2*8, ack, [][]byte{[]byte("unknown!"), hello()[:50]}[n%2]))
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
	"hello that comes by bytes": func(n int) []byte {
		at := n % 1500
		return ipv4(peer(n/1500), server, 6, tcp(1, 443, at, ack, longHello[at:at+1+49*max(0, 1-at)]))
	},
	"hello of 130 kB that stops before its end": func(n int) []byte {
		at := n % 90 * 1400
		return ipv4(peer(n/90), server, 6, tcp(1, 443, at, ack, longHello[at:at+1400]))
	},
	"prologue of 4 kB": func(n int) []byte {
		at := n % 40 * 100
		return ipv4(peer(n/40), server, 6, tcp(1, 443, at, ack, longPrologue[at:at+100]))
	},
	"SYNs between beginnings": func(n int) []byte {
		if n%4 > 0 {
			return ipv4(peer(n), server, 6, tcp(1, 443, n, syn, nil))
		}
		return ipv4(peer(n), server, 6, tcp(1, 443, n, ack, hello()[:50]))
	},
	"SYNs inside connections": func(n int) []byte {
		return ipv4(peer(n/2), server, 6, tcp(1, 443, n, syn, nil))
	},
	"SYNs inside connections, and data": func(n int) []byte {
		return ipv4(peer(n/3), server, 6, tcp(1, 443, n/3*500+n%3*1000-max(n%3-1, 0)*999, syn+(ack-syn)*byte(n%3/2), hello()[:n%3/2*50]))
	},
	"segments that are dropped": func(n int) []byte {
		return ipv4(peer(n/40), server, 6, tcp(1, 443, n%40*100, syn*byte(1-min(n%40, 1)), longHello[n%40*100:n%40*100+min(n%40, 1)*1400]))
	},
	"data in SYNs": func(n int) []byte {
		return ipv4(peer(n), server, 6, tcp(1, 443, 0, syn, longHello[:1400]))
	},
	"copies from other distances": func(n int) []byte {
		p := ipv4(peer(n/40), server, 6, tcp(1, 443, 0, ack, longHello[:1400]))
		p[8], p[60] = byte(n), byte(n)
		return p
	},
	"hellos in doubt": func(n int) []byte {
		whole := records(helloOf(300), 1<<14)
		whole[20] = byte(n) // of the random
		part := whole[:50+n%3/2*(len(whole)-50)]
		p := ipv4(peer(n/3), server, 6, tcp(1, 443, 1, ack, part))
		p[8] = byte(60 + n%3)
		return p
	},
	"a tunnel for each": func(n int) []byte {
		return ipv4(peer(n), server, 4, up(1, ack, hello()[:50]))
	},
	"tunnels without an end": func(n int) []byte { return tunnels },
	"a controller's fragments that never end": func(n int) []byte {
		return ipv4(peer(n/8), server, 17, udp(1, 5247, join([]byte{0, 0x10, 2, 0x80}, be16(n), be16(n%8*1024), make([]byte, 1000))))
	},
	"aggregated beginnings": func(n int) []byte {
		p := ipv4(peer(n), server, 6, tcp(1, 443, 1, ack, hello()[:50]))
		return ipv4(peer(n), server, 17, udp(1, 5247, join([]byte{0, 0x10, 3, 0, 0, 0, 0, 0}, aggregated(p, p, p))))
	},
	"beginning of a hello in QUIC": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 443, sealed(uint64(n), 0, message()[:50])))
	},
	"QUIC far from the beginning": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 443, sealed(uint64(n), 1<<62-2, []byte{1})))
	},
	"first Initial": func(n int) []byte { return ipv4(peer(n), server, 17, udp(1, 443, chromiumInitials()[0])) },
	"beginning of a hello in OpenVPN": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 1194, inOpenVPN(n, 1, longHello[:100])))
	},
	"OpenVPN ahead of its turn": func(n int) []byte {
		return ipv4(peer(n/40), server, 17, udp(1, 1194, inOpenVPN(0, 2+n%40, longHello[:700])))
	},
	"hello of 130 kB in OpenVPN that stops before its end": func(n int) []byte {
		at := n % 90 * 1400
		return ipv4(peer(n/90), server, 17, udp(1, 1194, inOpenVPN(0, 1+n%90, longHello[at:at+1400])))
	},
	"beginning of a hello in RADIUS": func(n int) []byte {
		return ipv4(client, server, 17, udp(1, 1812, inRADIUS(n, longHello[:200])))
	},
	"message of Diameter that stops before its end": func(n int) []byte {
		message := capture.InDiameter("session", longHello[:1200])[0]
		return ipv4(peer(n), server, 6, tcp(1, 3868, 1, ack, message[:len(message)/2]))
	},
	"fragments of multilink PPP": func(n int) []byte {
		part := capture.InMultilink(4, 3*n, 3, make([]byte, 900))[1]
		return ipv4(peer(n), server, 47, join(be16(1), be16(0x880b), part))
	},
	"fragments of SCTP": func(n int) []byte {
		chunk := join([]byte{0, 0}, be16(16+700), be32(n), be32(0), be32(47), make([]byte, 700))
		return ipv4(peer(n/40), server, 132, join(be16(1), be16(2), be32(7), be32(0), chunk))
	},
	"a peer of TURN for each": func(n int) []byte {
		data := join(be16(0x12), be16(8), be16(1), be16(0), be32(n), be16(0x13), be16(120), dtlsFragment(300, 0, 95))
		return ipv4(client, server, 17, udp(1, 3478, join(be16(0x16), be16(len(data)), be32(0x2112a442), make([]byte, 12), data)))
	},
	"frame of TDS that never ends": func(n int) []byte {
		part := join([]byte{0x12, 1}, be16(16000), be32(0), make([]byte, 1400))
		return ipv4(peer(n), server, 6, tcp(1, 1433, 1, ack, part))
	},
	"frames of OpenVPN over TCP": func(n int) []byte {
		frame := inOpenVPN(n, 2+n%40, longHello[:700])
		return ipv4(peer(n/40), server, 6, tcp(1, 1194, 1+n%40*(2+len(frame)), ack, join(be16(len(frame)), frame)))
	},
	"QUIC with keys that do not fit": func(n int) []byte {
		return ipv4(peer(n), server, 17, udp(1, 443, quicInitial(uint64(n))))
	},
}

var (
	longHello    = records(helloOf(131_000), 1<<14)
	longPrologue = []byte("CONNECT x:443 HTTP/1.1\r\nCookie: " + strings.Repeat("x", 4000))
)

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

// chromiumInitials are the datagrams of a hello over QUIC, as Chromium sent it.
var chromiumInitials = sync.OnceValue(func() (datagrams [2][]byte) {
	entry, _ := corpus.Lookup("captures/quic-v1-chromium-156-unanswered.pcap")
	r, err := pcapgo.NewReader(bytes.NewReader(entry.Data()))
	if err != nil {
		panic(err)
	}
	for i := range datagrams {
		data, _, err := r.ReadPacketData()
		if err != nil {
			panic(err)
		}
		packet := gopacket.NewPacket(data, r.LinkType(), gopacket.Default)
		datagrams[i] = packet.Layer(layers.LayerTypeUDP).LayerPayload()
	}
	return datagrams
})

// dtlsFragment is a datagram with size bytes from offset of a ClientHello of length
// bytes.
func dtlsFragment(length, offset, size int) []byte {
	uint24 := func(n int) []byte { return be32(n)[1:] }
	fragment := join([]byte{1}, uint24(length), be16(0), uint24(offset), uint24(size), make([]byte, size))
	return dtlsRecord(22, 0, fragment)
}

// dtlsRecord returns a record with a number of its own.
func dtlsRecord(typ byte, epoch int, b []byte) []byte {
	dtlsRecords++
	return join([]byte{typ, 0xfe, 0xfd}, be16(epoch), be16(0), be32(dtlsRecords), be16(len(b)), b)
}

var dtlsRecords int // that dtlsRecord has made
// inOpenVPN is a packet of the control channel of a session.
func inOpenVPN(session, number int, payload []byte) []byte {
	return join([]byte{4 << 3}, be32(session), be32(0), []byte{0}, be32(number), payload)
}

// inRADIUS is an Access-Request of a user with the first fragment of EAP-TLS.
func inRADIUS(user int, payload []byte) []byte {
	eap := join([]byte{2, 7}, be16(6+len(payload)), []byte{13, 0x40}, payload)
	attributes := join([]byte{1, 6}, be32(user), []byte{79, byte(2 + len(eap))}, eap)
	return join([]byte{1, 9}, be16(20+len(attributes)), make([]byte, 16), attributes)
}

// quicInitial is a datagram with an Initial packet that does not open.
func quicInitial(dcid uint64) []byte {
	const size = 1200
	b := binary.BigEndian.AppendUint64([]byte{0xc0, 0, 0, 0, 1, 8}, dcid)
	b = append(b, 0, 0)                                    // no source connection ID, no token
	b = append(b, 0x40|(size-18)>>8, byte((size-18)&0xff)) // length
	return append(b, make([]byte, size-len(b))...)
}

var flood = flag.Int("flood", 0, "run TestFloods with the default limits and this number of packets of each attack, and TestFloodsResident; see make test-hostile")

// scanAround gives the first segments of some hellos to s, then packets, and then the second
// segments. It returns how many of the hellos were not found.
func scanAround(s *capture.Scanner, packets func()) (lost int) {
	const hellos, part = 100, 600
	msg := helloOf(900)
	stream := records(msg, 1<<14)
	half := func(n, from, to int) {
		s.Scan(raw(ipv4(netip.AddrFrom4([4]byte{172, 16, 0, byte(n)}), server, 6, tcp(1, 443, 1+from, ack, stream[from:to]))),
			func(h *capture.Hello) bool {
				if len(h.Message) == len(msg) {
					lost--
				}
				return true
			})
	}
	for n := range hellos {
		half(n, 0, part)
	}
	packets()
	for n := range hellos {
		half(n, part, len(stream))
	}
	return lost + hellos
}

// scanFlood gives n packets of an attack to s, and after every thousandth a hello that
// comes in two segments, with a hundred packets between them. It calls check ten times, and
// returns how many of the hellos were found.
func scanFlood(s *capture.Scanner, packet func(n int) []byte, n int, check func()) (found int) {
	const every, between = 1000, 100
	scan := func(p []byte) {
		s.Scan(raw(p), func(h *capture.Hello) bool {
			if h.Code == 0 && len(h.Message) == len(message()) {
				found++
			}
			return true
		})
	}
	for i := range n {
		scan(packet(i))
		part, seq := hello()[:30], 1
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
			check()
		}
	}
	check()
	return found
}

// TestFloods checks that attacks neither take more memory than the limits allow nor hide the
// hellos between them.
func TestFloods(t *testing.T) {
	o, n := capture.Options{MaxFlows: 2000, MaxMemory: 2 << 20}, 10_000
	if testing.Short() { // in an emulator
		n = 4000
	}
	if *flood > 0 {
		o, n = capture.Options{MaxFlows: capture.DefaultMaxFlows, MaxMemory: capture.DefaultMaxMemory}, *flood
	}
	// The memory, and a little for pools, buffers and sweeps.
	ceiling := uint64(o.MaxMemory + 16<<20)
	for name, packet := range floods {
		t.Run(name, func(t *testing.T) {
			s, base := capture.NewScanner(o), liveHeap()
			found := 0
			lost := scanAround(s, func() {
				found = scanFlood(s, packet, n, func() {
					if live := liveHeap(); live > base+ceiling {
						t.Errorf("%d bytes held, more than %d", live-base, ceiling)
					}
				})
			})
			stats := s.Stats()
			if lost > 0 {
				t.Errorf("lost %d hellos that began before the flood; %+v", lost, stats)
			}
			if want := n / 1000; found != want {
				t.Errorf("found %d hellos of %d; %+v", found, want, stats)
			}
			t.Logf("%+v", stats)
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFloodsResident runs each attack in a process of its own, with the default limits, and
// checks how much memory of it was resident at most.
func TestFloodsResident(t *testing.T) {
	const run = "BE_FLOODED"
	if *flood == 0 || runtime.GOOS != "linux" {
		t.Skip("takes minutes, and reads /proc; see make test-hostile")
	}
	if name := os.Getenv(run); name != "" {
		scanFlood(capture.NewScanner(capture.Options{}), floods[name], *flood, func() {})
		checkResident(t)
		return
	}
	for name := range floods {
		t.Run(name, func(t *testing.T) { inProcess(t, "TestFloodsResident", run, name) })
	}
}

// inProcess runs a test in a process of its own, with the memory limit that tlsflags inspect
// gives the garbage collector, and a variable of the environment.
func inProcess(t *testing.T, test, variable, value string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v", fmt.Sprintf("-flood=%d", *flood))
	c.Env = append(os.Environ(), variable+"="+value, "GOMEMLIMIT=224MiB")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	t.Logf("%s", out)
}

// checkResident checks how much memory of this process was resident at most.
func checkResident(t *testing.T) {
	t.Helper()
	const most = 384 << 10 // kB
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kB int
	if _, err := fmt.Sscan(after, &kB); err != nil || kB > most {
		t.Errorf("%d kB resident, more than %d; %v", kB, most, err)
	}
	t.Logf("%d kB resident", kB)
}
