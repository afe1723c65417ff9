package capture

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"
)

// dispatcher reads packets and says to which worker each falls.
type dispatcher struct {
	front  *Scanner      // counts packets, and reassembles fragments
	share  *share        // of front
	filter *packetFilter // or nil
	in     *buffer
	to     *schedule
	batch  *batch // that is being filled
	secret uint64 // of the hash of addresses
	routes routes
	latest time.Time   // of the latest packet
	stop   atomic.Bool // the caller has stopped
	err    error       // of the source
}

// dispatch reads packets until the source or the caller ends that.
func (d *dispatcher) dispatch(source source) {
	d.hand(nil)
	d.in.swap = d.swap
	for !d.stop.Load() {
		p, err := source.next()
		if err == nil && d.filter != nil {
			var match bool
			if match, err = d.filter.match(p); !match {
				d.front.passOver(p)
				if err == nil {
					continue
				}
			}
		}
		if err != nil {
			d.err = err
			break
		}
		d.latest = p.Time
		d.add(&p)
	}
	d.in.swap = nil
	d.end() // the packets of the last batch are in the buffer that the source keeps
}

// hand hands a batch to the workers, if there is one, and takes a free one.
func (d *dispatcher) hand(b *batch) {
	d.to.mu.Lock()
	defer d.to.mu.Unlock()
	if b != nil {
		d.to.add(b)
	}
	d.batch = d.to.take()
}

// end hands the last batch to the workers, and scans until all are scanned.
func (d *dispatcher) end() {
	d.to.mu.Lock()
	if len(d.batch.moments) > 0 {
		d.to.add(d.batch)
	} else {
		d.to.put(d.batch)
	}
	d.to.ended = true
	d.to.wake()
	d.to.mu.Unlock()
	d.to.help()
}

// swap hands the packets so far to the workers, with the buffer that they are in, before more is
// read, and returns a buffer for that.
func (d *dispatcher) swap(buf []byte) []byte {
	if len(d.batch.moments) == 0 {
		return buf
	}
	d.batch.buf = buf
	d.hand(d.batch)
	if buf, d.batch.buf = d.batch.buf, nil; buf == nil {
		buf = make([]byte, readBuffer) //mutation:equivalent a shorter one would be made, again and again
	}
	return buf
}

// add puts a packet into the batch.
func (d *dispatcher) add(p *Packet) {
	s, b := d.front, p.Data
	length := max(p.Length, len(b))
	s.stats.Packets++
	s.stats.Bytes += len(b)
	if length > len(b) {
		s.stats.Truncated++
	}
	packet := dispatched{data: b, length: length, link: p.Link}
	m := moment{p.Time, s.stats.Packets}
	if worker := d.plain(p.Link, b); worker != nobody {
		d.batch.add(packet, m, worker)
		return
	}
	s.time, s.flows.number = p.Time, m.number
	s.frames = append(s.frames[:0], m.number)
	v := s.decoder.decode(p.Link, b, length)
	if v == isFragment || s.decoder.more {
		d.addParts(packet, m, v)
		return
	}
	worker := nobody
	if s.join(v) == isSegment {
		worker = d.workerOf(&s.decoder.seg)
	}
	d.batch.add(packet, m, worker)
}

// plain returns the worker of a packet of TCP over Ethernet and IP, which needs no decoder for that, or
// nobody.
func (d *dispatcher) plain(link LinkType, b []byte) int {
	const ethernetLen, ipv4Len, ipv6Len = 14, 20, 40
	if link != LinkTypeEthernet || len(b) < ethernetLen+ipv4Len {
		return nobody
	}
	ip := b[ethernetLen:]
	switch binary.BigEndian.Uint16(b[12:]) {
	case etherIPv4:
		if whole := binary.BigEndian.Uint16(ip[6:])&0x3fff == 0; ip[0]>>4 == 4 && whole && ip[9] == protoTCP {
			src, dst := uint64(binary.LittleEndian.Uint32(ip[12:])), uint64(binary.LittleEndian.Uint32(ip[16:]))
			return d.worker(d.mix(src, 0) + d.mix(dst, 0))
		}
	case etherIPv6:
		if len(ip) >= ipv6Len && ip[0]>>4 == 6 && ip[6] == protoTCP {
			return d.worker(d.hash([16]byte(ip[8:24])) + d.hash([16]byte(ip[24:40])))
		}
	}
	return nobody
}

// add adds a packet that falls to a worker or nobody.
func (b *batch) add(p dispatched, m moment, worker int) {
	if len(b.moments) == 0 || b.latest.Before(m.time) {
		b.latest = m.time
	}
	p.index = int32(len(b.moments))
	b.moments = append(b.moments, m)
	if worker != nobody {
		l := &b.lists[worker]
		l.packets = append(l.packets, p)
	}
}

// addParts is add for a frame that is a fragment or has several packets.
func (d *dispatcher) addParts(packet dispatched, m moment, v verdict) {
	d.share.set(shareRunning)
	defer d.share.set(shareIdle)
	s, before := d.front, len(d.batch.moments)
	add := func(v verdict, first bool) {
		if v != isSegment {
			return
		}
		part, worker := packet, d.workerOf(&s.decoder.seg)
		if s.decoder.joined || !first {
			part.decoded = &decoded{s.decoder, slices.Clone(s.frames)}
			d.batch.parts = true
		}
		if s.decoder.joined {
			s.packet = nil // which is part of what was decoded
		}
		d.batch.add(part, m, worker)
	}
	add(s.join(v), true)
	for s.decoder.more {
		s.frames = append(s.frames[:0], m.number)
		add(s.join(s.decoder.next()), false)
	}
	if len(d.batch.moments) == before {
		d.batch.add(packet, m, nobody)
	}
}

// workerOf returns the worker to which a segment falls.
func (d *dispatcher) workerOf(seg *segment) int {
	w := d.worker(d.hash(seg.src.ip) + d.hash(seg.dst.ip))
	const shortest = 13 // as in datagram
	if b := seg.payload; seg.udp && seg.carrier == noCarrier && len(b) >= shortest && b[0]&0x80 != 0 {
		return d.routes.worker(seg, w)
	}
	return w
}

// worker returns the worker for the hash of a pair.
func (d *dispatcher) worker(hash uint64) int {
	high, _ := bits.Mul64(hash*0x9e3779b97f4a7c15, uint64(len(d.to.each)))
	return int(high)
}

// hash returns a hash of an address. The sum of two is that of a pair, in any order.
func (d *dispatcher) hash(ip [16]byte) uint64 {
	return d.mix(binary.LittleEndian.Uint64(ip[:]), binary.LittleEndian.Uint64(ip[8:]))
}

func (d *dispatcher) mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^d.secret, b^0xd6e8feb86659fd93)
	return high ^ low //mutation:equivalent other hashes divide the pairs, too, but not as evenly
}

// routes knows to which worker the packets of a connection of QUIC fall, whatever the address of
// the client: as in quicDatagram, connections are found by destination address and destination
// connection ID. If the client changes its address, packets to its own connection ID fall to the
// same worker.
type routes struct {
	seed  maphash.Seed
	slots []uint64 // hashes, whose last 8 bits are a worker, each in its place until another one takes that
	moved bool     // a client has had another address
}

const routeSlots = 1 << 15

// routeName is what a worker is known by. src is zero for a destination.
type routeName struct {
	src, dst endpoint
	id       uint64
}

// worker returns the worker of a datagram with a long header; own is that of its addresses.
func (r *routes) worker(seg *segment, own int) int {
	dcid, scid, ok := connectionIDs(seg.payload)
	if !ok {
		return own
	}
	if r.slots == nil {
		r.slots, r.seed = make([]uint64, routeSlots), maphash.MakeSeed()
	}
	route := r.name(endpoint{}, seg.dst, seg.payload[1:6+len(dcid)])
	w, known := r.find(route)
	if !known && r.moved {
		if w, known = r.find(r.name(seg.src, seg.dst, scid)); !known {
			w, known = r.find(r.name(seg.dst, seg.src, dcid))
		}
	}
	if !known {
		w = own
	}
	if w != own {
		r.moved = true
		r.note(r.name(seg.src, seg.dst, scid), w)
	}
	r.note(route, w) // last, so that it stays if both have one place
	return w
}

func (r *routes) name(src, dst endpoint, id []byte) uint64 {
	return maphash.Comparable(r.seed, routeName{src, dst, maphash.Bytes(r.seed, id)})
}

func (r *routes) find(name uint64) (worker int, known bool) {
	slot := r.slots[name>>8%routeSlots]
	return int(slot & 0xff), slot != 0 && slot>>8 == name>>8
}

func (r *routes) note(name uint64, worker int) {
	r.slots[name>>8%routeSlots] = name&^0xff | uint64(worker)
}
