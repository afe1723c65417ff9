package extensiontest

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/extension"
)

// Block encodes a list of extensions without its length.
func Block(list []extension.Extension) []byte {
	var b []byte
	for _, e := range list {
		b = append(b, byte(e.Type>>8), byte(e.Type), byte(len(e.Data)>>8), byte(len(e.Data)))
		b = append(b, e.Data...)
	}
	return b
}

// Many returns n empty extensions, all of them different and of no known type
// but for a few.
func Many(n int) (list []extension.Extension) {
	for t := extension.Type(0xffff); len(list) < n; t-- {
		switch t {
		case extension.RenegotiationInfo, extension.TLSFlagsExperimental, extension.EncryptedClientHello, extension.ECHOuterExtensions:
			continue // an empty one is malformed
		}
		if !t.IsGREASE() {
			list = append(list, extension.Extension{Type: t})
		}
	}
	return list
}

// Prefixed puts the length of s before it.
func Prefixed(lengthSize int, s string) []byte {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(s)))
	return append(length[4-lengthSize:], s...)
}
