package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// A carrier is a link type and the headers that come before TCP. Their lengths are 0, as
// a host leaves them to its network card.
type carrier struct {
	link    layers.LinkType
	headers string
}

// carriers has one of each kind that package capture reads, as one that a fuzzer changes
// bytes of is not soon another.
func carriers() (common, rare []carrier) {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	ip4 := func(protocol string) string {
		return "\x45\x00\x00\x00\x00\x00\x00\x00\x40" + protocol + "\x00\x00" + "\xc0\x00\x02\x01" + "\xc6\x33\x64\x01"
	}
	ip6 := func(next string) string {
		return "\x60\x00\x00\x00\x00\x00" + next + "\x40" + "\x20\x01\x0d\xb8" + zeros(11) + "\x01" + "\x20\x01\x0d\xb8" + zeros(11) + "\x02"
	}
	udp := func(port string) string { return ip4("\x11") + "\xc3\x50" + port + "\x00\x00\x00\x00" }
	gre := func(flagsAndType string) string { return ip4("\x2f") + flagsAndType }
	const (
		macs  = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
		label = "\x00\x01\x01\x40" // the last one of MPLS
	)
	tcp4, tcp6 := ip4("\x06"), ip6("\x06")
	frame := macs + "\x08\x00" + tcp4
	eth, raw, ppp := layers.LinkTypeEthernet, layers.LinkTypeRaw, layers.LinkTypePPP
	common = []carrier{
		{eth, frame},
		{eth, macs + "\x86\xdd" + tcp6},
		{eth, macs + "\x81\x00\x00\x05\x08\x00" + tcp4},                         // VLAN
		{eth, macs + "\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd" + tcp6},         // QinQ
		{eth, macs + "\x89\x26\x00\x00\x00\x00\x08\x00" + tcp4},                 // VN-Tag
		{eth, macs + "\x89\x09\x01\x01\x00\x01\x00\x09\x08\x00" + tcp4},         // Cisco metadata
		{eth, macs + "\x01\x00\xaa\xaa\x03\x00\x00\x00\x08\x00" + tcp4},         // 802.2 with SNAP
		{eth, macs + "\x01\x00\x06\x06\x03" + tcp4},                             // 802.2 with IP
		{eth, macs + "\x88\x47\x00\x01\x00\x40" + label + tcp4},                 // MPLS
		{eth, macs + "\x88\x47" + label + tcp6},                                 // MPLS
		{eth, macs + "\x88\x47" + label + frame},                                // MPLS
		{eth, macs + "\x88\x47" + label + zeros(4) + frame},                     // MPLS with a control word
		{eth, macs + "\x88\x64\x11\x00\x00\x01\x00\x00\x00\x21" + tcp4},         // PPPoE
		{layers.LinkTypePPPEthernet, "\x11\x00\x00\x01\x00\x00\x00\x57" + tcp6}, // PPPoE
		{layers.LinkTypeNull, "\x02\x00\x00\x00" + tcp4},
		{layers.LinkTypeNull, "\x00\x00\x00\x1e" + tcp6},
		{layers.LinkTypeLoop, "\x00\x00\x00\x18" + tcp6},
		{raw, tcp4},
		{layers.LinkTypeIPv6, tcp6},
		{layers.LinkTypeLinuxSLL, zeros(14) + "\x08\x00" + tcp4},
		{layers.LinkTypeLinuxSLL2, "\x86\xdd" + zeros(18) + tcp6},
		{ppp, "\x00\x21" + tcp4},
		{ppp, "\xff\x03\x00\x57" + tcp6},
		{ppp, "\x21" + tcp4},
		{ppp, "\x02\x81" + label + tcp4},
		{layers.LinkTypeC_HDLC, "\x0f\x00\x08\x00" + tcp4},
		{raw, ip6("\x00") + "\x3c\x00" + zeros(6) + "\x2b\x00" + zeros(6) + "\x33\x00" + zeros(6) + "\x2c\x00" + zeros(6) + "\x06\x00" + zeros(6)},
		{raw, ip4("\x33") + "\x06\x01" + zeros(10)}, // authentication header
		{raw, ip4("\x04") + tcp4},
		{raw, ip4("\x29") + tcp6},
		{raw, ip6("\x04") + tcp4},
		{raw, ip4("\x89") + label + tcp4},       // MPLS
		{raw, ip4("\x61") + "\x30\x00" + frame}, // EtherIP
		{raw, gre("\x00\x00\x08\x00") + tcp4},   //
		{raw, gre("\xb0\x00\x86\xdd") + zeros(12) + tcp6},
		{raw, gre("\x20\x00\x65\x58") + zeros(4) + frame},
		{raw, gre("\x30\x81\x88\x0b") + zeros(12) + "\xff\x03\x00\x21" + tcp4},         // PPTP
		{raw, gre("\x00\x00\x88\xbe") + frame},                                         // ERSPAN I
		{raw, gre("\x10\x00\x88\xbe") + zeros(12) + frame},                             // ERSPAN II
		{raw, gre("\x10\x00\x22\xeb") + zeros(15) + "\x01" + zeros(8) + frame},         // ERSPAN III
		{raw, gre("\x00\x00\x88\x3e") + zeros(4) + tcp4},                               // WCCP
		{raw, udp("\x12\xb5") + "\x08" + zeros(7) + frame},                             // VXLAN
		{raw, udp("\x12\xb6") + "\x0c\x00\x00\x02" + zeros(4) + tcp6},                  // VXLAN-GPE
		{raw, udp("\x17\xc1") + "\x02\x00\x08\x00" + zeros(12) + tcp4},                 // GENEVE
		{raw, udp("\x08\x68") + "\x34\xff" + zeros(9) + "\x85\x01\x00\x00\x00" + tcp4}, // GTP-U
		{raw, udp("\x19\xeb") + label + tcp4},                                          // MPLS
		{raw, udp("\x0d\xd8") + "\x00\x01\x00\x00" + zeros(9+8) + tcp6},                // Teredo
	}
	return common, rareCarriers(tcp4, tcp6, udp, ip4)
}

// prologues are what clients send before TLS.
func prologues() []string {
	return []string{
		"EHLO client.example\r\nSTARTTLS\r\n",
		"a1 CAPABILITY\r\na2 STARTTLS\r\n",
		"FEAT\nAUTH TLS\n",
		"CAPA\r\nSTLS\r\n",
		"<?xml version='1.0'?><stream:stream to='example.com'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		"<stream:stream><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>\n",
		"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00" + "\x30\x84\x00\x00\x00\x1d\x02\x01\x01\x77\x18\x80\x16" + "1.3.6.1.4.1.1466.20037", // LDAP
		"\x00\x00\x00\x08\x04\xd2\x16\x30" + "\x00\x00\x00\x08\x04\xd2\x16\x2f",                                                                        // PostgreSQL
		" \x00\x00\x01\x05\x0e\x3f\x20" + strings.Repeat("\x00", 28),                                                                                   // MySQL
		"\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00",                                                                                                 // RDP
		"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",                                                                                //
		"\x04\x01\x01\xbb\x00\x00\x00\x01user\x00example.com\x00",                                                                                      // SOCKS4A
		"\x05\x01\x00" + "\x05\x01\x00\x03\x0bexample.com\x01\xbb",                                                                                     // SOCKS5
		"\x05\x02\x00\x02" + "\x01\x01u\x01p" + "\x05\x01\x00\x01\xc6\x33\x64\x01\x01\xbb",                                                             // with a password
		"\x05\x01\x00" + "\x05\x01\x00\x04" + strings.Repeat("\x20", 16) + "\x01\xbb",                                                                  // IPv6
		"PROXY TCP4 192.0.2.1 198.51.100.1 40000 443\r\n",                                                                                              //
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x9c\x40\x01\xbb" + "STLS\n",                                            // PROXY v2
	}
}

// pcapFile writes packets into a capture.
func pcapFile(link layers.LinkType, packets ...[]byte) []byte {
	var b bytes.Buffer // which takes everything
	w := pcapgo.NewWriter(&b)
	w.WriteFileHeader(1<<18, link)
	for _, p := range packets {
		w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(p), Length: len(p)}, p)
	}
	return b.Bytes()
}

// simplePacket writes a packet into a pcapng file, in the shortest form that there is
// (draft-ietf-opsawg-pcapng, Section 4.4).
func simplePacket(packet []byte) []byte {
	block := func(kind uint32, body []byte) []byte {
		body = append(body, make([]byte, -len(body)&3)...)
		n := uint32(12 + len(body))
		b := binary.LittleEndian.AppendUint32(nil, kind)
		b = append(binary.LittleEndian.AppendUint32(b, n), body...)
		return binary.LittleEndian.AppendUint32(b, n)
	}
	length := binary.LittleEndian.AppendUint32(nil, uint32(len(packet)))
	return slices.Concat(
		block(0x0a0d0d0a, []byte("\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")), // section
		block(1, []byte("\x65\x00\x00\x00\x00\x00\x04\x00")),                                          // interface
		block(3, append(length, packet...)))
}

// smallHello is a ClientHello with a flag and other extensions, in a record.
func smallHello(flag extension.Flag, others ...extension.Extension) []byte {
	var set extension.FlagSet
	set.Add(flag) // in range
	data, _ := set.AppendTo(nil)
	h := clienthellotest.Hello{Version: 0x0303, Random: make([]byte, 32), CipherSuites: []uint16{0x1301}, CompressionMethods: []byte{0},
		HasExtensionBlock: true, Extensions: append(others, extension.Extension{Type: extension.TLSFlags, Data: data})}
	msg, _ := h.Append(nil, false) // short enough
	return assembletest.InRecords(msg, nil)
}

// segmentsOf returns a SYN, and a stream cut into segments of size bytes.
func segmentsOf(stream []byte, size int) [][]byte {
	const syn, ack = 0x02, 0x10
	packets := [][]byte{tcpPacket(0, syn, nil)}
	seq := uint32(1)
	for part := range slices.Chunk(stream, size) {
		packets = append(packets, tcpPacket(seq, ack, part))
		seq += uint32(len(part))
	}
	return packets
}

// dialogue returns a SYN, what a client sends before TLS in segments of size bytes, and a
// hello in a segment of its own.
func dialogue(before string, size int, hello []byte) [][]byte {
	const ack = 0x10
	return append(segmentsOf([]byte(before), size), tcpPacket(uint32(1+len(before)), ack, hello))
}

// connections are packets of raw IP that bring hellos, or what is taken for one at first,
// in the ways of TCP and IP.
func connections() [][][]byte {
	const fin, syn, rst, ack = 0x01, 0x02, 0x04, 0x10
	one, two := smallHello(80), smallHello(81)
	end := uint32(1 + len(one))
	fragment := func(from, to int) []byte {
		whole := tcpPacket(1, ack, one)
		ip, payload := whole[:20:20], whole[20:]
		p := append(ip, payload[from:min(to, len(payload))]...)
		p[2], p[3], p[7] = 0, 0, byte(from/8)
		if to < len(payload) {
			p[6] = 0x20 // more fragments
		}
		return p
	}
	fragment6 := func(from, to int) []byte {
		common, _ := carriers()
		ip := []byte(common[1].headers[14:])
		ip[6] = 44
		whole := tcpPacket(1, ack, one)[20:]
		header := []byte{6, 0, byte(from >> 8), byte(from), 0, 0, 0, 7}
		if to < len(whole) {
			header[3] |= 1 // more fragments
		}
		return slices.Concat(ip, header, whole[from:min(to, len(whole))])
	}
	early := smallHello(80, extension.Extension{Type: extension.EarlyData})
	long := smallHello(80, extension.Extension{Type: 0x1a1a, Data: make([]byte, 5000)})
	appData := []byte{23, 3, 3, 0, 2, 9, 9}
	empty := []byte{23, 3, 3, 0, 0}
	middle := bytes.Repeat([]byte("neither the beginning nor the end"), 300)
	sslv2 := append([]byte{0x80, 9 + 3 + 16, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f}, make([]byte, 16)...)
	all := [][][]byte{
		{tcpPacket(0, syn, nil), tcpPacket(40, ack, one[39:]), tcpPacket(1, ack, one[:20]), tcpPacket(21, ack, one[20:39])},
		{tcpPacket(40, ack, one[39:]), tcpPacket(1, ack, one[:39]), tcpPacket(end, fin|ack, []byte{23, 3, 3, 0, 1, 9})},
		{tcpPacket(40, ack, one[39:]), tcpPacket(0, syn, nil), tcpPacket(1, ack, one[:39])},
		{tcpPacket(0, syn, one[:20]), tcpPacket(21, ack, one[20:]), tcpPacket(end, ack, []byte{20, 3, 3, 0, 1, 1}), tcpPacket(end+6, ack, two)},
		{tcpPacket(0, syn, nil), tcpPacket(1, ack, one[:20]), tcpPacket(1<<20, syn, nil), tcpPacket(1<<20+1, ack, two)},
		{tcpPacket(1, ack, one), tcpPacket(end, rst, nil), tcpPacket(1<<20, ack, two)},
		{tcpPacket(0, syn, nil), tcpPacket(1, ack, sslv2)},
		{tcpPacket(0, syn, nil), tcpPacket(1, ack, []byte{22, 3, 1, 0x40, 1, 1})}, // ErrRecordOverflow
		{tcpPacket(1, ack, []byte{22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3, 3})}, // ErrMessageTooLarge
		{tcpPacket(1, ack, []byte{22, 3, 3, 0, 40, 1, 0xff, 0xff, 0xff, 7, 7})},   // encrypted
		{tcpPacket(0, syn, nil), tcpPacket(0, syn, nil), tcpPacket(1, ack, one)},
		{tcpPacket(1, ack, one[:5]), tcpPacket(6, ack, one[5:])},
		segmentsOf(slices.Concat(early, appData, appData, two), 100),
		segmentsOf(slices.Concat(early, appData, empty, two), 100),
		segmentsOf([]byte{22, 3, 1, 0, 3, 1, 0, 0, 22, 3, 1, 0, 1, 0}, 8), // an empty body
		segmentsOf(long, 125),
		segmentsOf(middle, 1000)[1:],
		{fragment(0, 24), fragment(24, 48), fragment(48, 999)},
		{fragment(48, 999), fragment(16, 48), fragment(0, 24)},
		{fragment6(32, 999), fragment6(0, 32)},
	}
	inUDP := func(port string) string {
		return "\x45\x00\x00\x00\x00\x00\x00\x00\x40\x11\x00\x00\xc0\x00\x02\x01\xc6\x33\x64\x01\xc3\x50" + port + "\x00\x00\x00\x00"
	}
	all = append(all, aggregates(inUDP, func(seq uint32, data []byte) []byte { return tcpPacket(seq, ack, data) }, one)...)
	for _, before := range prologues() {
		all = append(all, dialogue(before, 1+len(before)/2, one))
	}
	return all
}

// packetSeeds are small captures, each with one way of bringing a hello, or none.
func packetSeeds(yield func([]byte) bool) {
	segment := tcpPacket(1, 0x10, smallHello(80))[20:]
	common, rare := carriers()
	for _, c := range common {
		if !yield(pcapFile(c.link, append([]byte(c.headers), segment...))) {
			return
		}
	}
	for group := range slices.Chunk(rare, 8) {
		if !yield(pcapngFile(group, segment)) {
			return
		}
	}
	for _, packets := range connections() {
		if !yield(pcapFile(layers.LinkTypeRaw, packets...)) {
			return
		}
	}
	for _, c := range numberedCases() {
		if !yield(pcapFile(c.link, c.packets...)) {
			return
		}
	}
	if !carriedSeeds(yield) {
		return
	}
	yield(simplePacket(tcpPacket(1, 0x10, smallHello(80))))
}

// TestCarriersBringHellos checks that a hello is found in each seed: without one, a seed is
// of no use for what follows its headers.
func TestCarriersBringHellos(t *testing.T) {
	bring := func(file []byte) {
		if found, stats, err := readCapture(bytes.NewReader(file), Options{}); err != nil || len(found) != 1 || found[0].Code != "" {
			t.Errorf("%q: %v, %+v, %+v", file, err, found, stats)
		}
	}
	one := smallHello(80)
	common, rare := carriers()
	for _, c := range append(common, rare...) {
		bring(pcapFile(c.link, append([]byte(c.headers), tcpPacket(1, 0x10, one)[20:]...)))
	}
	for _, before := range prologues() {
		bring(pcapFile(layers.LinkTypeRaw, dialogue(before, 20, one)...))
	}
	bring(simplePacket(tcpPacket(1, 0x10, one)))
}
