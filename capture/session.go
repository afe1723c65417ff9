package capture

import (
	"time"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// quicCost and dtlsCost are what a session takes of the memory, without what its assembler
// holds; in QUIC with its names. moreCost is what rarely comes to it.
const (
	quicCost = 564
	dtlsCost = 440
	moreCost = 256
)

// frameCost is what the number of a packet takes of the memory.
const frameCost = 8

// session is what a flow over UDP needs as long as a hello is expected. It is small, for
// there may be many.
type session struct {
	assembler growingAssembler
	more      *sessionMore // or nil
	flags     uint64       // hash of the TLS Flags extensions of the first hello
	frames    []int        // packets that were of use for the hello that is awaited
	path      *[]string    // of the first that was of use, for rows at the end of the capture
	charged   int          // bytes, of the table's memory
	used      int32        // datagrams that were of use
	way       uint32       // of the first datagram
	doubts    Reasons      // about the hello that is awaited
	index     uint8        // of the hello that is awaited
	carrier   carrierKind
	dtls      bool
	mixed     bool // another datagram had another way, or one had no IP length

	// Of DTLS.
	replayed bool // a record with a number that came before was dropped
	refused  bool // the server has ended a handshake with an alert
	served   bool // it has answered the latest hello with a ServerHello
	awaited  bool // a fragment of message has come

	// Of QUIC.
	lenient  bool     // no server is known to read this
	closed   bool     // and none will: it has closed the connection
	ended    bool     // a packet closes the connection, if it is read
	answered bool     // the server has sent a datagram after the hello was whole
	retried  bool     // the server has asked for another attempt
	choice   idChoice // who has used chosen
	answers  uint16   // datagrams of the server
	chosen   uint32   // hash of the server's connection ID, or 0
	version  uint32   // of the server's packets, or 0
	why      Reasons  // why the shadow may differ

	message dtlsMessage  // that the session reads, in DTLS
	numbers *dtlsNumbers // of records
	seen    [8]uint32    // hashes of the latest datagrams, in QUIC
	names   quicNames

	// shadow is another reading, in progress. In QUIC it is the one in which nothing is
	// discarded, if it may differ; in DTLS that of a message with another message_seq or
	// length.
	shadow *session
}

// sessionMore is what a session has only after a hello, or if something is odd.
type sessionMore struct {
	faults   []Fault
	reported []int // packets of the latest hello
	damaged  bool  // its checksums are wrong

	// Of QUIC.
	before uint64 // hash of the hello of the attempt before
	unread []int  // packets of that hello, if the server has not read it
	says   uint64 // hash of the name and the flags of the latest hello

	// Of DTLS.
	done    [4]uint64 // hashes of the latest hellos
	doneSeq int       // message_seq of the latest
	joined  []byte    // the latest, if it came in several records
	doneAt  time.Time
}

// noteHeader notes what the headers around a datagram say of whether it came to the server.
func (ss *session) noteHeader(d *decoder) {
	way := d.way()
	if ss.way == 0 {
		ss.way = way
	}
	ss.mixed = ss.mixed || ss.way != way || d.seg.noLength
}

// extra returns what more there is of ss, for additions.
func (ss *session) extra() *sessionMore {
	if ss.more == nil {
		ss.more = new(sessionMore)
	}
	return ss.more
}

// noted returns what more there is of ss, for reading.
func (ss *session) noted() (m sessionMore) {
	if ss.more != nil {
		m = *ss.more
	}
	return m
}

// forget makes m as new, but keeps its memory.
func (m *sessionMore) forget() {
	if m != nil {
		*m = sessionMore{faults: m.faults[:0], reported: m.reported[:0], joined: m.joined[:0]}
	}
}

func (ss *session) transport() Transport {
	switch {
	case ss.carrier != noCarrier:
		return carrierTable[ss.carrier].transport
	case ss.dtls:
		return DTLS
	}
	return QUIC
}

// growingAssembler is an assembler of a carrier over UDP.
type growingAssembler interface {
	assemble.Assembler
	ResetGrowing(limit int)
	Held() int
}

// newSession returns a session for the first datagram of a flow.
func (t *table) newSession(transport Transport) *session {
	ss := t.sessionsOf(transport).get()
	if ss.assembler == nil {
		if ss.dtls = transport == DTLS; ss.dtls {
			ss.assembler, ss.numbers = &assemble.DTLS{Tolerant: true}, new(dtlsNumbers)
		} else {
			quic := new(assemble.QUIC)
			quic.ShareKeys(t.quicKeys())
			ss.assembler = quic
		}
		ss.reset()
	}
	ss.index = 1
	return ss
}

// quicKeys returns the keys that all sessions share.
func (t *table) quicKeys() *assemble.QUICKeys {
	if t.keys == nil {
		t.keys = assemble.NewQUICKeys(sharedKeys)
	}
	return t.keys
}

// sessionsOf returns the sessions of a carrier that are kept for reuse.
func (t *table) sessionsOf(transport Transport) *pool[session] {
	if transport == DTLS {
		return &t.dtls
	}
	return &t.quic
}

// poolOf returns the pool that a session comes from.
func (t *table) poolOf(ss *session) *pool[session] {
	if ss.carrier != noCarrier {
		return &t.carried[ss.carrier]
	}
	return t.sessionsOf(ss.transport())
}

// reset makes the assembler as new.
func (ss *session) reset() {
	limit := assemble.MaxMessage
	if ss.transport() == DTLS {
		limit = assemble.MaxMessageDTLS
	}
	ss.assembler.ResetGrowing(limit)
}

// freeSession takes back a session.
func (t *table) freeSession(ss *session) {
	ss.reset()
	ss.more.forget()
	*ss = session{assembler: ss.assembler, carrier: ss.carrier, dtls: ss.dtls, more: ss.more, numbers: ss.numbers, frames: ss.frames[:0]}
	if ss.dtls {
		*ss.numbers = dtlsNumbers{}
	}
	if cap(ss.frames) > maxUses { //mutation:equivalent only what is kept for later differs
		ss.frames = nil //mutation:equivalent only what is kept for later differs
	}
	t.poolOf(ss).put(ss) //mutation:equivalent it spares allocations
}

// dropSession frees the session of a flow.
func (t *table) dropSession(f *flow) {
	if f.session == nil {
		return
	}
	t.dropShadow(f.session)
	for _, name := range [...]uint64{f.session.names.client, f.session.names.route, f.session.names.chosen} {
		if t.clients[name] == f {
			delete(t.clients, name)
		}
	}
	t.memory -= f.session.charged
	t.freeSession(f.session)
	f.session = nil
}

// begun reports whether the session holds the beginning of a first hello. The beginning of
// a second one looks like other messages of a client.
func (s *session) begun() bool {
	if a, ok := s.assembler.(interface{ Begun() bool }); ok && !a.Begun() {
		return false
	}
	return s.index == 1
}

// cost returns what the session takes of the memory. A datagram can arrive in thousands of
// fragments, all of which are in frames.
func (ss *session) cost() int {
	n := quicCost
	switch {
	case ss.carrier != noCarrier:
		n = carriedCost
	case ss.dtls:
		n = dtlsCost
	}
	if ss.more != nil {
		n += moreCost + frameCost*cap(ss.more.reported) + cap(ss.more.joined)
	}
	return n + ss.assembler.Held() + frameCost*cap(ss.frames)
}

// chargeSessions charges f with what its sessions have come to cost. It reports whether f is
// still there.
func (t *table) chargeSessions(f *flow) bool {
	for ss := f.session; ss != nil; ss = ss.shadow {
		if !t.charge(f, &ss.charged, ss.cost()-ss.charged) {
			return false
		}
	}
	return true
}

// next prepares a session that has completed a hello for the one after it.
func (ss *session) next() {
	ss.frames, ss.used = ss.frames[:0], 0
	if ss.more != nil {
		ss.more.faults = ss.more.faults[:0]
	}
	if !ss.lenient {
		ss.doubts = 0
	}
	ss.index = 2
	ss.assembler.Next()
}
