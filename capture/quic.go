package capture

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// minQUICDatagram is the length of the shortest datagram with an Initial packet that a server
// must read (RFC 9000, Section 14.1).
const minQUICDatagram = 1200

// sharedKeys is how many keys are kept for the packets that follow.
const sharedKeys = 512

// quicDatagram takes a datagram that begins with a long header. A server finds the connection
// by the destination connection ID, whatever the client's address; once it has chosen an ID
// itself, the client shows which connection it is.
func (s *Scanner) quicDatagram(key flowKey, b []byte) {
	dcid, scid, ok := connectionIDs(b)
	if !ok {
		return
	}
	key.id = s.hash(b[1 : 6+len(dcid)]) // version, length and ID
	known := s.flows.flows.get(key)
	var evidence half
	if known != nil {
		if evidence, ok = s.takes(known); !ok || s.feedsQUIC(known, key, b) {
			return
		}
	}
	client, reverse := key, key
	client.id = s.hash(scid)
	reverse.lo, reverse.hi, reverse.id = key.hi, key.lo, s.hash(dcid)
	c := quicConnection{known: known}
	c.names.client = s.nameOf(client)
	answered := s.flows.clients[s.nameOf(reverse)]
	if answered != nil && answered.session != nil {
		s.noteAnswer(answered, reverse, scid, b)
	}
	c.latest = s.flows.clients[c.names.client]
	_, mayBegin := assemble.ParseQUICInitial(b)
	c.names.route = s.routeOf(key, dcid)
	c.routed = s.flows.clients[c.names.route]
	if known == nil && c.latest == nil && c.routed == nil && !mayBegin {
		return
	}
	if known == nil {
		if evidence, ok = s.takes(cmp.Or(c.latest, c.routed)); !ok {
			return
		}
	}
	if known == nil || known.session == nil { // else the server knows which connection it is
		switch {
		case s.feedsQUIC(c.latest, key, b):
			mayBegin = mayBegin && s.mayBelongElsewhere(c.latest, key, dcid)
		case s.feedsQUIC(c.routed, key, b):
			mayBegin = mayBegin && s.mayBelongElsewhere(c.routed, key, dcid)
		}
	}
	if !mayBegin {
		return
	}
	if answered == nil || s.flows.quicKeys().UnmasksInitial(b) { // else the server sent it
		s.beginQUIC(key, c, evidence, dcid, b)
	}
}

// quicNames are hashes of the keys under which a connection is found, besides that of its
// flow.
type quicNames struct {
	route  uint64 // without the client's address and the version
	client uint64 // by the client's connection ID
	chosen uint64 // as route, by the connection ID that the server has chosen, or 0
}

// quicConnection is what is known of the connection that a datagram may belong to: the flow
// with its key, the latest with its client's connection ID, and the one that the server finds by
// the destination connection ID, or nil.
type quicConnection struct {
	names                 quicNames
	known, latest, routed *flow
}

// nameOf returns the hash of a key.
func (s *Scanner) nameOf(key flowKey) uint64 { return maphash.Comparable(s.hashSeed(), key) }

// feedsQUIC gives a datagram that belongs to key to the connection of f, which may be nil. It
// reports whether it belongs to that connection. Another copy of what has come, from another
// address, does not: it is a capture on both sides of a NAT.
func (s *Scanner) feedsQUIC(f *flow, key flowKey, b []byte) bool {
	if f == nil || f.session == nil || f.session.closed && f.key.id != key.id || f.startsOver(key, b) {
		return false
	}
	if f.key.lo != key.lo && slices.Contains(f.session.seen[:], uint32(s.hash(b))) {
		return false
	}
	return s.feedQUIC(f, key, b)
}

// connectionIDs returns the connection IDs of a packet with a long header, which all
// versions of QUIC have in the same place (RFC 8999, Section 5.1).
func connectionIDs(b []byte) (dcid, scid []byte, ok bool) {
	const lengthAt = 5 // after flags and version
	i := lengthAt + 1 + int(b[lengthAt])
	if i >= len(b) || i+1+int(b[i]) > len(b) {
		return nil, nil, false
	}
	return b[lengthAt+1 : i], b[i+1 : i+1+int(b[i])], true
}

// quicReading is what one reading of a datagram gives.
type quicReading struct {
	assemble.Result
	faults assemble.QUICFaults
	astray bool // a server looks for another connection by the destination connection ID
}

func (r *quicReading) opened() bool { return r.faults&assemble.QUICOpened != 0 }

// over reports whether no further hello follows the one that a session has completed.
func (r *quicReading) over(ss *session) bool {
	return r.Outcome == assemble.Unrecognized && ss != nil && ss.index > 1
}

// beginQUIC takes a datagram that may begin a connection. A flow is made only if it does.
// evidence is of checksums.
func (s *Scanner) beginQUIC(key flowKey, c quicConnection, evidence half, dcid, b []byte) {
	latest, odd := c.latest, discardsFirst(b)
	if odd {
		latest = nil // the server may not read a hello that is repeated here
	}
	ss := s.newQUIC(c.names, latest, dcid)
	ss.lenient = len(b) < minQUICDatagram
	r := s.readQUIC(ss, b, ss.lenient)
	if r.faults == assemble.QUICFixedBit {
		ss.lenient = true
		r = s.readQUIC(ss, b, true)
	}
	if !r.opened() || r.Code == extension.ErrMessageType {
		s.flows.freeSession(ss)
		return
	}
	if odd || r.faults&assemble.QUICFixedBit != 0 {
		ss.doubts = ss.doubts.With(Initial)
	}
	s.disputeID(c, ss, dcid, b)
	f := c.known
	if f == nil {
		f = s.flows.create(key, s.decoder.path.ips)
	}
	s.emitUnreadDatagrams(f)
	s.flows.dropSession(f)
	f.session, f.halves[0] = ss, evidence
	if s.flows.clients == nil {
		s.flows.clients = make(map[uint64]*flow)
	}
	s.flows.clients[c.names.client] = f
	if r := s.flows.clients[c.names.route]; r == nil || r.session == nil || r.session.retried {
		s.flows.clients[c.names.route] = f
	}
	if s.flows.charge(f, &ss.charged, ss.cost()) {
		s.judgeQUIC(f, b, r, quicReading{})
	}
}

// newQUIC returns a session of a client. latest is the flow in which it has tried before, maybe with
// another connection ID than dcid, or nil.
func (s *Scanner) newQUIC(names quicNames, latest *flow, dcid []byte) *session {
	ss := s.flows.newSession(QUIC)
	ss.names = names
	ss.noteHeader(&s.decoder)
	if latest != nil && latest.session != nil {
		before := latest.session.assembler.(*assemble.QUIC)
		if !bytes.Equal(before.Info().DCID, dcid) {
			ss.assembler.(*assemble.QUIC).Follow(before)
		}
		ss.extra().before = latest.last
	}
	return ss
}

// readQUIC gives a datagram to the assembler of a session.
func (s *Scanner) readQUIC(ss *session, b []byte, lenient bool) (r quicReading) {
	quic := ss.assembler.(*assemble.QUIC)
	quic.Scratch = s.scratch // one for all sessions
	before := quic.Progress()
	r.Result, r.faults = quic.FeedServer(b, lenient)
	s.scratch, quic.Scratch = quic.Scratch, nil //mutation:equivalent it spares allocations
	s.used(ss, before, quic.Progress())
	return r
}

// feedQUIC takes a datagram of key that may belong to the connection of f. It reports whether
// it does.
func (s *Scanner) feedQUIC(f *flow, key flowKey, b []byte) bool {
	small := len(b) < minQUICDatagram
	if ss := f.session; ss.lenient && !ss.closed && !small {
		s.readStrictly(f, key, b)
	}
	ss := f.session
	var strict, lenient quicReading
	id, routed := s.routeQUIC(f, key, b)
	discarded := small || !routed
	if !discarded || ss.lenient || ss.index > 1 {
		strict = s.readQUIC(ss, b, ss.lenient || ss.index > 1)
	}
	fresh := ss.shadow == nil && !ss.lenient && ss.index == 1 && strict.Outcome == assemble.NeedMore &&
		(discarded || strict.faults&(assemble.QUICFixedBit|assemble.QUICOverlap) != 0)
	if fresh {
		ss.shadow = s.copyQUIC(ss)
	}
	ss.noteHeader(&s.decoder)
	if f.key.id == key.id && !small && s.mayRival(ss, b) {
		ss.shadow = s.newQUIC(ss.names, nil, nil)
	}
	if ss.shadow != nil {
		strict.Message = slices.Clone(strict.Message) // which may be in the memory that all sessions share
		lenient = s.readQUIC(ss.shadow, b, true)
		if fresh && !lenient.opened() {
			s.flows.dropShadow(ss)
		}
	}
	if !strict.opened() && !lenient.opened() && !strict.over(ss) && !lenient.over(ss.shadow) {
		return false
	}
	strict.astray, lenient.astray = !routed, !routed
	if strict.opened() {
		ss.useID(id)
	}
	if s.flows.chargeSessions(f) {
		s.judgeQUIC(f, b, strict, lenient)
	}
	return true
}

// mayRival reports whether the hello that was read may not have come to the server, so that
// another one in its place may have: the server has sent nothing since, or there are two hop
// limits.
func (s *Scanner) mayRival(ss *session, b []byte) bool {
	return ss.shadow == nil && !ss.lenient && ss.index > 1 && (!ss.answered || ss.mixed) && !slices.Contains(ss.seen[:], uint32(s.hash(b)))
}

// readStrictly begins the reading of a server, if the datagram is the first that a server
// takes. What was read so far becomes the reading in which nothing is discarded.
func (s *Scanner) readStrictly(f *flow, key flowKey, b []byte) {
	shadow := f.session
	ss := s.newQUIC(shadow.names, nil, nil)
	trial := *ss.assembler.(*assemble.QUIC)
	trial.Scratch = s.scratch
	_, faults := trial.FeedServer(b, false)
	s.scratch = trial.Scratch
	ss.reset()
	if faults&assemble.QUICOpened == 0 {
		s.flows.freeSession(ss)
		return
	}
	ss.shadow, ss.why = shadow, shadow.doubts
	ss.chosen, ss.choice, ss.version = shadow.chosen, shadow.choice, shadow.version
	if shadow.index > 1 || shadow.ended {
		ss.doubts = shadow.doubts
	}
	if more := shadow.noted(); len(more.unread) > 0 {
		e := ss.extra()
		e.before, e.unread, e.says = more.before, more.unread, more.says
	}
	shadow.lenient = false
	f.session = ss
	s.renameClient(f, key, b)
}

// copyQUIC returns a session that has come as far as ss.
func (s *Scanner) copyQUIC(ss *session) *session {
	c := s.flows.newSession(QUIC)
	c.assembler.(*assemble.QUIC).CopyFrom(ss.assembler.(*assemble.QUIC))
	c.names, c.index, c.flags, c.used = ss.names, ss.index, ss.flags, ss.used
	c.frames = append(c.frames, ss.frames...)
	return c
}

// dropShadow forgets the reading in which nothing is discarded.
func (t *table) dropShadow(ss *session) {
	if ss.shadow != nil {
		t.dropShadow(ss.shadow)
		t.memory -= ss.shadow.charged
		t.freeSession(ss.shadow)
		ss.shadow, ss.why = nil, 0
	}
}

// judgeQUIC compares what a server reads with what there is, and reports hellos. strict and
// lenient are what the datagram b has brought.
func (s *Scanner) judgeQUIC(f *flow, b []byte, strict, lenient quicReading) {
	const closing = assemble.QUICReservedBits | assemble.QUICClose
	ss := f.session
	switch small := len(b) < minQUICDatagram; {
	case !small && ss.index == 1:
		copy(ss.seen[1:], ss.seen[:])
		ss.seen[0] = uint32(s.hash(b))
	case small && strict.opened():
		ss.doubts = ss.doubts.With(SmallInitial)
	}
	if strict.faults&(assemble.QUICOverlap|assemble.QUICOldNumber) != 0 || strict.faults&assemble.QUICFixedBit != 0 && ss.lenient || strict.opened() && (strict.astray || discardsFirst(b)) || ss.acknowledgesUnsent() {
		ss.doubts = ss.doubts.With(Initial)
	}
	if strict.faults&assemble.QUICOverlap != 0 {
		ss.overlaps()
	}
	if ss.index == 1 && strict.Outcome == assemble.NeedMore && ss.assembler.(*assemble.QUIC).Info().Hello > 1 {
		ss.index, ss.answered, f.last = 2, false, ss.noted().before // the hello of the attempt before
	}
	switch {
	case ss.shadow == nil:
	case ss.index > 1:
		s.judgeRival(f, lenient)
	default:
		s.judgeShadow(f, b, strict, lenient)
	}
	switch {
	case strict.Outcome == assemble.Complete:
		ss.answered = false
		s.flows.dropShadow(ss)
		s.reportDatagrams(f, ss, strict.Result, ss.doubts)
		ss.next()
	case strict.Outcome == assemble.Refused:
		if strict.Code != extension.ErrMessageType || ss.doubts != 0 {
			s.reportDatagrams(f, ss, strict.Result, ss.doubts)
		}
		s.flows.dropShadow(ss)
		ss.reset()
		ss.frames, ss.used = ss.frames[:0], 0
		if ss.ended = true; !ss.lenient {
			ss.close()
		}
	case strict.over(ss), lenient.over(ss.shadow):
		s.flows.dropSession(f)
	case strict.faults&closing != 0 && ss.lenient:
		ss.ended = true
	case strict.faults&closing != 0 && ss.index == 1:
		s.flows.dropShadow(ss)
		ss.close()
		if again := s.readQUIC(ss, b, true); again.Outcome != assemble.NeedMore {
			s.judgeQUIC(f, b, again, quicReading{})
			return
		}
	}
	if s.flows.chargeSessions(f) {
		s.flows.settle(f)
	}
}

// overlaps notes that bytes differ from those which came before in the same place.
func (ss *session) overlaps() {
	more := ss.extra()
	more.faults = append(more.faults[:0], Fault{FaultOverlap, 0})
}

// acknowledgesUnsent reports whether the client has acknowledged more packets than the server
// has sent, after which servers close the connection (RFC 9000, Section 13.1).
func (ss *session) acknowledgesUnsent() bool {
	return ss.index == 1 && ss.assembler.(*assemble.QUIC).Info().Acked > uint64(ss.answers)
}

// close notes that a server has closed the connection. What comes next is read only by one
// that has not.
func (ss *session) close() {
	ss.lenient, ss.closed, ss.doubts = true, true, ss.doubts.With(Initial)
}

// judgeShadow takes the result of the reading in which nothing is discarded. If it
// contradicts the other, the hello is in doubt.
func (s *Scanner) judgeShadow(f *flow, b []byte, strict, lenient quicReading) {
	const contradicts = assemble.QUICReservedBits | assemble.QUICClose | assemble.QUICOverlap
	ss := f.session
	if len(b) < minQUICDatagram && lenient.opened() {
		ss.why = ss.why.With(SmallInitial)
	}
	if lenient.faults&assemble.QUICFixedBit != 0 || lenient.opened() && lenient.astray || strict.faults&assemble.QUICOverlap != 0 {
		ss.why = ss.why.With(Initial)
	}
	if lenient.faults&assemble.QUICOverlap != 0 {
		ss.shadow.overlaps()
	}
	apart := strict.opened() && !lenient.opened() // the readings expand packet numbers differently
	acks := ss.shadow.assembler.(*assemble.QUIC).Info().Acked > uint64(ss.answers)
	if apart || acks || lenient.faults&contradicts != 0 || lenient.Outcome == assemble.Refused {
		ss.doubts |= ss.why
	}
	switch {
	case lenient.Outcome == assemble.Complete && strict.Outcome == assemble.Complete && string(lenient.Message) == string(strict.Message):
	case lenient.Outcome == assemble.Complete:
		ss.doubts |= ss.why
		s.reportDatagrams(f, ss.shadow, lenient.Result, ss.doubts)
		ss.shadow.next()
	case lenient.Outcome == assemble.Refused:
		s.flows.dropShadow(ss)
	}
}

// judgeRival takes what has come in the place of the hello that was read. If it is another one,
// both are in doubt.
func (s *Scanner) judgeRival(f *flow, r quicReading) {
	ss := f.session
	if r.faults&assemble.QUICOverlap != 0 {
		ss.shadow.overlaps()
	}
	switch {
	case r.Outcome == assemble.Refused:
		ss.doubts = ss.doubts.With(Overlap)
	case r.Outcome != assemble.Complete:
	case s.hashMessage(ss.shadow, r.Message) != f.last:
		ss.doubts = ss.doubts.With(Overlap)
		ss.shadow.overlaps()
		s.reportDatagrams(f, ss.shadow, r.Result, ss.doubts)
	case len(ss.shadow.noted().faults) > 0: // other bytes may be another hello
		s.reportPart(f, ss.shadow, Overlap)
	}
	if r.Outcome != assemble.NeedMore {
		s.flows.dropShadow(ss)
	}
}
