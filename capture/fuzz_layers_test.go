package capture

import (
	"bytes"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// rareCarriers has one of each link type and tunnel that few captures have. Of IPv4 and IPv6,
// tcp4 and tcp6 are the headers before TCP, udp those before a datagram to a port, and ip those
// before another protocol.
func rareCarriers(tcp4, tcp6 string, udp, ip func(string) string) []carrier {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	const (
		macs  = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
		snap  = "\xaa\xaa\x03\x00\x00\x00\x08\x00"
		label = "\x00\x01\x01\x40"
		mgc   = "MGC\x01"
	)
	frame := macs + "\x08\x00" + tcp4
	wifi := "\x08\x01" + zeros(22) + snap + tcp4
	fc := "\x04" + zeros(7) + "\x05" + zeros(4) + "\x20" + zeros(10) + zeros(16) + snap + tcp4
	all := make([]carrier, 0, 80)
	on := func(link layers.LinkType, headers ...string) {
		all = append(all, carrier{link, strings.Join(headers, "")})
	}
	eth := func(headers ...string) { on(layers.LinkTypeEthernet, macs+strings.Join(headers, "")) }
	raw := func(headers ...string) { on(layers.LinkTypeRaw, headers...) }

	on(6, "\x10\x40", zeros(6), "\x80", zeros(5), "\x04\x30\x00\x10", snap, tcp4)
	on(10, "\x50", zeros(12), snap, tcp4)
	on(13, zeros(12), tcp4)
	on(17, zeros(28), tcp4)
	on(100, "\xaa\xaa\x03\x00\x80\xc2\x00\x07\x00\x00", frame)
	on(100, "\xfe\xfe\x03\xcf\x00\x21", tcp4)
	on(105, "\x88\x83", zeros(22+6+2+4), snap, tcp4)
	on(106, tcp4)
	on(107, "\x18\x41\x03\xcc", tcp4)
	on(107, "\x18\x40\x00\x01\x03\x00\x80\x00\x00\x00\x86\xdd", tcp6)
	on(117, "\x3d\x02", zeros(62), tcp4)
	on(119, "\x44\x00\x00\x00\x18\x00\x00\x00", zeros(16), wifi)
	on(122, zeros(16), snap, tcp4)
	on(123, "\x81\x00\x00\x05\x00\x01", frame)
	on(127, "\x00\x00\x11\x00\x03\x00\x00\x00", zeros(8), "\x20", "\x88\x01", zeros(22+2+2), snap, tcp4)
	on(128, "\x01\x00\x00\x01\x01", frame)
	on(130, mgc, "\x00\x09\x00\x21", tcp4)
	on(131, mgc, "\x54\x01\x02\x03\x03\xcc", tcp4)
	on(133, mgc, zeros(8), tcp4)
	on(135, mgc, zeros(8), snap, tcp4)
	on(137, mgc, zeros(4), "\x03\xcc", tcp4)
	on(138, zeros(16), "\x08\x00", tcp4)
	on(163, "\x80\x21\x10\x01\x00\x00\x00\x40", zeros(56), wifi)
	on(166, "\x01\x03\x00\x21", tcp4)
	on(178, "MGC\x81\x00\x04", zeros(4), frame)
	on(181, mgc, "\x0f\x00\x08\x00", tcp4)
	on(192, "\x00\x00\x08\x00\x69\x00\x00\x00", wifi)
	on(197, zeros(8), "\x82", zeros(7), zeros(8), zeros(2), frame)
	on(204, "\x01\xff\x03\x00\x21", tcp4)
	on(206, "\x01\x18\x41\x08\x00", tcp4)
	on(219, label, tcp4)
	on(224, "\x50", zeros(7), fc)
	on(225, zeros(4), fc)
	on(226, zeros(24), tcp4)
	on(239, "\x02\x00\x00\x01", "\x08\x00\x01\x00\x08\x00\x01\x00", "\x70\x00\x09\x00", tcp4)
	on(240, zeros(4), frame)
	on(241, zeros(12), frame)
	on(242, zeros(40), "\x08\x00\x00\x00", tcp4)
	on(247, "\x00\x03", zeros(6), zeros(40), "\x64", zeros(11+8), "\x86\xdd\x00\x00", tcp6)
	on(252, "\x00\x0c\x00\x04ip\x00\x00\x00\x1e\x00\x04\x00\x00\x00\x07\x00\x00\x00\x00", tcp4)
	on(258, "\x6c\x00\x00\x00\x01\x00\x00\x00\x0c\x00\x00\x00", zeros(96), tcp4)
	on(281, zeros(16), "\x08\x00", tcp4)
	on(282, zeros(4), frame)
	on(284, zeros(12), "\xe0\x00\x10\x05\x08\x00", tcp4)
	on(285, zeros(12), "\xda\xda\x00\x00\xc0\x00\x00\x05\x08\x00", tcp4)

	eth("\x22\xf3\x00\x4a\x00\x01\x00\x02", zeros(4), frame)
	eth("\x43\x05\x40\x0f", zeros(8), frame)
	eth("\x43\x05\x42\x0f", zeros(16), frame)
	eth("\x88\x70", snap, tcp4)
	eth("\x88\xe5\x20\x00\x00\x00\x00\x01", zeros(8), "\x08\x00", tcp4)
	eth("\x88\xe7\x00\x00\x00\x07", frame)
	eth("\x89\x03\x00\x60", frame)
	eth("\x89\x2f", zeros(4), "\x08\x00", tcp4)
	eth("\x89\x4f\x0f\xc2\x02\x03", zeros(4), frame)

	raw(ip("\x73"), "\x00\x00\x00\x07", zeros(8), frame)                           // L2TPv3
	raw(ip("\x2f"), "\x20\x01\x64\x00\x00\x40\x07\x00", frame)                     // EoIP
	raw(udp("\x06\xa5"), "\x02\x02\x00\x07\x00\x09\x00\x00\xff\x03\x00\x21", tcp4) // L2TP
	raw(udp("\x0d\x3a"), "\x1e\xff", zeros(18), tcp4)                              // GTP version 0
	raw(udp("\x10\xf5"), "\x80", zeros(7), tcp4)                                   // LISP
	raw(udp("\x12\x92"), "\x00\x00\x08\x00", tcp4)                                 // GRE
	raw(udp("\x13\xd0"), "\x44\x52\x11\x29", zeros(4+16+20), tcp6)                 // AYIYA
	raw(udp("\x14\x7f"), "\x00\x10\x03\x00", zeros(4), wifi)                       // CAPWAP
	raw(udp("\x90\x90"), "\x01\x00\x00\x01\x00\x0a\x01\x05\x01", frame)            // TZSP
	return all
}

// pcapngFile writes a packet with a segment in each of some carriers, each of another
// connection.
func pcapngFile(group []carrier, segment []byte) []byte {
	var b bytes.Buffer // which takes everything
	var w *pcapgo.NgWriter
	for i, c := range group {
		in := pcapgo.NgInterface{LinkType: c.link}
		if i == 0 {
			w, _ = pcapgo.NewNgWriterInterface(&b, in, pcapgo.NgWriterOptions{})
		} else {
			w.AddInterface(in)
		}
		p := append([]byte(c.headers), segment...)
		p[len(c.headers)+1] = byte(i) // of the source port
		w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(p), Length: len(p), InterfaceIndex: i}, p)
	}
	w.Flush()
	return b.Bytes()
}

// aggregates are two fragments of a packet in CAPWAP, with headers before each, and an
// A-MSDU with the halves of a stream.
func aggregates(udp func(string) string, packet func(seq uint32, data []byte) []byte, stream []byte) [][][]byte {
	frame := append([]byte(strings.Repeat("\x00", 12)+"\x08\x00"), packet(1, stream)...)
	msdu := func(p []byte) []byte {
		length := len(p) + 8
		b := append([]byte(strings.Repeat("\x00", 12)), byte(length>>8), byte(length))
		b = append(append(b, "\xaa\xaa\x03\x00\x00\x00\x08\x00"...), p...)
		return append(b, make([]byte, -len(b)&3)...)
	}
	capwap := func(flags string, body []byte) []byte {
		return append([]byte(udp("\x14\x7f")+"\x00\x10"+flags), body...)
	}
	body := append(msdu(packet(1, stream[:20])), msdu(packet(21, stream[20:]))...)
	return [][][]byte{
		{capwap("\x02\x80\x00\x07\x00\x00", frame[:48]), capwap("\x02\xc0\x00\x07\x00\x30", frame[48:])},
		{capwap("\x03\x00\x00\x00\x00\x00", append([]byte("\x88\x01"+strings.Repeat("\x00", 22)+"\x80\x00"), body...))},
	}
}
