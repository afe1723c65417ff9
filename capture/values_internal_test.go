package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"strings"
	"testing"
)

// sumDecoded goes on with a sum over what a decoder finds in a packet.
func sumDecoded(sum hash.Hash, d *decoder, p Packet, length int, b []byte) []byte {
	v := d.decode(p.Link, p.Data, length)
	for range 4 {
		b = append(b[:0], byte(v), byte(d.path.n), byte(d.path.ips), byte(len(d.frame)))
		for _, l := range d.path.layers[:d.path.n] {
			b = binary.BigEndian.AppendUint32(append(b, byte(l.kind)), l.value)
		}
		switch s := &d.seg; v {
		case isSegment:
			b = append(b, s.src.ip[:]...)
			b = append(b, s.dst.ip[:]...)
			for _, n := range []int{int(s.src.port), int(s.dst.port), int(s.carrier), len(s.payload), int(s.flags), int(s.seq), int(s.ack), int(s.window), int(s.urgent), len(s.options), int(s.hops),
				int(s.outer), len(s.header), len(s.whole), int(s.pieces), int(s.proof)} {
				b = binary.BigEndian.AppendUint32(b, uint32(n))
			}
			for _, yes := range []bool{s.ipv6, s.udp, s.flawed, s.noLength} {
				b = append(b, 0)
				if yes {
					b[len(b)-1] = 1
				}
			}
		case isFragment:
			f := &d.fragment
			b = fmt.Append(b, f.kind == fragmentCAPWAP, f.id, f.protocol, f.offset, f.last, len(f.payload), f.cut, f.flawed, f.sum)
			if f.kind >= fragmentWiFi {
				b = fmt.Append(b, f.number, f.first, f.from, f.to)
			}
		case isUnknownEtherType, isUnknownLink:
			b = binary.BigEndian.AppendUint16(b, d.unknown)
		}
		sum.Write(b)
		if !d.more {
			break
		}
		v = d.next()
	}
	return b
}

// numbers16 are EtherTypes, protocols of PPP and ports that headers have.
var numbers16 = []uint16{
	0x0021, 0x003d, 0x0057, 0x0281, 1500, 1536, 0x0800, 0x22eb, 0x22f3, 0x4305, 0x6400, 0x6558, 0x8100, 0x86dd, 0x880b, 0x883e, 0x8847, 0x8848, 0x8864, 0x8870, 0x88a8, 0x88be,
	0x88e5, 0x88e7, 0x88fb, 0x8903, 0x8909, 0x8926, 0x892f, 0x893f, 0x894f, 0x9100, 0x9200, 0xaaaa, 0xdada, 0xf1c1, 0xfefe,
	443, 1701, 2152, 3386, 3478, 3544, 4341, 4500, 4739, 4754, 4789, 4790, 5072, 5246, 5247, 6081, 6635, 8472, 37008,
}

// ValuesOf returns sums over what a decoder finds in a packet: with each value of each byte of its
// headers; with each of some numbers at each place; and of each of its beginnings, cut or not.
func ValuesOf(p Packet) string {
	var d decoder
	n := min(len(p.Data), 160)
	if i := bytes.Index(p.Data, []byte{22, 3}); i >= 0 {
		n = min(n, i+6)
	}
	whole := len(p.Data)
	data := slices.Clone(p.Data)
	sums := [4]hash.Hash32{fnv.New32a(), fnv.New32a(), fnv.New32a(), fnv.New32a()}
	b := make([]byte, 0, 512)
	for i := range n {
		for v := range 256 {
			p.Data = data
			data[i] ^= byte(v)
			b = sumDecoded(sums[0], &d, p, whole, b)
			data[i] ^= byte(v)
		}
	}
	for i := range n - 1 {
		was := [2]byte(data[i:])
		for _, v := range numbers16 {
			for _, near := range []uint16{v - 1, v, v + 1} {
				binary.BigEndian.PutUint16(data[i:], near)
				b = sumDecoded(sums[1], &d, p, whole, b)
			}
		}
		copy(data[i:], was[:])
	}
	for i := range data {
		p.Data = data[:i:i]
		b = sumDecoded(sums[2], &d, p, whole, b)
		b = sumDecoded(sums[3], &d, p, i, b)
	}
	return fmt.Sprintf("%08x %08x %08x %08x", sums[0].Sum32(), sums[1].Sum32(), sums[2].Sum32(), sums[3].Sum32())
}

// TestChangedValuesOfCarriers compares the sums of packets on many links, and of those of each carrier, with
// testdata/values-carriers.txt.
func TestChangedValuesOfCarriers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute in an emulator")
	}
	var b strings.Builder
	segment := tcpPacket(1, 0x10, smallHello(80))[20:]
	common, rare := carriers()
	for i, c := range append(common, rare...) {
		packet := Packet{Data: append([]byte(c.headers), segment...), Link: LinkType(c.link)}
		fmt.Fprintf(&b, "%d\t%v\t%s\n", i, c.link, ValuesOf(packet))
	}
	for _, c := range carriedCases(messages{22, 1}) {
		fmt.Fprintf(&b, "%s\t%s\n", c.name, ValuesOf(Packet{Data: c.packets[0], Link: LinkType(c.link)}))
	}
	CompareFile(t, "values-carriers.txt", b.String())
}
