package capture

import (
	"cmp"
	"io"
	"slices"
	"time"
)

// Part is one file of a capture whose files are read apart, maybe on different machines.
// [Part.Read] gives the hellos of connections of which all that matters is in this file, and
// the packets of other connections. The packets of all files that have the same Pair go
// through one [Scanner], in the order of [Join], which finds the other hellos. Join sorts
// files by Began, then by name.
//
// Together these are the hellos that Join finds, with two exceptions: a hello that comes again
// in a later file, although the server has answered it, is found twice; and less is known of
// a late hello if more than 16 KiB of plain text came before it in an earlier file.
type Part struct {
	Began time.Time // the time of the first packet

	options Options
	file    File
	flows   map[partKey]*partFlow
	link    bool // a connection without IP is open
	pairs   []string
	packets []partFrame // to be given, in order
	stats   Stats
	err     error
}

// PartPacket is a packet of a connection that may be in other files, too.
type PartPacket struct {
	Packet
	Frame int // its number in the file, counted from 1

	// Pair has the innermost addresses, of IP or of the link, in the order of their bytes. It
	// has no ports, because fragments of IP packets have none, and clients of QUIC change
	// theirs. A packet with several segments is given once for each of their Pairs.
	Pair string
}

const (
	// partTime is how long the packets of UDP at the beginning of a file may be of a handshake
	// that began before it.
	partTime = time.Minute
	// partBytes is how much of each direction of a TCP connection is given whatever it is, with
	// partCost for each packet, if the connection began before the file or had no hello: it may
	// be a part of a hello, or of what a client sends before TLS.
	partBytes = 16 << 10
	partCost  = 64
)

// partKey names what is given or not as a whole: a TCP connection, or all of UDP between two
// addresses, whatever is around them.
type partKey struct {
	lo, hi endpoint
	kind   keyKind
}

func (key flowKey) part() partKey {
	p := partKey{key.lo, key.hi, key.kind & (1<<kindPlace - 1)}
	if p.kind.udp() || key.id != 0 {
		p.kind |= kindUDP
		p.lo.port, p.hi.port = 0, 0
	}
	if p.lo.compare(&p.hi) > 0 {
		p.lo, p.hi = p.hi, p.lo
	}
	return p
}

func (key partKey) pair() string {
	a, b := string(key.lo.ip[:]), string(key.hi.ip[:])
	return min(a, b) + max(a, b)
}

// partFlow is what is known of a partKey.
type partFlow struct {
	open   bool        // it may have begun before the file, or may go on after it
	last   time.Time   // of UDP
	spent  [2]int      // of partBytes
	frames []uint32    // that say something about a hello
	rest   [2][]uint32 // the latest of each direction that does not
}

// partFrame is a packet and the number of its pair.
type partFrame struct{ frame, pair uint32 }

// ReadPart reads a file; Read reads it a second time. It holds a Scanner, up to twice
// Options.MaxFlows connections, and 12 bytes for each packet that may be of a handshake. The
// error is that of opening the file, or [ErrFormat].
func ReadPart(o Options, file File) (*Part, error) {
	p := &Part{options: o, file: file, flows: make(map[partKey]*partFlow)}
	r, closer, err := p.open()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	r.scanner.part = p
	for {
		packet, err := r.source.next()
		if err != nil {
			r.err = err
			break
		}
		if r.scanner.stats.Packets == 0 {
			p.Began = packet.Time
		}
		r.scanner.Scan(packet, func(*Hello) bool { return true })
	}
	p.end(r.scanner)
	evicted := p.stats.Evicted
	p.stats, p.err = r.Stats(), r.Err()
	p.stats.Evicted += evicted
	p.collect()
	return p, nil
}

func (p *Part) open() (*Reader, io.Closer, error) {
	f, err := p.file.Open()
	if err != nil {
		return nil, nil, err
	}
	r, err := Open(f, p.options)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return r, f, nil
}

// Stats returns the counts of the file, with the hellos of connections that are in other
// files, too, as far as this one has them.
func (p *Part) Stats() Stats { return p.stats }

// Err returns what was wrong with the file, as [Reader.Err] does.
func (p *Part) Err() error { return p.err }

// Read reads the file and calls hello and packet, in the order of the file. What they get is
// valid until they return. The error is the first of theirs, or that of opening the file.
func (p *Part) Read(hello func(*Hello) error, packet func(PartPacket) error) error {
	r, closer, err := p.open()
	if err != nil {
		return err
	}
	defer closer.Close()
	yield := func(h *Hello) bool {
		if !p.isOpen(h) {
			err = hello(h)
		}
		return err == nil
	}
	rest := p.packets
	for frame := uint32(1); ; frame++ {
		next, end := r.source.next()
		if end != nil { // as in p.err
			r.scanner.Flush(yield)
			return err
		}
		for ; len(rest) > 0 && rest[0].frame == frame; rest = rest[1:] {
			if err := packet(PartPacket{next, int(frame), p.pairs[rest[0].pair]}); err != nil {
				return err
			}
		}
		if !r.scanner.Scan(next, yield) {
			return err
		}
	}
}

// isOpen reports whether the packets of the connection of h are given.
func (p *Part) isOpen(h *Hello) bool {
	if !h.Src.IsValid() {
		return p.link
	}
	key := flowKey{lo: endpoint{port: h.Src.Port()}, hi: endpoint{port: h.Dst.Port()}}
	copy(key.lo.ip[:], h.Src.Addr().AsSlice())
	copy(key.hi.ip[:], h.Dst.Addr().AsSlice())
	if h.Src.Addr().Is6() {
		key.kind |= kindIPv6
	}
	path := slices.Clone(h.Path)
	slices.Reverse(path)
	if udp, tcp := slices.Index(path, "udp"), slices.Index(path, "tcp"); udp >= 0 && (tcp < 0 || udp < tcp) {
		key.kind |= kindUDP
	}
	f := p.flows[key.part()]
	return f != nil && f.open
}

// see takes the segment that s is about to take.
func (p *Part) see(s *Scanner) {
	seg := &s.decoder.seg
	place := s.locate()
	if seg.udp {
		p.datagram(s, seg, keyOf(seg, place))
		return
	}
	key, direction := tcpKey(seg, place)
	f := s.flows.flows.get(key)
	part := p.flowOf(s, key.part())
	if f == nil && seg.flags&(tcpSYN|tcpACK) != tcpSYN {
		part.open = true
	}
	switch spent := &part.spent[direction]; {
	case *spent < partBytes && (part.open || f == nil || !f.spokeTLS()):
		*spent += partCost + len(seg.payload)
	case f == nil && len(seg.payload) == 0 && seg.flags&tcpSYN == 0:
		return
	case f != nil && f.rests(&f.halves[direction], &f.halves[1-direction], seg) && !startsHello(seg.payload):
		// What an end acknowledges last tells which bytes come again.
		part.rest[direction] = appendFrames(part.rest[direction][:0], s.frames)
		return
	}
	for i := range part.rest {
		part.frames, part.rest[i] = append(part.frames, part.rest[i]...), part.rest[i][:0]
	}
	part.frames = appendFrames(part.frames, s.frames)
}

// datagram takes a datagram, which may be of a handshake.
func (p *Part) datagram(s *Scanner, seg *segment, key flowKey) {
	const applicationData = 23 // of DTLS
	switch b := seg.payload; {
	case seg.carrier != noCarrier:
	case len(b) < 13, b[0] == applicationData, b[0]&0x80 == 0 && b[0] >= 64 && !mayBeCarrier(b) && !mayBeRDPUDP(seg):
		return
	}
	part := p.flowOf(s, key.part())
	part.open = part.open || s.time.Sub(p.Began) < partTime
	part.last = s.time
	part.frames = appendFrames(part.frames, s.frames)
}

// flowOf returns what is known of a key. At the limit, it forgets those that the Scanner has
// forgotten, too.
func (p *Part) flowOf(s *Scanner, key partKey) *partFlow {
	if f := p.flows[key]; f != nil {
		return f
	}
	if len(p.flows) >= 2*s.flows.maxFlows() {
		known := make(map[partKey]bool, s.flows.flows.n)
		for f := range s.flows.flows.all() {
			known[f.key.part()] = true
		}
		for key, f := range p.flows {
			if known[key] {
				continue
			}
			if delete(p.flows, key); f.open {
				p.stats.Evicted++
			}
		}
	}
	f := new(partFlow)
	p.flows[key] = f
	return f
}

// end takes the flows about which something is open at the end of the file: also those of TCP
// in which there was no hello, for a late one needs to know what was before it.
func (p *Part) end(s *Scanner) {
	t := &s.flows
	for _, q := range []*queue{&t.waiting, &t.holding, &t.finished, &t.decided} {
		for f := q.oldest; f != nil; f = f.newer {
			part := p.flows[f.key.part()]
			if part == nil {
				part = new(partFlow)
				p.flows[f.key.part()] = part
			}
			switch {
			case q != &t.decided, f.key.kind.udp() && s.time.Sub(part.last) < partTime:
				part.open = true
			case !f.key.kind.udp() && !f.closed && !f.spokeTLS():
				part.open = true
			}
			if f.packet != nil {
				for _, x := range f.packet.frames {
					part.frames = append(part.frames, uint32(x.frame))
				}
				for _, x := range f.packet.pieces {
					part.frames = appendFrames(part.frames, x.frames)
				}
			}
		}
	}
}

// spokeTLS reports whether there was a hello in a TCP connection.
func (f *flow) spokeTLS() bool { return f.halves[0].spokeTLS || f.halves[1].spokeTLS }

// collect lists the packets to be given, and forgets what is not open.
func (p *Part) collect() {
	for key, f := range p.flows {
		p.link = p.link || f.open && key.kind&kindLink != 0
	}
	numbers := make(map[string]uint32)
	for key, f := range p.flows {
		if !f.open && !(p.link && key.kind&kindLink != 0) { // hellos do not have their addresses
			delete(p.flows, key)
			continue
		}
		pair := key.pair()
		number, ok := numbers[pair]
		if !ok {
			number = uint32(len(p.pairs))
			numbers[pair] = number
			p.pairs = append(p.pairs, pair)
		}
		for _, frame := range slices.Concat(f.frames, f.rest[0], f.rest[1]) {
			p.packets = append(p.packets, partFrame{frame, number})
		}
		f.frames, f.rest = nil, [2][]uint32{}
	}
	slices.SortFunc(p.packets, func(a, b partFrame) int {
		return cmp.Or(cmp.Compare(a.frame, b.frame), cmp.Compare(a.pair, b.pair))
	})
	p.packets = slices.Compact(p.packets)
}

func appendFrames(list []uint32, frames []int) []uint32 {
	for _, frame := range frames {
		list = append(list, uint32(frame))
	}
	return list
}
