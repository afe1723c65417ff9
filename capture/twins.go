package capture

// Twins are two flows with the same addresses and ports in different places: one packet seen
// twice, on both sides of a tunnel or in two VLANs; or one of them is forged, since anybody
// can send packets to the end of a tunnel.

// findTwin looks for the twin of a new flow. Flows are listed for that as soon as they are in
// two places.
func (t *table) findTwin(f *flow) {
	if !t.severalPlaces {
		if !t.anyPlace {
			t.anyPlace, t.firstPlace = true, f.key.kind.place()
		}
		if t.severalPlaces = f.key.kind.place() != t.firstPlace; !t.severalPlaces {
			return
		}
		for other := range t.flows.all() {
			if other != f && other.isConnection() {
				t.list(other)
			}
		}
	}
	base := f.key.outside()
	other := t.placed[base]
	if other == nil && f.key.kind.place() != 0 {
		other = t.flows.get(base)
	}
	t.list(f)
	t.join(f, other)
}

// list notes a flow that is in a place.
func (t *table) list(f *flow) {
	if f.key.kind.place() == 0 {
		return
	}
	if t.placed == nil {
		t.placed = make(map[flowKey]*flow)
	}
	t.placed[f.key.outside()] = f
}

// isConnection reports whether a flow is no IP packet in fragments.
func (f *flow) isConnection() bool { return f.key.kind.udp() || f.key.id == 0 }

func (t *table) join(f, other *flow) {
	if other == nil || other == f {
		return
	}
	t.part(other)
	f.twin, other.twin = other, f
}

// part ends the pairing of a flow with its twin.
func (t *table) part(f *flow) {
	if f.twin != nil {
		f.twin.twin, f.twin = nil, nil
	}
}

// forgetTwin removes a flow from what findTwin searches.
func (t *table) forgetTwin(f *flow) {
	t.part(f)
	if t.severalPlaces && f.isConnection() && t.placed[f.key.outside()] == f {
		delete(t.placed, f.key.outside())
	}
}

// tunnelled reports whether a flow has more IP headers around it than its twin.
func (f *flow) tunnelled() bool { return f.outers > f.twin.outers }

// compareTwin compares s.hello, of f, with the last hello of its twin. It reports whether it
// is to be reported, and whether it has to wait for the one of the twin. Mirrored traffic
// can have one direction in a tunnel and the other outside: there is nothing to wait for.
func (s *Scanner) compareTwin(f *flow, h *half) (report, wait bool) {
	f.last = s.helloHash(s.hello.Message, h.direction)
	other := f.twin
	switch {
	case other == nil || len(s.hello.Message) == 0:
		return true, false
	case other.last == 0:
		return true, f.tunnelled() && other.halves[h.direction].phase != silent
	case other.last == f.last && other.doubt != nil && other.tunnelled():
		s.dropTunnelRows(other) // which was waiting for this one
		return true, false
	case other.last == f.last:
		return false, false
	case f.tunnelled(), f.outers == other.outers:
		s.hello.Ambiguous = s.hello.Ambiguous.With(Tunnel)
		return true, false
	}
	s.contradictTwin(other)
	return true, false
}

// helloHash returns a hash of a hello over TCP and its direction, which is not 0.
func (s *Scanner) helloHash(message []byte, direction uint8) uint64 {
	return s.flows.flows.hasher.bytes(message)&^2 | uint64(direction)<<1 | 1
}

// compareDatagrams is compareTwin for a hello over UDP, without waiting.
func (s *Scanner) compareDatagrams(f *flow) (report bool) {
	switch other := f.twin; {
	case other == nil || other.last == 0:
	case other.last == f.last:
		return s.hello.Ambiguous != 0 && !f.tunnelled() // which the one in the tunnel may not have been
	case f.tunnelled(), f.outers == other.outers:
		s.hello.Ambiguous = s.hello.Ambiguous.With(Tunnel)
	default:
		s.contradictTwin(other)
	}
	return true
}

// dropTunnelRows drops the rows of a flow that wait for its twin.
func (s *Scanner) dropTunnelRows(f *flow) {
	kept := f.doubt.rows[:0]
	for _, row := range f.doubt.rows {
		if !row.Ambiguous.Has(Tunnel) {
			kept = append(kept, row)
		}
	}
	if f.doubt.rows = kept; len(kept) == 0 {
		f.doubt.rows = nil
	}
	s.closeDoubt(f)
	s.flows.settle(f)
}

// contradictTwin says that the hello of a flow in a tunnel is not that of the same flow
// outside, which is s.hello.
func (s *Scanner) contradictTwin(f *flow) {
	outside := keep(&s.hello)
	if f.doubt != nil && f.doubt.rows != nil {
		rows := f.doubt.rows
		f.doubt.rows = nil
		for _, row := range rows {
			s.emitKept(row)
		}
		s.closeDoubt(f)
		s.flows.settle(f)
	} else if frames := f.reported(); len(frames) > 0 {
		doubt := outside
		doubt.Message, doubt.Frames, doubt.Contradicts = nil, nil, frames
		doubt.Ambiguous = Reasons(0).With(Tunnel)
		s.emitKept(doubt)
	}
	s.hello = outside
}

// reported returns the packets of the last hello of a flow that was reported, as far as they
// are known.
func (f *flow) reported() []int {
	for i := range f.halves {
		if st := f.halves[i].stream; st != nil && len(st.reported) > 0 {
			return st.reported
		}
	}
	if f.session != nil {
		return f.session.noted().reported
	}
	return nil
}
