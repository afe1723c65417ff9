package clienthello

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/extension"
)

// Servers is a set of TLS servers that are in wide use.
type Servers uint8

const (
	CryptoTLS Servers = 1 << iota // Go's crypto/tls, measured with Go 1.26
	OpenSSL                       // also node, which has it inside; measured with 3.0
	GnuTLS                        // measured with 3.7

	AllServers = CryptoTLS | OpenSSL | GnuTLS
)

// Fault is something that the standard forbids and some servers pass over.
type Fault struct {
	Code    string  // the name of an extension.Code, or what package assemble says
	Offset  int     // of the field, as in an error
	Servers Servers // that pass over it
}

// ParseTolerant is Parse for those who watch a connection and want to know what its server
// reads. It passes over
//
//   - a legacy_session_id of 33 to 255 bytes (session_id_too_long, at the length), as
//     crypto/tls and NSS do;
//   - extensions of a type that has come before (duplicate_extension, at the second of the
//     two), if the type is not among those that all servers know. OpenSSL and GnuTLS
//     compare only the types that they know. The first one counts.
//
// It reports the first fault; no server passes over both. servers are those that would read
// the hello if it had no fault, AllServers in general. If none of them would pass over the
// fault, the result is that of Parse. A hello without faults has the same
// result as with Parse, in the same time and without an allocation.
func ParseTolerant(msg []byte, servers Servers) (ClientHello, []Fault, int, error) {
	return parseTolerant(msg, headerLen, servers)
}

// ParseTolerantDTLS is ParseTolerant for DTLS; see ParseDTLS.
func ParseTolerantDTLS(msg []byte, servers Servers) (ClientHello, []Fault, int, error) {
	return parseTolerant(msg, headerLenDTLS, servers)
}

func parseTolerant(msg []byte, header int, servers Servers) (ClientHello, []Fault, int, error) {
	strict, at, refusal := parse(msg, header, maxSessionID)
	h, n, fault := strict, at, Fault{}
	ok := false
	switch refusal {
	case extension.ErrSessionIDTooLong:
		var err error
		fault = Fault{extension.ErrSessionIDTooLong.Name(), at, CryptoTLS}
		h, n, err = parse(msg, header, 1<<8-1)
		ok = err == nil
	case extension.ErrDuplicateExtension:
		h, fault, n, ok = parseRepeated(msg, header)
	default:
		return strict, nil, at, refusal
	}
	if !ok || servers&fault.Servers == 0 {
		return ClientHello{}, nil, at, refusal
	}
	return h, []Fault{fault}, n, nil
}

// parseRepeated parses a message in which an extension is repeated, and nothing before it
// is refused. It returns false if something else is refused.
func parseRepeated(msg []byte, header int) (ClientHello, Fault, int, bool) {
	msg, end, _ := openMessage(msg, header)
	i, _ := skipLegacy(msg, header, maxSessionID)
	h := ClientHello{msg: msg, suites: uint16(i), header: uint8(header)}
	i = h.compression()
	i += 1 + int(msg[i])
	n := int(binary.BigEndian.Uint16(msg[i:]))
	i += 2

	fault := Fault{Code: extension.ErrDuplicateExtension.Name(), Servers: OpenSSL | GnuTLS}
	pass := func(t extension.Type, at int) bool {
		if fault.Offset == 0 {
			fault.Offset = at
		}
		fault.Servers &^= knownTo(t)
		return true
	}
	list, _, err := extension.ParseListRepeated(extension.ClientHello, msg[i:i+n], i, pass)
	h.extensions = list
	return h, fault, end, err == nil && i+n == end
}

// knownTo returns which of OpenSSL and GnuTLS know an extension, and so refuse a second
// one.
func knownTo(t extension.Type) Servers {
	switch t {
	case 0, 1, 5, 10, 11, 12, 13, 14, 16, 22, 23, 35, 42, 43, 44, 45, 49, 51, 0xff01:
		return OpenSSL | GnuTLS
	case 18, 21, 47, 50, 13172: // SCTs, padding, certificate_authorities, signature_algorithms_cert, NPN
		return OpenSSL
	case 15, 19, 20, 27, 28: // heartbeat, certificate types, compress_certificate, record_size_limit
		return GnuTLS
	}
	return 0
}
