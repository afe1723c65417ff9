package capture

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	// maxReadings is how many messages of a client are read at a time that have different
	// message_seqs or lengths.
	maxReadings = 4
	// newHandshake is how long after a hello another one with message_seq 0 begins a new
	// handshake for sure. A client waits as long before it sends again (RFC 6347, Section
	// 4.2.4.1).
	newHandshake = time.Second

	dtlsRecordHeader = 13
	dtlsMajor        = 0xfe // of all versions
)

// dtlsDatagram takes a datagram that begins with a DTLS record. A server waits for a
// certain message_seq and a certain length; what else comes is read beside it.
func (s *Scanner) dtlsDatagram(key flowKey, b []byte) {
	if b[0] == recordAlert || b[0] == recordHandshake {
		s.noteDTLSAnswer(key, b)
	}
	f := s.flows.flows.get(key)
	switch {
	case f == nil || f.session == nil:
		if !beginsDTLS(b) && !hasBadCipherSpec(b) {
			return
		}
	case !f.session.noted().doneAt.IsZero() && !f.session.inProgress() && !hasFragment(b):
		s.contradictUnread(f, b)
		return // no further hello
	}
	evidence, ok := s.takes(f)
	if !ok {
		return
	}
	if f == nil || f.session == nil {
		if f = s.beginDTLS(f, key, b); f == nil {
			return
		}
		f.halves[0] = evidence
	}
	root := f.session
	root.noteHeader(&s.decoder)
	if endsHandshake(b, root.inProgress()) || hasEmptyFragment(b) {
		root.doubts = root.doubts.With(Fragments)
	}
	b = s.withoutReplays(root, b)
	end, late := 0, false
	for fragment := range assemble.DTLSFragments(b) {
		end, late = fragment.End, fragment.Late
		if !s.await(f, dtlsMessage{int32(fragment.Seq), int32(fragment.Length)}) {
			return
		}
	}
	if end == 0 && !root.awaited && root.noted().doneAt.IsZero() && !hasBadCipherSpec(b) {
		s.feedDTLS(f, root, b)
	}
	for ss := root; ss != nil && f.session == root; ss = ss.shadow {
		if late && ss.awaited {
			ss.doubts = ss.doubts.With(Fragments)
		}
		if end > 0 && ss.awaited {
			s.feedDTLS(f, ss, b[:end])
		}
	}
	if f.queue != nil && s.flows.chargeSessions(f) {
		s.flows.settle(f)
	}
}

// contradictUnread yields a row without a hello for a datagram after a hello of f, if it has a
// ClientHello that servers do not read. If it came another way, the hello before it may not have
// come to the server.
func (s *Scanner) contradictUnread(f *flow, b []byte) {
	if !endsHandshake(b, true) || len(f.session.noted().reported) == 0 {
		return
	}
	const clientHello = 1
	if f.session.noteHeader(&s.decoder); !f.session.mixed {
		return
	}
	for r := range plainRecords(b) {
		if r[0] == recordHandshake && len(r) > dtlsRecordHeader && r[dtlsRecordHeader] == clientHello {
			s.contradictReported(f, Fragments)
			f.session.more.reported = f.session.more.reported[:0]
			return
		}
	}
}

// inProgress reports whether a part of a message has come.
func (ss *session) inProgress() bool {
	for ; ss != nil; ss = ss.shadow {
		if ss.awaited {
			return true
		}
	}
	return false
}

// dtlsMessage names a message of a client, as far as a fragment tells.
type dtlsMessage struct{ seq, length int32 }

// beginDTLS returns the flow of a datagram that begins a hello, or nil if it begins none. f
// is the flow if there is one.
func (s *Scanner) beginDTLS(f *flow, key flowKey, b []byte) *flow {
	ss := s.flows.newSession(DTLS)
	switch {
	case hasBadCipherSpec(b):
		ss.doubts = ss.doubts.With(Fragments)
	case !hasFragment(b): // it may be one that is refused
		result := ss.assembler.Feed(b)
		ss.reset()
		if !refusesHello(b, result) {
			s.flows.freeSession(ss)
			return nil
		}
	}
	if f == nil {
		f = s.flows.create(key, s.decoder.path.ips)
	}
	if !s.flows.charge(f, &ss.charged, ss.cost()) {
		return nil
	}
	f.session = ss
	if refused := f.last&1 != 0; refused {
		ss.doubts = ss.doubts.With(Fragments) // the server may have ended the handshake
	}
	return f
}

// beginsDTLS reports whether a datagram may begin a hello.
func beginsDTLS(b []byte) bool {
	return b[1] == dtlsMajor && b[0] == recordHandshake || isDTLSVersion(b[1:]) && hasFragment(b)
}

// refusesHello reports whether a ClientHello in datagram b was refused. Another message that does
// not fit into its record does not count.
func refusesHello(b []byte, result assemble.Result) bool {
	const clientHello = 1
	switch {
	case result.Outcome != assemble.Refused, result.Code == extension.ErrMessageType:
		return false
	case result.Code == extension.ErrFieldOverrun:
		return b[result.Offset] == clientHello
	}
	return true
}

// hasFragment reports whether a datagram has a fragment of a ClientHello.
func hasFragment(b []byte) bool {
	for range assemble.DTLSFragments(b) {
		return true
	}
	return false
}

// await makes a session of f read the message of a fragment. It reports whether f is still
// there.
func (s *Scanner) await(f *flow, m dtlsMessage) bool {
	var idle *session
	last, n := f.session, 0
	for ss := f.session; ss != nil; ss = ss.shadow {
		if ss.awaited && ss.message == m {
			return true
		}
		if !ss.awaited && idle == nil {
			idle = ss
		}
		last, n = ss, n+1
	}
	if idle == nil {
		if n == maxReadings {
			f.session.doubts = f.session.doubts.With(Fragments)
			return true
		}
		idle = s.flows.newSession(DTLS)
		last.shadow = idle
		if !s.flows.charge(f, &idle.charged, idle.cost()) {
			return false
		}
	}
	idle.awaited, idle.message = true, m
	idle.assembler.(*assemble.DTLS).Await(int(m.seq), int(m.length))
	return true
}

// feedDTLS gives a datagram to a session of f.
func (s *Scanner) feedDTLS(f *flow, ss *session, b []byte) {
	before := ss.assembler.Progress()
	result := ss.assembler.Feed(b)
	s.used(ss, before, ss.assembler.Progress())
	if !s.flows.charge(f, &ss.charged, ss.cost()-ss.charged) {
		return
	}
	switch result.Outcome {
	case assemble.NeedMore:
	case assemble.Complete:
		s.completeDTLS(f, ss, result)
	case assemble.Refused:
		if refusesHello(b, result) {
			s.reportDatagrams(f, ss, result, ss.doubts)
		}
		s.flows.dropSession(f)
	default:
		s.flows.dropSession(f) // no further hello follows
	}
}

// completeDTLS reports a hello, unless it came before.
func (s *Scanner) completeDTLS(f *flow, ss *session, result assemble.Result) {
	root := f.session
	done := root.extra()
	seq, first := int(ss.message.seq), done.doneAt.IsZero()
	// As it is, or not the one that the server read.
	doubted := (ss.doubts | root.doubts).Has(Checksum) || ss.assembler.(*assemble.DTLS).Overlap()
	if hash := s.hash(result.Message); doubted || !slices.Contains(done.done[:], hash) {
		copy(done.done[1:], done.done[:])
		done.done[0] = hash
		ss.index = 1
		if !first && seq == done.doneSeq+1 {
			ss.index = 2
		}
		doubts := ss.doubts | root.doubts | s.doubtDTLS(f, ss, result.Message)
		ss.flags = root.flags
		s.reportDatagrams(f, ss, result, doubts)
		if done.joined = done.joined[:0]; ss.assembler.(*assemble.DTLS).Info().Records > 1 {
			done.joined = append(done.joined, result.Message...)
		}
		root.flags, done.doneSeq, done.doneAt = ss.flags, seq, s.time
		root.numbers.done, root.served = true, false
	}
	ss.awaited = false
	ss.next()
	root.index = 2
}

// emitDifferent yields a row without a hello for fragments after the latest hello of f that are
// no whole message. If they differ from the hello, the server may have read another one, of
// these and of earlier fragments. So it may if packets came in different ways, and the server
// ended the handshake.
func (s *Scanner) emitDifferent(f *flow) {
	const version, most = 0xfefd, 1 << 14
	done := f.session.noted()
	if n := len(done.joined); n == 0 || n > most {
		return
	}
	for ss := f.session; ss != nil; ss = ss.shadow {
		if !ss.awaited || int(ss.message.seq) != done.doneSeq {
			continue
		}
		record := []byte{recordHandshake, version >> 8, version & 0xff, 0, 0, 0, 0, 0, 0, 0, 0}
		record = binary.BigEndian.AppendUint16(record, uint16(len(done.joined)))
		dtls := ss.assembler.(*assemble.DTLS)
		dtls.Feed(append(record, done.joined...))
		if f.session.mixed && f.session.refused || dtls.Overlap() {
			ss.awaited = false
			s.reportPart(f, ss, Fragments)
		}
	}
}

// doubtDTLS says why a server may not have read a message: it waits for another message_seq,
// or copies differ.
func (s *Scanner) doubtDTLS(f *flow, ss *session, message []byte) (doubts Reasons) {
	root, seq, done := f.session, int(ss.message.seq), f.session.noted()
	if root.refused {
		doubts = doubts.With(Fragments)
	}
	switch {
	case done.doneAt.IsZero() && seq == 1:
		s.hello = Hello{Transport: DTLS, Message: message}
		if hello, _, err := s.hello.Parse(); err != nil || len(hello.LegacyCookie()) == 0 && !sentCookie(hello) {
			doubts = doubts.With(Fragments) // what it answers was not captured
		}
	case done.doneAt.IsZero() && seq > 1:
		doubts = doubts.With(Fragments)
	case done.doneAt.IsZero():
	case seq == done.doneSeq+1:
		if root.served || done.doneSeq > 0 { // the server waits for another message, or for none
			doubts = doubts.With(Fragments)
		}
	case seq > 0 || root.mixed || s.time.Sub(done.doneAt) < newHandshake:
		doubts = doubts.With(Fragments)
	}
	for other := root; other != nil; other = other.shadow {
		if other != ss && other.awaited && other.message.seq == ss.message.seq {
			doubts = doubts.With(Fragments)
		}
	}
	if ss.assembler.(*assemble.DTLS).Overlap() {
		doubts = doubts.With(Fragments)
		more := ss.extra()
		more.faults = append(more.faults, Fault{FaultOverlap, 0})
	}
	return doubts
}

// sentCookie reports whether a hello has the cookie of a HelloRetryRequest.
func sentCookie(hello clienthello.ClientHello) bool {
	_, ok := hello.Extensions().Lookup(extension.Cookie)
	return ok
}
