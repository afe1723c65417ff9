package main

import "slices"

// dtlsTrick returns a trick for DTLS.
func dtlsTrick(name, clause, about string, play func(d *dtlsScript)) trick {
	return trick{name: name, clause: clause, about: about, kind: inDTLS, carrier: dtlsCarrier, dtls: play}
}

// dtlsDecoy returns a trick that sends the decoy first, in fragments that are odd.
func dtlsDecoy(name, clause, about string, odd func(*fragment12)) trick {
	return dtlsTrick(name, clause, about, func(d *dtlsScript) {
		list := d.pieces(d.decoy)
		for _, f := range list {
			odd(f)
		}
		d.insert(0, list...)
	})
}

// warningOf is an alert that ends nothing, as a record.
func warningOf(number uint64) []byte {
	return dtlsRecord(21, 0xfeff, 0, number, []byte{1, 90}, 0)
}

var dtlsHonest = []trick{
	{name: "DTLS", about: "nothing odd", honest: true, kind: inDTLS, carrier: dtlsCarrier, dtls: func(*dtlsScript) {}},
	{name: "DTLS fragments in any order", clause: "RFC 6347, Section 4.2.3", about: "small fragments, shuffled, and one twice", honest: true, kind: inDatagrams, carrier: dtlsCarrier, dtls: func(d *dtlsScript) {
		d.r.Shuffle(len(d.fragments), func(i, j int) { d.fragments[i], d.fragments[j] = d.fragments[j], d.fragments[i] })
		again := *d.fragments[d.r.Intn(len(d.fragments))]
		again.record = d.next
		d.next++
		d.fragments = append(d.fragments, &again)
	}},
	{name: "DTLS in IP fragments", clause: "RFC 791, Section 3.2", about: "a datagram in IP fragments, in any order", honest: true, kind: inFragments, carrier: dtlsCarrier, dtls: func(d *dtlsScript) {
		f := d.fragments[d.r.Intn(len(d.fragments))]
		f.step.fragment(d.script, f.datagram(d))
	}},
}

// dtlsMisleading returns a trick for each odd packet: the decoy's datagrams are in such packets.
func dtlsMisleading() (tricks []trick) {
	for _, o := range slices.Concat(oddHeaders, oddExtensions, oddFragments) {
		t := dtlsTrick("DTLS: "+o.name, o.clause, o.about, func(d *dtlsScript) {
			list := d.pieces(d.decoy)
			for _, f := range list {
				f.step.spoil(o, f.datagram(d))
			}
			d.insert(0, list...)
		})
		t.only = o.only
		tricks = append(tricks, t)
	}
	return tricks
}

var dtlsTricks = []trick{
	dtlsDecoy("decoy with a later message_seq", "RFC 6347, Section 4.2.2", "the decoy as message 3", func(f *fragment12) { f.seq = 3 }),
	dtlsDecoy("decoy as message 1", "RFC 6347, Section 4.2.2", "the decoy as message 1", func(f *fragment12) { f.seq = 1 }),
	dtlsDecoy("decoy in epoch 1", "RFC 6347, Section 4.1", "the decoy's records are of an epoch that has not begun", func(f *fragment12) { f.epoch = 1 }),
	dtlsDecoy("decoy with another version", "RFC 6347, Section 4.1", "the decoy's records have the version of TLS", func(f *fragment12) { f.version = 0x0303 }),
	dtlsDecoy("decoy with an unknown version", "RFC 6347, Section 4.1", "the decoy's records have a version that nobody has", func(f *fragment12) { f.version = 0xfe00 }),
	dtlsDecoy("decoy with version 0x0100", "RFC 6347, Section 4.1", "the decoy's records have the version that OpenSSL had before DTLS 1.0", func(f *fragment12) { f.version = 0x0100 }),
	dtlsDecoy("decoy with another length", "RFC 6347, Section 4.2.2", "the decoy's fragments say another length of the message", func(f *fragment12) { f.length = 4000 }),
	dtlsDecoy("decoy, record too long", "RFC 6347, Section 4.1", "the decoy's records say more than the datagrams have", func(f *fragment12) { f.longer = 10 }),
	dtlsDecoy("decoy, bad UDP checksum to DTLS", "RFC 768", "the decoy's datagrams have a wrong checksum", func(f *fragment12) { f.step.packet.badSum = true }),
	dtlsDecoy("decoy as another record type", "RFC 6347, Section 4.1", "the decoy as application data", func(f *fragment12) { f.kind = 23 }),
	dtlsDecoy("DTLS decoy first", "RFC 6347, Section 4.2.2", "the decoy, then the hello as the same message", func(*fragment12) {}),
	dtlsTrick("decoy with the same record number", "RFC 6347, Section 4.1.2.6", "the records of the hello have the numbers of the decoy's", func(d *dtlsScript) {
		list := d.pieces(d.decoy)
		for i, f := range list {
			f.record = uint64(i)
		}
		d.insert(0, list...)
	}),
	dtlsTrick("DTLS: part of the decoy first", "RFC 6347, Section 4.2.2", "fragments that overlap, with other bytes", func(d *dtlsScript) {
		from, to := d.difference()
		d.insert(0, d.piece(d.decoy, from, to))
	}),
	dtlsTrick("DTLS: part of the decoy between", "RFC 6347, Section 4.2.2", "the same, after the first fragment", func(d *dtlsScript) {
		from, to := d.difference()
		d.insert(1, d.piece(d.decoy, from, to))
	}),
	dtlsTrick("a fragment with another length", "RFC 6347, Section 4.2.2", "a fragment first that says another length of the message", func(d *dtlsScript) {
		f := d.piece(d.decoy, 0, 100)
		f.length = 4000
		d.insert(0, f)
	}),
	dtlsTrick("a fragment beyond the message", "RFC 6347, Section 4.2.3", "a fragment first that ends after the message", func(d *dtlsScript) {
		f := d.piece(d.decoy, 0, 100)
		f.length = 50
		d.insert(0, f)
	}),
	dtlsTrick("change_cipher_spec of two bytes", "RFC 5246, Section 7.1", "a malformed change_cipher_spec after the first fragment in its datagram", func(d *dtlsScript) {
		d.fragments[0].after = dtlsRecord(20, 0xfeff, 0, 900, []byte{1, 1}, 0)
	}),
	dtlsTrick("whole after a part of the decoy", "RFC 6347, Section 4.2.2", "a part of the decoy, then all of the hello in one fragment", func(d *dtlsScript) {
		from, to := d.difference()
		d.fragments = []*fragment12{d.piece(d.decoy, from, to), d.piece(d.stream, 0, len(d.stream))}
	}),
	dtlsTrick("alert in the same datagram", "RFC 6347, Section 4.1", "an alert before the hello in its datagram", func(d *dtlsScript) {
		d.fragments[0].before = warningOf(900)
	}),
	dtlsTrick("alert in a datagram of its own", "RFC 6347, Section 4.1", "an alert before the hello", func(d *dtlsScript) {
		d.insert(0, &fragment12{kind: 21, record: 900, raw: []byte{1, 90}})
	}),
	dtlsTrick("empty handshake record before", "RFC 6347, Section 4.1", "a record without data before the hello", func(d *dtlsScript) {
		d.insert(0, &fragment12{record: 900, raw: []byte{}})
	}),
	dtlsTrick("unknown record before", "RFC 6347, Section 4.1", "a record of type 99 before the hello in its datagram", func(d *dtlsScript) {
		d.fragments[0].before = dtlsRecord(99, 0xfeff, 0, 900, []byte{1, 2, 3}, 0)
	}),
	dtlsTrick("application data before", "RFC 6347, Section 4.1", "application data before the hello in its datagram", func(d *dtlsScript) {
		d.fragments[0].before = dtlsRecord(23, 0xfeff, 0, 900, []byte{1, 2, 3}, 0)
	}),
	dtlsTrick("junk after the hello", "RFC 6347, Section 4.1", "bytes that are no record after each fragment", func(d *dtlsScript) {
		for _, f := range d.fragments {
			f.after = []byte{9, 9, 9, 9}
		}
	}),
	dtlsTrick("fragments without data", "RFC 6347, Section 4.2.3", "an empty fragment before the hello", func(d *dtlsScript) {
		d.insert(0, d.piece(d.stream, 0, 0))
	}),
	dtlsTrick("decoy in VXLAN to DTLS", "RFC 7348, Section 5", "a tunnelled decoy", func(d *dtlsScript) {
		list := slices.Clone(d.pieces(d.decoy))
		for _, f := range list {
			f.step.packet.wrap = vxlan(d.script)
		}
		d.insert(0, list...)
	}),
}
