package clienthello

import "github.com/tlsflags/tlsflags/extension"

// A body reads one extension_data from front to back. The first fault sticks: what
// is read after it is zero.
type body struct {
	data []byte
	at   int            // next byte to read
	end  int            // end of the vector that is open, or of data
	code extension.Code // first fault
	bad  int            // where it is
}

func newBody(data []byte) body { return body{data: data, end: len(data)} }

// fail notes a fault at offset i, unless there is one already, and ends all loops.
func (b *body) fail(code extension.Code, i int) {
	if b.code == 0 {
		b.code, b.bad = code, i
	}
	b.at = b.end
}

// uint reads an unsigned integer of the given number of bytes.
func (b *body) uint(size int) int {
	if size > b.end-b.at {
		b.fail(extension.ErrFieldOverrun, b.at)
		return 0
	}
	v := 0
	for range size {
		v = v<<8 | int(b.data[b.at])
		b.at++
	}
	return v
}

// open reads the length field, of lengthSize bytes, of a vector that holds at least
// floor bytes in elements of the given size, and confines what follows to the vector.
// It returns what close takes to leave the vector again.
func (b *body) open(lengthSize, floor, element int) (outer int) {
	start, outer := b.at, b.end
	n := b.uint(lengthSize)
	switch {
	case b.code != 0:
		n = 0
	case n == 0 && floor > 0:
		b.fail(extension.ErrVectorEmpty, start)
		n = 0
	case n < floor || n%element != 0:
		b.fail(extension.ErrVectorSize, start)
		n = 0
	case n > b.end-b.at:
		b.fail(extension.ErrFieldOverrun, start)
		n = 0
	}
	b.end = b.at + n
	return outer
}

// more reports whether the open vector has bytes left.
func (b *body) more() bool { return b.code == 0 && b.at < b.end }

// rest reads what is left of the open vector.
func (b *body) rest() []byte {
	v := b.data[b.at:b.end:b.end]
	b.at = b.end
	return v
}

// close leaves the open vector, all of which has been read.
func (b *body) close(outer int) { b.end = outer }

// vector reads a whole vector, see open.
func (b *body) vector(lengthSize, floor, element int) []byte {
	outer := b.open(lengthSize, floor, element)
	v := b.rest()
	b.close(outer)
	return v
}

// done checks that nothing is left, and returns the number of bytes read or the
// offset and code of the fault.
func (b *body) done() (int, error) {
	if b.more() {
		b.fail(extension.ErrStrayBytes, b.at)
	}
	if b.code != 0 {
		return b.bad, b.code
	}
	return b.at, nil
}
