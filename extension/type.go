package extension

import "strconv"

// Type is an ExtensionType of the "TLS ExtensionType Values" registry, as defined
// in RFC 9846, Section 4.3.
type Type uint16

// The types that this module looks into. Every other registered type has a name,
// but no constant.
const (
	ServerName              Type = 0
	StatusRequest           Type = 5
	SupportedGroups         Type = 10
	ECPointFormats          Type = 11
	SignatureAlgorithms     Type = 13
	ALPN                    Type = 16
	ExtendedMasterSecret    Type = 23
	CompressCertificate     Type = 27
	RecordSizeLimit         Type = 28
	SessionTicket           Type = 35
	PreSharedKey            Type = 41
	EarlyData               Type = 42
	SupportedVersions       Type = 43
	Cookie                  Type = 44
	PSKKeyExchangeModes     Type = 45
	CertificateAuthorities  Type = 47
	SignatureAlgorithmsCert Type = 50
	KeyShare                Type = 51
	QUICTransportParameters Type = 57
	// TLSFlags is the TLS Flags extension, draft-ietf-tls-tlsflags.
	TLSFlags Type = 62
	// ECHOuterExtensions is in an EncodedClientHelloInner only, RFC 9849, Section 5.1.
	ECHOuterExtensions Type = 0xfd00
	// TLSFlagsExperimental is the unregistered code point under which Cloudflare's
	// fork of Go sends the TLS Flags extension.
	TLSFlagsExperimental Type = 0xfe01
	EncryptedClientHello Type = 0xfe0d
	RenegotiationInfo    Type = 0xff01
)

// IsGREASE reports whether t is one of the sixteen values 0x0a0a, 0x1a1a ... 0xfafa
// that RFC 8701, Section 2 reserves. Extensions of these types have any content.
func (t Type) IsGREASE() bool { return IsGREASE(uint16(t)) }

// IsGREASE reports whether v is reserved by RFC 8701, Section 2 for extension
// types, cipher suites, groups, signature schemes and versions alike.
func IsGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && byte(v>>8) == byte(v) }

// Name returns the registered name, such as "server_name", "GREASE" for the values
// of RFC 8701, or "" for an unknown type.
func (t Type) Name() string {
	if t.IsGREASE() {
		return "GREASE"
	}
	return typeName(uint16(t))
}

// String returns the name, with the number if the name alone is not enough:
// "server_name", "GREASE(0x0a0a)", "extension(65535)".
func (t Type) String() string {
	switch name := t.Name(); name {
	case "":
		return "extension(" + strconv.Itoa(int(t)) + ")"
	case "GREASE":
		return "GREASE(0x" + strconv.FormatUint(uint64(t)|1<<16, 16)[1:] + ")"
	default:
		return name
	}
}
