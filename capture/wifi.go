package capture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// radio says what a header before that of 802.11 tells of it. The values are those of radiotap's
// flags, but for knownFCS.
type radio uint8

const (
	knownFCS radio = 1 << 0 // fcsAtEnd is known
	fcsAtEnd radio = 1 << 4
	padded   radio = 1 << 5
	badFCS   radio = 1 << 6
)

// radiotap skips a header of fields whose presence bits say which there are. Of these it
// needs the flags, which say that the 802.11 header is padded.
func (d *decoder) radiotap(b []byte) verdict {
	const (
		timestamp, flags, another = 1 << 0, 1 << 1, 1 << 31    // presence bits
		known                     = fcsAtEnd | padded | badFCS // flags that are of use
	)
	n, v := d.radioVersion0(b)
	if n == 0 {
		return v
	}
	d.path.add(layerRadiotap, 0)
	at := 4
	present := binary.LittleEndian.Uint32(b[at:])
	for word := present; ; word = binary.LittleEndian.Uint32(b[at:]) {
		if at += 4; word&another == 0 {
			break
		}
		if at+4 > n {
			return isBroken
		}
	}
	if present&timestamp != 0 {
		at = (at+7)&^7 + 8
	}
	var r radio
	if present&flags != 0 && at < n {
		r = radio(b[at])&known | knownFCS
	}
	return d.wifi(b[n:], r)
}

// radioVersion0 reads what the headers of radiotap and PPI begin with: version 0, a byte, and the
// length of the header, which it returns. If that is 0, the header cannot be read.
func (d *decoder) radioVersion0(b []byte) (n int, v verdict) {
	if len(b) < 8 {
		return 0, d.short()
	}
	n = int(binary.LittleEndian.Uint16(b[2:]))
	switch {
	case b[0] != 0 || n < 8:
		return 0, isBroken
	case len(b) < n:
		return 0, d.short()
	}
	return n, isSegment
}

// ppi reads the header of per-packet information: version, flags, length, link type, fields.
func (d *decoder) ppi(b []byte) verdict {
	if d.deeper() {
		return isTooDeep
	}
	n, v := d.radioVersion0(b)
	if n == 0 {
		return v
	}
	d.path.add(layerPPI, 0)
	return d.inner(binary.LittleEndian.Uint32(b[4:]), b[n:])
}

// prism skips the header of Prism cards: message, length of the header in the byte order of
// the host, fields. Some drivers write the AVS header instead.
func (d *decoder) prism(b []byte) verdict {
	if len(b) < 8 {
		return d.short()
	}
	if binary.BigEndian.Uint32(b)>>4 == avsMagic {
		return d.avs(b)
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > 0xffff {
		n = binary.BigEndian.Uint32(b[4:])
	}
	if n < 24 { // without fields: not filled in
		n = 144
	}
	return d.radioHeader(layerPrism, n, b)
}

const avsMagic = 0x8021100 // before the version

// avs skips the header of AbsoluteValue Systems: magic number and version, length, fields.
func (d *decoder) avs(b []byte) verdict {
	if len(b) < 8 {
		return d.short()
	}
	if binary.BigEndian.Uint32(b)>>4 != avsMagic {
		return isBroken
	}
	return d.radioHeader(layerAVS, binary.BigEndian.Uint32(b[4:]), b)
}

// radioHeader skips a header of n bytes.
func (d *decoder) radioHeader(kind layerKind, n uint32, b []byte) verdict {
	if n < 8 {
		return isBroken
	}
	if uint64(n) > uint64(len(b)) {
		return d.short()
	}
	d.path.add(kind, 0)
	return d.wifi(b[n:], 0)
}

// wifi reads a frame of 802.11. If it is padded, the body is at a multiple of 4.
func (d *decoder) wifi(b []byte, r radio) verdict {
	if len(b) < 2 {
		return d.short()
	}
	return d.wifiData(b[0], b[1], b, r)
}

// wifiData reads a data frame (IEEE 802.11-2020, Section 9.3.2.1): frame control, duration, three
// or four addresses, QoS control, HT control.
func (d *decoder) wifiData(control, flags byte, b []byte, r radio) verdict {
	const (
		data                                  = 0x08 // version, type
		noData, qos                           = 0x40, 0x80
		toDS, fromDS, more, protected, withHT = 0x01, 0x02, 0x04, 0x40, 0x80
		aggregated, mesh                      = 0x80, 0x01 // in QoS control
	)
	n := 24
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerWiFi, 0)
	if control&0x0f != data || control&noData != 0 {
		return isOther
	}
	if flags&toDS != 0 && flags&fromDS != 0 {
		n += 6
	}
	var service [2]byte
	if control&qos != 0 {
		if len(b) < n+2 {
			return d.short()
		}
		service = [2]byte(b[n:])
		if n += 2; flags&withHT != 0 {
			n += 4
		}
	}
	if r&padded != 0 {
		n = (n + 3) &^ 3
	}
	if len(b) < n {
		return d.short()
	}
	d.wifiAddresses(flags&(toDS|fromDS), b)
	switch part := flags&more != 0 || b[22]&0x0f != 0; {
	case flags&protected != 0 && (part || !isSNAP(b[n:])): // some drivers decipher a frame, and leave the flag
		return isEncrypted
	case service[0]&aggregated != 0 && part:
		return isOther // an A-MSDU is in one frame
	case service[0]&aggregated != 0:
		return d.msdus(b[n:])
	case part:
		d.wifiFragment(uint32(control)<<4|uint32(service[0]&0x0f), flags&more == 0, b, n, r)
		return isFragment
	}
	return d.wifiBody(service[1]&mesh != 0, b[n:])
}

// wifiFragment notes a fragment of a frame, whose header has n bytes (Section 9.2.4.4). The
// sequence number is that of the sender, receiver and class of traffic.
func (d *decoder) wifiFragment(class uint32, last bool, b []byte, n int, r radio) {
	control := binary.LittleEndian.Uint16(b[22:])
	d.fragment = fragment{
		kind:    fragmentWiFi,
		id:      class<<12 | uint32(control>>4),
		number:  uint32(control & 0x0f),
		first:   control&0x0f == 0,
		last:    last,
		payload: b[n:max(n, len(b)-fcsLen(b, r))],
		cut:     d.cut,
		flawed:  d.seg.flawed || r&badFCS != 0,
	}
	copy(d.fragment.to[:], b[4:10])
	copy(d.fragment.from[:], b[10:16])
}

// fcsLen returns the length of the frame check sequence at the end of a frame, which is 0 or 4. If
// no header tells, it is looked for (Section 9.2.4.8).
func fcsLen(b []byte, r radio) int {
	const n = 4
	end := len(b) - n
	if r&fcsAtEnd != 0 || r&knownFCS == 0 && crc32.ChecksumIEEE(b[:end]) == binary.LittleEndian.Uint32(b[end:]) {
		return n
	}
	return 0
}

// wifiBody reads what a frame carries. In a mesh it may have a header (Section 9.2.4.7.3).
func (d *decoder) wifiBody(mesh bool, b []byte) verdict {
	if mesh && len(b) > 0 && !isSNAP(b) {
		if n := 6 + 6*int(b[0]&3); len(b) > n && isSNAP(b[n:]) {
			b = b[n:]
		}
	}
	return d.llc(b)
}

// wifiAddresses notes destination and source (Section 9.3.2.1.2, Table 9-30).
func (d *decoder) wifiAddresses(distribution byte, b []byte) {
	at := [...][2]int{{4, 10}, {16, 10}, {4, 16}, {16, 24}}[distribution]
	copy(d.ends[:6], b[at[0]:])
	copy(d.ends[6:], b[at[1]:at[1]+6])
	d.frame = d.ends[:]
}

// isSNAP reports whether b begins with LLC and SNAP with an EtherType.
func isSNAP(b []byte) bool { return bytes.HasPrefix(b, []byte{0xaa, 0xaa, 3, 0, 0, 0}) }

// around is the state of a decoder before the first frame of an A-MSDU.
type around struct {
	seg                  segment
	path                 path
	depth                int
	cut, partial, joined bool
}

// msdus reads the first frame of an A-MSDU, and keeps the others for next.
func (d *decoder) msdus(b []byte) verdict {
	if !d.more {
		d.around = around{d.seg, d.path, d.depth, d.cut, d.partial, d.joined}
	}
	return d.msdu(b)
}

// next reads the next frame of an A-MSDU.
func (d *decoder) next() verdict {
	a := &d.around
	d.seg, d.path, d.depth, d.cut, d.partial, d.joined = a.seg, a.path, a.depth, a.cut, a.partial, a.joined
	d.more = false
	return d.msdu(d.rest)
}

// msdu reads a frame of an A-MSDU (Section 9.3.2.2): addresses, length, LLC, padding to a
// multiple of 4. What follows it is kept, unless it is inside another A-MSDU.
func (d *decoder) msdu(b []byte) verdict {
	const header = 14
	if len(b) < header {
		return d.short()
	}
	n := header + int(binary.BigEndian.Uint16(b[12:]))
	if next := (n + 3) &^ 3; !d.more && next+header <= len(b) {
		d.more, d.rest = true, b[next:]
	}
	if len(b) < n {
		if !d.cut {
			return isBroken
		}
		n = len(b)
	}
	d.frame = b
	return d.llc(b[header:n])
}
