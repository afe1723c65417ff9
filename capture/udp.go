package capture

import (
	"hash/maphash"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// Transport is what carries a ClientHello.
type Transport string

const (
	TCP  Transport = "tcp"  // TLS records over TCP
	QUIC Transport = "quic" // CRYPTO frames in Initial packets
	DTLS Transport = "dtls" // DTLS records over UDP
)

// maxDatagramMessage is the length of the longest hello that is read from datagrams.
// RFC 9000, Section 7.5 does not require a QUIC server to keep more than 4,096 bytes of a
// handshake, and a DTLS server that keeps more is open to floods.
const maxDatagramMessage = 16 << 10

// sessionCost is what a session takes of the memory, with the keys of QUIC.
const sessionCost = 9*maxDatagramMessage/8 + 2048

// frameCost is what the number of a packet takes of the memory.
const frameCost = 8

// session is what a flow over UDP needs as long as a hello is expected.
type session struct {
	transport  Transport
	assembler  assemble.Assembler
	assemblers map[Transport]assemble.Assembler // for reuse with other flows
	memory     [9 * maxDatagramMessage / 8]byte // of the assembler; see assemble.BufferSize
	index      int                              // of the hello that is awaited
	flags      uint64                           // hash of the TLS Flags extensions of the first hello
	frames     []int                            // packets that were of use for the hello that is awaited
	used       int                              // datagrams that were
	charged    int                              // bytes, of the table's memory
}

// newAssembler returns the assembler of a carrier over UDP.
func newAssembler(t Transport) assemble.Assembler {
	if t == DTLS {
		return new(assemble.DTLS)
	}
	return new(assemble.QUIC)
}

// newSession returns a session for the first datagram of a flow.
func (t *table) newSession(transport Transport) *session {
	ss := t.sessions.get()
	if ss.transport != transport {
		if ss.assemblers == nil {
			ss.assemblers = make(map[Transport]assemble.Assembler)
		}
		if ss.assemblers[transport] == nil {
			ss.assemblers[transport] = newAssembler(transport)
		}
		ss.transport, ss.assembler = transport, ss.assemblers[transport]
	}
	ss.index = 1
	ss.assembler.Reset(ss.memory[:])
	return ss
}

// freeSession takes back a session.
func (t *table) freeSession(ss *session) {
	ss.assembler.Reset(nil) // forgets keys
	ss.used, ss.charged, ss.flags = 0, 0, 0
	ss.frames = ss.frames[:0]
	if cap(ss.frames) > maxUses { //mutation:equivalent only what is kept for later differs
		ss.frames = nil //mutation:equivalent only what is kept for later differs
	}
	t.sessions.put(ss) //mutation:equivalent it spares allocations
}

// dropSession frees the session of a flow.
func (t *table) dropSession(f *flow) {
	if f.session == nil {
		return
	}
	t.memory -= f.session.charged
	t.freeSession(f.session)
	f.session = nil
}

// begun reports whether the session holds the beginning of a first hello. The beginning of
// a second one looks like other messages of a client.
func (s *session) begun() bool { return s.index == 1 }

// cost returns what the session takes of the memory. A datagram can arrive in thousands of
// fragments, all of which are in frames.
func (s *session) cost() int { return sessionCost + frameCost*cap(s.frames) }

// datagram takes a UDP datagram. The first byte tells QUIC's long headers from DTLS records
// and from everything else (RFC 9443, Section 3).
func (s *Scanner) datagram(seg *segment) {
	b := seg.payload
	if len(b) < 13 { //mutation:equivalent the assemblers ignore some bytes more or less
		return // too short for either
	}
	key := keyOf(seg, s.locate())
	switch {
	case b[0]&0x80 != 0:
		dcid, scid, ok := connectionIDs(b)
		if !ok {
			return
		}
		key.id = s.hash(scid)
		s.dispatch(key, QUIC, b, func() bool {
			reverse := flowKey{lo: seg.dst, hi: seg.src, kind: key.kind, id: s.hash(dcid)}
			_, ok := assemble.ParseQUICInitial(b)
			return ok && s.flows.flows[reverse] == nil // else the server sent it
		})
	case b[0] >= 20 && b[0] < 64: //mutation:equivalent DTLS ignores other types
		s.dispatch(key, DTLS, b, func() bool { return b[0] == recordHandshake && b[1] == 0xfe })
	}
}

// dispatch gives a datagram to the session of its flow. If there is none, a new one looks
// at it, provided that begins says that it may begin a hello.
func (s *Scanner) dispatch(key flowKey, transport Transport, b []byte, begins func() bool) {
	f := s.flows.flows[key]
	if (f == nil || f.session == nil) && !begins() {
		return
	}
	evidence := half{}
	if f != nil {
		evidence = f.halves[0] // which has the only direction
	}
	if s.damagedDatagram(f, &evidence) {
		return
	}
	if f != nil {
		f.halves[0] = evidence
		if f.session != nil {
			s.feedDatagram(f, b)
			return
		}
	}
	s.probe(key, transport, b)
	if f = s.flows.flows[key]; f != nil {
		f.halves[0] = evidence
	}
}

// damagedDatagram reports whether a host drops the datagram at hand; h has the evidence. If
// what was read of the flow before had a wrong checksum, the first right one shows that it
// was not for the server.
func (s *Scanner) damagedDatagram(f *flow, h *half) bool {
	before := h.sums
	if _, dropped := s.damaged(h, &s.decoder.seg); dropped {
		return true
	}
	if f != nil && before.wrong > 0 && before.right == 0 && h.sums.right > 0 {
		h.sums.wrong, h.again = 0, f.last != 0
		s.flows.dropSession(f)
		f.last = 0
	}
	return false
}

// hash returns a hash of b that a sender of packets cannot predict.
func (s *Scanner) hash(b []byte) uint64 {
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	return maphash.Bytes(s.seed, b)
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

// probe takes a datagram that may begin a hello. A flow is made only if it does.
func (s *Scanner) probe(key flowKey, transport Transport, b []byte) {
	ss := s.flows.newSession(transport)
	result := s.assemble(ss, b)
	if result.Outcome == assemble.Unrecognized || result.Code == extension.ErrMessageType {
		s.flows.freeSession(ss)
		return
	}
	f := s.flows.flows[key]
	if f == nil {
		f = s.flows.create(key, s.decoder.path.ips)
		s.stats.Flows++
	}
	if !s.flows.charge(f, &ss.charged, ss.cost()) {
		return
	}
	f.session = ss
	s.judge(f, result)
	s.flows.settle(f)
}

// feedDatagram takes the next datagram of a flow.
func (s *Scanner) feedDatagram(f *flow, b []byte) {
	ss := f.session
	result := s.assemble(ss, b)
	if s.flows.charge(f, &ss.charged, ss.cost()-ss.charged) {
		s.judge(f, result)
		s.flows.settle(f)
	}
}

// assemble gives a datagram to the assembler of a session.
func (s *Scanner) assemble(ss *session, b []byte) assemble.Result {
	quic, isQUIC := ss.assembler.(*assemble.QUIC)
	if isQUIC {
		quic.Scratch = s.scratch // one for all sessions
	}
	before := ss.assembler.Progress()
	result := ss.assembler.Feed(b)
	after := ss.assembler.Progress()
	if isQUIC {
		s.scratch, quic.Scratch = quic.Scratch, nil //mutation:equivalent it spares allocations
	}
	if after.Attempt != before.Attempt || after.Pieces < before.Pieces { // it started over
		before.Pieces = 0
		ss.frames, ss.used = ss.frames[:0], 0
	}
	if after.Pieces > before.Pieces {
		ss.frames = append(ss.frames, s.frames...)
		ss.used++
	}
	return result
}

// judge reports the hello that an assembler has completed or refused.
func (s *Scanner) judge(f *flow, result assemble.Result) {
	ss := f.session
	switch {
	case result.Outcome == assemble.NeedMore:
	case result.Outcome == assemble.Complete:
		s.describeDatagrams(f)
		s.hello.Message = result.Message
		ss.flags = s.compareFlags(ss.flags)
		if hash := s.hash(result.Message); hash != f.last {
			if f.halves[0].again { // contradicts one with a wrong checksum
				s.hello.Ambiguous = s.hello.Ambiguous.With(Checksum)
			}
			if f.last = hash; s.compareDatagrams(f) {
				s.emit()
			}
		}
		ss.frames, ss.used = ss.frames[:0], 0
		ss.index = 2
		ss.assembler.Next()
	default:
		if result.Outcome == assemble.Refused && result.Code != extension.ErrMessageType {
			s.describeDatagrams(f)
			s.hello.Code, s.hello.Offset = result.Code, result.Offset
			// Each further fragment is refused, too: that is not another hello.
			if reason := uint64(result.Code)<<16 | uint64(s.hello.DTLS.MessageSeq); reason != f.last {
				f.last = reason
				s.emit()
			}
		}
		s.flows.dropSession(f)
	}
}

// describeDatagrams fills in what hellos and refusals have in common.
func (s *Scanner) describeDatagrams(f *flow) {
	ss := f.session
	src, dst := f.ends(0)
	s.hello = Hello{
		Transport: ss.transport,
		Src:       src,
		Dst:       dst,
		Time:      s.time,
		Frames:    append(s.hello.Frames[:0], ss.frames...),
		Index:     ss.index,
		Pieces:    Pieces{Datagrams: ss.used},
		Path:      s.decoder.path.names(&s.decoder.seg),

		Faults:      s.hello.Faults[:0],
		Contradicts: s.hello.Contradicts[:0],
	}
	switch a := ss.assembler.(type) {
	case *assemble.QUIC:
		s.hello.QUIC = a.Info()
		s.hello.Index = max(s.hello.QUIC.Hello, 1)
		s.hello.Pieces.Packets = s.hello.QUIC.Packets
	case *assemble.DTLS:
		s.hello.DTLS = a.Info()
		s.hello.Pieces.Records = s.hello.DTLS.Records
	}
}
