package main

import "slices"

// A trick changes a script.
type trick struct {
	name   string
	clause string // of the standard that says what a receiver does
	about  string
	kind   kind
	only   byte   // IP version, 0 for both
	at     string // the only receiver that it is for, "" for all
	honest bool   // no trick at all: nothing may be in doubt
	play   func(*script)

	carrier carrier
	quic    func(*quicScript)
	dtls    func(*dtlsScript)
}

// carrier is what brings hellos to a receiver.
type carrier int

const (
	tcpCarrier carrier = iota
	quicCarrier
	dtlsCarrier
)

// kind is also the order in which tricks are applied.
type kind int

const (
	inHello kind = iota
	inRecords
	inUrgent
	inSegments
	inConnection
	inHeader
	inIP
	inFragments
	inTunnel
	inFrames
	inQUIC
	inPackets
	inDTLS
	inDatagrams
)

var kindNames = []string{"hello", "records", "urgent data", "overlaps", "connection", "TCP header", "IP header", "fragments", "tunnel", "", "QUIC", "", "DTLS", ""}

// all returns the tricks in the order of their kinds.
func all() []trick {
	return slices.Concat(honest, helloTricks, recordTricks, urgentTricks, segmentTricks, connectionTricks, headerTricks, tcpMisleading(inIP, oddHeaders), tcpMisleading(inIP, oddExtensions), tcpMisleading(inFragments, oddFragments), fragmentTricks, tunnelTricks,
		quicHonest, quicTricks, quicMisleading(), dtlsHonest, dtlsTricks, dtlsMisleading())
}

// apply changes the script of a hello by tricks, whose order does not matter.
func (s *script) apply(msg []byte, tricks []trick) {
	tricks = slices.Clone(tricks)
	slices.SortStableFunc(tricks, func(a, b trick) int { return int(a.kind) - int(b.kind) })
	i := 0
	play := func(last kind) {
		for ; i < len(tricks) && tricks[i].kind <= last; i++ {
			if tricks[i].play != nil {
				tricks[i].play(s)
			}
		}
	}
	play(inRecords)
	s.fill(msg)
	play(inUrgent)
	s.cut()
	play(inTunnel)
}

// honest are things that honest traffic has.
var honest = []trick{
	{name: "plain", about: "nothing odd", honest: true},
	{name: "shuffled segments", clause: "RFC 9293, Section 3.4", about: "the segments arrive in another order", honest: true, kind: inSegments, play: func(s *script) {
		s.r.Shuffle(len(s.packets), func(i, j int) { s.packets[i], s.packets[j] = s.packets[j], s.packets[i] })
	}},
	{name: "duplicates", clause: "RFC 9293, Section 3.4", about: "segments arrive twice", honest: true, kind: inSegments, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)+1), s.packets[s.r.Intn(len(s.packets))])
	}},
	{name: "consistent overlaps", clause: "RFC 9293, Section 3.4", about: "segments overlap, with the same bytes", honest: true, kind: inSegments, play: func(s *script) {
		for range 1 + s.r.Intn(4) {
			from := s.r.Intn(len(s.stream))
			s.insert(s.r.Intn(len(s.packets)+1), s.segment(from, from+1+s.r.Intn(min(maxSegment, len(s.stream)-from))))
		}
	}},
	{name: "small records", clause: "RFC 9846, Section 5.1", about: "the hello is in records of a few bytes", honest: true, kind: inRecords, play: func(s *script) {
		n := 1 + s.r.Intn(400)
		s.records = func(msg []byte) (b []byte) {
			for part := range slices.Chunk(msg, n) {
				b = append(b, record(22, 0x301, part)...)
			}
			return b
		}
	}},
	{name: "data as the third segment", clause: "RFC 9293, Section 3.5", about: "the segment that ends the TCP handshake has data", honest: true, kind: inConnection, play: func(s *script) { s.noFinalACK = true }},
	{name: "fragments in any order", clause: "RFC 791, Section 3.2", about: "IP fragments", honest: true, kind: inFragments, play: func(s *script) {
		p := &s.packets[s.target()]
		p.fragments = fragments(s, len(p.data)+60)
		s.r.Shuffle(len(p.fragments), func(i, j int) { p.fragments[i], p.fragments[j] = p.fragments[j], p.fragments[i] })
	}},
}

var helloTricks = []trick{
	{name: "session id of 33 bytes", clause: "RFC 9846, Section 4.2.2", about: "longer than the standard allows", kind: inHello, play: func(s *script) { s.message = sessionID(33) }},
	{name: "session id of 64 bytes", clause: "RFC 9846, Section 4.2.2", about: "longer than the standard allows", kind: inHello, play: func(s *script) { s.message = sessionID(64) }},
	{name: "repeated unknown extension", clause: "RFC 9846, Section 4.3", about: "the same type twice", kind: inHello, play: func(s *script) {
		s.message = extensions([]byte{0x7a, 0x7b, 0, 0}, []byte{0x7a, 0x7b, 0, 0})
	}},
	{name: "repeated GREASE extension", clause: "RFC 8701, Section 3.1", about: "the same type twice", kind: inHello, play: func(s *script) {
		s.message = extensions([]byte{0x5a, 0x5a, 0, 0}, []byte{0x5a, 0x5a, 0, 0})
	}},
	{name: "repeated tls_flags", clause: "RFC 9846, Section 4.3", about: "tls_flags twice, with the same flag", kind: inHello, play: func(s *script) { s.message = extensions(requestMTLS) }},
	{name: "legacy_version 0x0200", clause: "RFC 9846, Section 4.2.2", about: "the version of SSL 2 in the hello", kind: inHello, play: func(s *script) { s.message = legacyVersion(0x0200) }},
	{name: "legacy_version 0x0500", clause: "RFC 9846, Section 4.2.2", about: "an unknown version in the hello", kind: inHello, play: func(s *script) { s.message = legacyVersion(0x0500) }},
}

func sessionID(n int) func([]byte) []byte {
	return func(msg []byte) []byte {
		const at = 4 + 2 + 32
		rest := msg[at+1+int(msg[at]):]
		return setLength(slices.Concat(msg[:at], []byte{byte(n)}, make([]byte, n), rest))
	}
}

func extensions(more ...[]byte) func([]byte) []byte {
	return func(msg []byte) []byte {
		for _, e := range more {
			if longer, err := insertExtension(msg, e); err == nil {
				msg = longer
			}
		}
		return msg
	}
}

func legacyVersion(version uint16) func([]byte) []byte {
	return func(msg []byte) []byte {
		msg[4], msg[5] = byte(version>>8), byte(version)
		return msg
	}
}

// before puts bytes before the record of the hello.
func before(b []byte) func(*script) {
	return func(s *script) {
		s.records = func(msg []byte) []byte { return slices.Concat(b, record(22, 0x301, msg)) }
	}
}

// between puts bytes between two records of the hello, the second of another version.
func between(b []byte, version uint16) func(*script) {
	return func(s *script) {
		s.records = func(msg []byte) []byte {
			return slices.Concat(record(22, 0x301, msg[:100]), b, record(22, version, msg[100:]))
		}
	}
}

func firstVersion(version uint16) func(*script) {
	return func(s *script) { s.records = func(msg []byte) []byte { return record(22, version, msg) } }
}

// after puts bytes after the hello, in its record.
func after(b []byte) func(*script) {
	return func(s *script) {
		s.records = func(msg []byte) []byte { return record(22, 0x301, slices.Concat(msg, b)) }
	}
}

var (
	warning     = record(21, 0x301, []byte{1, 100}) // no_renegotiation
	canceled    = record(21, 0x303, []byte{1, 90})  // user_canceled
	unknownName = record(21, 0x303, []byte{1, 112}) // unrecognized_name
	changeSpec  = record(20, 0x303, []byte{1})
)

var recordTricks = []trick{
	{name: "record version 0x0400", clause: "RFC 9846, Section 5.1", about: "an unknown version in the record", kind: inRecords, play: firstVersion(0x0400)},
	{name: "record version 0x0200", clause: "RFC 9846, Section 5.1", about: "the version of SSL 2 in the record", kind: inRecords, play: firstVersion(0x0200)},
	{name: "record version 0x0000", clause: "RFC 9846, Section 5.1", about: "no version in the record", kind: inRecords, play: firstVersion(0)},
	{name: "record version 0x0002", clause: "RFC 9846, Section 5.1", about: "the version of SSL 2, swapped", kind: inRecords, play: firstVersion(2)},
	{name: "record version 0x03ff", clause: "RFC 9846, Section 5.1", about: "an unknown minor version", kind: inRecords, play: firstVersion(0x03ff)},
	{name: "record version 0x0f00", clause: "RFC 9846, Section 5.1", about: "an unknown version", kind: inRecords, play: firstVersion(0x0f00)},
	{name: "second record 0x0200", clause: "RFC 9846, Section 5.1", about: "the second record has another version", kind: inRecords, play: between(nil, 0x0200)},
	{name: "second record 0x0400", clause: "RFC 9846, Section 5.1", about: "the second record has another version", kind: inRecords, play: between(nil, 0x0400)},
	{name: "second record 0x0303", clause: "RFC 9846, Section 5.1", about: "the second record has another version", kind: inRecords, play: between(nil, 0x0303)},
	{name: "warning alert first", clause: "RFC 5246, Section 7.2.2", about: "an alert that ends nothing", kind: inRecords, play: before(warning)},
	{name: "four warning alerts first", clause: "RFC 5246, Section 7.2.2", about: "alerts that end nothing", kind: inRecords, play: before(slices.Concat(warning, warning, warning, warning))},
	{name: "user_canceled first", clause: "RFC 9846, Section 6.1", about: "an alert that servers may ignore", kind: inRecords, play: before(canceled)},
	{name: "unrecognized_name first", clause: "RFC 6066, Section 3", about: "an alert that ends nothing", kind: inRecords, play: before(unknownName)},
	{name: "warning alert between", clause: "RFC 9846, Section 5.1", about: "an alert between two records of the hello", kind: inRecords, play: between(warning, 0x301)},
	{name: "user_canceled between", clause: "RFC 9846, Section 5.1", about: "an alert between two records of the hello", kind: inRecords, play: between(canceled, 0x301)},
	{name: "empty handshake record first", clause: "RFC 9846, Section 5.1", about: "a record without data", kind: inRecords, play: before(record(22, 0x301, nil))},
	{name: "empty handshake record between", clause: "RFC 9846, Section 5.1", about: "a record without data", kind: inRecords, play: between(record(22, 0x301, nil), 0x301)},
	{name: "empty application data first", clause: "RFC 9846, Section 5.1", about: "application data before the hello", kind: inRecords, play: before(record(23, 0x303, nil))},
	{name: "empty application data between", clause: "RFC 9846, Section 5.1", about: "application data inside the hello", kind: inRecords, play: between(record(23, 0x303, nil), 0x301)},
	{name: "empty alert first", clause: "RFC 9846, Section 5.1", about: "an alert without data", kind: inRecords, play: before(record(21, 0x303, nil))},
	{name: "empty change_cipher_spec first", clause: "RFC 9846, Section 5", about: "a change_cipher_spec without data", kind: inRecords, play: before(record(20, 0x303, nil))},
	{name: "change_cipher_spec first", clause: "RFC 9846, Section 5", about: "a change_cipher_spec before the hello", kind: inRecords, play: before(changeSpec)},
	{name: "change_cipher_spec between", clause: "RFC 9846, Section 5", about: "a change_cipher_spec inside the hello", kind: inRecords, play: between(changeSpec, 0x301)},
	{name: "heartbeat first", clause: "RFC 6520, Section 3", about: "a heartbeat record before the hello", kind: inRecords, play: before(record(24, 0x303, []byte{1, 0, 0}))},
	{name: "unknown record first", clause: "RFC 9846, Section 5", about: "a record of type 99 before the hello", kind: inRecords, play: before(record(99, 0x303, []byte{0}))},
	{name: "HelloRequest first", clause: "RFC 5246, Section 7.4.1.1", about: "a message of the server before the hello", kind: inRecords, play: before(record(22, 0x301, []byte{0, 0, 0, 0}))},
	{name: "byte after the hello", clause: "RFC 9846, Section 5.1", about: "a byte after the hello in its record", kind: inRecords, play: after([]byte{0})},
	{name: "line feed first", clause: "RFC 9846, Section 5.1", about: "a byte before the record", kind: inRecords, play: before([]byte{'\n'})},
}

// urgentAt puts a byte of urgent data before an offset of both streams.
func (s *script) urgentAt(at int, b byte) {
	s.stream = slices.Insert(s.stream, at, b)
	s.decoy = slices.Insert(s.decoy, at, b)
	for i := range s.urgent {
		if s.urgent[i] >= at {
			s.urgent[i]++
		}
	}
	s.urgent = append(s.urgent, at)
}

var urgentTricks = []trick{
	{name: "urgent byte first", clause: "RFC 6093, Section 3.1", about: "a byte of urgent data, which is not part of the stream", kind: inUrgent, play: func(s *script) { s.urgentAt(0, 'G') }},
	{name: "urgent byte inside", clause: "RFC 6093, Section 3.1", about: "a byte of urgent data inside the hello", kind: inUrgent, play: func(s *script) {
		s.urgentAt(1+s.r.Intn(len(s.stream)-1), byte(s.r.Intn(256)))
	}},
	{name: "two urgent bytes", clause: "RFC 6093, Section 3.1", about: "two bytes of urgent data, one after the other", kind: inUrgent, play: func(s *script) {
		at := 1 + s.r.Intn(len(s.stream)/2)
		s.urgentAt(at, 'G')
		s.urgentAt(at+1+s.r.Intn(300), 'H')
	}},
	{name: "urgent pointer without URG", clause: "RFC 9293, Section 3.1", about: "an urgent pointer that nothing says to read", kind: inHeader, play: func(s *script) { s.packets[s.target()].urgent = 1 }},
	{name: "urgent pointer 0", clause: "RFC 6093, Section 3.1", about: "URG with a pointer to before the data", kind: inHeader, play: func(s *script) { s.packets[s.target()].flags |= urg }},
	{name: "urgent pointer far ahead", clause: "RFC 6093, Section 3.1", about: "URG with a pointer to after the data", kind: inHeader, play: func(s *script) {
		p := &s.packets[s.target()]
		p.flags |= urg
		p.urgent = 0xfff0
	}},
}
