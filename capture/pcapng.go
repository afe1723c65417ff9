package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// pcapngSource reads a pcapng file.
type pcapngSource struct{ *pcapgo.NgReader }

func openPcapng(r *bufio.Reader) (source, error) {
	blocks := bufio.NewReaderSize(&blockFilter{r: r}, readBuffer) //mutation:equivalent any size will do
	reader, err := pcapgo.NewNgReader(blocks, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err == io.EOF {
		return nil, errCutShort
	}
	if err != nil {
		return nil, err
	}
	return pcapngSource{reader}, nil
}

func (s pcapngSource) next() (Packet, error) {
	data, info, err := s.ZeroCopyReadPacketData()
	if err != nil {
		return Packet{}, err
	}
	link, _ := info.AncillaryData[0].(layers.LinkType)
	return Packet{Data: data, Length: info.Length, Link: LinkType(link), Time: info.Timestamp}, nil
}

// Block types, as in draft-ietf-opsawg-pcapng, Section 10.1.
const (
	blockInterface      = 1
	blockPacket         = 2 // obsolete
	blockSimplePacket   = 3
	blockEnhancedPacket = 6
	blockSecrets        = 10
	blockSection        = 0x0a0d0d0a

	byteOrderMagic = 0x1a2b3c4d

	blockHeaderLen  = 8 // type, length
	blockTrailerLen = 4 // length again
)

// maxInterfaces limits the interface descriptions of a section, in bytes, since pcapgo
// keeps them. A thousand with their names fit, or six thousand without.
const maxInterfaces = 128 << 10

// blockFilter reads a pcapng file for pcapgo, without all that makes pcapgo allocate more
// than it needs, or lose its place. It drops blocks without a packet or an interface, and
// the options of packets. Packets that are longer than maxPacket, or than their block,
// become empty ones, so that the frames after them keep their numbers.
type blockFilter struct {
	r     *bufio.Reader
	order binary.ByteOrder

	keyLog bool // pass TLS key logs, and no blocks

	out  []byte   // to pass next
	pass int      // bytes of the file to pass after out
	skip int      // bytes of the file to drop after these
	head [36]byte // memory of out

	interfaces int    // bytes in the interface descriptions of the section
	snaplen    uint32 // of its first interface; 0 means unlimited
}

func (f *blockFilter) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case len(f.out) > 0:
			k := copy(p[n:], f.out)
			n += k
			f.out = f.out[k:]
		case f.pass > 0:
			k, err := f.r.Read(p[n:min(len(p), n+f.pass)])
			n += k
			f.pass -= k
			if err != nil {
				return n, cutShort(err)
			}
		case n > 0 && f.r.Buffered() < f.skip+blockHeaderLen:
			return n, nil // let pcapgo use these bytes without waiting for more
		default:
			k, err := f.r.Discard(f.skip)
			f.skip -= k
			if err != nil {
				return n, cutShort(err)
			}
			if err := f.block(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// block reads the head of the next block, and sets what is passed and dropped of it.
func (f *blockFilter) block() error {
	// uint32 type; uint32 total_length; at least one more word
	head, err := f.r.Peek(blockHeaderLen + 4)
	if err == io.EOF && len(head) == 0 {
		return io.EOF
	}
	if err != nil {
		return cutShort(err)
	}
	section := binary.LittleEndian.Uint32(head) == blockSection // the same in both orders
	if section {
		switch uint32(byteOrderMagic) {
		case binary.LittleEndian.Uint32(head[blockHeaderLen:]):
			f.order = binary.LittleEndian
		case binary.BigEndian.Uint32(head[blockHeaderLen:]):
			f.order = binary.BigEndian
		default:
			return errors.New("a section of the pcapng file has no byte order")
		}
		f.interfaces, f.snaplen = 0, 0 //mutation:equivalent the first interface sets snaplen
	}
	if f.order == nil {
		return ErrFormat
	}
	total := f.order.Uint32(head[4:])
	if total < blockHeaderLen+blockTrailerLen || total%4 != 0 || total > math.MaxInt32 {
		return fmt.Errorf("the capture is damaged: a pcapng block of %d bytes", total)
	}
	length, typ := int(total), f.order.Uint32(head)
	switch {
	case f.keyLog && typ == blockSecrets:
		return f.secrets(length)
	case f.keyLog:
		f.skip = length
	case section:
		f.pass = length
	case typ == blockInterface:
		return f.describe(length)
	case typ == blockPacket || typ == blockEnhancedPacket:
		// uint32 interface; uint64 timestamp; uint32 captured_length; uint32 original_length;
		return f.packet(length, blockHeaderLen+20, blockHeaderLen+12, math.MaxUint32)
	case typ == blockSimplePacket && f.snaplen > 0:
		return f.packet(length, blockHeaderLen+4, blockHeaderLen, f.snaplen)
	case typ == blockSimplePacket:
		// uint32 original_length;
		return f.packet(length, blockHeaderLen+4, blockHeaderLen, math.MaxUint32)
	default:
		f.skip = length
	}
	return nil
}

// describe takes an interface description:
//
//	uint16 linktype; uint16 reserved; uint32 snaplen;
func (f *blockFilter) describe(length int) error {
	const snaplenAt = blockHeaderLen + 4
	f.interfaces += length
	if f.interfaces > maxInterfaces {
		return fmt.Errorf("the descriptions of interfaces take more than %d bytes", maxInterfaces)
	}
	if f.interfaces == length {
		head, err := f.r.Peek(snaplenAt + 4)
		if err != nil {
			return cutShort(err)
		}
		f.snaplen = f.order.Uint32(head[snaplenAt:])
	}
	f.pass = length
	return nil
}

// packet takes a block with a packet, whose header has headLen bytes. Its captured length
// is at offset lengthAt, and at most snaplen.
func (f *blockFilter) packet(length, headLen, lengthAt int, snaplen uint32) error {
	if length < headLen+blockTrailerLen { //mutation:equivalent lengths are multiples of 4
		f.skip = length
		return nil
	}
	head, err := f.r.Peek(headLen) //mutation:equivalent a trailer follows
	if err != nil {
		return cutShort(err)
	}
	copy(f.head[:], head)
	captured := min(f.order.Uint32(head[lengthAt:]), snaplen)
	var padded int
	if captured <= maxPacket { //mutation:equivalent more is set to 0 below
		padded = (int(captured) + 3) &^ 3
	}
	if captured > maxPacket || padded > length-headLen-blockTrailerLen {
		padded = 0
		f.order.PutUint32(f.head[lengthAt:], 0)
	}
	f.order.PutUint32(f.head[4:], uint32(headLen+padded+blockTrailerLen))
	f.replace(headLen, padded, length)
	return nil
}

// replace passes a new head in place of that of n bytes, which was peeked at, and the data of
// a block. It drops everything after the data except a trailer, which pcapgo does not read.
func (f *blockFilter) replace(n, data, length int) {
	f.r.Discard(n)
	f.out = f.head[:n]
	f.pass = data + blockTrailerLen
	f.skip = length - n - f.pass
}

// KeyLog returns a reader of the TLS secrets in a pcapng file: the text of its Decryption
// Secrets Blocks in the format of RFC 9850, as in the file that SSLKEYLOGFILE names.
// The reader fails with [ErrFormat] if r is no pcapng file.
func KeyLog(r io.Reader) io.Reader {
	return &blockFilter{r: bufio.NewReaderSize(r, readBuffer), keyLog: true} //mutation:equivalent any size will do
}

// secrets takes a block with secrets (draft-ietf-opsawg-pcapng, Section 4.7):
//
//	uint32 secrets_type; uint32 secrets_length; opaque secrets[secrets_length];
func (f *blockFilter) secrets(length int) error {
	const headLen, typeTLS = blockHeaderLen + 8, 0x544c534b
	if length < headLen+blockTrailerLen {
		f.skip = length
		return nil
	}
	head, err := f.r.Peek(headLen) //mutation:equivalent a trailer follows
	if err != nil {
		return cutShort(err)
	}
	if f.order.Uint32(head[blockHeaderLen:]) != typeTLS {
		f.skip = length
		return nil
	}
	n := f.order.Uint32(head[blockHeaderLen+4:])
	if n > uint32(length-headLen-blockTrailerLen) {
		return fmt.Errorf("the capture is damaged: secrets of %d bytes in a block of %d", n, length)
	}
	f.head[0] = '\n' // the text before may not end in one
	f.replace(headLen, int(n), length)
	f.out, f.pass, f.skip = f.head[:1], int(n), f.skip+blockTrailerLen
	return nil
}
