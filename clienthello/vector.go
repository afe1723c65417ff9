package clienthello

import "iter"

// Vector is a validated list of 16-bit values: an immutable view that shares the
// message's memory. The zero value is empty.
type Vector[T ~uint16] struct {
	data []byte // two bytes a value, big endian
}

// Len returns how many values there are.
func (v Vector[T]) Len() int { return len(v.data) / 2 }

// At returns value i, which must be from 0 to Len()-1.
func (v Vector[T]) At(i int) T { return T(v.data[2*i])<<8 | T(v.data[2*i+1]) }

// All yields the values in the order of the message.
func (v Vector[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range v.Len() {
			if !yield(v.At(i)) {
				return
			}
		}
	}
}

// Contains reports whether x is one of the values.
func (v Vector[T]) Contains(x T) bool {
	for i := range v.Len() {
		if v.At(i) == x {
			return true
		}
	}
	return false
}
