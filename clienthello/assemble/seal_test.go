package assemble_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

const (
	quicV1 = 1
	quicV2 = 0x6b3343cf
)

// salts of the versions that the tests seal packets of.
var salts = map[uint32]string{
	quicV1:     "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
	quicV2:     "0dede3def700a6db819381be6e269dcbf9bd2ed9",
	0xff000016: "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
	0xff000017: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
	0xff00001b: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
	0xff00001c: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
	0xff00001d: "afbfec289993d24c9e9786f19c6111e04390a899",
	0xff000020: "afbfec289993d24c9e9786f19c6111e04390a899",
	0xff000021: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
	0xff000022: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
	0xfaceb001: "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
	0xfaceb002: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
	0xfaceb00e: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
	0x54303530: "7ff579e5acd072915580304c43a2367c60488310",
	0x54303531: "7a4edef4e7ccee5fa4506c19124fc8ccda6e033d",
}

// initial is an Initial packet, or another with a long header, to be sealed. The keys follow from keyDCID, or dcid
// where that is nil; those of the server where server is set.
type initial struct {
	version    uint32
	dcid, scid []byte
	keyDCID    []byte
	token      []byte
	number     uint64
	numberLen  int // 0: 4 bytes
	payload    []byte
	kind       byte // 0: Initial, 1: 0-RTT, 2: Handshake
	server     bool
	greased    bool // without the fixed bit
}

type sealKeys struct {
	aead cipher.AEAD
	hp   cipher.Block
	iv   []byte
}

// sealingKeys derives the keys of RFC 9001, Section 5.2 with the standard library.
func sealingKeys(version uint32, dcid []byte, server bool) sealKeys {
	prefix, side := "quic ", "client in"
	if version == quicV2 {
		prefix = "quicv2 "
	}
	if server {
		side = "server in"
	}
	expand := func(secret []byte, label string, size int) []byte {
		info := binary.BigEndian.AppendUint16(nil, uint16(size))
		info = append(info, byte(len("tls13 "+label)))
		info = append(info, "tls13 "+label...)
		return must(hkdf.Expand(sha256.New, secret, string(append(info, 0)), size))
	}
	salt := must(hex.DecodeString(salts[version]))
	secret := expand(must(hkdf.Extract(sha256.New, dcid, salt)), side, sha256.Size)
	aead := must(cipher.NewGCM(must(aes.NewCipher(expand(secret, prefix+"key", 16)))))
	hp := must(aes.NewCipher(expand(secret, prefix+"hp", 16)))
	return sealKeys{aead, hp, expand(secret, prefix+"iv", 12)}
}

// header returns the unprotected header up to the end of the packet number.
func (p initial) header() []byte {
	n := p.numberLen
	if n == 0 {
		n = 4
	}
	kind := p.kind
	if p.version == quicV2 {
		kind++
	}
	b := []byte{0xc0 | kind<<4 | byte(n-1)}
	if p.greased {
		b[0] &^= 0x40
	}
	b = binary.BigEndian.AppendUint32(b, p.version)
	b = append(append(b, byte(len(p.dcid))), p.dcid...)
	b = append(append(b, byte(len(p.scid))), p.scid...)
	if p.kind == 0 {
		b = append(appendVarint(b, uint64(len(p.token))), p.token...)
	}
	b = binary.BigEndian.AppendUint16(b, 1<<14|uint16(n+len(p.payload)+16))
	number := binary.BigEndian.AppendUint32(nil, uint32(p.number))
	return append(b, number[4-n:]...)
}

func (p initial) seal() []byte {
	keyDCID := p.keyDCID
	if keyDCID == nil {
		keyDCID = p.dcid
	}
	return p.sealWith(sealingKeys(p.version, keyDCID, p.server))
}

func (p initial) sealWith(keys sealKeys) []byte {
	header := p.header()
	n := int(header[0]&3) + 1
	nonce := slices.Clone(keys.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, p.number) {
		nonce[4+i] ^= b
	}
	packet := keys.aead.Seal(slices.Clone(header), nonce, p.payload, header)
	at := len(header) - n
	mask := make([]byte, 16)
	keys.hp.Encrypt(mask, packet[at+4:at+20])
	packet[0] ^= mask[0] & 0x0f
	for i := range n {
		packet[at+i] ^= mask[1+i]
	}
	return packet
}

func appendVarint(b []byte, v uint64) []byte {
	switch {
	case v < 1<<6:
		return append(b, byte(v))
	case v < 1<<14:
		return binary.BigEndian.AppendUint16(b, 1<<14|uint16(v))
	case v < 1<<30:
		return binary.BigEndian.AppendUint32(b, 2<<30|uint32(v))
	}
	return binary.BigEndian.AppendUint64(b, 3<<62|v)
}

// crypto returns a CRYPTO frame.
func crypto(offset uint64, data []byte) []byte {
	b := appendVarint([]byte{6}, offset)
	b = appendVarint(b, uint64(len(data)))
	return append(b, data...)
}

// padded returns frames with as much PADDING as a payload of n bytes needs.
func padded(n int, frames ...[]byte) []byte {
	b := slices.Concat(frames...)
	return append(b, make([]byte, max(0, n-len(b)))...)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
