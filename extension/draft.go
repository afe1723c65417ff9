package extension

import "math/bits"

// Draft is a version of draft-ietf-tls-tlsflags, or a range of versions that agree in
// every rule about bytes and messages. The zero value is the newest.
type Draft uint8

const (
	// Draft09 is -09 and later: whether a flag is answered is up to its document.
	Draft09 Draft = iota
	// Draft00 is -00: up to 31 octets, most significant bit first; ClientHello,
	// ServerHello and EncryptedExtensions only.
	Draft00
	// Draft01 is -01 and -02: least significant bit first, and the ClientHello may
	// have the extension without a flag, so that the server can set flags of its own.
	Draft01
	// Draft03 is -03: the extension is never empty, and the encoding the shortest.
	Draft03
	// Draft04 is -04 to -06: four more messages, and unsolicited flags in
	// CertificateRequest and NewSessionTicket.
	Draft04
	// Draft07 is -07 and -08: every invalid extension gives illegal_parameter.
	Draft07
)

// String returns the versions, such as "draft-ietf-tls-tlsflags-04 to -06".
func (d Draft) String() string {
	switch d {
	case Draft00:
		return "draft-ietf-tls-tlsflags-00"
	case Draft01:
		return "draft-ietf-tls-tlsflags-01 and -02"
	case Draft03:
		return "draft-ietf-tls-tlsflags-03"
	case Draft04:
		return "draft-ietf-tls-tlsflags-04 to -06"
	case Draft07:
		return "draft-ietf-tls-tlsflags-07 and -08"
	}
	return "draft-ietf-tls-tlsflags-09 and later"
}

// rules names the section of the draft that says who may set which flag.
func (d Draft) rules() string {
	switch d {
	case Draft00:
		return "draft-ietf-tls-tlsflags-00, Section 2"
	case Draft01:
		return "draft-ietf-tls-tlsflags-02, Section 2"
	case Draft03:
		return "draft-ietf-tls-tlsflags-03, Section 3"
	case Draft04:
		return "draft-ietf-tls-tlsflags-06, Section 3"
	case Draft07:
		return "draft-ietf-tls-tlsflags-08, Section 3"
	}
	return "draft-ietf-tls-tlsflags-16, Section 3"
}

// messages returns the messages in which the draft allows the extension.
func (d Draft) messages() MessageSet {
	switch d {
	case Draft00, Draft01, Draft03:
		return 1<<ClientHello | 1<<ServerHello | 1<<EncryptedExtensions
	}
	return 1<<ClientHello | 1<<ServerHello | 1<<HelloRetryRequest | 1<<EncryptedExtensions |
		1<<Certificate | 1<<CertificateRequest | 1<<NewSessionTicket
}

// unsolicitedAnswers returns those of [answers] in which the draft allows flags that
// nobody proposed.
func (d Draft) unsolicitedAnswers() MessageSet {
	if d == Draft01 {
		// Sections 1 and 2 contradict each other; the change log sides with Section 1.
		return 1 << EncryptedExtensions
	}
	return 0
}

// maxOctetsDraft00 is the longest vector of -00.
const maxOctetsDraft00 = 31

// ParseFlagsDraft reads the extension_data of a TLS Flags extension as an old version
// of the draft writes it, which the bytes do not tell: without knowing the sender, use
// [ParseFlags]. Compared with ParseFlags,
//
//   - Draft00 has at most 31 octets, else ErrVectorSize, reads them most significant
//     bit first, and has no rule about zero octets;
//   - Draft01 accepts the empty vector and empty data, and has no rule about zero
//     octets;
//   - every later draft is read by ParseFlags.
//
// Errors and offsets are those of ParseFlags. The set does not remember how it was
// encoded.
func ParseFlagsDraft(d Draft, data []byte) (FlagSet, int, error) {
	if d != Draft00 && d != Draft01 {
		flags, n, err := ParseFlags(data)
		return flags.Set(), n, err
	}
	var s FlagSet
	if len(data) == 0 {
		if d == Draft01 {
			return s, 0, nil
		}
		return s, 0, ErrFlagsEmptyData
	}
	n := int(data[0])
	end := 1 + n
	switch {
	case n == 0 && d == Draft00:
		return s, 0, ErrFlagsEmptyVector
	case n > maxOctetsDraft00 && d == Draft00:
		return s, 0, ErrVectorSize
	case end > len(data):
		return s, 0, ErrFlagsInnerTooLong
	case end < len(data):
		return s, end, ErrFlagsTrailingBytes
	}
	copy(s.octets[:], data[1:end])
	if d == Draft00 {
		for i, o := range s.octets[:n] {
			s.octets[i] = bits.Reverse8(o)
		}
	}
	return s, end, nil
}
