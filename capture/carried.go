package capture

import (
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// carriedCost is what a session of a carrier takes of the memory, without what its assembler
// holds.
const carriedCost = 896

// innerRecords is an assembler of a carrier that brings TLS.
type innerRecords interface {
	Records() assemble.RecordsInfo
}

// addCarrier adds a layer of a carrier.
func (p *path) addCarrier(kind layerKind) {
	p.add(kind, 0)
	p.carriers++
}

// carriedPiece takes a packet of a carrier that has an assembler.
func (s *Scanner) carriedPiece(c carrierKind, key flowKey, b []byte) {
	f := s.flows.flows.get(key)
	evidence, ok := s.takes(f)
	if !ok {
		return
	}
	if f == nil || f.session == nil {
		s.beginCarried(c, f, key, evidence, b)
		return
	}
	ss := f.session
	before := ss.assembler.Progress()
	result := ss.assembler.Feed(b)
	s.used(ss, before, ss.assembler.Progress())
	if s.flows.charge(f, &ss.charged, ss.cost()-ss.charged) {
		s.judgeCarried(f, result)
	}
}

// beginCarried takes a packet that may begin a hello. A flow is made only if it does. f is the
// flow if there is one, evidence is of checksums.
func (s *Scanner) beginCarried(c carrierKind, f *flow, key flowKey, evidence half, b []byte) {
	reverse := key
	reverse.lo, reverse.hi = key.hi, key.lo
	ss := s.flows.newCarried(c)
	before := ss.assembler.Progress()
	result := ss.assembler.Feed(b)
	switch {
	case result.Outcome == assemble.Unrecognized, result.Code == extension.ErrMessageType, !ss.begun() && s.flows.flows.get(reverse) != nil:
		s.flows.freeSession(ss)
		return
	}
	s.used(ss, before, ss.assembler.Progress())
	if f == nil {
		f = s.flows.create(key, s.decoder.path.ips)
	}
	f.session, f.halves[0] = ss, evidence
	if s.flows.charge(f, &ss.charged, ss.cost()) {
		s.judgeCarried(f, result)
	}
}

// newCarried returns a session of a carrier.
func (t *table) newCarried(c carrierKind) *session {
	ss := t.carried[c].get()
	if ss.assembler == nil {
		ss.carrier, ss.assembler = c, carrierTable[c].assembler()
	}
	ss.index = 1
	ss.reset()
	return ss
}

// judgeCarried reports what a packet has completed or refused.
func (s *Scanner) judgeCarried(f *flow, result assemble.Result) {
	ss := f.session
	if eap, ok := ss.assembler.(*assemble.EAP); ok {
		s.decoder.path.addCarrier(eapLayers[eap.Method()])
	}
	switch result.Outcome {
	case assemble.NeedMore:
	case assemble.Complete:
		s.reportDatagrams(f, ss, result, ss.doubts)
		ss.next()
	case assemble.Refused:
		if result.Code != extension.ErrMessageType {
			s.reportDatagrams(f, ss, result, ss.doubts)
		}
		s.flows.dropSession(f)
	default:
		s.flows.dropSession(f) // no further hello follows
	}
	s.flows.settle(f)
}

// describeCarried fills in what is special to a carrier.
func (s *Scanner) describeCarried(ss *session) {
	if a, ok := ss.assembler.(innerRecords); ok {
		s.hello.Pieces.Records = a.Records().Records
	}
	if s.framed != nil {
		s.hello.Pieces.Segments, s.hello.Pieces.Datagrams = len(ss.frames), 0
	}
}
