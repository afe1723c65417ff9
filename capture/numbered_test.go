package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// numberedCase is a capture of fragments that have numbers, and the frames of each hello in it.
type numberedCase struct {
	name    string
	link    layers.LinkType
	packets [][]byte
	want    string
}

// cutInto cuts b into n pieces.
func cutInto(b []byte, n int) (parts [][]byte) {
	for i := range n {
		parts = append(parts, b[len(b)*i/n:len(b)*(i+1)/n])
	}
	return parts
}

// wifiPart is a fragment of a frame with a sequence number, whose sender is the last byte of its
// address.
func wifiPart(sender byte, sequence, number int, last bool, body []byte) []byte {
	flags := byte(0x05)
	if last {
		flags = 0x01
	}
	control := binary.LittleEndian.AppendUint16(nil, uint16(sequence<<4|number))
	return slices.Concat([]byte{0x08, flags, 0, 0}, make([]byte, 6), []byte{2, 0, 0, 0, 0, sender}, make([]byte, 6), control, body)
}

// inWiFi cuts a packet of IP into n fragments.
func inWiFi(sender byte, sequence, n int, ip []byte) (frames [][]byte) {
	for i, part := range cutInto(append([]byte("\xaa\xaa\x03\x00\x00\x00\x08\x00"), ip...), n) {
		frames = append(frames, wifiPart(sender, sequence, i, i == n-1, part))
	}
	return frames
}

// withFCS appends the frame check sequence of 802.11.
func withFCS(frame []byte) []byte {
	return binary.LittleEndian.AppendUint32(slices.Clone(frame), crc32.ChecksumIEEE(frame))
}

// withRadiotap puts a header with flags before a frame.
func withRadiotap(flags byte, frame []byte) []byte {
	return slices.Concat([]byte{0, 0, 9, 0, 2, 0, 0, 0, flags}, frame)
}

func each(packets [][]byte, change func([]byte) []byte) (changed [][]byte) {
	for _, p := range packets {
		changed = append(changed, change(slices.Clone(p)))
	}
	return changed
}

func wifiCases() []numberedCase {
	const wifi, radiotap = layers.LinkTypeIEEE802_11, layers.LinkTypeIEEE80211Radio
	ip := tcpPacket(1, 0x10, smallHello(80))
	elsewhere := slices.Clone(ip)
	elsewhere[20]++ // the port
	a, other, longer := inWiFi(1, 7, 3, ip), inWiFi(2, 7, 3, elsewhere), inWiFi(1, 7, 4, ip)
	protected := each(a, func(p []byte) []byte { p[1] |= 0x40; return p })
	qos := func(tid byte) func([]byte) []byte {
		return func(p []byte) []byte { p[0] |= 0x80; return slices.Insert(p, 24, tid, 0) }
	}
	changed := slices.Clone(a[1])
	changed[60] ^= 1
	after := wifiPart(1, 7, 3, false, []byte("after the last one"))
	mesh := append([]byte{1, 31, 0, 0, 0, 0, 2, 0, 0, 0, 0, 9}, "\xaa\xaa\x03\x00\x00\x00\x08\x00"+string(ip)...)
	return []numberedCase{
		{"802.11", wifi, a, "[1 2 3]"},
		{"802.11, 16 fragments", wifi, inWiFi(1, 9, 16, ip), "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]"},
		{"802.11, out of order", wifi, [][]byte{a[2], a[0], a[1]}, "[2 3 1]"},
		{"802.11, retransmitted", wifi, [][]byte{a[0], a[0], a[1], a[2], a[2]}, "[1 3 4]"},
		{"802.11, one is missing", wifi, [][]byte{a[0], a[2]}, ""},
		{"802.11, of two senders", wifi, [][]byte{a[0], other[0], a[1], other[1], other[2], a[2]}, "[2 4 5] [1 3 6]"},
		{"802.11, another sender", wifi, [][]byte{a[0], other[1], other[2]}, ""},
		{"802.11, another sequence number", wifi, append(inWiFi(1, 8, 3, ip)[:1], a[1:]...), ""},
		{"802.11, another class", wifi, [][]byte{a[0], qos(0)(slices.Clone(a[1])), a[2]}, ""},
		{"802.11, QoS", wifi, each(a, qos(5)), "[1 2 3]"},
		{"802.11, an A-MSDU", wifi, each(a, qos(0x80)), ""},
		{"802.11, contradiction", wifi, [][]byte{a[0], a[1], changed, a[2]}, ""},
		{"802.11, contradiction, once more", wifi, [][]byte{a[0], a[1], changed, a[0], a[1], a[2]}, "[4 5 6]"},
		{"802.11, another end", wifi, [][]byte{a[0], a[2], longer[3], a[1]}, ""},
		{"802.11, after the end", wifi, [][]byte{a[0], after, a[2], a[1]}, ""},
		{"802.11, an empty fragment", wifi, [][]byte{a[0], wifiPart(1, 7, 1, false, nil), a[1], a[2]}, "[1 3 4]"},
		{"802.11, encrypted", wifi, protected, ""},
		{"802.11, frame check sequences", wifi, each(a, withFCS), "[1 2 3]"},
		{"802.11 in a mesh", wifi, [][]byte{wifiPart(1, 7, 0, false, mesh[:50]), wifiPart(1, 7, 1, true, mesh[50:])}, "[1 2]"},
		{"802.11 with radiotap", radiotap, each(a, func(p []byte) []byte { return withRadiotap(0, p) }), "[1 2 3]"},
		{"802.11 with radiotap, frame check sequences", radiotap, each(a, func(p []byte) []byte { return withRadiotap(0x10, append(p, 1, 2, 3, 4)) }), "[1 2 3]"},
		{"802.11 with radiotap, bad frame check sequence", radiotap, [][]byte{withRadiotap(0, a[0]), withRadiotap(0x50, append(changed, 1, 2, 3, 4)), withRadiotap(0, a[1]), withRadiotap(0, a[2])}, "[1 3 4]"},
	}
}

// TestFrameCheckSequence checks that the end of a frame is one if a header says so, or if none tells
// and it is right.
func TestFrameCheckSequence(t *testing.T) {
	frame := wifiPart(1, 7, 0, false, []byte("body"))
	for _, row := range []struct {
		frame []byte
		radio radio
		want  int
	}{
		{withFCS(frame), 0, 4}, {withFCS(frame), knownFCS, 0}, {withFCS(frame), knownFCS | fcsAtEnd, 4},
		{frame, 0, 0}, {frame, knownFCS, 0}, {frame, knownFCS | fcsAtEnd, 4},
	} {
		if got := fcsLen(row.frame, row.radio); got != row.want {
			t.Errorf("%x, %#x: got %d, want %d", row.frame, row.radio, got, row.want)
		}
	}
}

// inMultilink cuts a packet of IP into n fragments of PPP, whose headers have a length of 4 or 2 bytes,
// numbered from a sequence number on.
func inMultilink(header, sequence, n int, ip []byte) (frames [][]byte) {
	for i, part := range cutInto(append([]byte{0, 0x21}, ip...), n) {
		number := bytes32((sequence + i) % (1 << 24))
		if header == 2 {
			number = bytes16((sequence + i) % (1 << 12))
		}
		if i == 0 {
			number[0] |= 0x80
		}
		if i == n-1 {
			number[0] |= 0x40
		}
		frames = append(frames, slices.Concat([]byte{0, 0x3d}, number, part))
	}
	return frames
}

// inPPPoE is an Ethernet frame of a session, which is padded, from a sender.
func inPPPoE(sender byte, ppp []byte) []byte {
	p := etherPacket(0x8864, slices.Concat([]byte{0x11, 0, 0, 1}, bytes16(len(ppp)), ppp, make([]byte, max(0, 60-20-len(ppp)))))
	p[11] = sender
	return p
}

func multilinkCases() []numberedCase {
	const ppp, ether, raw = layers.LinkTypePPP, layers.LinkTypeEthernet, layers.LinkTypeRaw
	ip := tcpPacket(1, 0x10, smallHello(80))
	elsewhere := slices.Clone(ip)
	elsewhere[20]++ // the port
	a, b := inMultilink(4, 0x10203, 3, ip), inMultilink(4, 0x10206, 3, elsewhere)
	short, shortB := inMultilink(2, 0x102, 3, ip), inMultilink(2, 0x105, 3, elsewhere)
	changed := slices.Clone(a[1])
	changed[20] ^= 1
	lost := inMultilink(4, 5, 60, make([]byte, 200))[:50]
	flood := inMultilink(4, 0x10206, 99, make([]byte, 400))[:98]
	l2tp := func(session byte) func([]byte) []byte {
		return func(p []byte) []byte {
			return udpPacket(1701, slices.Concat([]byte{0x40, 2}, bytes16(8+len(p)), []byte{0, 7, 0, session}, p))
		}
	}
	pptp := func(call byte) func([]byte) []byte {
		return func(p []byte) []byte {
			return ipOf(47, slices.Concat([]byte{0x20, 1, 0x88, 0x0b}, bytes16(len(p)), []byte{0, call}, p))
		}
	}
	pppoe := func(sender byte) func([]byte) []byte { return func(p []byte) []byte { return inPPPoE(sender, p) } }
	directed := func(direction byte) func([]byte) []byte {
		return func(p []byte) []byte { return append([]byte{direction}, p...) }
	}
	return []numberedCase{
		{"multilink PPP", ppp, a, "[1 2 3]"},
		{"multilink PPP with short numbers", ppp, short, "[1 2 3]"},
		{"multilink PPP, several packets", ppp, slices.Concat(a, b), "[1 2 3] [4 5 6]"},
		{"multilink PPP, short numbers, several packets", ppp, slices.Concat(short, shortB), "[1 2 3] [4 5 6]"},
		{"multilink PPP, in one fragment", ppp, inMultilink(4, 9, 1, ip), "[1]"},
		{"multilink PPP, short numbers, in one fragment", ppp, inMultilink(2, 9, 1, ip), "[1]"},
		{"multilink PPP, short numbers, the highest bits, in one fragment", ppp, inMultilink(2, 0xfff, 1, ip), "[1]"},
		{"multilink PPP, MPLS multicast, in one fragment", ppp, [][]byte{slices.Concat([]byte{0, 0x3d, 0xc0, 0, 0, 1, 0x02, 0x83, 0, 1, 1, 64}, ip)}, "[1]"},
		{"multilink PPP, out of order", ppp, [][]byte{a[2], b[0], a[0], b[2], a[1], b[1]}, "[3 5 1] [2 6 4]"},
		{"multilink PPP, short numbers, out of order", ppp, [][]byte{short[2], short[0], short[1]}, "[2 3 1]"},
		{"multilink PPP, numbers start over", ppp, inMultilink(4, 1<<24-2, 4, ip), "[1 2 3 4]"},
		{"multilink PPP, short numbers start over", ppp, reversed(inMultilink(2, 1<<12-2, 4, ip)), "[4 3 2 1]"},
		{"multilink PPP, short numbers below 256", ppp, inMultilink(2, 7, 3, ip), "[1 2 3]"},
		{"multilink PPP, numbers below 65536", ppp, inMultilink(4, 7, 3, ip), "[1 2 3]"},
		{"multilink PPP, twice", ppp, [][]byte{a[0], a[0], a[1], a[1], a[2]}, "[1 3 5]"},
		{"multilink PPP, one is missing", ppp, [][]byte{a[0], a[2], b[0], b[1], b[2]}, "[3 4 5]"},
		{"multilink PPP, contradiction", ppp, [][]byte{a[0], a[1], changed, a[2]}, ""},
		{"multilink PPP, contradiction, once more", ppp, [][]byte{a[0], a[1], changed, a[2], a[1]}, "[1 5 4]"},
		{"multilink PPP, the end without a beginning", ppp, [][]byte{a[1], a[2], b[0], b[1], b[2]}, "[3 4 5]"},
		{"multilink PPP, fragments of 50 lost packets", ppp, slices.Concat(lost, a), "[51 52 53]"},
		{"multilink PPP, too many before the last", ppp, slices.Concat(a[:2], flood, a[2:]), ""},
		{"multilink PPP, compressed protocol", ppp, each(a, func(p []byte) []byte { return p[1:] }), "[1 2 3]"},
		{"multilink PPP over PPPoE", ether, each(inMultilink(4, 9, 7, ip), pppoe(1)), "[1 2 3 4 5 6 7]"},
		{"multilink PPP over PPPoE, two senders", ether, slices.Concat(each(a[:1], pppoe(1)), each(inMultilink(4, 0x10203, 4, elsewhere), pppoe(2)), each(a[1:], pppoe(1))), "[2 3 4 5] [1 6 7]"},
		{"multilink PPP over L2TP", raw, each(a, l2tp(1)), "[1 2 3]"},
		{"multilink PPP over L2TP, two sessions", raw, slices.Concat(each(a[:1], l2tp(1)), each(inMultilink(4, 0x10203, 4, elsewhere), l2tp(2)), each(a[1:], l2tp(1))), "[2 3 4 5] [1 6 7]"},
		{"multilink PPP over PPTP, two calls", raw, slices.Concat(each(a[:1], pptp(1)), each(inMultilink(4, 0x10203, 4, elsewhere), pptp(2)), each(a[1:], pptp(1))), "[2 3 4 5] [1 6 7]"},
		{"multilink PPP, with directions", layers.LinkType(204), slices.Concat(each(a[:1], directed(0)), each(inMultilink(4, 0x10203, 4, elsewhere), directed(1)), each(a[1:], directed(0))), "[2 3 4 5] [1 6 7]"},
	}
}

// batmanFrame is a frame of Ethernet between nodes of batman-adv.
func batmanFrame(b ...[]byte) []byte { return etherPacket(0x4305, slices.Concat(b...)) }

// inBatman cuts a packet of IP, in a unicast packet of an originator, into n fragments, in the order in
// which they are sent.
func inBatman(originator byte, sequence, n int, ip []byte) (frames [][]byte) {
	inner := slices.Concat([]byte{0x40, 15, 50, 1, 2, 0, 0, 0, 0, 9}, etherPacket(0x0800, ip))
	for i, part := range cutInto(inner, n) {
		number := n - 1 - i // the end has 0
		frames = append(frames, batmanFrame([]byte{0x41, 15, 50, byte(number<<4 | 2)}, []byte{2, 0, 0, 0, 0, 9}, []byte{2, 0, 0, 0, 0, originator},
			bytes16(sequence), bytes16(len(inner)), part))
	}
	return reversed(frames)
}

func batmanCases() []numberedCase {
	const ether = layers.LinkTypeEthernet
	const ttlAt, lengthAt = 14 + 2, 14 + 18
	ip := tcpPacket(1, 0x10, smallHello(80))
	elsewhere := slices.Clone(ip)
	elsewhere[20]++ // the port
	a, other := inBatman(1, 7, 3, ip), inBatman(2, 7, 3, elsewhere)
	forwarded := each(a, func(p []byte) []byte { p[ttlAt]--; return p })
	changed, longer := slices.Clone(a[1]), slices.Clone(a[2])
	changed[60]++
	longer[lengthAt+1]++
	wrong := each(a, func(p []byte) []byte { p[lengthAt+1] -= 5; return p })
	return []numberedCase{
		{"batman-adv", ether, a, "[3 2 1]"},
		{"batman-adv, in one fragment", ether, inBatman(1, 7, 1, ip), "[1]"},
		{"batman-adv, 16 fragments", ether, inBatman(1, 7, 16, ip), "[16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1]"},
		{"batman-adv, out of order", ether, [][]byte{a[1], a[0], a[2]}, "[3 1 2]"},
		{"batman-adv, forwarded", ether, [][]byte{a[0], forwarded[0], a[1], forwarded[1], a[2], forwarded[2]}, "[5 3 1]"},
		{"batman-adv, one is missing", ether, a[:2], ""},
		{"batman-adv, the end is missing", ether, a[1:], ""},
		{"batman-adv, of two originators", ether, [][]byte{a[0], other[0], a[1], other[1], other[2], a[2]}, "[5 4 2] [6 3 1]"},
		{"batman-adv, another sequence number", ether, append(inBatman(1, 8, 3, ip)[:1], a[1:]...), ""},
		{"batman-adv, contradiction", ether, [][]byte{a[0], a[1], changed, a[2]}, ""},
		{"batman-adv, another length", ether, [][]byte{a[0], a[1], longer}, ""},
		{"batman-adv, a length that is too small", ether, wrong, ""},
	}
}

func numberedCases() []numberedCase {
	return slices.Concat(wifiCases(), multilinkCases(), batmanCases())
}

// TestNumberedFragments checks that fragments with numbers are joined, by one worker and by three.
func TestNumberedFragments(t *testing.T) {
	for _, c := range numberedCases() {
		file := pcapFile(c.link, c.packets...)
		for _, workers := range []int{1, 3} {
			found, stats, err := readCapture(bytes.NewReader(file), Options{Workers: workers})
			var frames []string
			for _, h := range found {
				frames = append(frames, fmt.Sprint(h.Frames))
			}
			if got := strings.Join(frames, " "); got != c.want || err != nil || stats.Ambiguous > 0 {
				t.Errorf("%s, %d workers: got %q, %v, want %q; %+v", c.name, workers, got, err, c.want, stats)
			}
		}
	}
}

// TestNumberedFragmentsOfAnotherTime checks that fragments which are older than a host waits for are
// not joined to new ones.
func TestNumberedFragmentsOfAnotherTime(t *testing.T) {
	for _, c := range numberedCases() {
		wait := fragmentTimeWiFi
		if strings.HasPrefix(c.name, "batman") {
			wait = fragmentTimeBatman
		}
		for after, want := range map[time.Duration]int{wait: 1, wait + time.Second: 0} {
			s, found := NewScanner(Options{}), 0
			for i, p := range c.packets {
				at := time.Unix(1, 0)
				if i > 0 {
					at = at.Add(after)
				}
				s.Scan(Packet{Data: p, Link: LinkType(c.link), Time: at}, func(*Hello) bool { found++; return true })
			}
			if !strings.Contains(c.name, ",") && found != want {
				t.Errorf("%s: after %v: %d hellos, want %d", c.name, after, found, want)
			}
		}
	}
}

// TestNumberedFragmentsGiveMemoryBack checks that what fragments hold is charged, and given back, and
// that the part that a packet was cut to is not joined.
func TestNumberedFragmentsGiveMemoryBack(t *testing.T) {
	for _, c := range numberedCases() {
		s := NewScanner(Options{})
		most, held := 0, 0
		for i, p := range c.packets {
			s.Scan(Packet{Data: p, Link: LinkType(c.link), Time: time.Unix(1, 0)}, func(*Hello) bool { return true })
			if most = max(most, s.flows.memory); i == 0 {
				held = s.flows.memory
			}
		}
		for _, f := range slices.Collect(s.flows.flows.all()) {
			s.flows.remove(f)
		}
		if held < len(c.packets[0])-64 && c.want != "" || s.flows.memory != 0 {
			t.Errorf("%s: %d bytes are held after the first packet, %d at most, and %d after all flows are removed", c.name, held, most, s.flows.memory)
		}
		for i, p := range c.packets {
			s.Scan(Packet{Data: p[:len(p)-1], Length: len(p), Link: LinkType(c.link), Time: time.Unix(int64(i), 0)}, func(h *Hello) bool {
				t.Errorf("%s: a hello of what was cut", c.name)
				return true
			})
		}
		if s.flows.flows.n > 0 && !strings.Contains(c.name, "in one fragment") {
			t.Errorf("%s: %d flows of what was cut", c.name, s.flows.flows.n)
		}
	}
}

// TestNumberedFloods checks that fragments that never become packets do not take more memory than there
// is, and that those of a hello are joined after them.
func TestNumberedFloods(t *testing.T) {
	const n, memory = 5000, 1 << 20
	ip := tcpPacket(1, 0x10, smallHello(80))
	junk := make([]byte, 1000)
	for _, c := range numberedCases() {
		if strings.Contains(c.name, ",") {
			continue
		}
		var flood func(i int) []byte
		switch {
		case strings.HasPrefix(c.name, "802.11 with"):
			flood = func(i int) []byte { return withRadiotap(0, wifiPart(byte(i>>12), i, 0, false, junk)) }
		case strings.HasPrefix(c.name, "802.11"):
			flood = func(i int) []byte { return wifiPart(byte(i>>12), i, 0, false, junk) }
		case strings.HasPrefix(c.name, "batman"):
			flood = func(i int) []byte { return inBatman(3, i, 3, slices.Concat(ip, junk))[1] }
		case c.link == layers.LinkTypeEthernet:
			flood = func(i int) []byte { return inPPPoE(byte(i), inMultilink(4, 2*i, 3, slices.Concat(ip, junk))[i%3]) }
		case c.link == layers.LinkTypePPP:
			flood = func(i int) []byte { return inMultilink(4, 2*i, 3, slices.Concat(ip, junk))[i%3] }
		default:
			continue
		}
		s, found := NewScanner(Options{MaxMemory: memory}), 0
		scan := func(p []byte) {
			s.Scan(Packet{Data: p, Link: LinkType(c.link), Time: time.Unix(1, 0)}, func(*Hello) bool { found++; return true })
			if s.flows.held() > memory {
				t.Fatalf("%s: %d bytes are held", c.name, s.flows.held())
			}
		}
		for i := range n {
			scan(flood(i))
		}
		for _, p := range c.packets {
			scan(p)
		}
		if found != 1 {
			t.Errorf("%s: %d hellos after a flood; %+v", c.name, found, s.Stats())
		}
	}
}
