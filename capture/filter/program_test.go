package filter_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/tlsflags/tlsflags/capture/filter"
)

const ethernet = 1

func parse(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if f.String() != text {
		t.Errorf("%q is %q", text, f)
	}
	return f
}

func compiled(t testing.TB, text string) []bpf.Instruction {
	t.Helper()
	code, err := parse(t, text).Program(ethernet)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func equal(a, b []bpf.Instruction) bool { return reflect.DeepEqual(a, b) }

// run runs a program.
func run(t testing.TB, code []bpf.Instruction, packet []byte) bool {
	t.Helper()
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(packet)
	if err != nil || n != 0 && n != filter.Pass {
		t.Fatal(n, err)
	}
	return n != 0
}

// The parts of packets.

func tag(typ, number uint16, inner []byte) []byte { // inner begins with its EtherType
	return slices.Concat(be16(typ), be16(0x2000|number), inner)
}

func be16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }

func typed(etherType uint16, payload []byte) []byte { return append(be16(etherType), payload...) }

func frame(typedPayload []byte) []byte { return append([]byte("\x02AAAAA\x02BBBBB"), typedPayload...) }

func ipv4(protocol byte, from, to string, payload []byte) []byte {
	b := []byte{0x45, 0, 0, byte(20 + len(payload)), 0, 0, 0, 0, 64, protocol, 0, 0}
	return slices.Concat(b, address(from), address(to), payload)
}

func ipv6(next byte, from, to string, payload []byte) []byte {
	return slices.Concat([]byte{0x60, 0, 0, 0, 0, byte(len(payload)), next, 64}, address(from), address(to), payload)
}

func ports(from, to uint16) []byte {
	return slices.Concat(be16(from), be16(to), make([]byte, 16))
}

func arp(from, to string) []byte {
	return slices.Concat([]byte{0, 1, 8, 0, 6, 4, 0, 1}, make([]byte, 6), address(from), make([]byte, 6), address(to))
}

func options(ip []byte) []byte {
	ip[0] = 0x47
	return slices.Concat(ip[:20:20], make([]byte, 8), ip[20:])
}

func fragment(ip []byte, offset uint16) []byte {
	copy(ip[6:], be16(0x2000|offset))
	return ip
}

func fragment6(next byte, payload []byte) []byte {
	return append([]byte{next, 0, 0, 1, 0, 0, 0, 1}, payload...)
}

const a, b, a6, b6 = "192.0.2.1", "198.51.100.2", "2001:db8::1", "2001:db8:1::2"

// packets have names, and what comes after the addresses of an Ethernet frame.
var packets = []struct {
	name string
	data []byte
}{
	{"tcp4", typed(0x0800, ipv4(6, a, b, ports(50000, 443)))},
	{"tcp4 back", typed(0x0800, ipv4(6, b, a, ports(443, 50000)))},
	{"tcp4 options", typed(0x0800, options(ipv4(6, a, b, ports(50001, 443))))},
	{"tcp4 fragment", typed(0x0800, fragment(ipv4(6, a, b, ports(50000, 443)), 8))},
	{"tcp4 first", typed(0x0800, fragment(ipv4(6, a, b, ports(50000, 443)), 0))},
	{"udp4", typed(0x0800, ipv4(17, a, b, ports(443, 443)))},
	{"sctp4", typed(0x0800, ipv4(132, a, b, ports(5000, 443)))},
	{"icmp4", typed(0x0800, ipv4(1, a, b, ports(443, 443)))},
	{"to self", typed(0x0800, ipv4(6, a, a, ports(8080, 8080)))},
	{"private", typed(0x0800, ipv4(6, "10.1.2.3", "10.9.8.7", ports(8000, 8100)))},
	{"tcp6", typed(0x86dd, ipv6(6, a6, b6, ports(50000, 443)))},
	{"udp6", typed(0x86dd, ipv6(17, b6, a6, ports(443, 8050)))},
	{"icmp6", typed(0x86dd, ipv6(58, a6, b6, ports(443, 443)))},
	{"fragment6", typed(0x86dd, ipv6(44, a6, b6, fragment6(6, ports(50000, 443))))},
	{"arp", typed(0x0806, arp(a, b))},
	{"rarp", typed(0x8035, arp(b, a))},
	{"vlan 7", tag(0x8100, 7, typed(0x0800, ipv4(6, a, b, ports(50000, 443))))},
	{"vlan 0", tag(0x8100, 0, typed(0x86dd, ipv6(6, a6, b6, ports(50000, 8443))))},
	{"vlan 7 arp", tag(0x8100, 7, typed(0x0806, arp(a, b)))},
	{"vlan 9 7", tag(0x88a8, 9, tag(0x8100, 7, typed(0x0800, ipv4(17, a, b, ports(53, 53)))))},
	{"vlan 7 7 9", tag(0x9100, 7, tag(0x8100, 7, tag(0x8100, 9, typed(0x86dd, ipv6(6, a6, b6, ports(1, 2))))))},
	{"802.2", typed(60, make([]byte, 60))},
	{"other", typed(0x88cc, make([]byte, 60))},
}

func TestMatches(t *testing.T) {
	for text, want := range map[string]string{
		"ip":                       "tcp4, tcp4 back, tcp4 options, tcp4 fragment, tcp4 first, udp4, sctp4, icmp4, to self, private",
		"ip6":                      "tcp6, udp6, icmp6, fragment6",
		"arp":                      "arp",
		"udp":                      "udp4, udp6",
		"ip6 proto 6":              "tcp6, fragment6",
		"icmp or proto 132":        "sctp4, icmp4",
		"port 443 and not tcp":     "udp4, sctp4, udp6",
		"tcp src port 443":         "tcp4 back",
		"tcp dst port 443 and ip":  "tcp4, tcp4 options, tcp4 first",
		"src and dst port 443":     "udp4",
		"portrange 8000-8100":      "to self, private, udp6",
		"src and dst 192.0.2.1":    "to self",
		"dst host 192.0.2.1":       "tcp4 back, to self, rarp",
		"arp host 198.51.100.2":    "arp",
		"src net 10.0.0.0/9":       "private",
		"ip net 10.1":              "private",
		"host 2001:db8::1":         "tcp6, udp6, icmp6, fragment6",
		"src net 2001:db8::/48":    "tcp6, icmp6, fragment6",
		"src net 2001:db8::/47":    "tcp6, udp6, icmp6, fragment6",
		"dst net 2001:db8:1::/48":  "tcp6, icmp6, fragment6",
		"ip6 net ::/0 and udp":     "udp6",
		"vlan":                     "vlan 7, vlan 0, vlan 7 arp, vlan 9 7, vlan 7 7 9",
		"vlan 7":                   "vlan 7, vlan 7 arp, vlan 7 7 9",
		"vlan 0":                   "vlan 0",
		"vlan and vlan 7":          "vlan 9 7, vlan 7 7 9",
		"vlan 7 and vlan and vlan": "vlan 7 7 9",
		"vlan and host 192.0.2.1":  "vlan 7, vlan 7 arp",
		"vlan and vlan and udp":    "vlan 9 7",
		"not vlan and arp":         "", // arp is tested inside the tag
		"arp and not vlan":         "arp",
	} {
		code := compiled(t, text)
		var found []string
		for _, p := range packets {
			if run(t, code, frame(p.data)) {
				found = append(found, p.name)
			}
		}
		if got := strings.Join(found, ", "); got != want {
			t.Errorf("%q matches\n%s, want\n%s", text, got, want)
		}
	}
}

// TestLinkTypes checks that packets match with the headers of all link types.
func TestLinkTypes(t *testing.T) {
	for link, head := range map[uint16]string{
		0: "\x02\x00\x00\x00", 108: "\x00\x00\x00\x02", 9: "\xff\x03\x00\x21", 50: "\xff\x03\x00\x21", 166: "\x00\x03\x00\x21",
		51: "\x11\x00\x00\x01\x00\x20\x00\x21", 12: "", 14: "", 101: "", 228: "", 229: "", 226: strings.Repeat("\x00", 24),
		104: "\x0f\x00\x08\x00", 205: "\x00\x0f\x00\x08\x00", 113: strings.Repeat("\x00", 14) + "\x08\x00",
		276: "\x08\x00" + strings.Repeat("\x00", 18), 138: strings.Repeat("\x00", 16) + "\x08\x00",
		240: "\x00\x00\x00\x00" + string(frame(be16(0x0800))), 241: strings.Repeat("\x00", 12) + string(frame(be16(0x0800))),
		1: string(frame(be16(0x0800))),
	} {
		packet := append([]byte(head), ipv4(6, a, b, ports(50000, 443))...)
		for text, want := range map[string]bool{"ip": true, "tcp dst port 443": true, "src 192.0.2.1": true, "src port 443": false, "ip6 or arp or vlan": false} {
			for _, program := range []func(uint16) ([]bpf.Instruction, error){parse(t, text).Program, parse(t, text).LiveProgram} {
				code, err := program(link)
				if err != nil {
					t.Fatal(err)
				}
				if got := run(t, without(code, -1), packet); got != want {
					t.Errorf("link type %d, %q: %t", link, text, got)
				}
			}
		}
	}
	for _, link := range filter.LinkTypes() {
		if _, err := parse(t, "vlan 7 and vlan and ip6 host ::1").LiveProgram(link); err != nil {
			t.Error(err)
		}
	}
	if _, err := parse(t, "tcp").Program(127); err == nil || err.Error() != "filters do not know link type 127" {
		t.Error(err)
	}
}

// TestVLANOnCooked checks that tags are found where the type is not before the network layer.
func TestVLANOnCooked(t *testing.T) {
	packet := slices.Concat(be16(0x8100), make([]byte, 18), be16(7), typed(0x0800, ipv4(6, a, b, ports(1, 2))))
	for text, want := range map[string]bool{"vlan 7 and tcp": true, "vlan 8": false, "tcp": false, "vlan and vlan": false} {
		code, err := parse(t, text).Program(276)
		if err != nil {
			t.Fatal(err)
		}
		if run(t, code, packet) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

// without returns a program in which what the kernel would load is constant: the tag that was
// taken out of the packet, or -1.
func without(code []bpf.Instruction, taken int) []bpf.Instruction {
	code = slices.Clone(code)
	for i, instruction := range code {
		load, ok := instruction.(bpf.LoadExtension)
		switch {
		case !ok:
		case load.Num == bpf.ExtVLANTag:
			code[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(taken)}
		case taken >= 0:
			code[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: 1}
		default:
			code[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: 0}
		}
	}
	return code
}

// takeTag does what the kernel does with the outermost tag.
func takeTag(packet []byte) ([]byte, int) {
	switch binary.BigEndian.Uint16(packet[12:]) {
	case 0x8100, 0x88a8, 0x9100:
		return slices.Concat(packet[:12], packet[16:]), int(binary.BigEndian.Uint16(packet[14:]))
	}
	return packet, -1
}

// checkLive checks that the program for the kernel passes the same packets, whether the tag is
// in the packet or not.
func checkLive(f *filter.Filter) error {
	file, err := f.Program(ethernet)
	if err != nil {
		return err
	}
	live, err := f.LiveProgram(ethernet)
	if err != nil {
		return err
	}
	for _, p := range packets {
		whole := frame(p.data)
		bare, number := takeTag(whole)
		want, err := vmRun(file, whole)
		if err != nil {
			return err
		}
		for _, row := range []struct {
			packet []byte
			taken  int
		}{{whole, -1}, {bare, number}} {
			if got, err := vmRun(without(live, row.taken), row.packet); err != nil || got != want {
				return fmt.Errorf("%q, %s: %t in a file; live, with tag %d, %t, %v", f, p.name, want, row.taken, got, err)
			}
		}
	}
	return nil
}

func vmRun(code []bpf.Instruction, packet []byte) (bool, error) {
	vm, err := bpf.NewVM(code)
	if err != nil {
		return false, err
	}
	before := bytes.Clone(packet)
	n, err := vm.Run(packet)
	if !bytes.Equal(before, packet) {
		return false, fmt.Errorf("the packet was changed")
	}
	return n != 0, err
}

func TestLive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 16))
	for range 500 {
		if err := checkLive(parse(t, expression(random, true, 3))); err != nil {
			t.Error(err)
		}
	}
}

// TestLongJumps checks programs whose jumps are longer than a conditional jump can be.
func TestLongJumps(t *testing.T) {
	var list []string
	for port := range 300 {
		list = append(list, fmt.Sprint(1000+port))
	}
	code := compiled(t, "not port ("+strings.Join(list, " or ")+") and tcp")
	for _, port := range []uint16{999, 1000, 1001, 1150, 1299, 1300} {
		want := port < 1000 || port >= 1300
		if got := run(t, code, frame(typed(0x0800, ipv4(6, a, b, ports(50000, port))))); got != want {
			t.Errorf("port %d: %t", port, got)
		}
	}
}

// The last instruction passes packets, so that another program may take its place.
func TestEndsWithPass(t *testing.T) {
	code := compiled(t, "tcp or not vlan 7")
	if last := code[len(code)-1]; last != (bpf.RetConstant{Val: filter.Pass}) || slices.Contains(code[:len(code)-1], last) {
		t.Errorf("%v", code)
	}
}
