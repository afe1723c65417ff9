package main

import (
	"bytes"
	"slices"
)

// quicTrick returns a trick for QUIC, which changes the packets.
func quicTrick(name, clause, about string, play func(q *quicScript)) trick {
	return trick{name: name, clause: clause, about: about, kind: inQUIC, carrier: quicCarrier, quic: play}
}

// quicDecoy returns a trick that sends the decoy first, in packets that are odd.
func quicDecoy(name, clause, about string, odd func(q *quicScript, p *initial)) trick {
	return quicTrick(name, clause, about, func(q *quicScript) { q.insert(0, q.decoys(odd)...) })
}

// quicBetween returns a trick that sends a packet of its own after the first one.
func quicBetween(name, clause, about string, odd func(q *quicScript, p *initial)) trick {
	return quicTrick(name, clause, about, func(q *quicScript) {
		p := q.packet([]byte{1}) // PING
		odd(q, p)
		q.insert(min(1, len(q.packets)), step{initial: p})
	})
}

// connectionClose is a CONNECTION_CLOSE frame with NO_ERROR (RFC 9000, Section 19.19).
var connectionClose = []byte{0x1c, 0, 0, 0}

const small = 600

var quicHonest = []trick{
	{name: "QUIC", about: "nothing odd", honest: true, kind: inQUIC, carrier: quicCarrier, quic: func(*quicScript) {}},
	{name: "QUIC frames in any order", clause: "RFC 9000, Section 19.6", about: "small CRYPTO frames, shuffled, with PING and PADDING", honest: true, kind: inFrames, carrier: quicCarrier, quic: func(q *quicScript) {
		q.frames = nil
		for at := 0; at < len(q.stream); {
			end := min(len(q.stream), at+50+q.r.Intn(400))
			q.frames = append(q.frames, slices.Concat(crypto(at, q.stream[at:end]), []byte{0, 1, 0}))
			at = end
		}
		q.r.Shuffle(len(q.frames), func(i, j int) { q.frames[i], q.frames[j] = q.frames[j], q.frames[i] })
		q.frames = append(q.frames, slices.Clone(q.frames[q.r.Intn(len(q.frames))]))
		var joined [][]byte
		for pair := range slices.Chunk(q.frames, 2) {
			joined = append(joined, slices.Concat(pair...))
		}
		q.frames = joined
	}},
	{name: "QUIC packets in any order", clause: "RFC 9000, Section 12.3", about: "the packets arrive in another order, and twice", honest: true, kind: inPackets, carrier: quicCarrier, quic: func(q *quicScript) {
		q.packets = append(q.packets, q.packets[q.r.Intn(len(q.packets))])
		q.r.Shuffle(len(q.packets), func(i, j int) { q.packets[i], q.packets[j] = q.packets[j], q.packets[i] })
	}},
	{name: "QUIC in IP fragments", clause: "RFC 791, Section 3.2", about: "a datagram in IP fragments, in any order", honest: true, kind: inFragments, carrier: quicCarrier, quic: func(q *quicScript) {
		st := &q.packets[q.r.Intn(len(q.packets))]
		st.fragment(q.script, q.build(*st))
	}},
}

// quicMisleading returns a trick for each odd packet: the decoy's datagrams are in such packets.
func quicMisleading() (tricks []trick) {
	for _, o := range slices.Concat(oddHeaders, oddExtensions, oddFragments) {
		t := quicTrick("QUIC: "+o.name, o.clause, o.about, func(q *quicScript) {
			list := q.decoys(func(*quicScript, *initial) {})
			for i := range list {
				list[i].spoil(o, q.build(list[i]))
			}
			q.insert(0, list...)
		})
		t.only = o.only
		tricks = append(tricks, t)
	}
	return tricks
}

var quicTricks = []trick{
	quicDecoy("small decoy", "RFC 9000, Section 14.1", "the decoy in datagrams under 1,200 bytes", func(q *quicScript, p *initial) { p.size = small }),
	quicDecoy("decoy, reserved bits", "RFC 9000, Section 17.2", "the decoy's packets have reserved bits", func(q *quicScript, p *initial) { p.reserved = 3 }),
	quicDecoy("decoy, fixed bit 0", "RFC 9000, Section 17.2", "the decoy's packets do not have the fixed bit", func(q *quicScript, p *initial) { p.noFixed = true }),
	quicDecoy("decoy, other connection", "RFC 9000, Section 7.2", "the decoy with another connection ID", func(q *quicScript, p *initial) { p.dcid = q.others }),
	quicDecoy("decoy, keys of another ID", "RFC 9001, Section 5.2", "the decoy's keys are of another connection ID", func(q *quicScript, p *initial) { p.keyed = q.others }),
	quicDecoy("decoy, unknown version", "RFC 9000, Section 6", "the decoy's packets have a version that nobody has", func(q *quicScript, p *initial) { p.version = 0x1a2a3a4a }),
	quicDecoy("decoy first", "RFC 9000, Section 2.2", "the decoy, then the hello in the same connection", func(*quicScript, *initial) {}),
	quicTrick("decoy, bad UDP checksum", "RFC 768", "the decoy's datagrams have a wrong checksum", func(q *quicScript) {
		list := q.decoys(func(*quicScript, *initial) {})
		for i := range list {
			list[i].packet.badSum = true
		}
		q.insert(0, list...)
	}),
	quicTrick("decoy with a used number", "RFC 9000, Section 12.3", "the decoy's packets have numbers that were used before", func(q *quicScript) {
		number := q.next
		ping := q.packet([]byte{1})
		list := q.decoys(func(q *quicScript, p *initial) { p.number = number })
		q.insert(0, append([]step{{initial: ping}}, list...)...)
	}),
	quicTrick("part of the decoy first", "RFC 9000, Section 2.2", "CRYPTO frames that overlap, with other bytes", func(q *quicScript) {
		from, to := q.difference()
		q.insert(0, step{initial: q.packet(crypto(from, q.decoy[from:to]))})
	}),
	quicTrick("part of the decoy between", "RFC 9000, Section 2.2", "the same, after the first packet", func(q *quicScript) {
		from, to := q.difference()
		q.insert(1, step{initial: q.packet(crypto(from, q.decoy[from:to]))})
	}),
	quicTrick("small part of the decoy first", "RFC 9000, Section 14.1", "the same first, in a small datagram", func(q *quicScript) {
		from, to := q.difference()
		p := q.packet(crypto(from, q.decoy[from:to]))
		p.size = small
		q.insert(0, step{initial: p})
	}),
	quicTrick("far number in a small datagram", "RFC 9000, Section 12.3", "a packet number far ahead, in a datagram that is dropped", func(q *quicScript) {
		q.insert(0, step{initial: &initial{number: 0xfffffff0, frames: []byte{1}, size: small}})
	}),
	quicTrick("far number", "RFC 9000, Section 12.3", "a packet number far ahead", func(q *quicScript) {
		q.insert(0, step{initial: &initial{number: 0x7ffffff0, frames: []byte{1}}})
	}),
	quicTrick("second packet from another port", "RFC 9000, Section 9", "the client's port changes inside the hello", func(q *quicScript) {
		q.packets[len(q.packets)-1].otherPort = true
	}),
	quicTrick("other SCID in the second packet", "RFC 9000, Section 7.2", "the client's connection ID changes inside the hello", func(q *quicScript) {
		q.packets[len(q.packets)-1].initial.scid = q.others
	}),
	quicTrick("other SCID in a small datagram", "RFC 9000, Section 14.1", "another connection ID of the client in a small datagram first, and a part of the decoy in the datagram that ends the hello", func(q *quicScript) {
		from, to := q.difference()
		last := q.packets[len(q.packets)-1].initial
		last.with = q.packet(crypto(from, q.decoy[from:to]))
		q.insert(0, step{initial: &initial{number: last.with.number + 1, frames: []byte{1}, size: small, scid: q.others}})
	}),
	quicTrick("packet without the fixed bit before the decoy", "RFC 9000, Section 12.2", "a packet that servers discard, and the decoy in the same datagrams", func(q *quicScript) {
		list := q.decoys(func(*quicScript, *initial) {})
		for i, st := range list {
			ping := q.packet([]byte{1})
			ping.noFixed, ping.with = true, st.initial
			list[i].initial = ping
		}
		q.insert(0, list...)
	}),
	quicBetween("small packet of another connection", "RFC 9000, Section 14.1", "a PING with another connection ID between two packets, in a small datagram", func(q *quicScript, p *initial) { p.dcid, p.size = q.others, small }),
	quicBetween("packet of another connection", "RFC 9000, Section 7.2", "a PING with another connection ID between two packets", func(q *quicScript, p *initial) { p.dcid = q.others }),
	quicBetween("small CONNECTION_CLOSE", "RFC 9000, Section 14.1", "a closing frame in a small datagram", func(q *quicScript, p *initial) { p.frames, p.size = connectionClose, small }),
	quicBetween("CONNECTION_CLOSE", "RFC 9000, Section 10.2", "a closing frame inside the hello", func(q *quicScript, p *initial) { p.frames = connectionClose }),
	quicBetween("small unknown frame", "RFC 9000, Section 12.4", "a frame type that nobody has, in a small datagram", func(q *quicScript, p *initial) { p.frames, p.size = []byte{0x3f, 0, 0, 0}, small }),
	quicBetween("unknown frame", "RFC 9000, Section 12.4", "a frame type that nobody has", func(q *quicScript, p *initial) { p.frames = []byte{0x3f, 0, 0, 0} }),
	quicBetween("forbidden frame", "RFC 9000, Section 12.4", "a frame that an Initial packet may not have", func(q *quicScript, p *initial) { p.frames = []byte{0x1e, 0, 0, 0} }),
	quicBetween("ACK of unsent packet", "RFC 9000, Section 13.1", "an acknowledgement of what was never sent", func(q *quicScript, p *initial) { p.frames = []byte{2, 0x3f, 0, 0, 0} }),
	quicBetween("small ACK of unsent packet", "RFC 9000, Section 14.1", "the same in a small datagram", func(q *quicScript, p *initial) { p.frames, p.size = []byte{2, 0x3f, 0, 0, 0}, small }),
	quicBetween("empty packet", "RFC 9000, Section 12.4", "a packet without frames but PADDING", func(q *quicScript, p *initial) { p.frames = []byte{0, 0, 0, 0} }),
	quicBetween("other DCID in one datagram", "RFC 9000, Section 12.2", "a part of the decoy in a second packet of a datagram, with another DCID", func(q *quicScript, p *initial) {
		from, to := q.difference()
		other := q.packet(crypto(from, q.decoy[from:to]))
		other.dcid, other.keyed = q.others, q.dcid
		p.with = other
	}),
	quicBetween("two packets in one datagram", "RFC 9000, Section 12.2", "a PING and another packet in one datagram", func(q *quicScript, p *initial) { p.with = q.packet([]byte{1}) }),
	quicBetween("junk after a packet", "RFC 9000, Section 12.2", "bytes that are no packet after one", func(q *quicScript, p *initial) { p.after = bytes.Repeat([]byte{0x17}, 100) }),
	quicTrick("server's Initial in VXLAN", "RFC 7348, Section 5", "a tunnelled Initial of the server whose connection ID is the client's", func(q *quicScript) {
		p := &initial{frames: []byte{1}, dcid: q.scid, scid: q.dcid, keyed: q.dcid}
		q.insert(0, step{data: p.seal(q, "server in", 1100), packet: packet{wrap: vxlan(q.script)}})
	}),
	quicTrick("decoy in VXLAN to QUIC", "RFC 7348, Section 5", "a tunnelled decoy of the same connection", func(q *quicScript) {
		list := q.decoys(func(*quicScript, *initial) {})
		for i := range list {
			list[i].packet.wrap = vxlan(q.script)
		}
		q.insert(0, list...)
	}),
}
