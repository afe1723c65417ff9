package capture

import (
	"bytes"
	"encoding/binary"
)

// l2tp reads a data message of version 2 (RFC 2661, Section 3.1): flags and version, length,
// tunnel, session, sequence numbers, offset, PPP; or of version 3 (RFC 3931, Section 4.1.2.1).
func (d *decoder) l2tp(b []byte) verdict {
	const (
		control, length, sequence, offset = 0x8000, 0x4000, 0x0800, 0x0200
		version                           = 0x000f
	)
	if len(b) < 8 {
		return isSegment
	}
	flags := binary.BigEndian.Uint16(b)
	switch {
	case flags&control != 0:
		return isSegment
	case flags&version == 3:
		v, _ := d.pseudowire(b[4:], d.partial)
		return v
	case flags&version != 2:
		return isSegment
	}
	n := 6
	if flags&length != 0 {
		if n = 8; int(binary.BigEndian.Uint16(b[2:])) > len(b) && !d.partial {
			return isSegment
		}
	}
	if flags&sequence != 0 {
		n += 4
	}
	if flags&offset != 0 {
		if len(b) < n+2 {
			return d.short()
		}
		n += 2 + int(binary.BigEndian.Uint16(b[n:]))
	}
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerL2TP, 0)
	d.session = binary.BigEndian.Uint32(b[2+flags&length>>13:])
	return d.ppp(b[n:])
}

// pseudowire reads a data message of version 3 from its session on. The ends have agreed on
// the length of a cookie, 0, 4 or 8 bytes, on a sublayer of 4 bytes, and on what it carries, so
// that the first place that makes sense counts. It does nothing if there is none.
func (d *decoder) pseudowire(b []byte, cut bool) (v verdict, ok bool) {
	for n := 4; n <= 16 && n < len(b); n += 4 {
		read := pseudowireOf(b[n:], cut)
		if read == nil {
			continue
		}
		if d.deeper() {
			return isTooDeep, true
		}
		d.path.add(layerL2TP, 0)
		return read(d, b[n:]), true
	}
	return isSegment, false
}

// pseudowireOf returns what reads the frame that b begins with, or nil if it does not look like
// one with IP in it.
func pseudowireOf(b []byte, cut bool) func(*decoder, []byte) verdict {
	switch {
	case isEthernet(b, cut):
		return (*decoder).ethernet
	case isPPP(b) && isIP(b[2:], cut), bytes.HasPrefix(b, []byte{0xff, 3}) && isPPP(b[2:]):
		return (*decoder).ppp
	case isIP(b, cut):
		return (*decoder).ip
	case len(b) > 4 && (b[0] == 0x0f || b[0] == 0x8f) && b[1] == 0 && isEtherType(b[2:]):
		return (*decoder).hdlc
	case len(b) > 4 && b[0]&1 == 0 && b[1]&1 == 1 && b[2] == 3 && isNLPID(b[3]):
		return (*decoder).frameRelay
	}
	return nil
}

// l2tpIP reads version 3 directly in IP (RFC 3931, Section 4.1.1.1). Session 0 is for control.
func (d *decoder) l2tpIP(b []byte) verdict {
	if len(b) < 4 {
		return d.short()
	}
	if binary.BigEndian.Uint32(b) == 0 {
		return isOther
	}
	if v, ok := d.pseudowire(b, d.partial); ok {
		return v
	}
	if v, ok := d.pseudowire(b, true); ok {
		return v
	}
	return d.shortOr(len(b) < 4+12+20)
}
