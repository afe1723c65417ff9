package assemble

// QUICFaults says what is odd about the Initial packets of a datagram.
type QUICFaults uint8

const (
	// QUICOpened is no fault: a packet of the connection was opened.
	QUICOpened QUICFaults = 1 << iota
	// QUICFixedBit: the fixed bit is 0. Servers discard such packets (RFC 9000, Section
	// 17.2), but those that know RFC 9287.
	QUICFixedBit
	// QUICReservedBits: reserved bits are set, after which servers close the connection
	// (RFC 9000, Section 17.2).
	QUICReservedBits
	// QUICDuplicate: the packet number has come before. Servers discard the packet
	// (RFC 9000, Section 12.3).
	QUICDuplicate
	// QUICSource: the source connection ID has changed. Servers discard the packet (RFC
	// 9000, Section 7.2).
	QUICSource
	// QUICClose: a CONNECTION_CLOSE frame, after which servers read nothing (RFC 9000, Section
	// 10.2).
	QUICClose
	// QUICOverlap: CRYPTO data differs from what came before in the same place. Servers
	// differ in which they take. Here the first stays, unless a frame has the whole message.
	QUICOverlap
	// QUICOldNumber: the packet number is 64 or more below the highest. Servers may have
	// forgotten whether it has come, and discard the packet (RFC 9000, Section 12.3).
	QUICOldNumber
)

// FeedServer is Feed for those who want to know what a server reads. Packets that servers
// discard are not read, nor is the rest of a datagram with a packet for which they close the
// connection. FeedServer stays with one connection and does not start over with other keys: a
// datagram without QUICOpened adds nothing to the message. Handshake packets are ignored, since
// anybody can send them. If lenient is set, packets are read in spite of their faults, except for
// QUICSource, and the last CRYPTO data for the same place counts. CRYPTO data that differs may
// cost an allocation, besides those of Feed.
func (q *QUIC) FeedServer(datagram []byte, lenient bool) (Result, QUICFaults) {
	if q.final.Outcome != NeedMore {
		return q.final, 0
	}
	q.server, q.lenient, q.faults = true, lenient, 0
	result, used := q.readAsServer(datagram, lenient)
	q.server = false
	if q.keys.version != 0 { // else nothing was kept
		q.final = result
	}
	result.Used = used
	return result, q.faults
}

// readAsServer walks through the packets of a datagram.
func (q *QUIC) readAsServer(datagram []byte, lenient bool) (result Result, used int) {
	schedules := 1
	var first longPacket
	for i := 0; i < len(datagram); {
		p, ok := parseLongPacket(datagram[i:])
		if !ok {
			break
		}
		if i == 0 {
			first = p
		}
		end := i + p.size
		switch {
		case string(p.dcid) != string(first.dcid), p.version != first.version:
			// It is not of the same connection (RFC 9000, Section 12.2).
		case p.kind == packetInitial && p.protected():
			result, stop := q.readInitial(datagram[i:end], &p, i, lenient, &schedules)
			if stop || result.Outcome != NeedMore {
				return result, end
			}
		}
		i = end
	}
	if q.keys.version == 0 {
		return Result{Outcome: Unrecognized}, len(datagram)
	}
	return Result{}, len(datagram)
}

// readInitial reads the Initial at offset i of the datagram. stop says that the server closes
// the connection.
func (q *QUIC) readInitial(packet []byte, p *longPacket, i int, lenient bool, schedules *int) (result Result, stop bool) {
	var faults QUICFaults
	if packet[0]&fixedBit == 0 {
		faults |= QUICFixedBit
		if q.keys.version == 0 && !lenient {
			q.faults |= faults
			return Result{}, false
		}
	}
	numbers := q.numbers
	payload, at, ok := q.openOne(packet, p, schedules)
	if !ok {
		return Result{}, false
	}
	if newConnectionID(p.scid) != q.scid {
		faults |= QUICSource //mutation:equivalent QUICOpened is set, too
	}
	discarded := faults&QUICSource != 0 || faults != 0 && !lenient
	if discarded {
		q.numbers = numbers // as if it had not come
	}
	if !discarded {
		seen := q.numbers.repeated(q.cache.number)
		faults |= seen
		discarded = seen == QUICDuplicate && !lenient
	}
	if !discarded && q.Scratch[0]&reservedBits != 0 {
		faults |= QUICReservedBits
		stop = !lenient
	}
	q.faults |= faults | QUICOpened
	if discarded || stop {
		return Result{}, stop
	}
	result = q.readFrames(payload, i+at)
	return result, q.faults&QUICClose != 0 && !lenient
}

// openOne is open for a QUIC that does not start over.
func (q *QUIC) openOne(packet []byte, p *longPacket, schedules *int) (payload []byte, at int, ok bool) {
	if q.keys.version == 0 {
		return q.open(packet, p, schedules)
	}
	return q.openKnown(packet, p, schedules)
}

// packetNumbers are those of the packets that were opened.
type packetNumbers struct {
	next uint64 // after the largest one
	seen uint64 // bit i says that number next-1-i has been read by FeedServer
}

// note counts the packet with a number as opened.
func (n *packetNumbers) note(number uint64) {
	if next := number + 1; next > n.next { //mutation:equivalent the same number again changes nothing
		if shift := next - n.next; shift < 64 { //mutation:equivalent a shift by 64 gives 0, too
			n.seen <<= shift
		} else {
			n.seen = 0
		}
		n.next = next
	}
}

// repeated returns QUICDuplicate if the number of a packet that was opened has come before,
// and notes it.
func (n *packetNumbers) repeated(number uint64) QUICFaults {
	age := n.next - 1 - number
	if age >= 64 {
		return QUICOldNumber
	}
	bit := uint64(1) << age
	had := n.seen&bit != 0
	n.seen |= bit
	if had {
		return QUICDuplicate
	}
	return 0
}

// CopyFrom makes q a copy of from. Reset must have given q memory of the same length.
func (q *QUIC) CopyFrom(from *QUIC) {
	scratch, cache, own := q.Scratch, q.cache, q.pieces
	*q = *from
	q.Scratch, q.cache, q.pieces = scratch, cache, own
	q.pieces.copyFrom(&from.pieces)
}

// Follow makes q, which is new, another attempt of the client of from to connect: Info
// counts it, and the same message is not returned again, unless data of another one came.
func (q *QUIC) Follow(from *QUIC) {
	q.follow = from.keys.version != 0 || from.follow
	q.previous, q.scid, q.attempt = from.keys.dcid, from.scid, from.attempt
	q.first, q.seed = from.first, from.seed
}

// OpensAnswer reports whether a datagram begins with an Initial packet of the server of the
// connection whose packets q has opened. It derives the keys for that, with five allocations.
func (q *QUIC) OpensAnswer(datagram []byte) bool {
	p, ok := parseLongPacket(datagram)
	if !ok || p.kind != packetInitial || !p.protected() || q.keys.version == 0 {
		return false
	}
	q.fitScratch(p.size)
	_, _, ok = q.cache.open(q.cache.serverKeys(keyName{p.version, q.keys.dcid}), datagram[:p.size], p.numberAt, 0, q.Scratch)
	return ok
}
