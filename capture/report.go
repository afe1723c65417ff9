package capture

// report yields s.hello with its doubts and faults, or keeps it until the other end decides.
// It reports whether f is still there.
func (s *Scanner) report(f *flow, h *half) bool {
	st := h.stream
	begin := h.start + st.start + uint32(st.records.Info().Start)
	waiting := func(d *doubt) *[]Hello { return &d.rows }
	switch {
	case st.late:
		s.hello.Ambiguous = s.hello.Ambiguous.With(Unconfirmed)
	case f.resumed && h.synSeen && !h.ackSeen: // the connection that was evicted may go on
		s.hello.Ambiguous = s.hello.Ambiguous.With(SYN)
	}
	if len(st.copies) > 0 || st.doubts != 0 || st.proof == improbable {
		s.hello.Ambiguous |= s.weigh(h, begin)
	}
	s.hello.Faults = append(s.hello.Faults, st.faults...)
	if h.urgent || st.adopted || len(st.faults) > 0 {
		s.hello.checkBodies()
	}
	st.reported, st.reportedAt = append(st.reported[:0], s.hello.Frames...), begin
	if !st.late { // a late hello is compared once it is answered
		if report, wait := s.compareTwin(f, h); !report {
			return true
		} else if wait {
			s.hello.Ambiguous = s.hello.Ambiguous.With(Tunnel)
			return s.wait(f, waiting)
		}
	}
	rival := s.rival(f, int(h.direction))
	switch {
	case rival == h:
		return s.wait(f, func(d *doubt) *[]Hello { return &d.rivalRows })
	case rival != nil && f.alone(h):
		s.hello.Ambiguous = s.hello.Ambiguous.With(SYN)
	}
	if s.hello.Ambiguous == 0 || s.flows.open != nil {
		s.emit()
		return true
	}
	if s.hello.Ambiguous&^oddHello == 0 && st.index == 1 {
		return s.wait(f, waiting)
	}
	other := h.otherReading(begin)
	differs := other != nil && string(other) != string(s.hello.Message)
	if !differs && !st.late {
		s.hello.single = st.single() && s.hello.Code == 0 && s.hello.Ambiguous&^(oddHello|lost) == 0
		if s.hello.single && st.index == 1 && !f.alone(h) {
			return s.wait(f, waiting)
		}
		s.emit()
		return true
	}
	s.hello.mixed = differs && h.mixes()
	if !s.wait(f, waiting) {
		return false
	}
	if differs {
		if s.readOther(h, other); !s.wait(f, waiting) {
			return false
		}
	}
	return s.expectAnswer(f, h)
}

// readOther makes s.hello, whose flow and packets are right, that of another reading.
func (s *Scanner) readOther(h *half, message []byte) {
	s.hello.Message, s.hello.Code, s.hello.Offset, s.hello.Trailing = message, 0, 0, 0
	if message != nil && !s.hello.Ambiguous.Has(Malformed) {
		s.hello.checkBodies()
	}
	for _, c := range h.stream.copies {
		if c.mayCount() {
			s.hello.Frames = append(s.hello.Frames, c.frames...)
		}
	}
}

// contradict reports the reading that is left if copies count that came after a hello was
// reported, or after bytes that were no hello.
func (s *Scanner) contradict(f *flow, h *half) {
	st := h.stream
	begin := h.start
	if st.index > 1 {
		begin = st.reportedAt
	}
	other := h.otherReading(begin)
	s.describe(f, h)
	s.hello.Frames, s.hello.Pieces = s.hello.Frames[:0], Pieces{}
	s.readOther(h, other)
	s.hello.Ambiguous = st.doubts
	for _, c := range st.copies {
		if c.rival {
			s.hello.Ambiguous = s.hello.Ambiguous.With(c.why)
		}
	}
	if st.index > 1 {
		s.hello.Index--
		s.hello.Contradicts = append(s.hello.Contradicts, st.reported...)
	}
	st.forgetCopies()
	if other != nil || st.index > 1 {
		s.emit()
	}
}
