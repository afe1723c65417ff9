package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math/rand"
	"slices"
)

// An initial is a QUIC Initial packet of a client (RFC 9000, Section 17.2.2), with what is
// odd about it.
type initial struct {
	number   uint32
	frames   []byte
	size     int    // of the datagram, 1,200 if 0; padding fills it up
	dcid     []byte // another one, in the header
	keyed    []byte // the DCID that the keys are of, if it is another one than in the header
	scid     []byte
	reserved byte // bits that must be 0
	noFixed  bool // the fixed bit is 0
	version  uint32
	with     *initial // in the same datagram, after it
	after    []byte   // in the same datagram, after all packets
}

const quicVersion1 = 1

// initialKeys are those of RFC 9001, Section 5.2, of one side.
func initialKeys(dcid []byte, label string) (key, iv, hp []byte) {
	salt := []byte("\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a")
	secret := must(hkdf.Extract(sha256.New, dcid, salt))
	own := expand(secret, label, 32)
	return expand(own, "quic key", 16), expand(own, "quic iv", 12), expand(own, "quic hp", 16)
}

// expand is HKDF-Expand-Label (RFC 9846, Section 7.1).
func expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
	return must(hkdf.Expand(sha256.New, secret, string(append(info, 0)), n))
}

// must returns v: no input here can make an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// seal returns the packet, protected with the keys of a side ("client in", "server in").
func (p *initial) seal(s *quicScript, label string, padding int) []byte {
	dcid, scid, version := s.dcid, s.scid, uint32(quicVersion1)
	if p.dcid != nil {
		dcid = p.dcid
	}
	if p.scid != nil {
		scid = p.scid
	}
	if p.version != 0 {
		version = p.version
	}
	keyed := dcid
	if p.keyed != nil {
		keyed = p.keyed
	}
	first := byte(0xc3) | p.reserved<<2 // long header, Initial, 4 bytes of packet number
	if p.noFixed {
		first &^= 0x40
	}
	payload := append(slices.Clone(p.frames), make([]byte, padding)...)
	b := binary.BigEndian.AppendUint32([]byte{first}, version)
	b = append(append(b, byte(len(dcid))), dcid...)
	b = append(append(b, byte(len(scid))), scid...)
	b = append(b, 0) // no token
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(4+len(payload)+16))
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, p.number)
	key, iv, hp := initialKeys(keyed, label)
	nonce := slices.Clone(iv)
	for i := range 4 {
		nonce[8+i] ^= byte(p.number >> (24 - 8*i))
	}
	aead := must(cipher.NewGCM(must(aes.NewCipher(key))))
	b = append(b, aead.Seal(nil, nonce, payload, b)...)
	var mask [16]byte // RFC 9001, Section 5.4.3
	must(aes.NewCipher(hp)).Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// datagram returns the datagram of the packet, and of those with it.
func (p *initial) datagram(s *quicScript) []byte {
	var b []byte
	for q := p; q != nil; q = q.with {
		padding := max(0, 4-len(q.frames)) // so much that there is a sample
		if q.with == nil {
			size := p.size
			if size == 0 {
				size = 1200
			}
			padding = max(padding, size-len(b)-len(q.seal(s, "client in", 0))-len(p.after))
		}
		b = append(b, q.seal(s, "client in", padding)...)
	}
	return append(b, p.after...)
}

// crypto returns a CRYPTO frame (RFC 9000, Section 19.6).
func crypto(offset int, data []byte) []byte {
	b := []byte{6}
	b = binary.BigEndian.AppendUint32(b, 2<<30|uint32(offset))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(data)))
	return append(b, data...)
}

// A quicScript is what a client sends to a QUIC server.
type quicScript struct {
	*script
	dcid, scid []byte
	others     []byte   // a connection ID that is neither
	frames     [][]byte // CRYPTO frames that have all of the hello
	packets    []step
	next       uint32 // packet number
}

// A step is a datagram, with what is odd about its UDP and IP headers.
type step struct {
	initial   *initial
	data      []byte // instead
	otherPort bool
	packet    packet // what is odd about its headers
}

// spoil makes the IP packets of a step, whose datagram is given, odd.
func (st *step) spoil(o oddPacket, datagram []byte) {
	const from = 400
	n := udpHeader + len(datagram)
	o.odd(&st.packet, n, min(from, n-16)&^7)
}

// fragment cuts the IP packet of a step, whose datagram is given.
func (st *step) fragment(s *script, datagram []byte) {
	if st.packet.fragments != nil {
		return
	}
	list := fragments(s, udpHeader+len(datagram))
	s.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	st.packet.fragments = list
}

// newQUICScript makes the packets of a hello, and changes them by tricks.
func newQUICScript(s *script, tricks []trick) (*quicScript, error) {
	if s.v6 {
		s.r.Int63() // other connection IDs
	}
	q := &quicScript{script: s, dcid: randomBytes(s.r, 8+s.r.Intn(13)), scid: randomBytes(s.r, s.r.Intn(21)), others: randomBytes(s.r, 8), next: uint32(s.r.Intn(3))}
	msg, err := quicHello(realName, q.scid)
	if err != nil {
		return nil, err
	}
	s.records = slices.Clone[[]byte]
	s.fill(msg)
	q.cut()
	play := func(k kind) {
		for _, t := range tricks {
			if t.kind == k {
				t.quic(q)
			}
		}
	}
	play(inFrames)
	q.pack()
	play(inQUIC)
	play(inPackets)
	play(inFragments)
	return q, nil
}

// build returns the datagram of a step.
func (q *quicScript) build(st step) []byte {
	if st.initial == nil {
		return st.data
	}
	return st.initial.datagram(q)
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	r.Read(b)
	return b
}

// cut makes the CRYPTO frames of a stream.
func (q *quicScript) cut() {
	const most = 900
	for at := 0; at < len(q.stream); {
		end := min(len(q.stream), at+most-q.r.Intn(300))
		q.frames = append(q.frames, crypto(at, q.stream[at:end]))
		at = end
	}
}

// pack puts each frame into a packet.
func (q *quicScript) pack() {
	for _, f := range q.frames {
		q.packets = append(q.packets, step{initial: q.packet(f)})
	}
}

func (q *quicScript) packet(frames []byte) *initial {
	q.next++
	return &initial{number: q.next - 1, frames: frames}
}

// decoys returns packets with the decoy, changed by odd.
func (q *quicScript) decoys(odd func(*quicScript, *initial)) (list []step) {
	for at := 0; at < len(q.decoy); at += 900 {
		p := q.packet(crypto(at, q.decoy[at:min(at+900, len(q.decoy))]))
		odd(q, p)
		list = append(list, step{initial: p})
	}
	return list
}

// insert puts steps before the one at an index.
func (q *quicScript) insert(i int, steps ...step) { q.packets = slices.Insert(q.packets, i, steps...) }
