package assembletest

import (
	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// SplitDatagrams splits an input into datagrams, each after a length of two bytes.
func SplitDatagrams(data []byte) (datagrams [][]byte) {
	s := cryptobyte.String(data)
	var n uint16
	for s.ReadUint16(&n) && len(datagrams) < 32 {
		d := []byte(s)[:min(int(n), len(s))]
		datagrams = append(datagrams, d[:len(d):len(d)])
		s.Skip(len(d))
	}
	return datagrams
}

// JoinDatagrams is the inverse of SplitDatagrams.
func JoinDatagrams(datagrams ...[]byte) (data []byte) {
	for _, d := range datagrams {
		data = append(data, byte(len(d)>>8), byte(len(d)))
		data = append(data, d...)
	}
	return data
}

// SealedPacket is what payloads of a fuzzer travel in, protected as a client of QUIC
// v1 does, so that they get past the AEAD. Its header has one length for all payloads.
func SealedPacket() quicseal.Packet {
	return quicseal.Packet{
		Version: quicseal.V1, DCID: []byte("8 bytes!"), SCID: []byte("client"), Token: []byte("token"), LengthLen: 4,
	}
}

// SealQUIC makes a packet of each payload.
func SealQUIC(payloads [][]byte) (packets [][]byte) {
	p := SealedPacket()
	keys := quicseal.NewKeys(p.Version, p.DCID, false)
	for i, payload := range payloads {
		p.Number, p.Payload = uint64(i), payload
		packets = append(packets, p.SealWith(keys))
	}
	return packets
}
