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
		versioned = versionAt - messageAt // a record longer than this has the version
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

// mayBeginPrologue is mayBegin for a prologue that is text or has a signature. The others
// are too short to be told from the middle of a stream.
func mayBeginPrologue(b []byte) bool {
	const enough = 8
	if len(b) < enough || b[0] < '<' && b[0] != '\r' && b[0] != 0 {
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
	if mayBegin(findPage(st.ahead, st.lowest).run(int(st.lowest % pageSize))) {
		s.anchor(f, h, st.lowest)
		return
	}
	if len(st.ahead) > lookBehind/pageSize {
		s.decide(h)
	}
}

// anchor sets the beginning of a floating stream.
func (s *Scanner) anchor(f *flow, h *half, seq uint32) {
	h.phase, h.start, h.next = started, seq, seq
	for i := range h.stream.uses {
		h.stream.uses[i].begin -= seq
		h.stream.uses[i].end -= seq
	}
	s.drain(f, h)
}
