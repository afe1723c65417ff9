package capture

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// carriedCase is a capture of packets in carriers, and what is found in it: for each hello the
// transport, index and path, without the link and IP.
type carriedCase struct {
	name    string
	link    layers.LinkType
	packets [][]byte
	want    string
}

func overUDP(port int, payloads ...[]byte) (packets [][]byte) {
	for _, p := range payloads {
		packets = append(packets, udpPacket(port, p))
	}
	return packets
}

func overEAPOL(payloads ...[]byte) (packets [][]byte) {
	for _, p := range payloads {
		packets = append(packets, eapolFrame(p))
	}
	return packets
}

func overTCP(size int, frames ...[]byte) [][]byte {
	return segmentsOf(slices.Concat(frames...), size)
}

// prefixed puts the lengths of RFC 4571 before frames.
func prefixed(frames ...[]byte) (b []byte) {
	for _, f := range frames {
		b = slices.Concat(b, bytes16(len(f)), f)
	}
	return b
}

// inRADIUS are requests of a user.
func inRADIUS(user string, packets ...[]byte) (requests [][]byte) {
	for _, p := range packets {
		requests = append(requests, radiusRequest(user, p))
	}
	return requests
}

func reversed(packets [][]byte) [][]byte {
	packets = slices.Clone(packets)
	slices.Reverse(packets)
	return packets
}

// doubled has each packet twice.
func doubled(packets [][]byte) (all [][]byte) {
	for _, p := range packets {
		all = append(all, p, p)
	}
	return all
}

// carriedCases have messages in each carrier. What is found is for hellos.
func carriedCases(m messages) []carriedCase {
	const eth, raw = layers.LinkTypeEthernet, layers.LinkTypeRaw
	one, long, whole := m.small(), m.long(3000), m.dtls(0xfefd, 0, 1000)[0]
	return slices.Concat(dtlsCases(m, raw), eapCases(m, eth, raw), []carriedCase{
		{"OpenVPN", raw, overUDP(1194, resetOfOpenVPN(0), openVPNPacket(1, 0, 1, 1, one)), "raw 1 udp openvpn"},
		{"OpenVPN, another port", raw, overUDP(443, openVPNPacket(1, 0, 0, 1, one)), "raw 1 udp openvpn"},
		{"OpenVPN, MD5", raw, overUDP(1194, openVPNPacket(1, 24, 2, 1, one)), "raw 1 udp openvpn"},
		{"OpenVPN, SHA-1", raw, overUDP(1194, inOpenVPN(28, long, 1000)...), "raw 1 udp openvpn"},
		{"OpenVPN, SHA-256", raw, overUDP(1194, inOpenVPN(40, long, 1000)...), "raw 1 udp openvpn"},
		{"OpenVPN, SHA-512", raw, overUDP(1194, inOpenVPN(72, long, 1000)...), "raw 1 udp openvpn"},
		{"OpenVPN, out of order", raw, overUDP(1194, reversed(inOpenVPN(28, long, 1000))...), "raw 1 udp openvpn"},
		{"OpenVPN, retransmitted", raw, overUDP(1194, doubled(inOpenVPN(28, long, 1000))...), "raw 1 udp openvpn"},
		{"OpenVPN, another session", raw, overUDP(1194, openVPNPacket(1, 0, 1, 1, one), openVPNPacket(2, 0, 1, 1, one)), "raw 1 udp openvpn; raw 1 udp openvpn"},
		{"OpenVPN, second hello", raw, overUDP(1194, openVPNPacket(1, 0, 1, 1, one), openVPNPacket(1, 0, 1, 2, long[:600]), openVPNPacket(1, 0, 1, 3, long[600:])), "raw 1 udp openvpn; raw 2 udp openvpn"},
		{"OpenVPN, the server's", raw, [][]byte{udpPacket(1194, openVPNPacket(1, 0, 1, 1, one)), fromServerUDP(1194, openVPNPacket(2, 0, 1, 1, messages{22, 2}.small()))}, "raw 1 udp openvpn"},
		{"OpenVPN over TCP", raw, overTCP(1400, prefixed(resetOfOpenVPN(28)), prefixed(inOpenVPN(28, long, 100)...)), "raw 1 tcp openvpn"},
		{"OpenVPN over TCP, in segments of 7 bytes", raw, overTCP(7, prefixed(resetOfOpenVPN(0)), prefixed(inOpenVPN(0, one, 50)...)), "raw 1 tcp openvpn"},
		{"OpenVPN over TCP without a SYN", raw, overTCP(1400, prefixed(openVPNPacket(1, 0, 0, 1, one)))[1:], "raw 1 tcp openvpn"},
		{"OpenVPN after CONNECT", raw, overTCP(1400, []byte("CONNECT a:1194 HTTP/1.0\r\n\r\n"), prefixed(resetOfOpenVPN(0)), prefixed(inOpenVPN(0, one, 50)...)), "raw 1 tcp openvpn"},
		{"TDS", raw, overTCP(1400, preLogin(), tdsPacket(one)), "tcp 1 tcp tds"},
		{"TDS, several packets", raw, overTCP(100, preLogin(), tdsPacket(long[:1000]), tdsPacket(long[1000:2000]), tdsPacket(long[2000:])), "tcp 1 tcp tds"},
		{"TDS, a byte at a time", raw, overTCP(1, preLogin(), tdsPacket(one)), "tcp 1 tcp tds"},
		{"TDS without a SYN", raw, overTCP(1400, tdsPacket(one))[1:], "tcp 1 tcp tds"},
		{"RDP over UDP", raw, overUDP(3389, rdpUDPPacket(9, one)), "raw 1 udp rdpudp"},
		{"RDP over UDP, several datagrams", raw, overUDP(3389, rdpUDPPacket(9, long[:1200]), rdpUDPPacket(11, long[2400:]), rdpUDPPacket(10, long[1200:2400])), "raw 1 udp rdpudp"},
		{"RDP over UDP with DTLS", raw, overUDP(3389, rdpUDPPacket(9, whole)), "dtls 1 udp rdpudp"},
		{"RDP-UDP2 with ACK", raw, overUDP(3389, rdpUDP2Packet(0x005, []byte{1, 0, 1, 2, 3, 0, 0x02, 8, 9}, 1, one)), "raw 1 udp rdpudp"},
		{"RDP-UDP2 with ACKVEC", raw, overUDP(3389, rdpUDP2Packet(0x00c, []byte{1, 0, 0x82, 1, 2, 3, 4, 8, 9}, 1, one)), "raw 1 udp rdpudp"},
		{"RDP-UDP2 with data alone", raw, overUDP(3389, rdpUDP2Packet(0x004, nil, 0xffff, long[:1200]), rdpUDP2Packet(0x004, nil, 1, long[2400:]), rdpUDP2Packet(0x154, make([]byte, 6), 0, long[1200:2400])), "raw 1 udp rdpudp"},
	})
}

func dtlsCases(m messages, raw layers.LinkType) []carriedCase {
	whole, fragments := m.dtls(0xfefd, 0, 1000)[0], m.dtls(0xfefd, 0, 20)
	v6peer := func() []byte { // XOR-PEER-ADDRESS
		return slices.Concat([]byte{0, 2}, make([]byte, 18))
	}
	peer := func(n byte) []byte { return []byte{0, 1, 0, 0, n, n, n, n} }
	send := func(n byte, data []byte) []byte { return stun(0x16, 0x12, peer(n), 0x13, data) }
	binding := stun(1, 0x8022, []byte("software"))
	rtp := append([]byte{0x80, 0x60}, make([]byte, 100)...)
	ciphertext := append([]byte{0x2e}, make([]byte, 40)...) // RFC 9147, Section 4
	cid := dtlsRecord(25, 0xfefd, 1, make([]byte, 40))      // RFC 9146, Section 3
	finished := slices.Concat(dtlsRecord(20, 0xfefd, 0, []byte{1}), dtlsRecord(22, 0xfefd, 1, make([]byte, 40)))
	var cases []carriedCase
	add := func(name, want string, packets ...[]byte) {
		cases = append(cases, carriedCase{name, raw, packets, want})
	}
	udp := func(name, want string, payloads ...[]byte) { add(name, want, overUDP(5000, payloads...)...) }
	udp("DTLS, version 0x0100", "dtls 1 udp", m.dtls(0x0100, 0, 1000)[0])
	udp("DTLS, version 0x0100, fragments", "dtls 1 udp", m.dtls(0x0100, 0, 20)...)
	udp("DTLS, version 0xfeff", "dtls 1 udp", m.dtls(0xfeff, 0, 1000)[0])
	udp("DTLS, second hello with a cookie", "dtls 1 udp; dtls 2 udp", whole, m.dtls(0xfefd, 1, 1000)[0])
	udp("DTLS, retransmitted second hello", "dtls 1 udp; dtls 2 udp", whole, whole, m.dtls(0xfefd, 1, 1000)[0], m.dtls(0xfefd, 1, 1000)[0])
	udp("DTLS, hello with a cookie first", "dtls 1 udp", m.dtls(0xfefd, 1, 1000)[0])
	udp("DTLS between STUN and RTP", "dtls 1 udp", binding, rtp, fragments[0], rtp, binding, fragments[1], fragments[2])
	udp("DTLS after the end of another handshake", "dtls 1 udp", finished, dtlsRecord(23, 0xfefd, 1, make([]byte, 40)), whole)
	udp("DTLS after ciphertext of 1.3", "dtls 1 udp", ciphertext, ciphertext, whole)
	udp("DTLS after records with a connection ID", "dtls 1 udp", cid, cid, whole)
	udp("DTLS after an encrypted record in its datagram", "dtls 1 udp", slices.Concat(dtlsRecord(23, 0xfefd, 1, make([]byte, 9)), whole))
	first, second := udpPacket(5000, whole), udpPacket(5000, whole)
	first, second = slices.Clone(first[:20+48]), append(slices.Clone(second[:20]), second[20+48:]...)
	first[6], second[7] = 0x20, 48/8
	copy(first[2:], bytes16(len(first)))
	copy(second[2:], bytes16(len(second)))
	add("IP fragments with DTLS", "dtls 1 udp", second, first)
	udp("CAPWAP", "dtls 1 udp capwap", append([]byte{1, 0, 0, 0}, whole...))
	udp("CAPWAP with reserved bits, and fragments", "dtls 1 udp capwap", append([]byte{1, 2, 3, 4}, fragments[1]...), append([]byte{1, 0, 0, 0}, slices.Concat(fragments[0], fragments[2])...))
	lite := udpPacket(5246, append([]byte{1, 0, 0, 0}, whole...))
	lite[9], lite[24], lite[25] = 136, 0, 8
	add("CAPWAP over UDP-Lite", "dtls 1 udp capwap", lite)
	udp("ChannelData", "dtls 1 udp turn", channelData(0x4000, whole))
	udp("ChannelData with padding, two channels", "dtls 1 udp turn; dtls 1 udp turn", append(channelData(0x4000, fragments[0]), 0, 0),
		channelData(0x4fff, fragments[0]), channelData(0x4fff, slices.Concat(fragments[1:]...)), channelData(0x4000, slices.Concat(fragments[1:]...)))
	udp("Send indication", "dtls 1 udp turn", send(1, whole))
	udp("Send indications to two peers", "dtls 1 udp turn; dtls 1 udp turn", send(1, fragments[0]), send(2, fragments[0]), send(2, slices.Concat(fragments[1:]...)), send(1, slices.Concat(fragments[1:]...)))
	udp("Data indication of IPv6", "dtls 1 udp turn", stun(0x17, 0x13, whole, 0x12, v6peer()))
	add("TURN over TCP", "dtls 1 tcp turn", overTCP(11, stun(3, 0x19, []byte{17, 0, 0, 0}), append(channelData(0x4000, []byte("x")), 0, 0, 0), channelData(0x4001, whole))...)
	add("TURN over TCP, Send indication", "dtls 1 tcp turn", overTCP(1400, stun(3, 0x19, []byte{17, 0, 0, 0}), send(1, whole))...)
	add("ICE over TCP", "dtls 1 tcp ice-tcp", overTCP(9, prefixed(binding, []byte("x"), nil, rtp, whole))...)
	add("ICE over TCP, DTLS first", "dtls 1 tcp ice-tcp", overTCP(1400, prefixed(whole))...)
	add("ICE over TCP, two hellos", "dtls 1 tcp ice-tcp; dtls 2 tcp ice-tcp", overTCP(1400, prefixed(whole, m.dtls(0xfefd, 1, 1000)[0]))...)
	for i, path := range []string{"sctp", "udp sctp"} {
		sctp := func(name, want string, packets ...[]byte) {
			for j, p := range packets {
				if packets[j] = ipOf(132, p); i == 1 {
					packets[j] = udpPacket(9899, p)
				}
			}
			add(path+", "+name, strings.ReplaceAll(want, "sctp", path), packets...)
		}
		sack := []byte{3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
		sctp("whole", "dtls 1 sctp", sctpPacket(1, sack, sctpChunk(3, 5, whole)))
		sctp("fragments", "dtls 1 sctp", sctpPacket(1, sctpChunk(2, 5, whole[:30])), sctpPacket(1, sctpChunk(0, 6, whole[30:60])), sctpPacket(1, sctpChunk(1, 7, whole[60:])))
		sctp("fragments out of order", "dtls 1 sctp", sctpPacket(1, sctpChunk(1, 7, whole[60:])), sctpPacket(1, sctpChunk(2, 5, whole[:30])), sctpPacket(1, sctpChunk(0, 6, whole[30:60])))
		sctp("two hellos", "dtls 1 sctp; dtls 2 sctp", sctpPacket(1, sctpChunk(3, 5, whole)), sctpPacket(1, sctpChunk(3, 5, whole)), sctpPacket(1, sctpChunk(3, 6, m.dtls(0xfefd, 1, 1000)[0])))
		iData := slices.Concat([]byte{64, 3}, bytes16(20+len(whole)), make([]byte, 16), whole)
		sctp("I-DATA", "dtls 1 sctp", sctpPacket(1, iData))
	}
	const linkSCTP, linkPDU = layers.LinkType(LinkTypeSCTP), layers.LinkType(LinkTypeExportedPDU)
	segment := func(seq int, b []byte) []byte {
		return slices.Concat([]byte("\x00\x14\x00\x04\x0a\x00\x00\x01\x00\x15\x00\x04\x0a\x00\x00\x02\x00\x22\x00\x13\x00\x01"),
			bytes32(seq), bytes32(seq+len(b)), []byte("\x00\x00\x00\x01\x00\x00\x10\x00\x00\x00\x00\x00\x00"), b)
	}
	exported := slices.Concat([]byte("\x00\x0c\x00\x04dtls\x00\x18\x00\x04\x00\x00\x00\x03\x00\x00\x00\x00"), whole)
	return append(cases,
		carriedCase{"SCTP without IP", linkSCTP, [][]byte{sctpPacket(1, sctpChunk(3, 5, whole))}, "dtls 1 sctp"},
		carriedCase{"PDU with DTLS", linkPDU, [][]byte{exported}, "dtls 1 exported_pdu udp"},
		carriedCase{"PDUs with TLS", linkPDU, [][]byte{segment(1, m.small()[:30]), segment(1, m.small())}, "tcp 1 exported_pdu ipv4 tcp"})
}

func eapCases(m messages, eth, raw layers.LinkType) []carriedCase {
	one, long := m.small(), m.long(3000)
	whole := eapPacket(7, 13, []byte{0}, one)
	identity := []byte{2, 6, 0, 9, 1, 'u', 's', 'e', 'r'}
	outer := slices.Concat(bytes32(3), one, []byte("tlv"))
	var cases []carriedCase
	add := func(name, want string, packets ...[]byte) {
		cases = append(cases, carriedCase{name, eth, packets, want})
	}
	add("EAP-TLS", "raw 1 eapol eap-tls", overEAPOL(identity, whole)...)
	add("EAP-TLS with a length", "raw 1 eapol eap-tls", overEAPOL(eapPacket(7, 13, []byte{0x80}, bytes32(len(one)), one))...)
	add("EAP-TTLS in fragments", "raw 1 eapol eap-ttls", overEAPOL(inEAP(21, long, 1000)...)...)
	add("PEAP version 1 in fragments, retransmitted", "raw 1 eapol eap-peap", overEAPOL(doubled(inEAP(25, long, 1000))...)...)
	add("EAP-FAST", "raw 1 eapol eap-fast", overEAPOL(eapPacket(7, 43, []byte{1}, one))...)
	add("TEAP with outer TLVs", "raw 1 eapol eap-teap", overEAPOL(eapPacket(7, 55, []byte{0x11}, outer))...)
	add("an expanded type", "raw 1 eapol eap-tls", overEAPOL(eapPacket(7, 254, []byte{0, 0, 0, 0, 0, 0, 13, 0}, one))...)
	add("WFA-UNAUTH-TLS", "raw 1 eapol eap-unauth-tls", overEAPOL(eapPacket(7, 254, []byte{0, 0x9f, 0x68, 0, 0, 0, 13, 0}, one))...)
	add("a fragment that never ended", "raw 1 eapol eap-tls", overEAPOL(append(inEAP(13, long, 1000)[:2], eapPacket(40, 13, []byte{0}, one))...)...)
	add("second hello", "raw 1 eapol eap-tls; raw 2 eapol eap-tls", overEAPOL(whole, eapPacket(8, 13, []byte{0}, m.long(9)))...)
	again := eapPacket(20, 13, []byte{0}, m.long(9))
	add("another conversation", "raw 1 eapol eap-tls; raw 1 eapol eap-tls", overEAPOL(append(identity, 0, 0, 0, 0), whole, append(identity, 0, 0, 0, 0), again)...)
	add("a conversation that was given up", "raw 1 eapol eap-tls", overEAPOL(inEAP(25, long, 1000)[0], append(identity, 0, 0, 0, 0), whole)...)
	cases = append(cases, carriedCase{"another conversation over RADIUS", raw, overUDP(1812, inRADIUS("a", whole, append(identity, 0, 0, 0, 0), again)...), "raw 1 udp radius eap-tls; raw 1 udp radius eap-tls"})
	tagged := slices.Insert(eapolFrame(whole), 12, 0x81, 0, 0, 5)
	add("EAPOL in a VLAN", "raw 1 vlan:5 eapol eap-tls", tagged)
	cases = append(cases,
		carriedCase{"EAP over PPP", layers.LinkTypePPP, [][]byte{append([]byte{0xc2, 0x27}, whole...)}, "raw 1 eap eap-tls"},
		carriedCase{"RADIUS", raw, overUDP(1812, radiusRequest("user", whole)), "raw 1 udp radius eap-tls"},
		carriedCase{"RADIUS, another port, padded", raw, overUDP(41645, append(radiusRequest("user", whole), 0, 0)), "raw 1 udp radius eap-tls"},
		carriedCase{"RADIUS, fragments of two peers", raw, overUDP(1812, slices.Concat(
			inRADIUS("a", inEAP(25, long, 1000)[0]), inRADIUS("b", inEAP(21, long, 1200)[:2]...), inRADIUS("a", inEAP(25, long, 1000)[1:]...), inRADIUS("b", inEAP(21, long, 1200)[2:]...))...),
			"raw 1 udp radius eap-peap; raw 1 udp radius eap-ttls"},
	)
	return append(cases, diameterCases(raw, whole, one, long)...)
}

// diameterCases have a hello that is small, as an EAP packet and as records, and a long one.
func diameterCases(raw layers.LinkType, whole, one, long []byte) (cases []carriedCase) {
	add := func(name, want string, packets ...[]byte) {
		cases = append(cases, carriedCase{"Diameter" + name, raw, packets, want})
	}
	capabilities := diameterMessage(257, avp(264, []byte("nas.example")), avp(269, []byte("name")))
	record := slices.Concat(inDiameter("a", eapPacket(7, 26, make([]byte, 3000)))...) // of accounting, say
	a, b := inDiameter("a", inEAP(25, long, 1000)...), inDiameter("bcd", inEAP(21, long, 1200)...)
	const found = "raw 1 tcp diameter eap-tls"
	add("", found, overTCP(1400, capabilities, slices.Concat(inDiameter("a", whole)...))...)
	add(", a byte at a time", found, overTCP(1, capabilities, slices.Concat(inDiameter("a", whole)...))...)
	add(" without a SYN", found, overTCP(1400, inDiameter("a", whole)...)[1:]...)
	add(" from the middle of a message on", found, append(overTCP(20, capabilities)[2:], tcpPacket(uint32(1+len(capabilities)), 0x10, inDiameter("a", whole)[0]))...)
	add(" after a CONNECT", found, overTCP(1400, []byte("CONNECT a:3868 HTTP/1.0\r\n\r\n"), capabilities, inDiameter("a", whole)[0])...)
	add(", fragments of two sessions", "raw 1 tcp diameter eap-peap; raw 1 tcp diameter eap-ttls", overTCP(1400, slices.Concat([][]byte{capabilities}, a[:1], b[:2], a[1:], b[2:])...)...)
	add(" after 90 kB", found, overTCP(1400, append(slices.Repeat([][]byte{record}, 30), inDiameter("a", whole)...)...)...)
	add(" after a long message", found, overTCP(1400, diameterMessage(271, avp(1, make([]byte, 40000))), inDiameter("a", whole)[0])...)
	add(" and TLS after it", "tcp 1 tcp", append(overTCP(1400, capabilities), tcpPacket(uint32(1+len(capabilities)), 0x10, one))...)
	sctp := func(b []byte) []byte {
		return ipOf(132, sctpPacket(1, sctpChunk(3, 5, capabilities), sctpChunk(3, 6, b)))
	}
	add(" over SCTP", "raw 1 sctp diameter eap-tls", sctp(inDiameter("a", whole)[0]))
	return cases
}

// TestNoDiameter checks that messages of which it is not sure what a server reads, or whose session is
// not known, have no hello.
func TestNoDiameter(t *testing.T) {
	whole := eapPacket(7, 13, []byte{0}, messages{22, 1}.small())
	session, payload := avp(263, []byte("a")), avp(462, whole)
	vendor, request, long := slices.Clone(payload), avp(462, append([]byte{1}, whole[1:]...)), slices.Clone(payload)
	vendor[4], long[6] = 0x80, 0xff
	for name, avps := range map[string][][]byte{
		"two payloads": {session, payload, payload}, "no session": {payload}, "an AVP of a vendor": {session, vendor},
		"a packet of the server": {session, request}, "an AVP that is too long": {session, long}, "half an AVP": {session, payload, {0, 0, 0, 0}},
		"an AVP that is too short": {session, payload, make([]byte, 8)},
	} {
		if got := scanCarried(layers.LinkTypeRaw, overTCP(1400, diameterMessage(268, avps...))); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestDiameterMemory checks that a stream that is read to its end does not come to hold more.
func TestDiameterMemory(t *testing.T) {
	message := slices.Concat(inDiameter("a", eapPacket(7, 26, make([]byte, 3000)))...)
	packets := overTCP(len(message)/3+1, slices.Repeat([][]byte{message}, 4000)...)
	s := NewScanner(Options{})
	for i, p := range packets {
		s.Scan(Packet{Data: p, Link: LinkTypeRaw, Time: time.Unix(1, 0)}, func(*Hello) bool { return true })
		if most := 2 * maxRaw; s.flows.memory > most {
			t.Fatalf("after %d packets %d bytes are held", i, s.flows.memory)
		}
	}
}

// TestCarriers checks that a hello is found in each carrier.
func TestCarriers(t *testing.T) {
	for _, c := range carriedCases(messages{22, 1}) {
		if got := scanCarried(c.link, c.packets); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// scanCarried says what is found, as in carriedCase.
func scanCarried(link layers.LinkType, packets [][]byte) string {
	var found []string
	keep := func(h *Hello) bool {
		path := h.Path
		for len(path) > 0 && (strings.HasPrefix(path[0], "ip") || path[0] == "eth" || path[0] == "ppp") {
			path = path[1:]
		}
		row := fmt.Sprint(h.Transport, " ", h.Index, " ", strings.Join(path, " "))
		if _, _, err := h.Parse(); err != nil {
			row += " " + err.Error()
		}
		if h.Src.IsValid() != strings.Contains(strings.Join(h.Path, " "), "ipv") || len(h.Frames) == 0 {
			row += fmt.Sprint(" ", h.Src, h.Frames)
		}
		found = append(found, row)
		return true
	}
	s := NewScanner(Options{})
	for _, p := range packets {
		s.Scan(Packet{Data: p, Link: LinkType(link), Time: time.Unix(1, 0)}, keep)
	}
	s.Flush(keep)
	if n := s.Stats().Incomplete; n > 0 {
		found = append(found, fmt.Sprint(n, " incomplete"))
	}
	return strings.Join(found, "; ")
}

// TestRDPUDPWithBoth checks that a client that begins TLS in RDP over UDP, and then sends DTLS, is
// read. No client does both.
func TestRDPUDPWithBoth(t *testing.T) {
	m := messages{22, 1}
	packets := overUDP(3389, rdpUDPPacket(9, m.long(3000)[:1200]), rdpUDPPacket(10, m.dtls(0xfefd, 0, 1000)[0]))
	if got, want := scanCarried(layers.LinkTypeRaw, packets), "dtls 1 udp rdpudp; 1 incomplete"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNoCarriers checks that other messages in the same carriers are no hellos, and nothing that
// is refused.
func TestNoCarriers(t *testing.T) {
	for name, m := range map[string]messages{"ServerHello": {22, 2}, "Certificate": {22, 11}, "heartbeat": {24, 1}, "alert": {21, 1}} {
		for _, c := range carriedCases(m) {
			if got := scanCarried(c.link, c.packets); got != "" {
				t.Errorf("%s, %s: got %q", c.name, name, got)
			}
		}
	}
}

// TestCarriersNoAllocs checks that packets in which no hello begins cost no allocation.
func TestCarriersNoAllocs(t *testing.T) {
	for _, c := range carriedCases(messages{22, 2}) {
		pieces := slices.ContainsFunc([]string{"fragments", "SHA", "order", "retransmitted", "second", "alone"}, func(s string) bool { return strings.Contains(c.name, s) })
		if pieces || strings.Contains(c.want, "tcp") {
			continue // something is kept
		}
		s := NewScanner(Options{MaxFlows: 1})
		run := func() {
			for _, p := range c.packets {
				s.Scan(Packet{Data: p, Link: LinkType(c.link)}, func(*Hello) bool { return true })
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

// TestCarriersGiveMemoryBack checks that what carriers hold is charged, and given back.
func TestCarriersGiveMemoryBack(t *testing.T) {
	for _, c := range carriedCases(messages{22, 1}) {
		s := NewScanner(Options{})
		most := 0
		for _, p := range c.packets {
			s.Scan(Packet{Data: p, Link: LinkType(c.link)}, func(*Hello) bool { return true })
			most = max(most, s.flows.memory)
		}
		for _, f := range slices.Collect(s.flows.flows.all()) {
			s.flows.remove(f)
		}
		if most == 0 || s.flows.memory != 0 || s.flows.placeMemory != 0 {
			t.Errorf("%s: %d bytes are held, and %d after all flows are removed", c.name, most, s.flows.memory)
		}
	}
}

// TestFramesAtTheLimit checks that the flow of a hello in frames does not evict the one that
// brings it.
func TestFramesAtTheLimit(t *testing.T) {
	for _, c := range carriedCases(messages{22, 1}) {
		if !strings.Contains(c.want, "tcp") || strings.Contains(c.name, "sessions") || strings.Contains(c.name, "TLS after") {
			continue // two flows are needed, or an answer
		}
		s := NewScanner(Options{MaxFlows: 1})
		found := 0
		for _, p := range c.packets {
			s.Scan(Packet{Data: p, Link: LinkType(c.link), Time: time.Unix(1, 0)}, func(*Hello) bool { found++; return true })
		}
		if want := 1 + strings.Count(c.want, ";"); found != want {
			t.Errorf("%s: found %d hellos, want %d", c.name, found, want)
		}
	}
}

// TestCarriersDocument compares the table of docs/capture.md with the code's.
func TestCarriersDocument(t *testing.T) {
	document, err := os.ReadFile("../docs/capture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(document), "\n## Carriers\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var documented, want []string
	for line := range strings.Lines(text) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 4 && strings.HasPrefix(line, "| `") && cells[0] != "| `path`" {
			documented = append(documented, fmt.Sprintf("%s %s %s", cells[0][2:], cells[1], strings.TrimSuffix(cells[3], " |")))
		}
	}
	for _, c := range carrierTable[noCarrier+1:] {
		want = append(want, fmt.Sprintf("`%s` `%s` %s", carrierNames[c.kind-firstCarrierLayer], c.transport, c.source))
	}
	if !slices.Equal(documented, want) {
		t.Errorf("docs/capture.md has %q, want %q", documented, want)
	}
	for _, kind := range eapLayers {
		if name := carrierNames[kind-firstCarrierLayer]; !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/capture.md lacks %s", name)
		}
	}
}
