package main

import (
	"slices"
	"time"
)

// segmentTricks send copies of the same bytes that differ.
var segmentTricks = []trick{
	{name: "decoy ahead, then in order", clause: "RFC 9293, Section 3.4", about: "a part of the decoy ahead of its turn, then all bytes in their turn", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		s.insert(0, s.fake(from, to))
	}},
	{name: "decoy ahead, real ahead", clause: "RFC 9293, Section 3.4", about: "the same range ahead of its turn twice, the decoy first", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		s.packets = []packet{s.fake(from, to), s.segment(from, to), s.segment(0, from), s.segment(to, len(s.stream))}
	}},
	{name: "real ahead, decoy in order", clause: "RFC 9293, Section 3.4", about: "the real bytes ahead of their turn, then the decoy in its turn", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		s.packets = []packet{s.segment(from, to), s.fake(0, to), s.segment(to, len(s.stream))}
	}},
	{name: "longer covers queued", clause: "RFC 9293, Section 3.4", about: "a longer segment ahead covers a decoy that is queued", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		end := min(to+1+s.r.Intn(80), len(s.stream))
		s.packets = []packet{s.fake(from, to), s.segment(from, end), s.segment(0, from), s.segment(end, len(s.stream))}
	}},
	{name: "overlap from the left", clause: "RFC 9293, Section 3.4", about: "a segment ahead overlaps the beginning of a queued decoy", kind: inSegments, play: func(s *script) {
		from, to := s.span(20)
		middle := from + 1 + s.r.Intn(to-from)
		left := max(1, from-1-s.r.Intn(50))
		s.packets = []packet{s.fake(from, to), s.segment(left, middle), s.segment(0, left), s.segment(middle, len(s.stream))}
	}},
	{name: "overlap from the right", clause: "RFC 9293, Section 3.4", about: "a segment ahead overlaps the end of a queued decoy", kind: inSegments, play: func(s *script) {
		from, to := s.span(20)
		middle := from + s.r.Intn(to-from)
		right := min(to+1+s.r.Intn(50), len(s.stream))
		s.packets = []packet{s.fake(from, to), s.segment(middle, right), s.segment(0, from), s.segment(right, len(s.stream))}
	}},
	{name: "queued segments merge", clause: "RFC 9293, Section 3.4", about: "two adjacent decoys ahead, then a segment over both", kind: inSegments, play: func(s *script) {
		from, to := s.span(20)
		middle := from + 1 + s.r.Intn(to-from-1)
		s.packets = []packet{s.fake(from, middle), s.fake(middle, to), s.segment(from, to), s.segment(0, from), s.segment(to, len(s.stream))}
	}},
	{name: "retransmission with other bytes", clause: "RFC 9293, Section 3.10.7.4", about: "bytes that arrived come again as the decoy", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		s.packets = []packet{s.segment(0, to), s.fake(from, to), s.segment(to, len(s.stream))}
	}},
	{name: "begins before the stream", clause: "RFC 9293, Section 3.10.7.4", about: "the first segment begins with a byte before the first one", kind: inSegments, play: func(s *script) {
		first := s.packets[0]
		first.off--
		first.data = append([]byte{'G'}, first.data...)
		s.packets[0] = first
	}},
	{name: "keep-alive with a byte", clause: "RFC 9293, Section 3.8.4", about: "the last byte that arrived comes again as another one", kind: inSegments, play: func(s *script) {
		i := s.r.Intn(len(s.packets))
		s.insert(i, packet{off: s.packets[i].off - 1, data: []byte{'G'}})
	}},
	{name: "FIN inside the hello", clause: "RFC 9293, Section 3.10.7.4", about: "a segment inside the hello has FIN", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		s.packets = []packet{s.segment(0, from), s.segment(from, to), s.segment(to, len(s.stream))}
		s.packets[1].flags |= fin
	}},
	{name: "FIN ahead", clause: "RFC 9293, Section 3.10.7.4", about: "a part of the decoy with FIN ahead of its turn, then all bytes in their turn", kind: inSegments, play: func(s *script) {
		from, to := s.span(60)
		d := s.fake(from, to)
		d.flags |= fin
		s.insert(0, d)
	}},
	{name: "decoy after the hello", clause: "RFC 9293, Section 3.10.7.4", about: "the whole decoy after the hello", kind: inSegments, play: func(s *script) {
		s.insert(len(s.packets), s.fake(0, min(len(s.decoy), maxSegment)))
	}},
	{name: "random overlaps", clause: "RFC 9293, Section 3.4", about: "segments of the hello and of the decoy in any order", kind: inSegments, play: func(s *script) {
		for range 2 + s.r.Intn(8) {
			from := s.r.Intn(len(s.stream))
			if s.r.Intn(3) > 0 {
				first, _ := s.difference()
				from = max(0, first-s.r.Intn(100))
			}
			to := from + 1 + s.r.Intn(min(200, len(s.stream)-from))
			p := s.segment(from, to)
			if s.r.Intn(2) == 0 {
				p = s.fake(from, to)
			}
			s.insert(s.r.Intn(len(s.packets)+1), p)
		}
	}},
}

// misleads returns a trick that sends the decoy first, in a segment that a receiver
// discards.
func misleads(name, clause, about string, odd func(*packet)) trick {
	return trick{name: name, clause: clause, about: about, kind: inHeader, play: func(s *script) { s.mislead(odd) }}
}

var headerTricks = []trick{
	misleads("bad TCP checksum", "RFC 9293, Section 3.1", "the decoy has a wrong checksum", func(p *packet) { p.badSum = true }),
	misleads("no ACK", "RFC 9293, Section 3.10.7.4", "the decoy does not have ACK", func(p *packet) { p.noFlags, p.flags = true, psh }),
	misleads("no flags", "RFC 9293, Section 3.10.7.4", "the decoy has no flags", func(p *packet) { p.noFlags, p.flags = true, 0 }),
	misleads("ACK of unsent data", "RFC 5961, Section 5.2", "the decoy acknowledges what was never sent", func(p *packet) { p.ackMore = 1 << 20 }),
	misleads("ACK one too high", "RFC 5961, Section 5.2", "the decoy acknowledges one byte that was not sent", func(p *packet) { p.ackMore = 1 }),
	misleads("ACK long ago", "RFC 5961, Section 5.2", "the decoy acknowledges what is before the connection", func(p *packet) { p.ackMore = ^uint32(1<<20 - 1) }),
	misleads("ACK one too low", "RFC 5961, Section 5.2", "the decoy acknowledges one byte less than before", func(p *packet) { p.ackMore = ^uint32(0) }),
	misleads("SYN and data", "RFC 5961, Section 4.2", "the decoy has SYN", func(p *packet) { p.flags, p.seqLess = syn, 1 }),
	misleads("SYN and data, no ACK", "RFC 5961, Section 4.2", "the decoy has SYN and no ACK", func(p *packet) { p.noFlags, p.flags, p.seqLess = true, syn, 1 }),
	misleads("RST and data off by one", "RFC 5961, Section 3.2", "the decoy has RST, and another sequence number", func(p *packet) { p.flags, p.off, p.data = rst, p.off+1, p.data[1:] }),
	misleads("FIN and data ahead", "RFC 9293, Section 3.10.7.4", "the decoy has FIN, and is far out of the window", func(p *packet) { p.flags = fin; p.off += 1 << 22 }),
	misleads("old timestamp", "RFC 7323, Section 5.3", "the decoy's timestamp is from before", func(p *packet) { p.old = true }),
	misleads("wrong timestamp echo", "RFC 7323, Section 4.3", "the decoy echoes a timestamp that was never sent", func(p *packet) { p.echo = 77 }),
	misleads("no timestamp", "RFC 7323, Section 3.2", "the decoy has no timestamp", func(p *packet) { p.noTime = true }),
	misleads("header too long", "RFC 9293, Section 3.1", "the decoy's data offset is more than it has", func(p *packet) { p.headLen = 15; p.data = p.data[:min(len(p.data), 16)] }),
	misleads("header too short", "RFC 9293, Section 3.1", "the decoy's data offset is less than a header", func(p *packet) { p.headLen = 4 }),
	misleads("reserved bits", "RFC 9293, Section 3.1", "the decoy has reserved bits, which are ignored", func(p *packet) { p.reserved = 0x0e }),
	misleads("MD5 signature", "RFC 2385, Section 2.0", "the decoy has a signature, though no key was agreed on", func(p *packet) { p.options = append([]byte{19, 18}, make([]byte, 16)...) }),
	misleads("TCP-AO", "RFC 5925, Section 2.2", "the decoy has an authentication option, though no key was agreed on", func(p *packet) { p.options = append([]byte{29, 16, 1, 1}, make([]byte, 12)...) }),
	misleads("broken TCP option", "RFC 9293, Section 3.1", "the decoy has an option that does not fit", func(p *packet) { p.options = []byte{254, 77, 0, 0} }),
}

// again returns a packet that ends the connection with RST, and connects once more with
// an initial sequence number that is more by some.
func again(more uint32) packet {
	return packet{do: func(c *client) {
		c.send(packet{off: int(c.seen() - c.iss - 1), noFlags: true, flags: rst})
		c.iss += more
		c.connect(packet{})
	}}
}

// synData returns a trick that puts data into the SYN.
func synData(name, at, about string, options []byte, data func(*script) []byte) trick {
	return trick{name: name, clause: "RFC 9293, Section 3.10.7.2; RFC 7413, Section 4.2", about: about, kind: inConnection, at: at, play: func(s *script) {
		s.syn.data, s.syn.options = data(s), options
	}}
}

// A request for a Fast Open cookie.
var cookieRequest = []byte{34, 2, 1, 1}

var connectionTricks = []trick{
	{name: "SYN inside, another number", clause: "RFC 5961, Section 4.2", about: "a SYN with another sequence number", kind: inConnection, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)), packet{off: 500000 + s.r.Intn(1000), noFlags: true, flags: syn, noTime: true})
	}},
	{name: "SYN inside, the same number", clause: "RFC 5961, Section 4.2", about: "the SYN once more", kind: inConnection, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)), packet{off: -1, noFlags: true, flags: syn, noTime: true})
	}},
	{name: "SYN and ACK inside", clause: "RFC 5961, Section 4.2", about: "a SYN with ACK and another sequence number", kind: inConnection, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)), packet{off: 90000, noFlags: true, flags: syn | ack})
	}},
	{name: "SYN inside, decoy after it", clause: "RFC 5961, Section 4.2", about: "a SYN with another number, and the decoy as its connection", kind: inConnection, play: func(s *script) {
		const far = 700000
		d := s.fake(0, min(len(s.decoy), maxSegment))
		d.off += far + 1
		s.insert(0, packet{off: far, noFlags: true, flags: syn, noTime: true}, d)
	}},
	{name: "RST out of the window", clause: "RFC 5961, Section 3.2", about: "a RST with a number out of the window", kind: inConnection, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)), packet{off: 900000, noFlags: true, flags: rst})
	}},
	{name: "RST inside the window", clause: "RFC 5961, Section 3.2", about: "a RST whose number is not exact", kind: inConnection, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)), packet{off: len(s.stream) + 100, noFlags: true, flags: rst | ack})
	}},
	{name: "FIN out of the window", clause: "RFC 9293, Section 3.10.7.4", about: "a FIN with a number out of the window", kind: inConnection, play: func(s *script) {
		s.insert(s.r.Intn(len(s.packets)), packet{off: 1 << 23, noFlags: true, flags: fin | ack})
	}},
	{name: "exact RST inside the hello", clause: "RFC 5961, Section 3.2", about: "a RST at the next byte, and the rest of the hello", kind: inConnection, play: func(s *script) {
		i := s.r.Intn(len(s.packets))
		s.insert(i, packet{off: s.packets[i].off, noFlags: true, flags: rst})
	}},
	{name: "timestamp far ahead", clause: "RFC 7323, Section 5.3", about: "an empty segment whose timestamp makes those after it old", kind: inConnection, play: func(s *script) {
		i := s.r.Intn(len(s.packets))
		s.insert(i, packet{off: s.packets[i].off, noFlags: true, flags: ack, future: true})
	}},
	{name: "RST with a bad checksum", clause: "RFC 9293, Section 3.1", about: "an exact RST with a wrong checksum", kind: inConnection, play: func(s *script) {
		i := s.r.Intn(len(s.packets))
		s.insert(i, packet{off: s.packets[i].off, noFlags: true, flags: rst, badSum: true})
	}},
	{name: "junk, then another connection", clause: "RFC 9293, Section 3.10.7", about: "a connection with other bytes, a RST, and another one on the same ports", kind: inConnection, play: func(s *script) {
		s.insert(0, packet{data: []byte("hello there, no TLS\r\n")}, again(77))
	}},
	{name: "half a decoy, then another connection", clause: "RFC 9293, Section 3.10.7", about: "half of the decoy, a RST, and another connection on the same ports", kind: inConnection, play: func(s *script) {
		s.insert(0, s.fake(0, len(s.decoy)/2), again(uint32(s.r.Intn(5000))))
	}},
	{name: "decoy before the handshake ends", clause: "RFC 9293, Section 3.10.7.3", about: "the decoy with a wrong ACK as the third segment", kind: inConnection, play: func(s *script) {
		s.noFinalACK = true
		d := s.fake(0, min(len(s.decoy), maxSegment))
		d.ackMore = 1000
		s.insert(0, d)
	}},
	{name: "data before the SYN", clause: "RFC 9293, Section 3.10.7.1", about: "the decoy before the connection", kind: inConnection, play: func(s *script) {
		s.insert(0, packet{do: func(c *client) {
			c.send(packet{off: int(c.seen() - c.iss - 1), noFlags: true, flags: rst})
			c.send(s.fake(0, min(len(s.decoy), maxSegment)))
			time.Sleep(time.Millisecond)
			c.connect(packet{})
		}})
	}},
	synData("part of the decoy in the SYN", "", "data in a SYN, without Fast Open", nil, func(s *script) []byte { return s.decoy[:200] }),
	synData("junk in the SYN", "", "one byte in a SYN, without Fast Open", nil, func(s *script) []byte { return []byte("G") }),
	synData("the decoy in the SYN", "", "a whole hello in a SYN, without Fast Open", nil, func(s *script) []byte { return s.decoy[:min(len(s.decoy), 1300)] }),
	synData("cookie request and junk", "", "a Fast Open cookie request with data", cookieRequest, func(s *script) []byte { return []byte("junk") }),
	synData("Fast Open with the hello", "crypto/tls, Fast Open", "the hello begins in a SYN that the server takes", cookieRequest, func(s *script) []byte { return s.stream[:1000] }),
	synData("Fast Open with the decoy", "crypto/tls, Fast Open", "the decoy begins in a SYN that the server takes", cookieRequest, func(s *script) []byte { return slices.Clone(s.decoy[:1000]) }),
}
