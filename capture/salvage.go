package capture

import (
	"bytes"
	"io"
)

// maxSkipped is the length of the longest packet that is passed over because it is longer
// than maxPacket. More is taken for damage, as by libpcap and Wireshark.
const maxSkipped = 16 << 20

// unusual takes a record with an unusual header: an odd packet, the header of another file
// (files joined with cat), or damage. ok reports whether it is a packet.
func (s *pcapSource) unusual(r record) (p Packet, ok bool, err error) {
	n := s.headLen + int(r.captured)
	switch s.oddity(r) {
	case anotherFile:
		length, err := s.header(s.in.peek(pcapHeaderLen))
		s.in.discard(length)
		return Packet{}, false, err
	case oddPacket:
		data := s.in.peek(n)[s.headLen:]
		s.in.consume(n)
		return s.packet(r, data), true, nil
	case hugePacket:
		at := s.in.offset()
		if s.in.discard(n) < n {
			return Packet{}, false, s.cutAt(at)
		}
		return s.packet(r, nil), true, nil
	}
	err = s.resume(r.captured <= maxPacket && len(s.in.peek(n)) < n)
	return Packet{}, false, err //mutation:equivalent it comes again when more is read
}

// oddity says what has an unusual header.
type oddity int

const (
	noRecord oddity = iota
	anotherFile
	oddPacket
	hugePacket // longer than maxPacket
)

// oddity says what has an unusual header. r was read from the bytes that are next.
func (s *pcapSource) oddity(r record) oddity {
	if b := s.in.peek(pcapHeaderLen); len(b) == pcapHeaderLen {
		if _, _, ok := pcapMagic(b); ok {
			other := pcapSource{in: s.in}
			if _, err := other.header(b); err == nil {
				return anotherFile
			}
		}
	}
	switch {
	case r.captured <= maxPacket && s.goesOn(r):
		return oddPacket
	case r.captured > maxPacket && r.captured <= maxSkipped && r.original-1 < maxSkipped && r.fraction < s.limit():
		return hugePacket
	}
	return noRecord
}

// swallows reports whether another record begins inside the current one, which has n bytes and
// is followed by an unusual header. Then its length is wrong or bytes are missing, and swallows
// skips it.
func (s *pcapSource) swallows(n int) bool {
	w, at := s.in, s.in.offset()
	w.begin, w.keep = w.begin+n, n
	odd := s.oddity(s.record(w.peek(s.headLen)))
	w.begin, w.keep = w.begin-n, 0
	if odd != noRecord {
		return false
	}
	for w.keep < n-1 {
		w.begin, w.keep = w.begin+1, w.keep+1
		if s.sound() {
			s.note(at, w.offset()-at)
			w.keep = 0
			return true
		}
	}
	w.begin, w.keep = w.begin-w.keep, 0
	return false
}

// goesOn reports whether the file makes sense after r: it ends there, and r is not all zero; or
// another header follows. That is a usual one, or one of about the same time, because some
// programs write only unusual ones.
func (s *pcapSource) goesOn(r record) bool {
	n := s.headLen + int(r.captured)
	b := s.in.peek(n + s.headLen)
	switch len(b) {
	case n:
		return len(bytes.Trim(b, "\x00")) > 0
	case n + s.headLen:
		next := s.record(b[n:])
		same := r.seconds >= year1973 && near(r.seconds, next.seconds) && (s.seconds == 0 || near(r.seconds, s.seconds))
		return s.usual(next) || same && next.captured <= maxPacket
	}
	return false
}

// resume looks for the next sound record after damage. cut says that the file may only lack its
// end; if it is false, resume also looks inside the record before. If there is no sound record,
// it returns the error that ends the reading.
func (s *pcapSource) resume(cut bool) error {
	w := s.in
	at := w.offset()
	if !cut && w.keep > 0 { //mutation:equivalent what is at the beginning is passed over below, too
		w.begin -= w.keep - 1
	}
	w.keep = 0
	for ; len(w.peek(s.headLen)) == s.headLen; w.begin++ {
		if w.offset() != at && s.sound() {
			s.note(at, w.offset()-at)
			return nil
		}
	}
	w.begin = w.end
	if cut {
		return s.cutAt(at)
	}
	s.note(at, w.offset()-at)
	return s.ended()
}

// year1973 is a time in seconds. Smaller numbers are in many packets.
const year1973 = 1e8

// sound reports whether the current record ends before another one of about the same time, or
// at the end of the file. If its time is far from that of the latest packet, three must follow.
func (s *pcapSource) sound() bool {
	const least = 14 // bytes
	b := s.in.peek(s.headLen)
	if len(b) < s.headLen {
		return false
	}
	r, follow := s.record(b), 1
	switch {
	case !s.usual(r) || r.captured < least:
		return false
	case r.seconds < year1973 || s.seconds != 0 && !near(r.seconds, s.seconds):
		follow = 3
	}
	n := 0
	for range follow {
		n += s.headLen + int(r.captured)
		b := s.in.peek(n + s.headLen)
		if len(b) == n {
			return follow == 1
		}
		if len(b) < n+s.headLen {
			return false
		}
		next := s.record(b[n:])
		if !s.usual(next) || !near(r.seconds, next.seconds) {
			return false
		}
		r = next
	}
	return true
}

// near reports whether two times, in seconds, are within a day.
func near(a, b uint32) bool {
	const day = 24 * 60 * 60
	return a-b <= day || b-a <= day
}

// variant finds out how long the headers of a file's records are. Some programs add 4 to 12
// bytes, and have the magic number of libpcap. It looks at what is buffered.
func (s *pcapSource) variant() {
	if s.chain(s.headLen) >= 0 {
		return
	}
	// Those of libpcap, Nokia, patches of 1999-04-17 or 1999-10-29, and 1999-09-15. They are
	// called ss990417 and so on in Wireshark.
	for _, n := range []int{recordLen, recordLen + 4, recordLen + 8, recordLen + 12} {
		if s.chain(n) >= 2 {
			s.headLen = n
			return
		}
	}
}

// chain returns how many usual records are buffered, if their headers have n bytes, up to 3;
// or -1 if one is unusual.
func (s *pcapSource) chain(n int) int {
	b, count := s.in.buf[s.in.begin:s.in.end], 0
	var last record
	for ; len(b) >= n && count < 3; count++ {
		r := s.record(b)
		if !s.usual(r) || count > 0 && !near(r.seconds, last.seconds) {
			return -1
		}
		last = r
		if len(b) < n+int(r.captured) {
			break
		}
		b = b[n+int(r.captured):]
	}
	return count
}

// cutAt ends the reading in the middle of what begins at an offset.
func (s *pcapSource) cutAt(at int64) error {
	if s.in.failed() == nil {
		s.cut, s.end = true, at
	}
	return s.ended()
}

// ended returns the error that ends the reading: io.EOF, if nothing is wrong.
func (s *pcapSource) ended() error { return s.damage.ended(s.in) }

// ended returns the error that ends the reading of a file.
func (d *damage) ended(in *buffer) error {
	if err := in.failed(); err != nil {
		unpack, ok := err.(unpackError)
		if !ok {
			return err
		}
		d.unpack = unpack
	}
	if in.err == io.ErrUnexpectedEOF && !d.cut {
		d.cut, d.end = true, in.base+int64(in.end)
	}
	if err := d.err(); err != nil {
		return err
	}
	return io.EOF
}
