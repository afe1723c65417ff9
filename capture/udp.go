package capture

import (
	"hash/maphash"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// Transport is what carries a ClientHello.
type Transport string

const (
	TCP  Transport = "tcp"  // TLS records over TCP
	QUIC Transport = "quic" // CRYPTO frames in Initial packets
	DTLS Transport = "dtls" // DTLS records, over UDP or in another carrier
	Raw  Transport = "raw"  // TLS records in EAP, OpenVPN or RDP over UDP; Hello.Path says which
)

// datagram takes a UDP datagram. The first byte tells QUIC's long headers from DTLS records
// and from everything else (RFC 9443, Section 3).
func (s *Scanner) datagram(seg *segment) {
	b := seg.payload
	if len(b) < 13 { //mutation:equivalent the assemblers ignore some bytes more or less
		return // too short for any
	}
	if seg.flawed || s.flows.limits.Checksums == ChecksumsVerify && seg.checksum() > sumRight {
		return // no host takes it
	}
	c := seg.carrier
	if c == noCarrier && mayBeCarrier(b) {
		c = carrierOf(b)
	}
	switch {
	case c != noCarrier:
		s.carry(c, keyOf(seg, s.locate()), b)
	case mayBeRDPUDP(seg) && s.rdpUDP(seg):
	case b[0]&0x80 != 0:
		s.quicDatagram(keyOf(seg, s.locate()), b)
	case b[0] >= 20 && b[0] < 64, b[1] == dtlsMajor: //mutation:equivalent DTLS ignores other types
		s.dtlsDatagram(keyOf(seg, s.locate()), b)
	}
}

// takes reports whether a host takes the datagram at hand, which belongs to f if that is not
// nil, and returns what is known of the checksums of the flow after it.
func (s *Scanner) takes(f *flow) (evidence half, ok bool) {
	if f != nil {
		evidence = f.halves[0] // which has the only direction
	}
	if s.framed != nil {
		return evidence, true // TCP has taken it
	}
	before := evidence
	if _, dropped := s.damaged(&evidence, &s.decoder.seg); dropped {
		return evidence, false
	}
	partial := s.decoder.seg.proof == unproven
	if f == nil {
		return evidence, true
	}
	sums := before.sums.allWrong() && (evidence.sums.right > 0 || partial && !before.partial)
	headers := before.headers.allWrong() && evidence.headers.right > 0
	switch {
	case sums || headers:
		// What was read before was not for the server.
		evidence.sums.wrong, evidence.headers.wrong, evidence.again = 0, 0, f.last != 0 || partial
		s.contradictDatagrams(f)
		s.flows.dropSession(f)
		f.last = 0
	case s.decoder.seg.proof == improbable && f.session != nil:
		f.session.doubts = f.session.doubts.With(Checksum)
	}
	f.halves[0] = evidence
	return evidence, true
}

// hash returns a hash of b that a sender of packets cannot predict.
func (s *Scanner) hash(b []byte) uint64 { return maphash.Bytes(s.hashSeed(), b) }

func (s *Scanner) hashSeed() maphash.Seed {
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	return s.seed
}

// used notes that the packet that is being scanned was of use for a session, if it was,
// as its progress before and after it tells.
func (s *Scanner) used(ss *session, before, after assemble.Progress) {
	if after.Attempt != before.Attempt || after.Pieces < before.Pieces { // it started over
		before.Pieces = 0
		ss.frames, ss.used = ss.frames[:0], 0
	}
	if after.Pieces > before.Pieces {
		if ss.path == nil {
			ss.path = s.decoder.path.kept(&s.decoder.seg)
		}
		for _, frame := range s.frames {
			if n := len(ss.frames); n == 0 || ss.frames[n-1] != frame { // a segment can have several frames
				ss.frames = append(ss.frames, frame)
			}
		}
		ss.used++
	}
}

// reportDatagrams yields what the assembler of a session has completed or refused, unless it
// repeats the last hello, which is certain only if no other bytes came in its place.
func (s *Scanner) reportDatagrams(f *flow, ss *session, result assemble.Result, doubts Reasons) {
	s.describeDatagrams(f, ss)
	s.hello.Ambiguous = s.doubtFramed(doubts)
	s.hello.Faults = append(s.hello.Faults, ss.noted().faults...)
	if root := f.session; root != nil && root != ss && root.index > 1 && !ss.dtls {
		s.hello.Contradicts = append(s.hello.Contradicts, root.noted().reported...)
	}
	var last, says uint64
	if result.Outcome == assemble.Complete {
		s.hello.Message = result.Message
		hello, err := s.hello.parse(serversOf(ss.transport()))
		ss.flags = s.compareFlags(ss.flags, hello, err)
		last = s.hashMessage(ss, result.Message)
		name, _ := hello.ServerName()
		says = s.hash(name) ^ ss.flags
		s.contradictAttempt(ss, says)
	} else {
		s.hello.Code, s.hello.Offset = result.Code, result.Offset
		if a, ok := ss.assembler.(interface{ Prefix() []byte }); ok {
			s.hello.Message = a.Prefix()
		}
		if n := len(s.hello.Frames); n == 0 || s.hello.Frames[n-1] != s.frames[len(s.frames)-1] {
			s.hello.Frames = append(s.hello.Frames, s.frames...) // of no use, but what is refused
			s.hello.Pieces.Datagrams++
		}
		last = s.nameRefused(ss, f.last)
		if other := f.twin; other != nil && other.last == last {
			f.last = last
		}
	}
	if last != f.last || doubts.Has(Checksum) || len(ss.noted().faults) > 0 {
		if f.halves[0].again && result.Outcome == assemble.Complete {
			// It contradicts one with a wrong checksum.
			s.hello.Ambiguous = s.hello.Ambiguous.With(Checksum)
		}
		if f.last = last; result.Outcome != assemble.Complete || s.compareDatagrams(f) {
			s.emit()
			if result.Outcome == assemble.Complete && f.session != nil {
				more := f.session.extra()
				more.reported, more.damaged = append(more.reported[:0], s.hello.Frames...), s.decoder.seg.proof >= doubtful
				more.says = says
			}
		}
	}
}

// hashMessage returns a hash of a message that a session has completed, as f.last is.
func (s *Scanner) hashMessage(ss *session, message []byte) uint64 {
	if quic, ok := ss.assembler.(*assemble.QUIC); ok {
		return quic.Hash(message) &^ 1
	}
	return s.hash(message) &^ 1
}

// nameRefused names s.hello, which a session refused, by its message_seq, length and random;
// the latter two are 0 if they have not come. Further fragments and retransmissions are refused
// too, maybe for another reason: if last may name the same hello, the result is last.
func (s *Scanner) nameRefused(ss *session, last uint64) uint64 {
	const (
		lengthAt, randomAt = 17, 41 // in bits
		randomLen          = 32
	)
	name := uint64(ss.message.length)<<lengthAt | uint64(s.hello.DTLS.MessageSeq)<<1 | 1
	random := 4 + 2
	if ss.transport() == DTLS {
		random = 12 + 2
	}
	if len(s.hello.Message) >= random+randomLen {
		name |= s.hash(s.hello.Message[random:random+randomLen]) << randomAt
	}
	if (name^last)&(1<<lengthAt-1) != 0 {
		return name
	}
	for _, field := range [...]uint64{1<<randomAt - 1<<lengthAt, 1<<64 - 1<<randomAt} {
		if a, b := name&field, last&field; a != b && a != 0 && b != 0 {
			return name
		}
	}
	return last
}

// contradictDatagrams yields a row without a hello which says that the latest hello of f may
// have had a wrong checksum.
func (s *Scanner) contradictDatagrams(f *flow) {
	if f.session != nil && f.session.noted().damaged {
		s.contradictReported(f, Checksum)
	}
}

// contradictReported yields a row without a hello which says that the latest hello of f is in
// doubt.
func (s *Scanner) contradictReported(f *flow, why Reason) {
	s.describeDatagrams(f, f.session)
	s.hello.Frames, s.hello.Index, s.hello.Pieces = s.hello.Frames[:0], 1, Pieces{}
	s.hello.Ambiguous = Reasons(0).With(why)
	s.hello.Contradicts = append(s.hello.Contradicts, f.session.noted().reported...)
	s.emit()
}

// emitUnreadDatagrams yields a row without a hello for a flow over UDP whose packets
// contradict each other, and in which no hello became whole.
func (s *Scanner) emitUnreadDatagrams(f *flow) {
	ss := f.session
	switch {
	case ss != nil && ss.dtls:
		s.emitDifferent(f)
	case ss != nil && ss.index > 1 && ss.mixed && ss.shadow != nil && ss.shadow.used > 0:
		s.reportPart(f, ss.shadow, Overlap)
		s.flows.dropShadow(ss)
	}
	if ss != nil && (ss.retried || ss.index == 1) {
		s.reportUnread(f)
	}
	if ss == nil || ss.index != 1 || f.last != 0 || ss.lenient || ss.dtls && !ss.inProgress() && !ss.replayed {
		return
	}
	doubts := ss.doubts
	if ss.doubts = 0; ss.replayed {
		doubts = doubts.With(Fragments)
	}
	if doubts != 0 {
		s.describeDatagrams(f, ss)
		s.hello.Ambiguous = doubts
		s.emit()
	}
}

// describeDatagrams fills in what hellos and refusals have in common.
func (s *Scanner) describeDatagrams(f *flow, ss *session) {
	src, dst := f.ends(0)
	s.hello = Hello{
		Transport: ss.transport(),
		Src:       src,
		Dst:       dst,
		Flow:      s.numberOf(f),
		Time:      s.time,
		Frames:    append(s.hello.Frames[:0], ss.frames...),
		Faults:    s.hello.Faults[:0],
		Index:     int(ss.index),
		Pieces:    Pieces{Datagrams: int(ss.used)},
		Path:      s.decoder.path.names(&s.decoder.seg),

		Contradicts: s.hello.Contradicts[:0],
	}
	if s.flushing && ss.path != nil {
		s.hello.Path = *ss.path
	}
	switch a := ss.assembler.(type) {
	case *assemble.QUIC:
		s.hello.QUIC = a.Info()
		s.hello.Index = max(s.hello.QUIC.Hello, 1)
		s.hello.Pieces.Packets = s.hello.QUIC.Packets
	case interface{ Info() assemble.DTLSInfo }:
		s.hello.DTLS = a.Info()
		s.hello.Pieces.Records = s.hello.DTLS.Records
	}
	s.describeCarried(ss)
}

// reportPart yields a row without a hello for what a session has read after a hello of f, in
// whose place it may be.
func (s *Scanner) reportPart(f *flow, ss *session, why Reason) {
	s.describeDatagrams(f, ss)
	s.hello.Index = 1
	s.hello.Ambiguous = Reasons(0).With(why)
	s.hello.Contradicts = append(s.hello.Contradicts, f.session.noted().reported...)
	s.emit()
}
