package extensiontest

import (
	"github.com/tlsflags/tlsflags/extension"
	"golang.org/x/crypto/cryptobyte"
)

// ReferenceHeader is the obvious parser of a handshake header (RFC 9846, Section 4). largest
// has the length of the longest body of each type that is expected. It returns the end of
// the message, or the offset of the refused field and the code.
func ReferenceHeader(msg []byte, headerLen int, largest map[uint8]int) (int, extension.Code) {
	if len(msg) == 0 {
		return 0, extension.ErrTruncated
	}
	limit, ok := largest[msg[0]]
	if !ok {
		return 0, extension.ErrMessageType
	}
	var bodyLen uint32
	header := cryptobyte.String(msg[1:])
	if !header.ReadUint24(&bodyLen) {
		return len(msg), extension.ErrTruncated
	}
	if int(bodyLen) > limit {
		return 1, extension.ErrMessageTooLarge
	}
	end := headerLen + int(bodyLen)
	if len(msg) < end {
		return len(msg), extension.ErrTruncated
	}
	return end, 0
}

// ReferenceList is the obvious parser of an extension block, see extension.ParseList.
func ReferenceList(m extension.MessageKind, block []byte, offset int) ([]extension.Extension, int, extension.Code) {
	var list []extension.Extension
	seen := make(map[uint16]bool)
	s := cryptobyte.String(block)
	end := offset + len(block)
	for !s.Empty() {
		start := end - len(s)
		if seen[uint16(extension.PreSharedKey)] && m == extension.ClientHello {
			return nil, start, extension.ErrPreSharedKeyNotLast
		}
		var t uint16
		var data cryptobyte.String
		if len(s) < 4 {
			return nil, start, extension.ErrStrayBytes
		}
		s.ReadUint16(&t)
		if !s.ReadUint16LengthPrefixed(&data) {
			return nil, start + 2, extension.ErrExtensionOverrun
		}
		if seen[t] {
			return nil, start, extension.ErrDuplicateExtension
		}
		seen[t] = true
		list = append(list, extension.Extension{Type: extension.Type(t), Offset: start + 4, Data: data})
	}
	return list, len(block), 0
}

// ReferenceFlags is the obvious parser of the TLS Flags extension_data, in the order
// of draft-ietf-tls-tlsflags-16, Sections 2 and 3. It returns the numbers of the flags
// that are set.
func ReferenceFlags(data []byte) (flags []extension.Flag, offset int, code extension.Code) {
	s := cryptobyte.String(data)
	var n uint8
	if !s.ReadUint8(&n) {
		return nil, 0, extension.ErrFlagsEmptyData
	}
	if n == 0 {
		return nil, 0, extension.ErrFlagsEmptyVector
	}
	var octets []byte
	if !s.ReadBytes(&octets, int(n)) {
		return nil, 0, extension.ErrFlagsInnerTooLong
	}
	if !s.Empty() {
		return nil, len(data) - len(s), extension.ErrFlagsTrailingBytes
	}
	for number := range extension.Flag(8 * len(octets)) {
		if octets[number/8]&(1<<(number%8)) != 0 {
			flags = append(flags, number)
		}
	}
	switch {
	case len(flags) == 0:
		return nil, len(data) - 1, extension.ErrFlagsAllZero
	case int(flags[len(flags)-1]/8) != len(octets)-1:
		return nil, len(data) - 1, extension.ErrFlagsTrailingZero
	}
	return flags, len(data), 0
}
