package capture_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// tlv is a tag of an exported PDU.
func tlv(typ int, value []byte) []byte { return join(be16(typ), be16(len(value)), value) }

// pduOf is an exported PDU whose dissector has a name.
func pduOf(name string, tags, payload []byte) []byte {
	return join(tlv(12, []byte(name)), tags, tlv(0, nil), payload)
}

const pduSCTP, pduTCP, pduUDP = 1, 2, 3 // types of ports

// pduEnds are the tags of two ends, in the order in which Wireshark 4.0 writes them. The server
// has the higher address.
func pduEnds(ports int, src, dst netip.Addr) []byte {
	first, from, to := 20, clientPort, serverPort
	if src.Is6() {
		first = 22
	}
	if dst.Less(src) {
		from, to = to, from
	}
	return join(tlv(first, src.AsSlice()), tlv(first+1, dst.AsSlice()), tlv(24, be32(ports)), tlv(25, be32(from)), tlv(26, be32(to)), tlv(30, be32(7)))
}

// pduSegment is a segment as the tap "OSI layer 4" of Wireshark 4.0 writes it: the table of a
// dissector, ends, the port that chose the dissector, and what is known of TCP.
func pduSegment(src, dst netip.Addr, seq int, flags byte, payload []byte) []byte {
	info := join(be16(1), be32(seq), be32(seq+len(payload)), be32(1), []byte{0, 0, flags}, be16(0))
	return join(tlv(14, []byte("tcp.port")), pduEnds(pduTCP, src, dst), tlv(32, be32(serverPort)), tlv(34, info), tlv(0, nil), payload)
}

// scanPDUs says what is found in exported PDUs, and what is counted as broken or as another protocol.
func scanPDUs(packets ...[]byte) string {
	var s capture.Scanner
	var found []string
	keep := func(h *capture.Hello) bool {
		row := fmt.Sprint(h.Transport, " ", h.Index, " ", strings.Join(h.Path, " "))
		if h.Src.IsValid() {
			row += fmt.Sprint(" from ", h.Src)
		}
		if row += fmt.Sprint(" ", h.Frames); h.Ambiguous != 0 {
			row += fmt.Sprint(" ", h.Ambiguous)
		}
		found = append(found, row)
		return true
	}
	for _, p := range packets {
		s.Scan(capture.Packet{Data: p, Link: capture.LinkTypeExportedPDU, Time: time.Unix(1, 0)}, keep)
	}
	s.Flush(keep)
	stats := s.Stats()
	for name, n := range map[string]int{"broken": stats.Broken, "other": stats.Other} {
		if n > 0 {
			found = append(found, fmt.Sprint(n, " ", name))
		}
	}
	return strings.Join(found, "; ")
}

// TestExportedPDUs checks what is read of exported PDUs. Those of Wireshark 4.0 look like these.
func TestExportedPDUs(t *testing.T) {
	stream, dtls := hello(), dtlsFragment(100, 0, 100)
	up := func(from, to int) []byte { return pduSegment(client, server, 1+from, ack, stream[from:to]) }
	over := func(ports int, name string, payload []byte) []byte {
		return pduOf(name, pduEnds(ports, client, server), payload)
	}
	const tcp = "tcp 1 exported_pdu ipv4 tcp from 192.0.2.1:40000 "
	later := pduSegment(client, server, 1+len(stream), ack, []byte{20, 3, 3, 0, 1, 1})
	connect := []byte("CONNECT a:443 HTTP/1.0\r\n\r\n")
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"two segments":             {[][]byte{up(0, 40), up(40, len(stream))}, tcp + "[1 2]"},
		"segments out of order":    {[][]byte{up(40, len(stream)), up(0, 40)}, tcp + "[2 1]"},
		"a segment, and all of it": {[][]byte{up(0, 40), up(0, len(stream)), later}, tcp + "[1 2]"},
		"after a request": {[][]byte{pduSegment(client, server, 1, ack, connect), pduSegment(server, client, 1, ack, []byte("HTTP/1.0 200\r\n\r\n")),
			pduSegment(client, server, 1+len(connect), ack, stream)}, tcp + "[3]"},
		"in a SYN":              {[][]byte{pduSegment(client, server, 1, syn, stream), later}, tcp + "[1]"},
		"from the server":       {[][]byte{pduSegment(server, client, 1, ack, stream)}, "tcp 1 exported_pdu ipv4 tcp from 198.51.100.1:443 [1]"},
		"ports of UDP":          {[][]byte{over(pduUDP, "quic", dtls)}, "dtls 1 exported_pdu ipv4 udp from 192.0.2.1:40000 [1]"},
		"UDP":                   {[][]byte{over(pduUDP, "udp\x00", udp(clientPort, 5, dtls))}, "dtls 1 exported_pdu ipv4 udp from 192.0.2.1:40000 [1]"},
		"ports of SCTP":         {[][]byte{over(pduSCTP, "dtls", dtls)}, "dtls 1 exported_pdu ipv4 sctp from 192.0.2.1:40000 [1]"},
		"SCTP":                  {[][]byte{over(pduSCTP, "sctp", sctpWith(dtls))}, "dtls 1 exported_pdu ipv4 sctp from 192.0.2.1:7 [1]"},
		"SCTP, another message": {[][]byte{over(pduSCTP, "diameter", dtls)}, "1 other"},
		"no ends, TLS":          {[][]byte{pduOf("tls", nil, stream[:9]), pduOf("ssl\x00", nil, stream[9:])}, "tcp 1 exported_pdu tcp [1 2]"},
		"no ends, TLS twice": {[][]byte{pduOf("tls", nil, stream), pduOf("tls", nil, []byte{20, 3, 3, 0, 1, 1}), pduOf("tls", nil, stream)},
			"tcp 1 exported_pdu tcp [1]; tcp 2 exported_pdu tcp [3]"},
		"no ends, DTLS":             {[][]byte{pduOf("dtls", nil, dtls)}, "dtls 1 exported_pdu udp [1]"},
		"no ends, TCP":              {[][]byte{pduOf("tcp", nil, ip4()[20:])}, "tcp 1 exported_pdu tcp [1]"},
		"no ends, HTTP":             {[][]byte{pduOf("http", nil, stream)}, "1 other"},
		"ends, TLS":                 {[][]byte{over(pduTCP, "tls", stream[:9]), over(pduTCP, "tls", stream[9:])}, tcp + "[1 2]"},
		"ends, HTTP in TLS":         {[][]byte{over(pduTCP, "http", stream)}, "1 other"},
		"ports of another protocol": {[][]byte{over(9, "tls", stream)}, "1 other"},
		"TCP of another version":    {[][]byte{pduOf("", join(pduEnds(pduTCP, client, server), tlv(34, join(be16(2), zeros(17)))), stream)}, "1 other"},
		"TCP of another length":     {[][]byte{pduOf("", join(pduEnds(pduTCP, client, server), tlv(34, join(be16(1), zeros(16)))), stream)}, "1 other"},
		"an address too long":       {[][]byte{pduOf("tls", tlv(20, zeros(5)), stream)}, "tcp 1 exported_pdu tcp [1]"},
		"an address too short":      {[][]byte{pduOf("tls", tlv(22, zeros(15)), stream)}, "tcp 1 exported_pdu tcp [1]"},
		"a port too short":          {[][]byte{pduOf("tls", tlv(25, zeros(2)), stream)}, "tcp 1 exported_pdu tcp [1]"},
		"no payload":                {[][]byte{pduOf("ip", nil, nil)}, "1 broken"},
		"a length too long":         {[][]byte{join(be16(12), be16(999), stream)}, "1 broken"},
		"no end":                    {[][]byte{tlv(12, []byte("tls")), tlv(12, []byte("tls"))[:3], nil}, "3 broken"},
		"another packet before":     {[][]byte{pduSegment(client6, server6, 1, ack, stream[:9]), pduOf("tls", nil, stream)}, "tcp 1 exported_pdu tcp [2]"},
	} {
		if got := scanPDUs(row.packets...); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

// sctpWith is a packet of SCTP with a message.
func sctpWith(message []byte) []byte {
	return join(be16(7), be16(8), zeros(8), []byte{0, 3}, be16(16+len(message)), zeros(12), message)
}

// TestExportedPDUsNoAllocs checks that PDUs cost no allocation.
func TestExportedPDUsNoAllocs(t *testing.T) {
	long := strings.Repeat("a", 100)
	for name, packets := range map[string][][]byte{
		"hello":           {pduSegment(client, server, 1, ack, hello()[:40]), pduSegment(client, server, 1, ack, hello())},
		"another name":    {pduOf(long, pduEnds(pduTCP, client, server), hello())},
		"DTLS over SCTP":  {pduOf("dtls", pduEnds(pduSCTP, client, server), dtlsFragment(100, 0, 100))},
		"IPv6, no hello":  {pduSegment(client6, server6, 1, ack, slices.Repeat([]byte{7}, 1400))},
		"TLS, not begins": {pduOf("tls", nil, slices.Repeat([]byte{7}, 1400))},
	} {
		s := capture.NewScanner(capture.Options{MaxFlows: 1})
		run := func() {
			for _, p := range packets {
				s.Scan(capture.Packet{Data: p, Link: capture.LinkTypeExportedPDU, Time: time.Unix(1, 0)}, func(*capture.Hello) bool { return true })
			}
		}
		run()
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
