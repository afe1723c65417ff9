package capture

import (
	"math"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// A server finds a connection by the destination connection ID alone: by the one that the
// client chose at first, or the one that the server has chosen, which the client uses from
// the server's first Initial packet on (RFC 9000, Section 7.2). An Initial packet with any
// other ID is one of another connection, whatever its keys are.

// idChoice says who has used the connection ID that a session takes for the server's.
type idChoice uint8

const (
	usedByServer idChoice = 1 << iota
	usedByClient
)

// hashID returns a hash of a connection ID, which is not 0.
func (s *Scanner) hashID(id []byte) uint32 { return uint32(s.hash(id)) | 1 }

// routeQUIC reports whether a server takes a datagram of key for one of the connection of f,
// as far as is known. id is the hash of its destination connection ID, or 0 for the one
// that the client chose.
func (s *Scanner) routeQUIC(f *flow, key flowKey, b []byte) (id uint32, routed bool) {
	if key.id == f.key.id {
		return 0, true
	}
	dcid, _, _ := connectionIDs(b)
	id = s.hashID(dcid)
	return id, f.session.chosen == 0 || f.session.chosen == id
}

// useID notes that the client has used an ID of which routeQUIC returned the hash.
func (ss *session) useID(id uint32) {
	if ss.chosen == 0 {
		ss.chosen = id
	}
	if id != 0 && id == ss.chosen {
		ss.choice |= usedByClient
	}
}

// noteAnswer takes a datagram with a connection ID of the server to the client of f. It may
// be of an earlier connection of the same client, so that an ID which differs from the
// one before counts only if the packet opens with the keys of f.
func (s *Scanner) noteAnswer(f *flow, scid, b []byte) {
	ss := f.session
	ss.answered = true
	if ss.answers < math.MaxUint16 {
		ss.answers++
	}
	switch id := s.hashID(scid); {
	case ss.chosen == 0:
		ss.chosen, ss.choice = id, usedByServer
	case ss.chosen == id:
		ss.choice |= usedByServer
	case s.opensAnswer(ss, b):
		used := ss.choice&usedByClient != 0
		ss.chosen, ss.choice = id, usedByServer
		if used {
			s.contradictID(f)
		}
	}
}

// opensAnswer reports whether a datagram of the server opens with the keys of a session.
func (s *Scanner) opensAnswer(ss *session, b []byte) (ok bool) {
	quic := ss.assembler.(*assemble.QUIC)
	quic.Scratch = s.scratch
	ok = quic.OpensAnswer(b)
	s.scratch, quic.Scratch = quic.Scratch, nil //mutation:equivalent it spares allocations
	return ok
}

// disputeID takes an Initial packet to dcid that the client of f has begun a connection with. If
// f has read packets to the same ID, which the server was not seen to choose, they were not
// for its connection.
func (s *Scanner) disputeID(f *flow, dcid []byte) {
	if ss := f.session; ss != nil && ss.choice == usedByClient && ss.chosen == s.hashID(dcid) {
		ss.choice |= usedByServer // once is enough
		s.contradictID(f)
	}
}

// contradictID says that the server has not read some of the packets of f. Another hello may
// have come in the place of the one that was read.
func (s *Scanner) contradictID(f *flow) {
	ss := f.session
	ss.doubts = ss.doubts.With(Initial)
	if len(ss.noted().reported) > 0 {
		ss.answered = false
		s.contradictReported(f, Initial)
	}
}
