// Package wire reads bytes of the wire from front to back. The parsers of handshake
// messages and of the bodies of extensions read through its Reader.
package wire

import "github.com/tlsflags/tlsflags/extension"

// Reader reads bytes from front to back. It keeps the first fault and reads nothing after
// it: Left is then 0, which ends every loop.
type Reader struct {
	data []byte
	at   int            // next byte to read
	end  int            // end of the vector that is open, or of data
	code extension.Code // first fault
	bad  int            // its offset
}

// NewReader returns a Reader of data[at:]. Offsets count from the start of data.
func NewReader(data []byte, at int) Reader { return Reader{data: data, at: at, end: len(data)} }

// Fail notes a fault at offset i, unless there is one already.
func (r *Reader) Fail(code extension.Code, i int) {
	if r.code == 0 {
		r.code, r.bad = code, i
	}
	r.at, r.end = 0, 0
}

// Code returns the first fault, or 0.
func (r *Reader) Code() extension.Code { return r.code }

// At returns the offset of the next byte to read.
func (r *Reader) At() int { return r.at }

// Left returns how many bytes of the open vector are left, 0 after a fault.
func (r *Reader) Left() int { return r.end - r.at }

// Skip passes a field of n bytes.
func (r *Reader) Skip(n int) {
	if n > r.end-r.at {
		r.Fail(extension.ErrFieldOverrun, r.at)
	} else {
		r.at += n
	}
}

// Uint reads an unsigned integer of the given number of bytes, 0 if it fails.
func (r *Reader) Uint(size int) (v int) {
	if size > r.end-r.at {
		r.Fail(extension.ErrFieldOverrun, r.at)
		return
	}
	for range size {
		v = v<<8 | int(r.data[r.at])
		r.at++
	}
	return v
}

// Open reads the length field, of lengthSize bytes, of a vector. The vector has least bytes
// or more, in elements of the given size. Until Close, all reads are within the vector. The
// offset of a fault is that of the length. Open returns the argument for Close.
func (r *Reader) Open(lengthSize, least, element int) (outer int) {
	start, outer := r.at, r.end
	n := r.Uint(lengthSize)
	switch { // the first fault is kept
	case n == 0 && least != 0:
		r.Fail(extension.ErrVectorEmpty, start)
	case n < least || n%element != 0:
		r.Fail(extension.ErrVectorSize, start)
	case n > r.end-r.at:
		r.Fail(extension.ErrFieldOverrun, start)
	default:
		r.end = r.at + n
	}
	return outer
}

// Close leaves the open vector, all of which has been read.
func (r *Reader) Close(outer int) {
	if r.code == 0 {
		r.end = outer
	}
}

// Window returns what is left of the open vector, without reading it.
func (r *Reader) Window() []byte { return r.data[r.at:r.end:r.end] }

// Rest reads what is left of the open vector.
func (r *Reader) Rest() []byte {
	v := r.Window()
	r.at = r.end
	return v
}

// Vector reads a whole vector, see Open.
func (r *Reader) Vector(lengthSize, least, element int) []byte {
	outer := r.Open(lengthSize, least, element)
	v := r.Rest()
	r.Close(outer)
	return v
}

// Done checks that nothing is left, and returns the number of bytes read or the offset
// and code of the fault.
func (r *Reader) Done() (int, error) {
	if r.at < r.end {
		r.Fail(extension.ErrStrayBytes, r.at)
	}
	if r.code != 0 {
		return r.bad, r.code
	}
	return r.at, nil
}
