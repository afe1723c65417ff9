package extension

import "iter"

const (
	headerLen = 4         // extension_type, length of extension_data
	maxBlock  = 1<<16 - 1 // longest extension block
)

// Extension is one extension of a message.
type Extension struct {
	Type   Type
	Offset int    // where Data begins, in bytes from the start of the message
	Data   []byte // extension_data; shares the message's memory
}

// List is the validated extension block of a handshake message: an immutable view
// that shares the message's memory. Since a List exists only after validation,
// reading it cannot fail. The zero value has no extension.
type List struct {
	block []byte
	base  uint32 // offset of block in the message
	count uint16
	flags uint16 // 1 + offset in block of the extension that holds the flags; 0: none
}

// ParseList validates the contents of an extension block,
//
//	struct {
//	    ExtensionType extension_type;
//	    opaque extension_data<0..2^16-1>;
//	} Extension;
//
// as defined in RFC 9846, Section 4.3: extensions one after the other, none cut
// short, no type twice, and in a ClientHello nothing after pre_shared_key (Section
// 4.3.11). The bodies are not looked into. block comes without its length field;
// offset is that of block in message m. It returns len(block), or for a refused
// block the offset in the message of the first field that cannot be accepted, and
//
//   - ErrStrayBytes: 1 to 3 bytes are left, too few for an extension;
//   - ErrExtensionOverrun: extension_data is longer than what is left of block;
//   - ErrDuplicateExtension: the offset is that of the second of the two;
//   - ErrPreSharedKeyNotLast: the offset is that of what follows pre_shared_key;
//   - ErrFieldOverrun: block is longer than the 65,535 bytes that a message can hold.
//
// Its time is linear in len(block), and it does not allocate.
func ParseList(m MessageKind, block []byte, offset int) (List, int, error) {
	if len(block) > maxBlock {
		return List{}, offset, ErrFieldOverrun
	}
	// Types below 64 have a bit of their own in low. The others share 64 bits in
	// high: only if such a bit is taken is the block searched, and only in short
	// lists, so that no block costs quadratic time.
	const filtered = 64
	var low, high uint64
	count, flags := 0, 0
	i := 0
	for len(block)-i >= headerLen && count < filtered { //mutation:equivalent parseRest reads what is left in the same way
		t, size := header(block[i : i+headerLen : i+headerLen])
		next := i + headerLen + size
		if next > len(block) {
			return List{}, offset + i + 2, ErrExtensionOverrun
		}
		count++
		if t < 64 {
			bit := uint64(1) << (t & 63)
			if low&bit != 0 {
				return List{}, offset + i, ErrDuplicateExtension
			}
			low |= bit
			if bit&(1<<TLSFlags|1<<PreSharedKey) != 0 {
				if t == TLSFlags {
					flags = i + 1
				} else if m == ClientHello && next < len(block) {
					return List{}, offset + next, ErrPreSharedKeyNotLast
				}
			}
		} else {
			bit := uint64(1) << (uint32(t) * 0x9e3779b1 >> 26 & 63) //mutation:equivalent any hash will do
			if high&bit != 0 && contains(block[:i], t) {            //mutation:equivalent searching more often costs time
				return List{}, offset + i, ErrDuplicateExtension
			}
			high |= bit
			if t == TLSFlagsExperimental && low&(1<<TLSFlags) == 0 {
				flags = i + 1
			}
		}
		i = next
	}
	l := List{block: block, base: uint32(offset), count: uint16(count), flags: uint16(flags)}
	if i < len(block) {
		return l.parseRest(m, i, nil)
	}
	return l, len(block), nil
}

// ParseListRepeated is ParseList that accepts repeated types, as some servers do. It calls pass
// with the type and the offset of each extension whose type has come before; if pass returns
// false, the block is refused as by ParseList. Lookup, FlagsExtension and all that build on
// them take the first extension of a type.
func ParseListRepeated(m MessageKind, block []byte, offset int, pass func(Type, int) bool) (List, int, error) {
	if len(block) > maxBlock {
		return List{}, offset, ErrFieldOverrun
	}
	return List{block: block, base: uint32(offset)}.parseRest(m, 0, pass)
}

// parseRest continues at index i, at which ParseList gave up its filter or found stray
// bytes, with a bit for every type.
//
//go:noinline
func (l List) parseRest(m MessageKind, i int, pass func(Type, int) bool) (List, int, error) {
	var seen [1 << 16 / 64]uint64
	has := func(t Type) bool { return seen[t/64]>>(t%64)&1 != 0 }
	for e := range (List{block: l.block[:i]}).All() {
		seen[e.Type/64] |= 1 << (e.Type % 64)
	}
	b, offset, count := l.block, int(l.base), int(l.count)
	for i <= len(b)-headerLen {
		t, size := header(b[i : i+headerLen : i+headerLen])
		next := i + headerLen + size
		if next > len(b) {
			return List{}, offset + i + 2, ErrExtensionOverrun
		}
		word, bit := &seen[t/64], uint64(1)<<(t%64)
		again := *word&bit != 0
		*word |= bit
		if again && (pass == nil || !pass(t, offset+i)) {
			return List{}, offset + i, ErrDuplicateExtension
		}
		switch {
		case t == PreSharedKey && m == ClientHello && next < len(b):
			return List{}, offset + next, ErrPreSharedKeyNotLast
		case again:
		case t == TLSFlags, t == TLSFlagsExperimental && !has(TLSFlags):
			l.flags = uint16(i + 1)
		}
		count++
		i = next
	}
	if i < len(b) {
		return List{}, offset + i, ErrStrayBytes
	}
	l.count = uint16(count)
	return l, i, nil
}

// header returns the type and the length of the data of the extension at the
// beginning of b, which has at least headerLen bytes.
func header(b []byte) (Type, int) {
	w := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return Type(w >> 16), int(w & 0xffff)
}

// contains reports whether the valid block has an extension of type t.
func contains(block []byte, t Type) bool {
	_, ok := List{block: block}.Lookup(t)
	return ok
}

// at returns the extension whose header begins at index i of the block, and the
// index of the next one.
func (l List) at(i int) (Extension, int) {
	b := l.block[i:]
	t, size := header(b)
	end := headerLen + size
	return Extension{Type: t, Offset: int(l.base) + i + headerLen, Data: b[headerLen:end:end]}, i + end
}

// All yields the extensions in the order of the message.
func (l List) All() iter.Seq[Extension] {
	return func(yield func(Extension) bool) {
		b := l.block
		for i := 0; i <= len(b)-headerLen; {
			t, size := header(b[i : i+headerLen : i+headerLen])
			i += headerLen
			end := i + size
			if !yield(Extension{Type: t, Offset: int(l.base) + i, Data: b[i:end:end]}) {
				return
			}
			i = end
		}
	}
}

// Lookup returns the first extension of type t, and whether there is one. It takes time
// linear in the number of extensions.
func (l List) Lookup(t Type) (Extension, bool) {
	b := l.block
	for i := 0; i <= len(b)-headerLen; {
		found, size := header(b[i : i+headerLen : i+headerLen])
		if found == t {
			e, _ := l.at(i)
			return e, true
		}
		i += headerLen + size
	}
	return Extension{}, false
}

// Len returns how many extensions there are, at most 16,383.
func (l List) Len() int { return int(l.count) }

// AppendTo appends the block as it was parsed, without its length field, to b.
func (l List) AppendTo(b []byte) []byte { return append(b, l.block...) }

// FlagsExtension returns the extension with the message's TLS flags, unparsed: the one
// of type TLSFlags, or if there is none the one of type TLSFlagsExperimental. It takes
// constant time.
func (l List) FlagsExtension() (Extension, bool) {
	if l.flags == 0 {
		return Extension{}, false
	}
	e, _ := l.at(int(l.flags) - 1)
	return e, true
}

// Flags parses the TLS flags of the message and returns the type of their extension. If there
// is none, it returns no flags, type 0 and no error; 0 is also the type of server_name, so
// check for it before printing the type. For a malformed extension it returns the type and the
// error of ParseFlags, even if there is a well-formed one of type TLSFlagsExperimental as well.
func (l List) Flags() (Flags, Type, error) {
	e, ok := l.FlagsExtension()
	if !ok {
		return Flags{}, 0, nil
	}
	flags, _, err := ParseFlags(e.Data)
	return flags, e.Type, err
}

// HasFlag reports whether the message has flag f, in an extension that ParseFlags
// accepts. It takes constant time.
func (l List) HasFlag(f Flag) bool {
	if l.flags == 0 {
		return false
	}
	b := l.block[l.flags-1:]
	_, size := header(b)
	flags, _, err := ParseFlags(b[headerLen : headerLen+size])
	return err == nil && flags.Has(f)
}
