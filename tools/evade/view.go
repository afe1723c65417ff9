package main

import (
	"encoding/binary"
	"slices"
)

// A view is how a capture shows the traffic. The zero view shows both directions as they
// are on the wire.
type view struct {
	oneWay    bool // nothing that the server sent
	offloaded bool // captured on the client's host, whose network card computes checksums
}

func (v view) String() string {
	switch {
	case v.oneWay:
		return "one way"
	case v.offloaded:
		return "offloaded"
	}
	return "both ways"
}

// edit returns a packet of the client as the capture has it. A checksum of TCP or UDP that
// the network card computes is that of the pseudo-header; the ones that a program made wrong
// by itself stay.
func (v view) edit(b []byte, e ends) []byte {
	at := 40
	if e.client.Is4() {
		at = 20
	}
	if !v.offloaded || len(b) < at+8 || b[0] != 0x45 && b[0] != 0x60 {
		return b
	}
	proto, fragment := b[6], false
	if e.client.Is4() {
		proto, fragment = b[9], binary.BigEndian.Uint16(b[6:])&0x3fff != 0
	}
	field := at + 16
	switch {
	case proto == protoUDP:
		field = at + 6
	case proto != protoTCP || len(b) < at+20:
		return b
	}
	pseudo := pseudoHeader(e, proto, len(b)-at)
	if fragment || sum(pseudo, b[at:]) != 0 {
		return b
	}
	b = slices.Clone(b)
	binary.BigEndian.PutUint16(b[field:], ^sum(pseudo))
	return b
}
