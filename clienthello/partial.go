package clienthello

import (
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/wire"
)

// Partial is what can be read of a ClientHello that Parse refuses. It shares memory with
// the message. The fields before the fault are as in ClientHello; a byte string that is not
// whole is nil, and so is everything after it.
type Partial struct {
	Length                   int // of the whole message with its header, as that says
	LegacyVersion            Version
	Random                   []byte
	LegacySessionID          []byte              // of up to 255 bytes
	LegacyCookie             []byte              // of DTLS
	CipherSuites             Vector[CipherSuite] // those that are there
	LegacyCompressionMethods []byte

	// Hello has the extensions that come before the fault: Extensions and the methods that
	// are named after an extension work. Of a repeated type the first one counts.
	Hello ClientHello
	// Whole says that only the rules of Parse are broken, and nothing is missing: all
	// methods of Hello work.
	Whole bool
}

// ParsePartial reads what is there of a ClientHello message, which may be cut, malformed or
// longer than allowed. It does not allocate. The result is zero if msg is not the beginning
// of a ClientHello with its header of 4 bytes.
func ParsePartial(msg []byte) Partial { return parsePartial(msg, headerLen) }

// ParsePartialDTLS is ParsePartial for DTLS; see ParseDTLS.
func ParsePartialDTLS(msg []byte) Partial { return parsePartial(msg, headerLenDTLS) }

func parsePartial(msg []byte, header int) (p Partial) {
	if len(msg) < header || msg[0] != typeClientHello {
		return Partial{}
	}
	p.Length = header + (int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3]))
	end := min(p.Length, len(msg))
	msg = msg[:end:end]
	p.Hello.header = uint8(header)
	b := wire.NewReader(msg, header)
	p.LegacyVersion = Version(b.Uint(2))
	p.Random = take(&b, randomLen)
	p.LegacySessionID = take(&b, b.Uint(1))
	if header == headerLenDTLS {
		p.LegacyCookie = take(&b, b.Uint(1))
	}
	suites := b.At()
	n := b.Uint(2)
	if suites+2+n > p.Length { // what follows is something else
		return p
	}
	p.CipherSuites.data = take(&b, min(n, b.Left())) // nil after a fault
	if len(p.CipherSuites.data) < n {
		return p
	}
	p.LegacyCompressionMethods = take(&b, b.Uint(1))
	if b.Code() != 0 {
		return p
	}
	p.Whole = end == p.Length
	if b.Left() > 0 {
		n = b.Uint(2)
		at := b.At()
		block := take(&b, min(n, b.Left()))
		size := wholeExtensions(block)
		p.Hello.extensions = repeatedExtensions(block[:size], at)
		p.Whole = b.Code() == 0 && size == n
	}
	if p.Whole {
		end = b.At() // bytes may follow, which are no part of it
		p.Hello.msg, p.Hello.suites = msg[:end:end], uint16(suites)
	}
	return p
}

// take reads n bytes, or nil if there are fewer.
func take(b *wire.Reader, n int) []byte {
	v := b.Window()
	if b.Skip(n); b.Code() != 0 {
		return nil
	}
	return v[:n:n]
}

// wholeExtensions returns the length of the extensions in a block that are whole.
func wholeExtensions(block []byte) int {
	const headerLen = 4
	i := 0
	for len(block)-i >= headerLen {
		next := i + headerLen + (int(block[i+2])<<8 | int(block[i+3]))
		if next > len(block) {
			break
		}
		i = next
	}
	return i
}

// repeatedExtensions lists the extensions of a block in which all are whole, in any order
// and number.
func repeatedExtensions(block []byte, offset int) extension.List {
	pass := func(extension.Type, int) bool { return true }
	// Only in a ClientHello has pre_shared_key to be the last one.
	list, _, _ := extension.ParseListRepeated(extension.EncryptedExtensions, block, offset, pass)
	return list
}
