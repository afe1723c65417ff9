package assemble

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
)

// quicVersion is what differs between the versions of QUIC as far as a client's
// Initial packets go.
type quicVersion struct {
	salt        string
	key, iv, hp string // HkdfLabels, see hkdfExpand
	initial     byte   // long packet type of an Initial
}

// HkdfLabel of RFC 9846, Section 7.1, with an empty context:
//
//	struct {
//	    uint16 length;
//	    opaque label<7..255> = "tls13 " + Label;
//	    opaque context<0..255>;
//	} HkdfLabel;
const (
	labelClient = "\x00\x20\x0ftls13 client in\x00"
	labelKey    = "\x00\x10\x0etls13 quic key\x00"
	labelIV     = "\x00\x0c\x0dtls13 quic iv\x00"
	labelHP     = "\x00\x10\x0dtls13 quic hp\x00"
	labelKey2   = "\x00\x10\x10tls13 quicv2 key\x00"
	labelIV2    = "\x00\x0c\x0ftls13 quicv2 iv\x00"
	labelHP2    = "\x00\x10\x0ftls13 quicv2 hp\x00"
)

const (
	saltV1      = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	saltV2      = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
	saltDraft22 = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"
	saltDraft23 = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02"
	saltDraft29 = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
	saltT050    = "\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10"
	saltT051    = "\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d"
)

// lookupVersion returns what is known of a version: QUIC v1 (RFC 9001, Section
// 5.2), v2 (RFC 9369, Section 3), and the forms of v1 that were in use before it was
// finished.
func lookupVersion(version uint32) (v quicVersion, ok bool) {
	v = quicVersion{key: labelKey, iv: labelIV, hp: labelHP}
	switch {
	case version == 0x00000001, version == 0xff000021, version == 0xff000022: // drafts 33 and 34
		v.salt = saltV1
	case version == 0x6b3343cf:
		v = quicVersion{saltV2, labelKey2, labelIV2, labelHP2, 1}
	case version == 0xff000016, version == 0xfaceb001: // draft 22, mvfst
		v.salt = saltDraft22
	//mutation:equivalent draft 22 has been found before
	case version >= 0xff000017 && version <= 0xff00001c, // drafts 23 to 28
		version == 0xfaceb002, version == 0xfaceb00e: // mvfst
		v.salt = saltDraft23
	case version >= 0xff00001d && version <= 0xff000020: // drafts 29 to 32
		v.salt = saltDraft29
	case version == 0x54303530: // Google's T050
		v.salt = saltT050
	case version == 0x54303531: // Google's T051
		v.salt = saltT051
	default:
		return quicVersion{}, false
	}
	return v, true
}

// isGoogle reports whether a version is T050 or T051, whose frames are not those of
// QUIC.
func isGoogle(version uint32) bool { return version == 0x54303530 || version == 0x54303531 }

// initialKeys protect the Initial packets that a client sends (RFC 9001, Section
// 5.2). They follow from the version and a connection ID that everybody can see.
type initialKeys struct {
	version uint32 // 0: no keys
	dcid    connectionID
	aead    cipher.AEAD // nil: no keys
	hp      cipher.Block
	iv      [12]byte
	next    uint64 // the packet number after the largest one opened
	number  uint64 // of the packet opened last
	seen    uint64 // bit i says that number next-1-i has been read by FeedServer

	// On the stack they would escape to the heap, through the interfaces above.
	mask  [aes.BlockSize]byte
	nonce [12]byte
}

// derive sets k to the keys for a destination connection ID. It allocates two AES key
// schedules and the state of GCM.
func (k *initialKeys) derive(version uint32, dcid connectionID) {
	v, _ := lookupVersion(version)
	initial := hmacSHA256([]byte(v.salt), dcid.bytes()) // HKDF-Extract
	client := hkdfExpand(&initial, labelClient)
	key := hkdfExpand(&client, v.key)
	iv := hkdfExpand(&client, v.iv)
	hp := hkdfExpand(&client, v.hp)
	*k = initialKeys{
		version: version,
		dcid:    dcid,
		aead:    newGCM(newAES(key[:16])),
		hp:      newAES(hp[:16]),
		iv:      [12]byte(iv[:]),
	}
}

func (k *initialKeys) belongTo(version uint32, dcid connectionID) bool {
	return k.version == version && k.dcid == dcid
}

// open removes the protection of an Initial packet (RFC 9001, Sections 5.3 and
// 5.4), into scratch, which takes at least len(packet) bytes. It returns the
// payload and its offset in the packet.
func (k *initialKeys) open(packet []byte, numberAt int, scratch []byte) (payload []byte, at int, ok bool) {
	k.hp.Encrypt(k.mask[:], packet[numberAt+4:]) // the sample is one block
	copy(scratch, packet[:numberAt+4])           //mutation:equivalent what is copied after the number is overwritten
	scratch[0] ^= k.mask[0] & 0x0f
	at = numberAt + int(scratch[0]&3) + 1
	var truncated uint64
	for i := numberAt; i < at; i++ {
		scratch[i] ^= k.mask[1+i-numberAt]
		truncated = truncated<<8 | uint64(scratch[i])
	}
	number := packetNumber(k.next, truncated, 8*(at-numberAt))
	k.nonce = k.iv
	binary.BigEndian.PutUint64(k.nonce[4:], binary.BigEndian.Uint64(k.iv[4:])^number)
	payload, err := k.aead.Open(scratch[at:at], k.nonce[:], packet[at:], scratch[:at])
	if err != nil {
		return nil, 0, false
	}
	k.number = number
	k.note(number + 1)
	return payload, at, true
}

// packetNumber completes a packet number of which the lowest bits were sent: it is
// the one closest to the next that is expected (RFC 9000, Appendix A.3).
func packetNumber(next, truncated uint64, bits int) uint64 {
	window := uint64(1) << bits
	number := next&^(window-1) | truncated
	switch {
	case number+window/2 <= next && number < 1<<62-window:
		return number + window
	case number > next+window/2 && number >= window: //mutation:equivalent below next, number is less than window
		return number - window
	}
	return number
}

// hkdfExpand is HKDF-Expand (RFC 5869, Section 2.3) for labels that ask for one
// block or less: the caller cuts. Package crypto/hkdf gives the same and takes 46
// allocations more for a key schedule; a test compares the two.
func hkdfExpand(secret *[sha256.Size]byte, label string) [sha256.Size]byte {
	var info [64]byte
	n := copy(info[:], label)
	info[n] = 1 // the first block
	return hmacSHA256(secret[:], info[:n+1])
}

// hmacSHA256 is HMAC (RFC 2104) for keys and messages of at most one block.
func hmacSHA256(key, message []byte) [sha256.Size]byte {
	var inner [2 * sha256.BlockSize]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha256.BlockSize { //mutation:equivalent what follows the block is overwritten
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := copy(inner[sha256.BlockSize:], message)
	sum := sha256.Sum256(inner[:sha256.BlockSize+n])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// newAES takes a key of 16 bytes, for which there is no error.
func newAES(key []byte) cipher.Block {
	block, _ := aes.NewCipher(key)
	return block
}

// newGCM takes AES, which has the block size of GCM: there is no error.
func newGCM(block cipher.Block) cipher.AEAD {
	aead, _ := cipher.NewGCM(block)
	return aead
}
