package extensiontest

import (
	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/extension"
)

// A Reader reads fields for a reference parser. The first fault stays, and what is read
// after it is zero.
type Reader struct {
	left cryptobyte.String
	end  int // offset of what follows left
	code extension.Code
	bad  int
}

// NewReader returns a Reader of data, which is at an offset of the message.
func NewReader(data []byte, offset int) *Reader {
	return &Reader{left: data, end: offset + len(data)}
}

// At returns the offset of what is read next.
func (r *Reader) At() int { return r.end - len(r.left) }

// Len returns how many bytes are left, none after a fault.
func (r *Reader) Len() int {
	if r.code != 0 {
		return 0
	}
	return len(r.left)
}

// Refuse notes a fault at an offset.
func (r *Reader) Refuse(code extension.Code, offset int) {
	if r.code == 0 {
		r.code, r.bad = code, offset
	}
}

// Bytes reads n bytes.
func (r *Reader) Bytes(n int) (b []byte) {
	if r.code == 0 && !r.left.ReadBytes(&b, n) {
		r.Refuse(extension.ErrFieldOverrun, r.At())
	}
	return b
}

// Uint reads an unsigned integer of size bytes.
func (r *Reader) Uint(size int) (v uint64) {
	for _, b := range r.Bytes(size) {
		v = v<<8 | uint64(b)
	}
	return v
}

// Vector reads a vector of at least floor bytes after its length of lengthSize bytes.
func (r *Reader) Vector(lengthSize, floor int) []byte {
	start := r.At()
	n := int(r.Uint(lengthSize))
	switch {
	case r.code != 0:
		return nil
	case n == 0 && floor > 0:
		r.Refuse(extension.ErrVectorEmpty, start)
		return nil
	case n < floor:
		r.Refuse(extension.ErrVectorSize, start)
		return nil
	case n > len(r.left):
		r.Refuse(extension.ErrFieldOverrun, start)
		return nil
	}
	return r.Bytes(n)
}

// Elements reads a vector and calls read until all of it is read.
func (r *Reader) Elements(lengthSize, floor int, read func(*Reader)) {
	content := r.Vector(lengthSize, floor)
	inner := NewReader(content, r.At()-len(content))
	for r.code == 0 && inner.Len() > 0 {
		read(inner)
		r.code, r.bad = inner.code, inner.bad
	}
}

// Block reads the list of extensions of a message of kind m after its length.
func (r *Reader) Block(m extension.MessageKind) []extension.Extension {
	block := r.Vector(2, 0)
	if r.code != 0 {
		return nil
	}
	list, bad, code := ReferenceList(m, block, r.At()-len(block))
	if code != 0 {
		r.Refuse(code, bad)
	}
	return list
}

// Done refuses what is left, and returns the offset of the end, or the first fault.
func (r *Reader) Done() (int, extension.Code) {
	if r.Len() > 0 {
		r.Refuse(extension.ErrStrayBytes, r.At())
	}
	if r.code != 0 {
		return r.bad, r.code
	}
	return r.end, 0
}
