package capture

import (
	"encoding/binary"
	"math"
	"slices"

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

// routeOf returns the name under which a server finds the connection of a packet of key to dcid.
func (s *Scanner) routeOf(key flowKey, dcid []byte) uint64 {
	key.lo, key.id = endpoint{}, s.hash(dcid)
	return s.nameOf(key)
}

// quicVersion returns the version of a packet with a long header.
func quicVersion(b []byte) uint32 { return binary.BigEndian.Uint32(b[1:]) }

// clientVersion returns the version of the first packet of a client.
func (ss *session) clientVersion() uint32 {
	version := ss.assembler.(*assemble.QUIC).Info().Version
	if version == 0 && ss.shadow != nil {
		return ss.shadow.clientVersion()
	}
	return version
}

// routeQUIC reports whether a server takes a datagram of key for one of the connection of f,
// as far as is known. id is the hash of its destination connection ID, or 0 for the one
// that the client chose. The version is the client's first one, or the one in which the server
// has answered (RFC 9369, Section 4.1).
func (s *Scanner) routeQUIC(f *flow, key flowKey, b []byte) (id uint32, routed bool) {
	if key.id == f.key.id {
		return 0, true
	}
	dcid, _, _ := connectionIDs(b)
	id = s.hashID(dcid)
	ss, version := f.session, quicVersion(b)
	return id, (ss.chosen == 0 || ss.chosen == id) && (version == ss.clientVersion() || version == ss.version)
}

// mayBelongElsewhere reports whether a datagram of key to dcid, of which the connection of f has
// read a packet, may begin another one: the server was not seen to choose this ID for f.
func (s *Scanner) mayBelongElsewhere(f *flow, key flowKey, dcid []byte) bool {
	ss := f.session
	return f.key.id != key.id && (ss == nil || ss.choice&usedByServer == 0 || ss.chosen != s.hashID(dcid))
}

// startsOver reports whether a datagram of key cannot be of the connection of f, because the server
// has kept nothing of it and asked for another attempt.
func (f *flow) startsOver(key flowKey, b []byte) bool {
	if !f.session.retried {
		return false
	}
	initial, _ := assemble.ParseQUICInitial(b)
	return f.key.id != key.id || len(initial.Token) > 0 && f.session.assembler.(*assemble.QUIC).Info().TokenLength == 0
}

// renameClient notes that the client has the source connection ID of a datagram of key.
func (s *Scanner) renameClient(f *flow, key flowKey, b []byte) {
	names := &f.session.names
	if s.flows.clients[names.client] == f {
		delete(s.flows.clients, names.client)
	}
	_, scid, _ := connectionIDs(b)
	key.id = s.hash(scid)
	names.client = s.nameOf(key)
	s.flows.clients[names.client] = f
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
// one before counts only if the packet opens with the keys of f. key is that of the client.
//
// After a Retry or Version Negotiation packet the server knows nothing of the connection, unless it
// has answered in another way, too (RFC 9000, Sections 6.1 and 8.1.2).
func (s *Scanner) noteAnswer(f *flow, key flowKey, scid, b []byte) {
	ss := f.session
	if asksAgain(b) {
		ss.retried = ss.version == 0
		return
	}
	if several := ss.retried || ss.assembler.(*assemble.QUIC).Info().Attempt > 1; several && ss.version == 0 && !s.opensAnswer(ss, b) {
		return // it is of another attempt
	}
	ss.retried, ss.version = false, quicVersion(b)
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
	if name := s.routeOf(key, scid); ss.chosen == s.hashID(scid) && ss.names.chosen != name {
		if s.flows.clients[ss.names.chosen] == f {
			delete(s.flows.clients, ss.names.chosen)
		}
		ss.names.chosen = name
		if s.flows.clients[name] == nil {
			s.flows.clients[name] = f
		}
	}
}

// asksAgain reports whether a datagram of the server is a Version Negotiation or Retry packet.
func asksAgain(b []byte) bool {
	const retry = 3
	return quicVersion(b) == 0 || longType(b) == retry
}

// discardsFirst reports whether servers discard the first packet of a client's datagram. Some read
// nothing after it.
func discardsFirst(b []byte) bool {
	const initial, fixedBit = 0, 0x40
	return longType(b) != initial || b[0]&fixedBit == 0
}

// longType returns the type of a packet with a long header, as RFC 9000, Section 17.2 numbers it.
func longType(b []byte) byte {
	const version2 = 0x6b3343cf
	kind := b[0] >> 4
	if quicVersion(b) == version2 { // RFC 9369, Section 3.2
		kind--
	}
	return kind & 3
}

// opensAnswer reports whether a datagram of the server opens with the keys of a session.
func (s *Scanner) opensAnswer(ss *session, b []byte) (ok bool) {
	quic := ss.assembler.(*assemble.QUIC)
	quic.Scratch = s.scratch
	ok = quic.OpensAnswer(b)
	s.scratch, quic.Scratch = quic.Scratch, nil //mutation:equivalent it spares allocations
	return ok
}

// disputeID takes an Initial packet b to dcid, with which a client has begun the connection of ss.
// If its latest one has read packets to the same ID, which the server was not seen to choose, they
// were not for that. If the server has read a hello of a connection with this ID, it reads no other.
func (s *Scanner) disputeID(c quicConnection, ss *session, dcid, b []byte) {
	if f := c.known; f != nil && f.last != 0 && (f.session == nil || !f.session.retried) {
		ss.doubts = ss.doubts.With(Initial)
	}
	if f := c.routed; f != nil && f.session != nil && f.session.clientVersion() != ss.clientVersion() && !f.session.retried {
		ss.doubts = ss.doubts.With(Initial)
	}
	if c.latest == nil || c.latest.session == nil {
		return
	}
	info := ss.assembler.(*assemble.QUIC).Info()
	switch before := c.latest.session; {
	case before.retried, info.Retry && before.version == 0:
		ss.extra().unread = slices.Concat(before.noted().unread, before.noted().reported)
		ss.more.says = before.noted().says
		before.extra().unread, before.more.reported = nil, nil
	case before.choice == usedByClient && before.chosen == s.hashID(dcid):
		before.choice |= usedByServer // once is enough
		s.contradictID(c.latest)
	}
}

// contradictAttempt says that the server has not read the hello of the attempt before ss, if s.hello
// says something else. Clients may make a new one with the same name and flags.
func (s *Scanner) contradictAttempt(ss *session, says uint64) {
	more := ss.more
	if more == nil || len(more.unread) == 0 {
		return
	}
	if more.says != says {
		s.hello.Ambiguous = s.hello.Ambiguous.With(Initial)
		s.hello.Contradicts = append(s.hello.Contradicts, more.unread...)
	}
	more.unread = nil
}

// reportUnread yields a row without a hello which says that the server has not read the latest hello
// of the client of f, as it has asked for another attempt and none came with a hello.
func (s *Scanner) reportUnread(f *flow) {
	more := f.session.noted()
	unread := more.unread
	if f.session.retried {
		unread = append(unread, more.reported...)
	}
	if len(unread) > 0 {
		f.session.extra().reported = unread
		s.contradictReported(f, Initial)
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
