package capture

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ulikunitz/xz"
)

func openXZ(w *buffer) (io.Reader, error) {
	const leastDict = 4 << 10 // each block says what it needs
	return xz.ReaderConfig{DictCap: leastDict}.NewReader(&xzGuard{in: w, next: (*xzGuard).stream})
}

// xzGuard passes an xz file, and fails before a block that needs a dictionary of more than
// maxXZDict bytes. It reads the file as The .xz File Format 1.2.1 and the LZMA2 decoder
// of liblzma describe it, and leaves all other faults to the decompressor.
type xzGuard struct {
	in     *buffer
	pass   int  // bytes
	inside bool // a stream, before its footer
	next   func(*xzGuard) error
	check  int // length of the check after a block
	data   int // length of the compressed data of the block
	rest   int // numbers that the index still has
}

func (g *xzGuard) Read(p []byte) (int, error) {
	for g.pass == 0 {
		if len(g.in.peek(1)) == 0 {
			return 0, g.ended()
		}
		if err := g.next(g); err != nil {
			return 0, err
		}
	}
	b := g.in.peek(1)
	if len(b) == 0 {
		return 0, g.ended()
	}
	n, err := g.in.Read(p[:min(len(p), g.pass)])
	g.pass -= n
	return n, err
}

// ended returns the error at the end of the file.
func (g *xzGuard) ended() error {
	if g.in.err == io.EOF && g.inside {
		return io.ErrUnexpectedEOF // xz.Reader takes some of these ends for regular ones
	}
	return g.in.err
}

// peek returns the next n bytes. If there are fewer, all are passed.
func (g *xzGuard) peek(n int) ([]byte, bool) {
	b := g.in.peek(n)
	if len(b) < n {
		g.pass = len(b)
	}
	return b, len(b) == n
}

// stream takes the header of a stream (2.1.1), or 4 bytes of padding (2.2).
func (g *xzGuard) stream() error {
	const headerLen = 12
	b, ok := g.peek(4)
	switch {
	case !ok:
	case binary.LittleEndian.Uint32(b) == 0:
		g.pass = 4
	default:
		if b, ok = g.peek(headerLen); ok {
			sizes := [16]int{0x1: 4, 0x4: 8, 0xa: 32} // of CRC32, CRC64 and SHA-256; xz.Reader knows no others
			g.check = sizes[b[7]&0xf]
			g.pass, g.next, g.inside = headerLen, (*xzGuard).block, true
		}
	}
	return nil
}

// block takes the header of a block (3.1), or the beginning of the index (4):
//
//	uint8 size; uint8 flags; [vli compressed;] [vli uncompressed;] { vli id; vli length; properties } filters
func (g *xzGuard) block() error {
	b, _ := g.peek(1)
	if b[0] == 0 {
		g.pass, g.next, g.data = 1, (*xzGuard).index, 1
		return nil
	}
	size := 4 * (int(b[0]) + 1)
	b, ok := g.peek(size)
	if !ok {
		return nil
	}
	g.pass, g.next, g.data = size, (*xzGuard).chunk, 0
	fields := b[2:]
	for _, flag := range []byte{0x40, 0x80} {
		if b[1]&flag != 0 {
			_, fields = vli(fields)
		}
	}
	const lzma2 = 0x21
	for range b[1]&3 + 1 {
		var id, length uint64
		id, fields = vli(fields)
		length, fields = vli(fields)
		if length > uint64(len(fields)) {
			break
		}
		if id == lzma2 && length == 1 {
			// liblzma: 40 is 4 GiB, less are 2 or 3 times a power of two.
			bits := min(fields[0], 40)
			if dict := uint64(2|bits&1) << (bits/2 + 11); dict > maxXZDict {
				return fmt.Errorf("it needs a dictionary of %d MiB, and the limit is %d; unpack it with xz -d", dict>>20, maxXZDict>>20)
			}
		}
		fields = fields[length:]
	}
	return nil
}

// chunk takes a chunk of LZMA2, or the end of the block.
func (g *xzGuard) chunk() error {
	b, _ := g.peek(1)
	control := b[0]
	n := 3 // control, length of the data
	switch {
	case control == 0:
		g.pass, g.next = 1+-(g.data+1)&3+g.check, (*xzGuard).block
		return nil
	case control >= 0xc0:
		n = 6 // control, length of the data, of the compressed data, properties
	case control >= 0x80:
		n = 5
	}
	b, ok := g.peek(n)
	if !ok {
		return nil
	}
	length := b[1:]
	if control >= 0x80 {
		length = b[3:]
	}
	g.pass = n + int(binary.BigEndian.Uint16(length)) + 1
	g.data += g.pass
	return nil
}

// index takes the next number of an index, or its end and the footer of the stream (2.1.2).
func (g *xzGuard) index() error {
	const footerLen, sumLen = 12, 4
	if g.data > 1 && g.rest == 0 {
		g.pass, g.next, g.inside = -g.data&3+sumLen+footerLen, (*xzGuard).stream, false
		return nil
	}
	b := g.in.peek(9)
	v, after := vli(b)
	g.pass = max(len(b)-len(after), 1)
	if g.data == 1 {
		g.rest = int(min(v, 1<<40)) * 2
	} else {
		g.rest--
	}
	g.data += g.pass
	return nil
}

// vli reads a number of xz (1.2), and returns what comes after it.
func vli(b []byte) (uint64, []byte) {
	v, n := binary.Uvarint(b)
	return v, b[max(n, 0):]
}
