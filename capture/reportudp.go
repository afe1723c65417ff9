package capture

import "github.com/tlsflags/tlsflags/clienthello/assemble"

// reportDatagrams yields what the assembler of a session has completed or refused, unless it is what
// came last.
func (s *Scanner) reportDatagrams(f *flow, ss *session, result assemble.Result, doubts Reasons) {
	s.describeDatagrams(f, ss)
	s.hello.Ambiguous = s.doubtFramed(doubts)
	s.hello.Faults = append(s.hello.Faults, ss.noted().faults...)
	if root := f.session; root != nil && root != ss && root.index > 1 && !ss.dtls {
		s.hello.Contradicts = append(s.hello.Contradicts, root.noted().reported...)
	}
	var last uint64
	if result.Outcome == assemble.Complete {
		s.hello.Message = result.Message
		hello, err := s.hello.parse(serversOf(ss.transport()))
		ss.flags = s.compareFlags(ss.flags, hello, err)
		last = s.hash(result.Message) &^ 1
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
	if last != f.last || doubts.Has(Checksum) {
		if f.halves[0].again && result.Outcome == assemble.Complete {
			// It contradicts one with a wrong checksum.
			s.hello.Ambiguous = s.hello.Ambiguous.With(Checksum)
		}
		if f.last = last; result.Outcome != assemble.Complete || s.compareDatagrams(f) {
			s.emit()
			if result.Outcome == assemble.Complete && f.session != nil {
				more := f.session.extra()
				more.reported, more.damaged = append(more.reported[:0], s.hello.Frames...), s.decoder.seg.proof >= doubtful
			}
		}
	}
}

// nameRefused names s.hello, which a session refused, by its message_seq, length and random;
// the latter two are 0 if they have not come. Each further fragment of it is refused too, and
// so is each when it comes again, maybe for another reason: if last may be its name, the
// result is last.
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
	if ss := f.session; ss != nil && ss.noted().damaged {
		s.describeDatagrams(f, ss)
		s.hello.Frames, s.hello.Index, s.hello.Pieces = s.hello.Frames[:0], 1, Pieces{}
		s.hello.Ambiguous = Reasons(0).With(Checksum)
		s.hello.Contradicts = append(s.hello.Contradicts, ss.more.reported...)
		s.emit()
	}
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
	if ss == nil || ss.index != 1 || f.last != 0 || ss.lenient {
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
		Time:      s.time,
		Frames:    append(s.hello.Frames[:0], ss.frames...),
		Faults:    s.hello.Faults[:0],
		Index:     int(ss.index),
		Pieces:    Pieces{Datagrams: int(ss.used)},
		Path:      s.decoder.path.names(&s.decoder.seg),

		Contradicts: s.hello.Contradicts[:0],
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
