package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// maxSegment is how much is sent in one IPv4 packet, at most.
const maxSegment = 65000

// tcpPacket returns an IPv4 packet with a TCP segment, without checksums: they are not
// verified.
func tcpPacket(seq uint32, flags byte, payload []byte) []byte {
	b := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2} // RFC 791
	b = append(b, 0xc3, 0x50, 0x01, 0xbb)                                           // ports 50000, 443
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// A tcpReceiver is an obvious one that does as Linux does: bytes in their turn win; of those
// ahead it keeps the segments.
type tcpReceiver struct {
	ready   []arrival
	queue   []queued     // in order, none inside another
	useful  map[int]bool // packets that brought something new
	settled bool         // what the stream begins with was compared
}

type arrival struct {
	value  byte
	packet int
}

// queued is a segment that is ahead, and those that were joined to it.
type queued struct {
	begin int
	bytes []arrival
}

func (q queued) end() int { return q.begin + len(q.bytes) }

// take returns what it adds to the bytes that are ready. Ahead of them it takes as much
// as package capture says that it does.
func (r *tcpReceiver) take(segment assembletest.Piece, packet int) []byte {
	const window = 256 << 10
	had := len(r.ready)
	fresh := queued{begin: segment.Offset}
	for _, b := range segment.Data {
		fresh.bytes = append(fresh.bytes, arrival{b, packet})
	}
	switch {
	case segment.Offset > had+window || fresh.end() <= had:
		return nil
	case segment.Offset <= had:
		r.useful[packet] = true
		r.append(fresh)
	default:
		r.insert(fresh, packet)
	}
	for len(r.queue) > 0 && r.queue[0].begin <= len(r.ready) {
		r.append(r.queue[0])
		r.queue = r.queue[1:]
	}
	var added []byte
	for _, a := range r.ready[had:] {
		added = append(added, a.value)
	}
	return added
}

func (r *tcpReceiver) append(q queued) {
	if q.end() > len(r.ready) {
		r.ready = append(r.ready, q.bytes[len(r.ready)-q.begin:]...)
	}
}

func (r *tcpReceiver) insert(fresh queued, packet int) {
	i := 0
	for i < len(r.queue) && r.queue[i].begin <= fresh.begin {
		i++
	}
	if i > 0 {
		before := r.queue[i-1]
		switch {
		case before.end() >= fresh.end():
			return
		case before.begin == fresh.begin:
			r.queue = slices.Delete(r.queue, i-1, i)
			i--
		case before.end() == fresh.begin:
			fresh = queued{before.begin, slices.Concat(before.bytes, fresh.bytes)}
			r.queue = slices.Delete(r.queue, i-1, i)
			i--
		}
	}
	r.useful[packet] = true
	for i < len(r.queue) && r.queue[i].end() <= fresh.end() {
		r.queue = slices.Delete(r.queue, i, i+1)
	}
	r.queue = slices.Insert(r.queue, i, fresh)
}

// A tcpScan is a Scanner of one direction of a connection, and what it found. The other one
// has a packet, too: else bytes that differ would be in doubt.
type tcpScan struct {
	*Scanner
	isn   uint32
	found []foundHello
}

func newTCPScan(isn uint32) *tcpScan {
	const syn, ack = 0x02, 0x10
	s := &tcpScan{Scanner: NewScanner(Options{}), isn: isn}
	s.scan(tcpPacket(isn, syn, nil))
	answer := tcpPacket(0, ack, nil)
	copy(answer[12:], []byte{192, 0, 2, 2, 192, 0, 2, 1, 0x01, 0xbb, 0xc3, 0x50})
	binary.BigEndian.PutUint32(answer[28:], isn+1)
	s.scan(answer)
	return s
}

func (s *tcpScan) send(segment assembletest.Piece) {
	const ack = 0x10
	s.scan(tcpPacket(s.isn+1+uint32(segment.Offset), ack, segment.Data))
}

func (s *tcpScan) scan(packet []byte) {
	s.Scan(Packet{Data: packet, Link: LinkTypeRaw}, func(h *Hello) bool {
		found := newFoundHello(h)
		if h.Code != 0 {
			found.Message = nil // there may be more of it in another segment
		}
		s.found = append(s.found, found)
		return true
	})
}

// differs compares what two scans found in the same stream. The first hellos of both, as
// many as before says, were compared already.
func (s *tcpScan) differs(other *tcpScan, before int) error {
	ignore := cmpopts.IgnoreFields(foundHello{}, "Frames")
	if n := len(s.found); n != before || n != len(other.found) {
		if diff := cmp.Diff(other.found, s.found, ignore); diff != "" {
			return errors.New(diff)
		}
	}
	a, b := s.Stats(), other.Stats()
	a.Packets, a.Bytes, b.Packets, b.Bytes = 0, 0, 0, 0
	if a != b {
		return fmt.Errorf("counts: %+v (-) %+v (+)", b, a)
	}
	return nil
}

// CheckTCP sends the SYN of a stream, and then segments that come in any order, come again
// and overlap, with the same bytes or others. After every segment the same is found as if
// the bytes that the receiver takes had come in order and once.
func CheckTCP(isn uint32, segments []assembletest.Piece) error {
	sent, twice, inOrder := newTCPScan(isn), newTCPScan(isn), newTCPScan(isn)
	r := tcpReceiver{useful: make(map[int]bool)}
	for i, segment := range segments {
		before := len(sent.found)
		sent.send(segment)
		twice.send(segment)
		twice.send(segment)
		start := len(r.ready)
		for part := range slices.Chunk(r.take(segment, sent.Stats().Packets), maxSegment) {
			inOrder.send(assembletest.Piece{Offset: start, Data: part})
			start += len(part)
		}
		err := sent.differs(inOrder, before)
		if err != nil {
			return fmt.Errorf("segment %d of %d, and in order (-):\n%w", i, len(segments), err)
		}
		if err = sent.differs(twice, before); err != nil {
			return fmt.Errorf("segment %d of %d, and each twice (-):\n%w", i, len(segments), err)
		}
		if err = r.check(sent.found); err != nil {
			return fmt.Errorf("segment %d of %d: %w", i, len(segments), err)
		}
	}
	return nil
}

// check compares the first hello with the one that is read from all bytes at once, and
// the packets that are said to have carried it with those that brought its bytes.
func (r *tcpReceiver) check(found []foundHello) error {
	if r.settled {
		return nil
	}
	ready := make([]byte, len(r.ready))
	for i, a := range r.ready {
		ready[i] = a.value
	}
	want := assembletest.ReferenceRecords(ready)
	r.settled = want.Outcome != assemble.NeedMore
	switch {
	case want.Outcome == assemble.Unrecognized:
		return nil // or something that may come before TLS
	case want.Outcome == assemble.NeedMore || want.Code == extension.ErrMessageType:
		if len(found) > 0 {
			return fmt.Errorf("found %+v in what is no hello, or not whole", found[0])
		}
		return nil
	case len(found) == 0:
		return fmt.Errorf("%v %q at %d, and nothing was found", want.Outcome, want.Code.Name(), want.Offset)
	}
	got := found[0]
	if got.Code != want.Code.Name() || got.Offset != want.Offset || !bytes.Equal(got.Message, want.Message) || got.Index != 1 || got.Transport != TCP {
		return fmt.Errorf("found %+v, the reference has %v %q at %d with %d bytes", got, want.Outcome, want.Code.Name(), want.Offset, len(want.Message))
	}
	for i, packet := range got.Frames {
		if !r.useful[packet] || slices.Contains(got.Frames[:i], packet) {
			return fmt.Errorf("packet %d among %v brought nothing new, or is there twice", packet, got.Frames)
		}
	}
	for i := range want.Used {
		if packet := r.ready[i].packet; !slices.Contains(got.Frames, packet) {
			return fmt.Errorf("byte %d came in packet %d, which is not among %v", i, packet, got.Frames)
		}
	}
	return nil
}

// readSchedule reads the initial sequence number, sizes of records, and a Schedule. It
// returns the stream of records and the pieces of it that come; ok is false if there is none.
func readSchedule(data []byte) (isn uint32, stream []byte, pieces []assembletest.Piece, ok bool) {
	if len(data) < 5 {
		return 0, nil, nil, false
	}
	cuts, rest, ok := assembletest.SplitCuts(data[4:])
	if !ok {
		return 0, nil, nil, false
	}
	body, pieces := assembletest.Schedule(rest)
	if len(body) < 2 || len(body) > 1<<16 {
		return 0, nil, nil, false
	}
	n := len(body)
	msg := append([]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
	stream = assembletest.InRecords(msg, cuts)
	return binary.BigEndian.Uint32(data), stream, scalePieces(pieces, body, stream), true
}

// checkTCPInput reads the initial sequence number, sizes of records, and a Schedule.
func checkTCPInput(data []byte) error {
	isn, stream, pieces, ok := readSchedule(data)
	if !ok {
		return nil
	}
	var segments []assembletest.Piece
	for _, p := range append(pieces, assembletest.Piece{Offset: 0, Data: stream}) {
		for part := range slices.Chunk(p.Data, maxSegment) {
			segments = append(segments, assembletest.Piece{Offset: p.Offset, Data: part})
			p.Offset += len(part)
		}
	}
	return CheckTCP(isn, segments)
}

// scalePieces makes pieces of a stream out of pieces of a body. One that differs from the
// body in the middle differs from the stream in one bit in the middle, so that the fields
// in front of a message come to values nearby.
func scalePieces(pieces []assembletest.Piece, body, stream []byte) (scaled []assembletest.Piece) {
	for _, p := range pieces {
		offset := p.Offset * len(stream) / len(body)
		end := min(offset+len(p.Data)*len(stream)/len(body)+1, len(stream))
		part := stream[offset:end:end]
		if n := len(p.Data) / 2; len(p.Data) > 0 && len(part) > 0 {
			if change := p.Data[n] ^ body[p.Offset+n]; change != 0 {
				part = bytes.Clone(part)
				part[len(part)/2] ^= 1 << (change & 7)
			}
		}
		scaled = append(scaled, assembletest.Piece{Offset: offset, Data: part})
	}
	return scaled
}

func tcpSeeds(yield func([]byte) bool) {
	// One that replaces another ahead, and that overlaps with the one before both.
	yield([]byte("0000\x00\xcc881B00000000000000002BAB0BA22\xff00000**1000000000000000000000000000"))
	r := rand.New(rand.NewSource(11))
	fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte {
		isn := [][]byte{{0xff, 0xff, 0xff, 0x00}, {0, 0, 0, 0}, {0x7f, 0xff, 0xfe, 0xff}}[r.Intn(3)]
		schedule := assembletest.EncodeSchedule(assembletest.RandomBytes(r, 60), msg[4:])
		return slices.Concat(isn, assembletest.WithCuts(assembletest.RandomCuts(r), schedule))
	})(yield)
}
