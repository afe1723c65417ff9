package capture

import "encoding/binary"

// capwap reads a data packet of a wireless controller (RFC 5415, Sections 4.1 to 4.3): type of
// the header, its length in 4-byte units, flags, fragment. A packet inside DTLS is that.
func (d *decoder) capwap(b []byte) verdict {
	const (
		plain, dtls               = 0, 1             // preambles
		native                    = 0x01             // in the third byte
		isPart, isLast, keepAlive = 0x80, 0x40, 0x08 // in the fourth
	)
	if len(b) < 8 || b[0] > dtls {
		return isSegment
	}
	if b[0] == dtls {
		if isHandshake(b[4:]) {
			d.path.add(layerCAPWAP, 0)
			d.seg.payload = b[4:]
		}
		return isSegment
	}
	n := 4 * int(b[1]>>3)
	if n < 8 {
		return isSegment
	}
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerCAPWAP, 0)
	format := b[2] & native
	if b[3]&keepAlive != 0 {
		return isOther
	}
	if b[3]&isPart == 0 {
		return d.capwapFrame(format, b[n:])
	}
	d.fragment = fragment{
		kind:     fragmentCAPWAP,
		id:       uint32(binary.BigEndian.Uint16(b[4:])),
		protocol: format,
		offset:   int(binary.BigEndian.Uint16(b[6:]) &^ 7),
		last:     b[3]&isLast != 0,
		payload:  b[n:],
		cut:      d.partial,
		flawed:   d.seg.flawed,
	}
	return isFragment
}

// capwapFrame reads what a packet carries: 802.3, or in the native format 802.11, whose frame
// control some devices swap.
func (d *decoder) capwapFrame(format uint8, b []byte) verdict {
	const native, data = 1, 0x08
	if d.deeper() {
		return isTooDeep
	}
	if format != native {
		return d.ethernet(b)
	}
	if len(b) >= 2 && b[0]&0x0f != data && b[1]&0x0f == data {
		return d.wifiData(b[1], b[0], b, 0)
	}
	return d.wifi(b, 0)
}
