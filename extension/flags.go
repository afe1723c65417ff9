package extension

import (
	"iter"
	"math/bits"
	"strconv"
	"strings"
)

// Flag is the number of a TLS flag, from 0 to [MaxFlag].
type Flag uint16

const (
	// ResumptionAcrossNames is resumption_across_names, proposed with this number
	// in draft-ietf-tls-tlsflags-16, Section 4.
	ResumptionAcrossNames Flag = 8
	// RequestMTLS is request_mtls of draft-jhoyla-req-mtls-flag, later renamed to
	// request_client_auth: the client has a certificate and asks to be asked for it.
	// No number is registered; 80 is the one that experiments use.
	RequestMTLS Flag = 80
	// MaxFlag is the highest number that the vector of 255 octets can carry.
	MaxFlag Flag = 2039
)

// Name returns the name that the zero [Registry] gives the flag, such as
// "request_mtls", or "" if the number has none.
func (f Flag) Name() string {
	for i := range registered {
		if info := &registered[i]; info.Number == f && !info.Unnumbered {
			return info.Name
		}
	}
	return ""
}

// String returns the name of the flag, or "flag(N)" if it has none.
func (f Flag) String() string {
	if name := f.Name(); name != "" {
		return name
	}
	return "flag(" + strconv.Itoa(int(f)) + ")"
}

// Flags is the validated content of a TLS Flags extension: an immutable view that
// shares memory with the bytes given to ParseFlags. The zero value has no flag and
// no encoding.
type Flags struct {
	octets []byte // flag f is bit f%8, least significant first, of octet f/8
}

// ParseFlags reads the extension_data of a TLS Flags extension,
//
//	struct {
//	    opaque flags<1..255>;
//	} FlagExtensions;
//
// as defined in draft-ietf-tls-tlsflags-16, Section 2. It accepts nothing but the
// shortest encoding of at least one flag, and returns len(data). For refused data
// it returns the offset of the first octet that cannot be accepted, and
//
//   - ErrFlagsEmptyData: data is empty;
//   - ErrFlagsEmptyVector: the vector is empty, whatever follows it;
//   - ErrFlagsInnerTooLong: the vector is longer than data;
//   - ErrFlagsTrailingBytes: bytes follow the vector;
//   - ErrFlagsAllZero: every octet of the vector is zero;
//   - ErrFlagsTrailingZero: the last octet of the vector is zero.
//
// The first that applies, in this order, is reported.
func ParseFlags(data []byte) (Flags, int, error) {
	if len(data) == 0 {
		return Flags{}, 0, ErrFlagsEmptyData
	}
	n := int(data[0])
	end := 1 + n
	switch {
	case n == 0:
		return Flags{}, 0, ErrFlagsEmptyVector
	case end > len(data):
		return Flags{}, 0, ErrFlagsInnerTooLong
	case end < len(data):
		return Flags{}, end, ErrFlagsTrailingBytes
	}
	octets := data[1:end:end]
	if octets[n-1] == 0 {
		for _, o := range octets {
			if o != 0 {
				return Flags{}, n, ErrFlagsTrailingZero
			}
		}
		return Flags{}, n, ErrFlagsAllZero
	}
	return Flags{octets}, end, nil
}

// Has reports whether flag f is set.
func (s Flags) Has(f Flag) bool {
	i := int(f >> 3)
	return i < len(s.octets) && s.octets[i]>>(f&7)&1 != 0
}

// Len returns how many flags are set.
func (s Flags) Len() int {
	n := 0
	for _, o := range s.octets {
		n += bits.OnesCount8(o)
	}
	return n
}

// All yields the flags that are set, in ascending order.
func (s Flags) All() iter.Seq[Flag] {
	return func(yield func(Flag) bool) {
		yieldFlags(s.octets, yield)
	}
}

// String lists the flags, such as "request_mtls, flag(100)"; "none" if there are none.
// It allocates.
func (s Flags) String() string { return listFlags(s.octets) }

// AppendTo appends extension_data, exactly as it was parsed, to b. The zero value
// has no encoding and appends nothing.
func (s Flags) AppendTo(b []byte) []byte {
	if len(s.octets) == 0 {
		return b
	}
	b = append(b, byte(len(s.octets)))
	return append(b, s.octets...)
}

// Set returns a copy of the flags that does not share memory with the message.
func (s Flags) Set() FlagSet {
	var set FlagSet
	copy(set.octets[:], s.octets)
	return set
}

func listFlags(octets []byte) string {
	var b strings.Builder
	yieldFlags(octets, func(f Flag) bool {
		if b.Len() != 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.String())
		return true
	})
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}

func yieldFlags(octets []byte, yield func(Flag) bool) {
	for i, o := range octets {
		for ; o != 0; o &= o - 1 {
			if !yield(Flag(i*8 + bits.TrailingZeros8(o))) {
				return
			}
		}
	}
}
