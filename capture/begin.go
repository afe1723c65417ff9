package capture

import (
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// mayBegin reports whether b, the first bytes of a stream that were captured, may be the
// beginning of a hello. It returns false for too few bytes to tell.
func mayBegin(b []byte) bool {
	const (
		lengthAt  = 3                     // of the record
		messageAt = 5                     // the message begins
		versionAt = messageAt + 4         // its legacy_version
		enough    = sslv2HeaderLen        // for all that is looked at
		versioned = versionAt - messageAt // a longer record has the legacy_version
	)
	if len(b) < enough {
		return false
	}
	if length := int(b[lengthAt])<<8 | int(b[lengthAt+1]); b[0] == recordHandshake && length > versioned && b[versionAt] != 3 {
		return false
	}
	var records assemble.Records
	result := records.Feed(b)
	return result.Outcome != assemble.Unrecognized && result.Code != extension.ErrMessageType
}

// mayBeginPrologue is mayBegin for a prologue that is text or has a signature. SOCKS is too short
// to be told from the middle of a stream.
func mayBeginPrologue(b []byte) bool {
	const enough, socks = 8, 5
	if len(b) < enough || b[0] <= socks {
		return false
	}
	_, p := prologue(b)
	return p != noPrologue
}

// float keeps bytes of a stream whose beginning is not known, and checks whether the
// first of them, by sequence number, may begin a hello.
func (s *Scanner) float(f *flow, h *half, seg *segment) {
	st, seq := h.stream, seg.seq
	if outside(seq, st.lowest, st.lowest) || !s.hold(f, h, seg, seq, seg.payload) {
		return
	}
	if int32(seq-st.lowest) < 0 { //mutation:equivalent at 0 it is the same
		st.lowest = seq
	}
	first := st.peek(st.lowest, s.peeked[:])
	skip := changeCipherSpecLen(first)
	if !f.resumed && mayBegin(first[skip:]) {
		st.second = skip > 0
		s.anchor(f, h, st.lowest+uint32(skip))
		return
	}
	if !f.resumed && beginsDiameter(seg.payload) == tlsFollows { // its connections last for days
		s.anchor(f, h, seg.seq)
		return
	}
	if s.floatLate(f, h, seg) {
		return
	}
	if len(st.ahead) > lookBehind/pageSize {
		h.start, h.spoke = st.lowest, protocolOfPart(first)
		s.decide(h)
	}
}

// lookAhead is how many bytes of a floating stream are looked at.
const lookAhead = 64

// peek copies the bytes that are held from seq on to b, as far as they go.
func (st *stream) peek(seq uint32, b []byte) []byte {
	n := 0
	for n < len(b) {
		p := findPage(st.ahead, seq)
		if p == nil {
			break
		}
		run := p.run(int(seq % pageSize))
		if len(run) == 0 {
			break
		}
		k := copy(b[n:], run)
		seq += uint32(k)
		n += k
	}
	return b[:n]
}

// floatLate begins a late hello in a stream whose beginning is not known, if one begins with
// the segment or with one before. It reports whether the stream floats no more.
func (s *Scanner) floatLate(f *flow, h *half, seg *segment) bool {
	st := h.stream
	if startsHello(seg.payload) {
		st.hinted, st.hint = true, seg.seq
	}
	if !st.hinted || !s.mayWait(f, h) {
		return false
	}
	run := st.peek(st.hint, s.peeked[:])
	if st.hinted = mayBeLate(run); !st.hinted || len(run) < sslv2HeaderLen {
		return false
	}
	skip := changeCipherSpecLen(run)
	h.start, h.spoke = st.lowest, protocolOfPart(st.peek(st.lowest, s.peeked[:]))
	if s.beginLate(f, h, st.hint+uint32(skip), skip > 0, false) {
		s.resume(f, h, h.start)
	}
	return true
}

// anchor sets the beginning of a floating stream.
func (s *Scanner) anchor(f *flow, h *half, seq uint32) {
	h.phase, h.start, h.next = started, seq, seq
	s.resume(f, h, seq)
}

// resume reads what is held of a stream that has floated, and begins at a sequence number.
func (s *Scanner) resume(f *flow, h *half, seq uint32) {
	for i := range h.stream.uses {
		h.stream.uses[i].begin -= seq
		h.stream.uses[i].end -= seq
	}
	s.drain(f, h)
}
