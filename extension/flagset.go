package extension

import (
	"iter"
	"math/bits"
)

// FlagSet is a set of flags to be built, kept or sent: a comparable value that owns
// its memory. The zero value is the empty set.
type FlagSet struct {
	octets [255]byte // laid out as on the wire, see Flags
}

// NewFlagSet returns the set of the given flags, or ErrFlagTooLarge if one is
// above MaxFlag.
func NewFlagSet(flags ...Flag) (FlagSet, error) {
	var s FlagSet
	for _, f := range flags {
		if err := s.Add(f); err != nil {
			return FlagSet{}, err
		}
	}
	return s, nil
}

// Add puts f into the set. It returns ErrFlagTooLarge, and leaves the set as it
// was, if f is above MaxFlag.
func (s *FlagSet) Add(f Flag) error {
	if f > MaxFlag {
		return ErrFlagTooLarge
	}
	s.octets[f>>3] |= 1 << (f & 7)
	return nil
}

// Remove takes f out of the set; a flag that is not in it is no error.
func (s *FlagSet) Remove(f Flag) {
	if f <= MaxFlag {
		s.octets[f>>3] &^= 1 << (f & 7)
	}
}

// Has reports whether f is in the set.
func (s FlagSet) Has(f Flag) bool {
	return f <= MaxFlag && s.octets[f>>3]>>(f&7)&1 != 0
}

// Len returns how many flags are in the set.
func (s FlagSet) Len() int {
	n := 0
	for _, o := range s.octets {
		n += bits.OnesCount8(o)
	}
	return n
}

// All yields the flags of the set in ascending order.
func (s FlagSet) All() iter.Seq[Flag] {
	return func(yield func(Flag) bool) {
		yieldFlags(s.octets[:], yield)
	}
}

// String lists the flags as [Flags.String] does. It allocates.
func (s FlagSet) String() string { return listFlags(s.octets[:]) }

// AppendTo appends the extension_data that carries the set to b: a length octet and
// the shortest vector, as defined in draft-ietf-tls-tlsflags-16, Section 2. The
// empty set may not be sent: it returns b unchanged and ErrNoFlags.
func (s FlagSet) AppendTo(b []byte) ([]byte, error) {
	n := s.octetCount()
	if n == 0 {
		return b, ErrNoFlags
	}
	b = append(b, byte(n))
	return append(b, s.octets[:n]...), nil
}

// AppendExtension appends the whole extension to b: its type t, the length of its
// data, and the data. Errors are those of AppendTo.
func (s FlagSet) AppendExtension(b []byte, t Type) ([]byte, error) {
	n := s.octetCount()
	if n == 0 {
		return b, ErrNoFlags
	}
	size := n + 1
	b = append(b, byte(t>>8), byte(t), byte(size>>8), byte(size))
	return s.AppendTo(b)
}

// octetCount returns how many octets the shortest vector takes, 0 to 255.
func (s FlagSet) octetCount() int {
	n := len(s.octets)
	for n > 0 && s.octets[n-1] == 0 {
		n--
	}
	return n
}

// Intersect returns the flags that are in both sets.
func (s FlagSet) Intersect(t FlagSet) FlagSet {
	for i := range s.octets {
		s.octets[i] &= t.octets[i]
	}
	return s
}
