package capture_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// passed is a frame that leads to no hello.
type passed struct {
	packet capture.Packet
	want   capture.Stats
}

func passedOver() map[string]passed {
	on := func(l capture.LinkType, parts ...[]byte) capture.Packet {
		return capture.Packet{Link: l, Data: join(parts...)}
	}
	eth := func(etherType int, parts ...[]byte) capture.Packet {
		return on(capture.LinkTypeEthernet, ethernet(etherType, join(parts...)))
	}
	unknown := func(n uint16) capture.Stats {
		return capture.Stats{Other: 1, UnknownEtherTypes: capture.Counts{{Number: n, Packets: 1}}}
	}
	other, broken, encrypted, datagram := capture.Stats{Other: 1}, capture.Stats{Broken: 1}, capture.Stats{Encrypted: 1}, capture.Stats{}
	frame := ethernet(0x0800, ip4())
	mgc := []byte{'M', 'G', 'C', 1}
	fc := func(typ, sequence, control byte) []byte {
		return join([]byte{4}, zeros(7), []byte{typ}, zeros(4), []byte{control}, zeros(1), []byte{sequence}, zeros(8+16), snap(ip4()))
	}
	return map[string]passed{
		"802.11, protected":        {on(105, wifi(0x08, 0x41, zeros(8), snap(ip4()))), encrypted},
		"802.11, management":       {on(105, wifi(0x80, 0, nil, snap(ip4()))), other},
		"802.11, no data":          {on(105, wifi(0x48, 1, nil, snap(ip4()))), other},
		"802.11, first fragment":   {on(105, wifi(0x08, 5, nil, snap(ip4()))), capture.Stats{Fragments: 1}},
		"802.11, second fragment":  {on(105, []byte{0x08, 1}, zeros(20), []byte{1, 0}, snap(ip4())), capture.Stats{Fragments: 1}},
		"802.11, version":          {on(105, wifi(0x09, 1, nil, snap(ip4()))), other},
		"radiotap, version":        {on(127, []byte{1, 0, 8, 0}, zeros(4), wifi(0x08, 1, nil, snap(ip4()))), broken},
		"radiotap, short length":   {on(127, []byte{0, 0, 7, 0}, zeros(40)), broken},
		"radiotap, more presence":  {on(127, []byte{0, 0, 8, 0, 0, 0, 0, 0x80}, zeros(40)), broken},
		"PPI, version":             {on(192, []byte{1, 0, 8, 0, 1, 0, 0, 0}, frame), broken},
		"PPI, short length":        {on(192, []byte{0, 0, 7, 0, 1, 0, 0, 0}, frame), broken},
		"PPI, unknown link":        {on(192, []byte{0, 0, 8, 0, 189, 0, 0, 0}, frame), capture.Stats{UnknownLink: 1, UnknownLinks: capture.Counts{{Number: 189, Packets: 1}}}},
		"PPI, no link":             {on(192, []byte{0, 0, 8, 0, 1, 0, 1, 0}, frame), broken},
		"AVS, short length":        {on(163, []byte{0x80, 0x21, 0x10, 0x01}, be32(7), zeros(100)), broken},
		"AVS, magic":               {on(163, []byte{0x80, 0x21, 0x11, 0}, be32(64), zeros(100)), broken},
		"NFLOG, version":           {on(239, []byte{2, 1, 0, 0}, attribute(9, ip4())), broken},
		"NFLOG, length":            {on(239, []byte{2, 0, 0, 0}, le16(3), le16(9), zeros(40)), broken},
		"NFLOG, no packet":         {on(239, []byte{2, 0, 0, 0}, attribute(1, zeros(4))), other},
		"NFLOG, bridge, no type":   {on(239, []byte{7, 0, 0, 0}, attribute(9, ip4())), other},
		"SCTP, short":              {on(248, zeros(11)), broken},
		"exported PDU, short":      {on(252, be16(12), be16(9), []byte("tls")), broken},
		"exported PDU, HTTP":       {on(252, pduOf("http", nil, hello())), other},
		"PKTAP, no packet":         {on(258, le32(12), le32(2), le32(1), frame), other},
		"PKTAP, length":            {on(258, le32(11), le32(1), le32(1), frame), broken},
		"InfiniBand, RDMA":         {on(247, []byte{0, 2}, zeros(6), []byte{0x06}, zeros(11), be16(0x0800), zeros(2), ip4()), other},
		"InfiniBand, management":   {on(247, []byte{0, 2}, zeros(6), []byte{0x64}, zeros(19), []byte{1, 3, 1, 1}, zeros(200)), other},
		"ERF, meta":                {on(197, zeros(8), []byte{27}, zeros(7), frame), other},
		"Frame Relay, 1 byte":      {on(107, []byte{0x19, 3, 0xcc}, ip4()), other},
		"Frame Relay, 5 bytes":     {on(107, []byte{0x18, 0x40, 0, 0, 1, 3, 0xcc}, ip4()), other},
		"Frame Relay, NLPID":       {on(107, []byte{0x18, 0x41, 3, 0xb1}, ip4()), other},
		"SunATM, ILMI":             {on(123, []byte{5, 0, 0, 16}, zeros(40)), other},
		"SunATM, LANE control":     {on(123, []byte{1, 0, 0, 16, 0xff, 0}, frame), other},
		"FDDI, token":              {on(10, []byte{0x80}, zeros(12), snap(ip4())), other},
		"Token Ring, MAC":          {on(6, []byte{0x10, 0}, zeros(12), snap(ip4())), other},
		"Token Ring, route cut":    {on(6, []byte{0x10, 0x40}, zeros(6), []byte{0x80}, zeros(5)), broken},
		"Fibre Channel, SCSI":      {on(224, fc(8, 0, 0x20)), other},
		"Fibre Channel, later":     {on(224, fc(5, 1, 0x20)), other},
		"Fibre Channel, no header": {on(224, fc(5, 0, 0)), other},
		"Juniper, magic":           {on(178, []byte{'M', 'G', 'D', 1}, frame), broken},
		"Juniper ATM1, OAM":        {on(137, mgc, []byte{0x80, 0, 0, 0}, snap(ip4())), other},
		"Juniper ATM2, OAM":        {on(135, mgc, []byte{0, 0, 0, 0, 0, 0, 0, 0x10}, snap(ip4())), other},
		"Juniper GGSN, no IP":      {on(133, mgc, zeros(80)), other},
		"Juniper MLPPP, LCP":       {on(130, mgc, []byte{0, 9, 0xc0, 0x21}, zeros(20)), other},
		"PPP, multilink":           {on(9, []byte{0xff, 3, 0, 0x3d, 0, 0, 0, 1}, zeros(8)), capture.Stats{Fragments: 1}},
		"PPP, multilink, no bits":  {on(9, []byte{0xff, 3, 0, 0x3d, 0x38, 0, 0, 1}, zeros(8)), other},
		"L2TPv3, PPP":              {raw(ipv4(client, server, 115, join(be32(7), []byte{0xff, 3, 0, 0x21}))), broken},
		"TZSP, keepalive":          {on(128, []byte{1, 4, 0, 0}), other},
		"TZSP, unknown":            {raw(inUDP(37008, join([]byte{1, 0, 0, 9, 1}, frame))), other},
		"TZSP, no end":             {raw(inUDP(37008, []byte{1, 0, 0, 1, 0, 0})), broken},
		"TZSP, version":            {raw(inUDP(37008, join([]byte{2, 0, 0, 1, 1}, frame))), datagram},
		"NSH, version":             {eth(0x894f, []byte{0x4f, 0xc2, 2, 1}, zeros(4), ip4()), other},
		"NSH, length":              {eth(0x894f, []byte{0x0f, 0xc1, 2, 1}, zeros(4), ip4()), broken},
		"PBB, reserved":            {eth(0x88e7, []byte{1, 0, 0, 1}, frame), other},
		"TRILL, version":           {eth(0x22f3, []byte{0x40, 0, 0, 1, 0, 2}, frame), other},
		"PRP, supervision":         {eth(0x88fb, []byte{0, 1, 0, 9, 20, 6}, zeros(26)), unknown(0x88fb)},
		"MACsec, encrypted":        {eth(0x88e5, []byte{0x0c, 0, 0, 0, 0, 1}, be16(0x0800), ip4()), encrypted},
		"MACsec, changed":          {eth(0x88e5, []byte{0x04, 0, 0, 0, 0, 1}, be16(0x0800), ip4()), encrypted},
		"MACsec, version":          {eth(0x88e5, []byte{0x80, 0, 0, 0, 0, 1}, be16(0x0800), ip4()), other},
		"batman-adv, fragment":     {eth(0x4305, []byte{0x41, 15}, zeros(18), frame), capture.Stats{Fragments: 1, Broken: 1}}, // of 0 bytes
		"batman-adv 14, fragment":  {eth(0x4305, []byte{6, 14}, zeros(18), frame), unknown(0x4305)},
		"batman-adv, originator":   {eth(0x4305, []byte{0, 15}, zeros(22)), other},
		"batman-adv, version":      {eth(0x4305, []byte{0x40, 16}, zeros(8), frame), other},
		"ESP":                      {raw(ipv4(client, server, 50, zeros(40))), encrypted},
		"EoIP, keepalive":          {raw(ipv4(client, server, 47, []byte{0x20, 1, 0x64, 0, 0, 0, 7, 0})), other},
		"L2TPv3, control":          {raw(ipv4(client, server, 115, join(be32(0), zeros(20)))), other},
		"L2TPv3, unknown":          {raw(ipv4(client, server, 115, join(be32(7), zeros(80)))), other},
		"L2TP, control":            {raw(inUDP(1701, join([]byte{0xc8, 2, 0, 20}, zeros(16)))), datagram},
		"L2TP, version":            {raw(inUDP(1701, join([]byte{0, 1, 0, 7, 0, 9, 0, 0x21}, ip4()))), datagram},
		"L2TP, length":             {raw(inUDP(1701, join([]byte{0x40, 2, 1, 0, 0, 7, 0, 9, 0, 0x21}, ip4()))), datagram},
		"L2TPv3 in UDP, unknown":   {raw(inUDP(1701, join([]byte{0, 3, 0, 0}, zeros(80)))), datagram},
		"GTP version 0, echo":      {raw(inUDP(3386, join([]byte{0x1e, 1}, zeros(18), ip4()))), datagram},
		"LISP, no IP":              {raw(inUDP(4341, zeros(80))), datagram},
		"AYIYA, no forward":        {raw(inUDP(5072, join([]byte{0x01, 0, 0x02, 4}, zeros(5), ip4()))), datagram},
		"AYIYA, no IP":             {raw(inUDP(5072, join([]byte{0x01, 0, 0x01, 4}, zeros(80)))), datagram},
		"AYIYA, next header":       {raw(inUDP(5072, join([]byte{0x01, 0, 0x01, 6}, zeros(5), ip4()))), datagram},
		"GRE in UDP, version":      {raw(inUDP(4754, join(be16(1), be16(0x0800), ip4()))), datagram},
		"GRE in UDP, routing":      {raw(inUDP(4754, join(be16(0x4000), be16(0x0800), ip4()))), datagram},
		"CAPWAP, keepalive":        {raw(inUDP(5247, join([]byte{0, 0x10, 2, 8}, zeros(4), frame))), other},
		"CAPWAP, header length":    {raw(inUDP(5247, join([]byte{0, 0x08, 2, 0}, zeros(4), frame))), datagram},
		"CAPWAP, preamble":         {raw(inUDP(5247, join([]byte{2, 0x10, 2, 0}, zeros(4), frame))), datagram},
		"CAPWAP, DTLS data":        {raw(inUDP(5247, join([]byte{1, 0, 0, 0, 23, 0xfe, 0xfd}, zeros(40)))), datagram},
	}
}

// TestPassedOver checks what is counted for frames that lead to no hello.
func TestPassedOver(t *testing.T) {
	for name, row := range passedOver() {
		var s capture.Scanner
		s.Scan(row.packet, func(*capture.Hello) bool {
			t.Errorf("%s: hello", name)
			return true
		})
		got := s.Stats()
		got.Packets, got.Bytes = 0, 0
		if row.want.Other > 0 && row.want.UnknownEtherTypes == (capture.Counts{}) {
			got.UnknownEtherTypes = capture.Counts{} // of EtherType 0 and the like
		}
		if got != row.want {
			t.Errorf("%s: got %+v, want %+v", name, got, row.want)
		}
	}
}

// aggregated is an 802.11 frame with several packets.
func aggregated(packets ...[]byte) []byte {
	var body []byte
	for _, p := range packets {
		body = join(body, zeros(12), be16(8+len(p)), snap(p))
		body = join(body, zeros(-len(body)&3))
	}
	return wifi(0x88, 1, []byte{0x80, 0}, body)
}

// TestAggregated checks that each packet of an A-MSDU is read, also in a tunnel, and that they
// have the number of their frame.
func TestAggregated(t *testing.T) {
	one, two := up(1, ack, hello()[:40]), up(41, ack, hello()[40:])
	other := ipv4(server, client, 6, tcp(7, 443, 1, ack, hello()))
	fragments := [][]byte{ipv4Fragment(client, server, 6, 9, 0, true, other[20:44]), ipv4Fragment(client, server, 6, 9, 24, false, other[44:])}
	capwap := func(b []byte) []byte { return inUDP(5247, join([]byte{0, 0x10, 3, 0}, zeros(4), b)) }
	for name, row := range map[string]struct {
		link   capture.LinkType
		data   []byte
		hellos int
	}{
		"two segments":                 {105, aggregated(one, two), 1},
		"two connections":              {105, aggregated(one, other, two), 2},
		"nothing first":                {105, aggregated([]byte{0x45}, up(1, ack, hello())), 1},
		"FCS":                          {105, join(aggregated(one, two), zeros(4)), 1},
		"in CAPWAP":                    {101, capwap(aggregated(one, other, two)), 2},
		"in CAPWAP, inside":            {105, aggregated(capwap(aggregated(other, two)), up(1, ack, hello())), 2},
		"in CAPWAP, last":              {105, aggregated(up(1, ack, hello()), capwap(aggregated(one, other))), 2},
		"fragments":                    {105, aggregated(fragments[0], one, fragments[1], two), 2},
		"many":                         {105, aggregated(slices.Repeat([][]byte{{0x45}}, 5000)...), 0},
		"a length beyond the end":      {105, join(aggregated(one, two), zeros(12), be16(200), snap(ip4())), 1},
		"the second one is of no kind": {105, join(aggregated(one), zeros(12), be16(3), []byte{0x42, 0x42, 3}, zeros(3), aggregated(two)[26:]), 1},
	} {
		var s capture.Scanner
		found := 0
		s.Scan(capture.Packet{Link: row.link, Data: row.data}, func(h *capture.Hello) bool {
			if found++; slices.Max(h.Frames) != 1 {
				t.Errorf("%s: frames %v", name, h.Frames)
			}
			return true
		})
		if stats := s.Stats(); found != row.hellos || stats.Packets != 1 {
			t.Errorf("%s: %d hellos, %+v", name, found, stats)
		}
	}
}

// capwapPart is a fragment of a packet in CAPWAP.
func capwapPart(id, offset int, last bool, b []byte) []byte {
	flags := byte(0x80)
	if last {
		flags |= 0x40
	}
	return inUDP(5247, join([]byte{0, 0x10, 2, flags}, be16(id), be16(offset), b))
}

// TestFragmentsInCAPWAP checks that they are joined in any order, and apart from those of IP.
func TestFragmentsInCAPWAP(t *testing.T) {
	frame := ethernet(0x0800, ip4())
	a, b, c := capwapPart(7, 0, false, frame[:24]), capwapPart(7, 24, false, frame[24:64]), capwapPart(7, 64, true, frame[64:])
	odd := capwapPart(7, 0, false, frame[:25])
	ipPart := ipv4Fragment(client, server, 0, 7, 24, false, frame[24:])
	var many [][]byte
	for i := range 2000 {
		many = append(many, capwapPart(i, 0, false, make([]byte, 1024)))
	}
	for name, row := range map[string]struct {
		packets [][]byte
		hellos  int
	}{
		"in order":           {[][]byte{a, b, c}, 1},
		"backwards":          {[][]byte{c, b, a}, 1},
		"twice":              {[][]byte{a, a, b, c}, 1},
		"one is missing":     {[][]byte{a, c}, 0},
		"another packet":     {[][]byte{a, capwapPart(8, 24, true, frame[24:])}, 0},
		"a fragment of IP":   {[][]byte{a, ipPart}, 0},
		"cut to 8 bytes":     {[][]byte{odd, b, c}, 1},
		"overlap":            {[][]byte{a, capwapPart(7, 16, false, frame[16:64]), b, c}, 0},
		"many, then another": {append(many, a, b, c), 1},
	} {
		hellos, stats := scan(capture.Options{MaxMemory: 1 << 20}, row.packets...)
		if len(hellos) != row.hellos || stats.Fragments == 0 {
			t.Errorf("%s: %d hellos, %+v", name, len(hellos), stats)
		}
		if row.hellos == 1 && name == "in order" && !slices.Equal(hellos[0].Frames, []int{1, 2, 3}) {
			t.Errorf("%s: frames %v", name, hellos[0].Frames)
		}
	}
}

// TestPortsOfTunnels checks that a hello over DTLS or QUIC is found on the port of a tunnel.
func TestPortsOfTunnels(t *testing.T) {
	datagrams := [][]byte{dtlsFragment(100, 0, 100)}
	for dcid := range 20 { // whose keys change the first byte
		p := quicseal.Packet{Version: quicseal.V1, DCID: join([]byte("some"), be32(dcid)), Payload: append(quicseal.AppendCrypto(nil, 0, message()), make([]byte, 1200)...)}
		datagrams = append(datagrams, p.Seal())
	}
	for _, port := range []int{1701, 2152, 3386, 3544, 4341, 4754, 4789, 4790, 5072, 5247, 6081, 6635, 8472, 9899, 37008} {
		for i, d := range datagrams {
			for _, p := range [][]byte{inUDP(port, d), ipv4(client, server, 17, udp(port, 443, d))} {
				if hellos, stats := scan(capture.Options{}, p); len(hellos) != 1 {
					t.Errorf("port %d, datagram %d: %+v", port, i, stats)
				}
			}
		}
	}
	if hellos, stats := scan(capture.Options{}, inUDP(5247, join([]byte{1, 0, 0, 0}, dtlsFragment(100, 0, 100)))); len(hellos) != 1 || !slices.Equal(hellos[0].Path, []string{"ipv4", "udp", "capwap"}) {
		t.Errorf("DTLS in CAPWAP: %+v, %+v", hellos, stats)
	}
}
