//go:build linux

package main

import (
	"slices"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

const (
	datagramSize = 1200 // the smallest that a server accepts
	cryptoSize   = 1000 // of the hello in each packet
)

// sealInitials puts a ClientHello into QUIC Initial packets (RFC 9000, Section 17.2.2),
// for hellos that no QUIC library sends. Each 1,000 bytes get a datagram with one packet,
// which has the version and connection IDs of p.
func sealInitials(p quicseal.Packet, hello []byte) [][]byte {
	var datagrams [][]byte
	offset := 0
	for piece := range slices.Chunk(hello, cryptoSize) {
		p.Number = uint64(len(datagrams))
		p.Payload = quicseal.AppendCrypto(nil, uint64(offset), piece)
		datagrams = append(datagrams, p.PadTo(datagramSize).Seal())
		offset += len(piece)
	}
	return datagrams
}
