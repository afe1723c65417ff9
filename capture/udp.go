package capture

import (
	"hash/maphash"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// maxDatagramMessage is the length of the longest hello that is read from datagrams.
// RFC 9000, Section 7.5 does not ask a QUIC server to keep more than 4,096 bytes of a
// handshake, and a DTLS server that keeps more opens itself to floods.
const maxDatagramMessage = 16 << 10

// sessionCost is what a session takes of the memory, with the keys of QUIC.
const sessionCost = 9*maxDatagramMessage/8 + 2048

// frameCost is what the number of a packet takes of the memory.
const frameCost = 8

// session is what a flow over UDP needs as long as a hello is expected.
type session struct {
	memory  [9 * maxDatagramMessage / 8]byte // see assemble.BufferSize
	quic    assemble.QUIC
	dtls    assemble.DTLS
	isDTLS  bool
	index   int    // of the hello that is awaited
	flags   uint64 // hash of the TLS Flags extensions of the first hello
	frames  []int  // that were of use for the hello that is awaited
	used    int    // datagrams that were
	charged int    // bytes, of the table's memory
}

// begun reports whether the session holds the beginning of a first hello. For a second
// one that cannot be told from what else a client sends.
func (s *session) begun() bool { return s.index == 1 }

// cost returns what the session takes of the memory. A datagram can have come in
// thousands of fragments, all of which are noted.
func (s *session) cost() int { return sessionCost + frameCost*cap(s.frames) }

// datagram takes a UDP datagram. QUIC's long headers and DTLS records can be told
// apart by the first byte (RFC 9443, Section 3); all else is passed over.
func (s *Scanner) datagram(seg *segment) {
	b := seg.payload
	key := flowKey{lo: seg.src, hi: seg.dst, ipv6: seg.ipv6, udp: true}
	switch {
	case len(b) < 13: // too short for either
	case b[0]&0x80 != 0:
		dcid, scid, ok := connectionIDs(b)
		if !ok {
			return
		}
		key.id = s.hash(scid)
		if f := s.flows.flows[key]; f != nil && f.session != nil {
			s.feedDatagram(f, b)
			return
		}
		reverse := flowKey{lo: seg.dst, hi: seg.src, ipv6: seg.ipv6, udp: true, id: s.hash(dcid)}
		if f := s.flows.flows[reverse]; f != nil {
			return // sent by the server
		}
		if _, ok := assemble.ParseQUICInitial(b); ok {
			s.probe(key, false, b)
		}
	case b[0] >= 20 && b[0] < 64:
		if f := s.flows.flows[key]; f != nil && f.session != nil {
			s.feedDatagram(f, b)
		} else if b[0] == 22 && b[1] == 0xfe {
			s.probe(key, true, b)
		}
	}
}

// hash returns a number for b that a sender of packets cannot foresee.
func (s *Scanner) hash(b []byte) uint64 {
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	return maphash.Bytes(s.seed, b)
}

// connectionIDs returns the connection IDs of a packet with a long header, which all
// versions of QUIC have in the same place (RFC 8999, Section 5.1).
func connectionIDs(b []byte) (dcid, scid []byte, ok bool) {
	const lengthAt = 5 // behind flags and version
	i := lengthAt + 1 + int(b[lengthAt])
	if i >= len(b) || i+1+int(b[i]) > len(b) {
		return nil, nil, false
	}
	return b[lengthAt+1 : i], b[i+1 : i+1+int(b[i])], true
}

// probe takes a datagram that may begin a hello. Only where it does, a flow is made.
func (s *Scanner) probe(key flowKey, isDTLS bool, b []byte) {
	ss := s.flows.sessions.get()
	ss.isDTLS, ss.index = isDTLS, 1
	ss.quic.Reset(ss.memory[:])
	ss.dtls.Reset(ss.memory[:])
	result := s.assemble(ss, b)
	if result.Outcome == assemble.Unrecognized || result.Code == extension.ErrMessageType {
		s.flows.freeSession(ss)
		return
	}
	f := s.flows.flows[key]
	if f == nil {
		f = s.flows.create(key)
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
func (s *Scanner) assemble(ss *session, b []byte) (result assemble.Result) {
	var used bool
	if ss.isDTLS {
		before := ss.dtls.Info().Records
		result = ss.dtls.Feed(b)
		used = ss.dtls.Info().Records != before
	} else {
		before := ss.quic.Info()
		ss.quic.Scratch = s.scratch
		result = ss.quic.Feed(b)
		s.scratch, ss.quic.Scratch = ss.quic.Scratch, nil
		after := ss.quic.Info()
		if after.Attempt != before.Attempt || after.Packets < before.Packets {
			before.Packets = 0
			ss.frames, ss.used = ss.frames[:0], 0
		}
		used = after.Packets > before.Packets
	}
	if used {
		ss.frames = append(ss.frames, s.frames...)
		ss.used++
	}
	return result
}

// judge does what the result of an assembler calls for.
func (s *Scanner) judge(f *flow, result assemble.Result) {
	ss := f.session
	switch {
	case result.Outcome == assemble.NeedMore:
	case result.Outcome == assemble.Complete:
		s.describeDatagrams(f)
		s.hello.Message = result.Message
		ss.flags = s.compareFlags(ss.flags)
		if hash := s.hash(result.Message); hash != f.last {
			f.last = hash
			s.emit()
		}
		ss.frames, ss.used = ss.frames[:0], 0
		ss.index = 2
		ss.quic.Next()
		ss.dtls.Next()
	default:
		if result.Outcome == assemble.Refused && result.Code != extension.ErrMessageType {
			s.describeDatagrams(f)
			s.hello.Code, s.hello.Offset = result.Code, result.Offset
			s.emit()
		}
		s.flows.dropSession(f)
	}
}

// describeDatagrams fills in what hellos and refusals have in common.
func (s *Scanner) describeDatagrams(f *flow) {
	ss := f.session
	s.hello = Hello{
		Transport: QUIC,
		Src:       addrPort(f.key.lo, f.key.ipv6),
		Dst:       addrPort(f.key.hi, f.key.ipv6),
		Time:      s.time,
		Frames:    append(s.hello.Frames[:0], ss.frames...),
		Index:     ss.index,
	}
	if ss.isDTLS {
		s.hello.Transport = DTLS
		s.hello.DTLS = ss.dtls.Info()
	} else {
		s.hello.QUIC = ss.quic.Info()
		s.hello.Index = max(s.hello.QUIC.Hello, 1)
	}
	s.hello.Pieces = Pieces{
		Records:   s.hello.DTLS.Records,
		Packets:   s.hello.QUIC.Packets,
		Datagrams: ss.used,
	}
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

func (t *table) freeSession(ss *session) {
	ss.quic = assemble.QUIC{}
	ss.index, ss.used, ss.charged, ss.flags = 0, 0, 0, 0
	ss.frames = ss.frames[:0]
	if cap(ss.frames) > maxUses {
		ss.frames = nil
	}
	t.sessions.put(ss)
}
