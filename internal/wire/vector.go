package wire

import "github.com/tlsflags/tlsflags/extension"

// Vector returns the vector at the beginning of data, with a length field of lengthSize
// bytes, 1 or 2. The vector has least bytes or more, in elements of the given size. The
// offset of a fault is 0. It takes a third of the time that a Reader does, and is for bodies
// that most hellos have.
func Vector(data []byte, lengthSize, least, element int) (v []byte, code extension.Code) {
	if len(data) < lengthSize {
		return nil, extension.ErrFieldOverrun
	}
	n := int(data[0])
	if lengthSize == 2 {
		n = n<<8 | int(data[1])
	}
	switch {
	case n == 0 && least != 0:
		return nil, extension.ErrVectorEmpty
	case n < least || n%element != 0:
		return nil, extension.ErrVectorSize
	case n > len(data)-lengthSize:
		return nil, extension.ErrFieldOverrun
	}
	end := lengthSize + n
	return data[lengthSize:end:end], 0
}

// OnlyVector is Vector for data that are nothing else. It returns len(data), or the offset of
// the fault.
func OnlyVector(data []byte, lengthSize, least, element int) (v []byte, n int, code extension.Code) {
	if v, code = Vector(data, lengthSize, least, element); code != 0 {
		return nil, 0, code
	}
	if n = lengthSize + len(v); n < len(data) {
		return nil, n, extension.ErrStrayBytes
	}
	return v, n, 0
}
