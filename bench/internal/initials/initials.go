// Package initials opens and seals Initial packets of QUIC v1 with the standard library
// alone. Benchmarks compare package assemble with it, so it does not share the code that
// derives keys and opens packets.
package initials

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/corpus"
)

// Chromium returns the datagrams of a recorded capture up to the end of the first hello.
func Chromium() ([][]byte, error) {
	entry, ok := corpus.Lookup("captures/quic-v1-chromium-156.pcapng")
	if !ok {
		return nil, errors.New("the corpus lacks the capture to measure with")
	}
	source, err := pcapgo.NewNgReader(bytes.NewReader(entry.Data()), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return nil, err
	}
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(16<<10)))
	var datagrams [][]byte
	for {
		data, _, err := source.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the capture has no hello")
		}
		if err != nil {
			return nil, err
		}
		udp, ok := gopacket.NewPacket(data, source.LinkType(), gopacket.Default).TransportLayer().(*layers.UDP)
		if !ok {
			continue
		}
		before := q.Info().Packets
		result := q.Feed(udp.Payload)
		if q.Info().Packets > before {
			datagrams = append(datagrams, udp.Payload)
		}
		if result.Outcome == assemble.Complete {
			return datagrams, nil
		}
	}
}

// Sealed is an Initial packet of QUIC v1 without a token.
type Sealed struct {
	Packet, DCID []byte
	NumberAt     int // where the packet number begins
}

const dcidAt = 6

// Locate returns the Initial packet that a datagram begins with.
func Locate(datagram []byte) Sealed {
	i := dcidAt + int(datagram[dcidAt-1])
	dcid := datagram[dcidAt:i]
	i += 1 + int(datagram[i]) // source connection ID
	i++                       // token length
	length := int(binary.BigEndian.Uint16(datagram[i:]) & 0x3fff)
	i += 2
	return Sealed{datagram[:i+length], dcid, i}
}

// Keys are those of the client.
type Keys struct {
	aead        cipher.AEAD
	hp          cipher.Block
	iv          []byte
	mask, nonce [16]byte
}

// DeriveKeys derives the keys from the first destination connection ID.
func DeriveKeys(dcid []byte) *Keys {
	const salt = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	initial := must(hkdf.Extract(sha256.New, dcid, []byte(salt)))
	client := must(hkdf.Expand(sha256.New, initial, "\x00\x20\x0ftls13 client in\x00", 32))
	return &Keys{
		aead: must(cipher.NewGCM(must(aes.NewCipher(must(hkdf.Expand(sha256.New, client, "\x00\x10\x0etls13 quic key\x00", 16)))))),
		hp:   must(aes.NewCipher(must(hkdf.Expand(sha256.New, client, "\x00\x10\x0dtls13 quic hp\x00", 16)))),
		iv:   must(hkdf.Expand(sha256.New, client, "\x00\x0c\x0dtls13 quic iv\x00", 12)),
	}
}

// Open returns the header and the frames of a packet, in buffer if it is large enough.
func (k *Keys) Open(p Sealed, buffer []byte) (header, frames []byte) {
	k.hp.Encrypt(k.mask[:], p.Packet[p.NumberAt+4:])
	header = append(buffer[:0], p.Packet[:p.NumberAt+4]...)
	header[0] ^= k.mask[0] & 0x0f
	n := int(header[0]&3) + 1
	for i := range n {
		header[p.NumberAt+i] ^= k.mask[1+i]
	}
	header = header[:p.NumberAt+n]
	ciphertext := p.Packet[len(header):]
	return header, must(k.aead.Open(slices.Grow(header, len(p.Packet))[len(header):len(header)], k.nonceOf(header, n), ciphertext, header))
}

// nonceOf returns the nonce of a packet whose header ends with a number of n bytes.
func (k *Keys) nonceOf(header []byte, n int) []byte {
	nonce := append(k.nonce[:0], k.iv...)
	for i, c := range header[len(header)-n:] {
		nonce[len(nonce)-n+i] ^= c
	}
	return nonce
}

// Seal appends the packet that has a header and frames, with another destination connection
// ID of the same length.
func (k *Keys) Seal(b, header, frames, dcid []byte) []byte {
	start, n := len(b), int(header[0]&3)+1
	b = append(b, header...)
	sealed := b[start:]
	copy(sealed[dcidAt:], dcid)
	b = k.aead.Seal(b, k.nonceOf(sealed, n), frames, sealed)
	packet, numberAt := b[start:], len(header)-n
	k.hp.Encrypt(k.mask[:], packet[numberAt+4:numberAt+20])
	packet[0] ^= k.mask[0] & 0x0f
	for i := range n {
		packet[numberAt+i] ^= k.mask[1+i]
	}
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
