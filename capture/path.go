package capture

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
)

// layerKind is a header around a segment, in Hello.Path.
type layerKind uint8

const (
	layerEthernet layerKind = iota
	layerSLL
	layerSLL2
	layerNull
	layerPPP
	layerHDLC
	layerPPPoE
	layerVLAN // its value is the VLAN
	layerMPLS
	layerIPv4
	layerIPv6
	layerUDP
	layerGRE
	layerERSPAN
	layerEtherIP
	layerVXLAN  // its value is the VNI
	layerGENEVE // likewise
	layerGTPU
	layerTeredo
	layerPBB // its value is the I-SID
	layerTRILL
	layerFabricPath
	layerHSR
	layerMACsec
	layerBatman
	layerDSA
	layerNSH
	layerLISP
	layerL2TP
	layerGTP
	layerAYIYA
	layerEoIP
	layerTZSP
	layerCAPWAP
	layerWiFi
	layerRadiotap
	layerPPI
	layerPrism
	layerAVS
	layerFrameRelay
	layerATM
	layerFDDI
	layerTokenRing
	layerFibreChannel
	layerIEEE1394
	layerIPoIB
	layerInfiniBand
	layerERF
	layerJuniper
	layerNFLOG
	layerPKTAP
	layerPFLog
	layerEnc
	layerIPNET
	layerPDU
)

var layerNames = [...]string{
	layerEthernet: "eth", layerSLL: "sll", layerSLL2: "sll2", layerNull: "null", layerPPP: "ppp", layerHDLC: "hdlc",
	layerPPPoE: "pppoe", layerVLAN: "vlan", layerMPLS: "mpls", layerIPv4: "ipv4", layerIPv6: "ipv6", layerUDP: "udp",
	layerGRE: "gre", layerERSPAN: "erspan", layerEtherIP: "etherip", layerVXLAN: "vxlan", layerGENEVE: "geneve",
	layerGTPU: "gtpu", layerTeredo: "teredo", layerPBB: "pbb", layerTRILL: "trill", layerFabricPath: "fabricpath",
	layerHSR: "hsr", layerMACsec: "macsec", layerBatman: "batadv", layerDSA: "dsa", layerNSH: "nsh", layerLISP: "lisp",
	layerL2TP: "l2tp", layerGTP: "gtp", layerAYIYA: "ayiya", layerEoIP: "eoip", layerTZSP: "tzsp", layerCAPWAP: "capwap",
	layerWiFi: "wlan", layerRadiotap: "radiotap", layerPPI: "ppi", layerPrism: "prism", layerAVS: "avs",
	layerFrameRelay: "frelay", layerATM: "atm", layerFDDI: "fddi", layerTokenRing: "tr", layerFibreChannel: "fc",
	layerIEEE1394: "ieee1394", layerIPoIB: "ipoib", layerInfiniBand: "infiniband", layerERF: "erf",
	layerJuniper: "juniper", layerNFLOG: "nflog", layerPKTAP: "pktap", layerPFLog: "pflog", layerEnc: "enc",
	layerIPNET: "ipnet", layerPDU: "exported_pdu",
}

type layer struct {
	kind  layerKind
	value uint32
}

// outerIP are the addresses of an IP header around another one, as in endpoint.
type outerIP struct{ src, dst [16]byte }

// ordered returns the addresses as an unordered pair.
func (o outerIP) ordered() outerIP {
	if bytes.Compare(o.src[:], o.dst[:]) > 0 {
		o.src, o.dst = o.dst, o.src
	}
	return o
}

// path is what a decoder has seen around a segment.
type path struct {
	tags   uint64 // the VLANs, 16 bits for each
	layers [2 * maxLayers]layer
	n      int // of layers
	outers [maxLayers]outerIP
	ips    int  // IP headers
	placed bool // something of it distinguishes flows

	// What names has returned last for a path without tunnels.
	named    [2 * maxLayers]layer
	namedN   int
	latest   []string
	carriers int // layers of carriers, at its end

	latestKept *[]string // what kept has returned last
}

func (p *path) reset() { p.n, p.ips, p.placed, p.tags, p.carriers = 0, 0, false, 0, 0 }

func (p *path) add(kind layerKind, value uint32) {
	if p.n < len(p.layers) { //mutation:equivalent there is room for more than maxLayers allows
		p.layers[p.n] = layer{kind, value}
		p.n++
	}
	switch kind {
	case layerVLAN:
		p.placed, p.tags = true, p.tags<<16|1<<15|uint64(value)
	case layerVXLAN, layerGENEVE, layerPBB:
		p.placed = true
	}
}

// addIP adds an IP header. seg has the addresses of the one around it, if there is one.
func (p *path) addIP(kind layerKind, seg *segment) {
	if p.ips > 0 {
		p.outers[p.ips-1] = outerIP{seg.src.ip, seg.dst.ip}
		p.placed = true
	}
	p.ips++
	p.add(kind, 0)
}

// appendPlace appends what distinguishes flows with the same addresses and ports: VLANs,
// VNIs, and the outer addresses as an unordered pair.
func (p *path) appendPlace(b []byte) []byte {
	ip := 0
	for _, l := range p.layers[:p.n] {
		switch l.kind {
		case layerVLAN, layerVXLAN, layerGENEVE, layerPBB:
			b = binary.BigEndian.AppendUint32(append(b, byte(l.kind)), l.value)
		case layerIPv4, layerIPv6:
			if ip++; ip == p.ips {
				break // the innermost
			}
			pair := p.outers[ip-1].ordered()
			b = append(append(append(b, byte(l.kind)), pair.src[:]...), pair.dst[:]...)
		}
	}
	return b
}

// plainPaths are the paths of most packets, by link layer, version of IP, and transport.
var plainPaths = func() (paths [len(layerNames)][2][2][]string) {
	for kind, name := range layerNames {
		for v, ip := range []string{"ipv4", "ipv6"} {
			for t, transport := range []string{"tcp", "udp"} {
				if paths[kind][v][t] = []string{name, ip, transport}; layerKind(kind) == layerIPv4+layerKind(v) {
					paths[kind][v][t] = []string{ip, transport}
				}
			}
		}
	}
	return paths
}()

// names returns the path to a segment for output.
func (p *path) names(seg *segment) []string {
	version, transport, n := 0, 0, p.n
	if seg.ipv6 {
		version = 1
	}
	if seg.udp {
		transport = 1
		n--
	}
	if p.carriers == 0 && (n == 1 && p.ips == 1 || n == 2 && !p.placed && (p.layers[1].kind == layerIPv4 || p.layers[1].kind == layerIPv6)) {
		return plainPaths[p.layers[0].kind][version][transport]
	}
	simple := p.ips == 1
	if simple && slices.Equal(p.layers[:p.n], p.named[:p.namedN]) {
		return p.latest
	}
	var names []string
	ip := 0
	for _, l := range p.layers[:p.n] {
		if l.kind >= firstCarrierLayer {
			names = append(names, carrierNames[l.kind-firstCarrierLayer])
			continue
		}
		name := layerNames[l.kind]
		switch l.kind {
		case layerVLAN, layerVXLAN, layerGENEVE, layerPBB:
			name += ":" + strconv.FormatUint(uint64(l.value), 10)
		case layerIPv4, layerIPv6:
			if ip++; ip < p.ips {
				o := &p.outers[ip-1]
				name += ":" + addressOf(o.src, l.kind).String() + ">" + addressOf(o.dst, l.kind).String()
			}
		}
		names = append(names, name)
	}
	if !seg.udp && p.carriers == 0 {
		names = append(names, "tcp")
	}
	if simple {
		p.namedN, p.latest = copy(p.named[:], p.layers[:p.n]), names
	}
	return names
}

// kept returns the path to a segment in little memory, most of which others share.
func (p *path) kept(seg *segment) *[]string {
	names := p.names(seg)
	if k := p.latestKept; len(names) == 0 || k == nil || len(*k) != len(names) || &(*k)[0] != &names[0] {
		p.latestKept = new([]string)
		*p.latestKept = names
	}
	return p.latestKept
}

func addressOf(ip [16]byte, kind layerKind) netip.Addr {
	if kind == layerIPv6 {
		return netip.AddrFrom16(ip)
	}
	return netip.AddrFrom4([4]byte(ip[:4]))
}

// place is where flows are that have the same VLANs, VNIs and outer addresses. Flows refer
// to it by its number; 0 is for those with none of these.
type place struct {
	number uint32
	flows  int
	key    string
	outer  outerIP // addresses of the outermost header of a tunnel, in order
}

// locate returns the number of the place of the packet at hand. If there is no flow in that
// place, it is a number that no flow has.
func (s *Scanner) locate() uint32 {
	t, p := &s.flows, &s.decoder.path
	if !p.placed || t.limits.MergePaths {
		return 0
	}
	simple := p.ips == 1 && p.n < 5 // no more than four VLANs, and no tunnel
	if simple && p.tags == t.tags && t.tagged != nil && t.tagged.flows > 0 {
		return t.tagged.number
	}
	t.placeKey, t.outer = p.appendPlace(t.placeKey[:0]), outerIP{}
	if p.ips > 1 {
		t.outer = p.outers[0].ordered()
	}
	if len(t.placeKey) == 0 {
		return 0
	}
	at := t.places[string(t.placeKey)]
	if at == nil {
		return t.nextPlace()
	}
	if simple {
		t.tags, t.tagged = p.tags, at
	}
	return at.number
}

// nextPlace returns the number for the next place.
func (t *table) nextPlace() uint32 { return t.lastPlace + 1 }

// settleIn notes that a new flow is in the place of the packet at hand.
func (t *table) settleIn(f *flow) {
	if f.key.kind.place() == 0 {
		return
	}
	at := t.tagged
	if at == nil || at.flows == 0 || at.number != f.key.kind.place() {
		at = t.places[string(t.placeKey)]
	}
	if at == nil {
		if t.places == nil {
			t.places = make(map[string]*place)
		}
		t.lastPlace++
		at = &place{number: f.key.kind.place(), key: string(t.placeKey), outer: t.outer}
		t.places[at.key] = at
	}
	at.flows++
	f.place = at
	t.placeMemory += at.cost()
}

// leave is the reverse of settleIn.
func (t *table) leave(f *flow) {
	if f.place == nil {
		return
	}
	t.placeMemory -= f.place.cost()
	if f.place.flows--; f.place.flows == 0 {
		delete(t.places, f.place.key)
	}
	f.place = nil
}
