package assemble

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
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
	labelServer = "\x00\x20\x0ftls13 server in\x00"
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
	//mutation:equivalent drafts 33 and 34 have been found before
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

// keyName is what the keys of Initial packets follow from; everybody can see it.
type keyName struct {
	version uint32 // 0: no keys
	dcid    connectionID
}

// initialKeys protect the Initial packets that one side sends, mostly the client (RFC 9001,
// Section 5.2).
type initialKeys struct {
	keyName
	secret [sha256.Size]byte // client_initial_secret, or server_initial_secret
	hp     cipher.Block
	aead   cipher.AEAD // nil until it is needed
	iv     [12]byte
}

// QUICKeys derives the keys of Initial packets, and keeps those that were used last. Many a
// [QUIC] may share one, see [QUIC.ShareKeys]; it is not for use by several goroutines at a time.
type QUICKeys struct {
	pairs  []keyPair // a key is in the pair that its hash says
	seed   maphash.Seed
	shared bool
	number uint64 // of the packet opened last
	spare  spares // of those that share it

	salt    mac    // with the salt of a version
	version uint32 // that version
	mac     mac
	secret  keyName // whose client_initial_secret is the key of mac

	// On the stack they would escape to the heap, through the interfaces above.
	mask  [aes.BlockSize]byte
	nonce [12]byte
}

// keyPair has two keys, so that two that are used in turn stay.
type keyPair struct {
	keys   [2]initialKeys
	latest uint8 // index of the key that was used last
}

// NewQUICKeys returns a QUICKeys that keeps up to n keys, at least two, of 1.6 kB each.
func NewQUICKeys(n int) *QUICKeys {
	k := newQUICKeys(max(n/2, 1)) //mutation:equivalent only which keys are kept differs
	k.shared = true
	return k
}

func newQUICKeys(pairs int) *QUICKeys {
	return &QUICKeys{pairs: make([]keyPair, pairs), seed: maphash.MakeSeed(), salt: newMAC(), mac: newMAC()}
}

// derive sets keys to those of a name, as far as header protection needs them. It allocates an
// AES key schedule.
func (k *QUICKeys) derive(keys *initialKeys, name keyName) { k.deriveFrom(labelClient, keys, name) }

// serverKeys returns the keys of a name for the packets of the server.
func (k *QUICKeys) serverKeys(name keyName) *initialKeys {
	keys := new(initialKeys)
	k.deriveFrom(labelServer, keys, name)
	k.complete(keys)
	k.secret = keyName{} // which is the one of the client
	return keys
}

func (k *QUICKeys) deriveFrom(label string, keys *initialKeys, name keyName) {
	v, _ := lookupVersion(name.version)
	if k.version != name.version {
		k.version = name.version //mutation:equivalent else the salt is set again
		k.salt.setKey([]byte(v.salt))
	}
	k.secret = keyName{}
	initial := k.salt.of(name.dcid.bytes()) // HKDF-Extract
	k.mac.setKey(initial[:])
	*keys = initialKeys{keyName: name, secret: k.mac.expand(label)}
	k.expandFrom(keys)
	hp := k.mac.expand(v.hp)
	keys.hp = newAES(hp[:16])
}

// complete derives the rest. It allocates an AES key schedule and the state of GCM.
func (k *QUICKeys) complete(keys *initialKeys) {
	v, _ := lookupVersion(keys.version)
	k.expandFrom(keys)
	key, iv := k.mac.expand(v.key), k.mac.expand(v.iv)
	keys.aead, keys.iv = newGCM(newAES(key[:16])), [12]byte(iv[:])
}

// expandFrom makes k.mac one with the client_initial_secret.
func (k *QUICKeys) expandFrom(keys *initialKeys) {
	if k.secret != keys.keyName {
		k.secret = keys.keyName
		k.mac.setKey(keys.secret[:])
	}
}

// find returns the keys of name. If they are not there, it derives them as derive does, and
// counts schedules down. It returns nil if that is 0; a nil schedules sets no limit. The keys of
// keep stay.
func (k *QUICKeys) find(name, keep keyName, schedules *int) *initialKeys {
	at := 0
	if len(k.pairs) > 1 { //mutation:equivalent only which keys are kept differs
		at = int((maphash.Bytes(k.seed, name.dcid.bytes()) + uint64(name.version)) % uint64(len(k.pairs))) //mutation:equivalent only which keys are kept differs
	}
	pair := &k.pairs[at]
	for i := range pair.keys {
		if pair.keys[i].keyName == name {
			pair.latest = uint8(i)
			return &pair.keys[i]
		}
	}
	if schedules != nil {
		if *schedules == 0 {
			return nil
		}
		*schedules--
	}
	if other := &pair.keys[pair.latest^1]; other.version == 0 || other.keyName != keep {
		pair.latest ^= 1
	}
	keys := &pair.keys[pair.latest]
	k.derive(keys, name)
	return keys
}

// unmask sets k.mask to the header protection of an Initial packet (RFC 9001, Section 5.4).
func (k *QUICKeys) unmask(keys *initialKeys, packet []byte, numberAt int) {
	keys.hp.Encrypt(k.mask[:], packet[numberAt+4:]) // the sample is one block
}

// open removes the protection of an Initial packet (RFC 9001, Sections 5.3 and
// 5.4), into scratch, which takes at least len(packet) bytes. next is the packet number
// that is expected. It returns the payload and its offset in the packet.
func (k *QUICKeys) open(keys *initialKeys, packet []byte, numberAt int, next uint64, scratch []byte) (payload []byte, at int, ok bool) {
	k.unmask(keys, packet, numberAt)
	copy(scratch, packet[:numberAt+4]) //mutation:equivalent what is copied after the number is overwritten
	scratch[0] ^= k.mask[0] & 0x0f
	at = numberAt + int(scratch[0]&3) + 1
	var truncated uint64
	for i := numberAt; i < at; i++ {
		scratch[i] ^= k.mask[1+i-numberAt]
		truncated = truncated<<8 | uint64(scratch[i])
	}
	k.number = packetNumber(next, truncated, 8*(at-numberAt))
	if keys.aead == nil {
		k.complete(keys)
	}
	k.nonce = keys.iv
	binary.BigEndian.PutUint64(k.nonce[4:], binary.BigEndian.Uint64(keys.iv[4:])^k.number)
	payload, err := keys.aead.Open(scratch[at:at], k.nonce[:], packet[at:], scratch[:at])
	return payload, at, err == nil
}

// UnmasksInitial reports whether the first Initial packet that [ParseQUICInitial] finds has
// reserved bits of 0 if a client has begun a connection with it. That is so for all that
// clients send, and by chance for a quarter of what servers send. It costs less than
// opening the packet.
func (k *QUICKeys) UnmasksInitial(datagram []byte) bool {
	p, at, ok := firstInitial(datagram)
	if !ok {
		return false
	}
	k.unmask(k.find(keyName{p.version, newConnectionID(p.dcid)}, keyName{}, nil), datagram[at:], p.numberAt)
	return (datagram[at]^k.mask[0])&reservedBits == 0
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
