// Package quicseal seals Initial packets of QUIC as defined in RFC 9001, Section 5, for
// tests, fuzz targets, vectors and recordings. It is built on crypto/hkdf and shares no
// code with package assemble, which opens the packets.
package quicseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
)

// The versions of QUIC that are standards.
const (
	V1 uint32 = 1          // RFC 9000
	V2 uint32 = 0x6b3343cf // RFC 9369
)

// The types of long header packets (RFC 9000, Section 17.2).
const (
	Initial byte = iota
	ZeroRTT
	Handshake
)

// A Packet is a packet with a long header. A field that is not set is empty, unless its
// comment says otherwise.
type Packet struct {
	Version    uint32
	Type       byte // in every version, one of the above: what is sent follows from both
	DCID, SCID []byte
	Token      []byte // only in an Initial
	Number     uint64
	NumberLen  int    // bytes of the packet number; 0: 4
	LengthLen  int    // bytes of the length, at least, of 1, 2, 4 and 8; 0: 2
	Payload    []byte // frames, at least 4-NumberLen bytes
	Greased    bool   // without the fixed bit (RFC 9287)
	Reserved   byte   // the reserved bits, which should be 0

	// The keys are those for Initial packets of a client, or of the server. They follow from
	// KeyDCID, or DCID if that is nil.
	KeyDCID []byte
	Server  bool
}

// Seal returns the protected packet.
func (p Packet) Seal() []byte {
	dcid := p.KeyDCID
	if dcid == nil {
		dcid = p.DCID
	}
	return p.SealWith(NewKeys(p.Version, dcid, p.Server))
}

// SealWith is Seal with keys that exist.
func (p Packet) SealWith(keys *Keys) []byte {
	header := p.header()
	nonce := slices.Clone(keys.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, p.Number) {
		nonce[len(nonce)-8+i] ^= b
	}
	packet := keys.aead.Seal(slices.Clone(header), nonce, p.Payload, header)
	number := packet[len(header)-p.numberLen():]
	mask := make([]byte, aes.BlockSize)
	keys.hp.Encrypt(mask, number[4:4+aes.BlockSize])
	packet[0] ^= mask[0] & 0x0f
	for i := range p.numberLen() {
		number[i] ^= mask[1+i]
	}
	return packet
}

// PayloadAt returns the offset of the payload in the packet.
func (p Packet) PayloadAt() int { return len(p.header()) }

// PadTo returns the packet with PADDING added, so that it has size bytes when sealed, or p
// itself if it has as many without. At one size the padding would make the length field
// longer, so that no packet has that size; the result is then a byte short.
func (p Packet) PadTo(size int) Packet {
	missing := size - p.size()
	if missing <= 0 {
		return p
	}
	p.Payload = append(slices.Clip(p.Payload), make([]byte, missing)...)
	p.Payload = p.Payload[:len(p.Payload)-(p.size()-size)]
	return p
}

func (p Packet) size() int { return len(p.header()) + len(p.Payload) + tagLen }

const tagLen = 16 // of AES-GCM

func (p Packet) numberLen() int {
	if p.NumberLen == 0 {
		return 4
	}
	return p.NumberLen
}

// header returns the header without protection, with the packet number:
//
//	Long Header Packet {
//	  Header Form (1) = 1,
//	  Fixed Bit (1) = 1,
//	  Long Packet Type (2),
//	  Reserved Bits (2),
//	  Packet Number Length (2),
//	  Version (32),
//	  Destination Connection ID Length (8),
//	  Destination Connection ID (0..160),
//	  Source Connection ID Length (8),
//	  Source Connection ID (0..160),
//	  [Token Length (i),
//	  Token (..),]
//	  Length (i),
//	  Packet Number (8..32),
//	  Packet Payload (8..),
//	}
func (p Packet) header() []byte {
	packetType := p.Type
	if p.Version == V2 {
		packetType = (packetType + 1) & 3 // RFC 9369, Section 3.2
	}
	first := 0xc0 | packetType<<4 | p.Reserved<<2 | byte(p.numberLen()-1)
	if p.Greased {
		first &^= 0x40
	}
	b := binary.BigEndian.AppendUint32([]byte{first}, p.Version)
	b = append(append(b, byte(len(p.DCID))), p.DCID...)
	b = append(append(b, byte(len(p.SCID))), p.SCID...)
	if p.Type == Initial {
		b = append(AppendVarint(b, uint64(len(p.Token))), p.Token...)
	}
	lengthLen := p.LengthLen
	if lengthLen == 0 {
		lengthLen = 2
	}
	b = appendVarint(b, uint64(p.numberLen()+len(p.Payload)+tagLen), lengthLen)
	number := binary.BigEndian.AppendUint64(nil, p.Number)
	return append(b, number[len(number)-p.numberLen():]...)
}

// AppendVarint appends v in the shortest form of a variable-length integer (RFC 9000,
// Section 16).
func AppendVarint(b []byte, v uint64) []byte { return appendVarint(b, v, 1) }

// appendVarint appends v in size bytes, or as many as it takes.
func appendVarint(b []byte, v uint64, size int) []byte {
	switch {
	case v < 1<<6 && size <= 1:
		return append(b, byte(v))
	case v < 1<<14 && size <= 2:
		return binary.BigEndian.AppendUint16(b, 1<<14|uint16(v))
	case v < 1<<30 && size <= 4:
		return binary.BigEndian.AppendUint32(b, 2<<30|uint32(v))
	}
	return binary.BigEndian.AppendUint64(b, 3<<62|v)
}

// AppendCrypto appends a CRYPTO frame (RFC 9000, Section 19.6).
func AppendCrypto(b []byte, offset uint64, data []byte) []byte {
	b = AppendVarint(append(b, 0x06), offset)
	b = AppendVarint(b, uint64(len(data)))
	return append(b, data...)
}

// Keys are what protects the Initial packets of one side.
type Keys struct {
	aead cipher.AEAD
	iv   []byte
	hp   cipher.Block
}

// NewKeys derives the keys for a client's first destination connection ID, those of the
// server if server is set. It panics if Versions does not have the version.
func NewKeys(version uint32, dcid []byte, server bool) *Keys {
	key, iv, hp := derive(version, dcid, server)
	return &Keys{aead: must(cipher.NewGCM(must(aes.NewCipher(key)))), iv: iv, hp: must(aes.NewCipher(hp))}
}

// derive is RFC 9001, Section 5.2, and RFC 9369, Section 3.3.
func derive(version uint32, dcid []byte, server bool) (key, iv, hp []byte) {
	side, prefix := "client in", "quic "
	if server {
		side = "server in"
	}
	if version == V2 {
		prefix = "quicv2 "
	}
	initial := must(hkdf.Extract(sha256.New, dcid, saltOf(version)))
	secret := expandLabel(initial, side, sha256.Size)
	return expandLabel(secret, prefix+"key", 16), expandLabel(secret, prefix+"iv", 12), expandLabel(secret, prefix+"hp", 16)
}

// expandLabel is HKDF-Expand-Label without a context (RFC 9846, Section 7.1).
func expandLabel(secret []byte, label string, size int) []byte {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(append(info, byte(len(label))), label...)
	info = append(info, 0)
	return must(hkdf.Expand(sha256.New, secret, string(info), size))
}

// Versions yields the versions that there are keys for: the standards, the drafts before
// them, mvfst's, and Google's with frames of their own.
func Versions() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, s := range salts() {
			if !yield(s.version) {
				return
			}
		}
	}
}

func saltOf(version uint32) []byte {
	for _, s := range salts() {
		if s.version == version {
			return must(hex.DecodeString(s.salt))
		}
	}
	panic(fmt.Sprintf("quicseal: there is no salt for version %#x", version))
}

type salt struct {
	version uint32
	salt    string
}

func salts() []salt {
	return []salt{
		{V1, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a"},
		{V2, "0dede3def700a6db819381be6e269dcbf9bd2ed9"},
		{0xff000016, "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a"},
		{0xff000017, "c3eef712c72ebb5a11a7d2432bb46365bef9f502"},
		{0xff00001b, "c3eef712c72ebb5a11a7d2432bb46365bef9f502"},
		{0xff00001c, "c3eef712c72ebb5a11a7d2432bb46365bef9f502"},
		{0xff00001d, "afbfec289993d24c9e9786f19c6111e04390a899"},
		{0xff000020, "afbfec289993d24c9e9786f19c6111e04390a899"},
		{0xff000021, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a"},
		{0xff000022, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a"},
		{0xfaceb001, "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a"},
		{0xfaceb002, "c3eef712c72ebb5a11a7d2432bb46365bef9f502"},
		{0xfaceb00e, "c3eef712c72ebb5a11a7d2432bb46365bef9f502"},
		{0x54303530, "7ff579e5acd072915580304c43a2367c60488310"},
		{0x54303531, "7a4edef4e7ccee5fa4506c19124fc8ccda6e033d"},
	}
}

// must is for errors of the standard library that sizes which are fixed here rule out.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
