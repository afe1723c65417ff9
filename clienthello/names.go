package clienthello

import (
	"strconv"

	"github.com/tlsflags/tlsflags/extension"
)

// Version is a ProtocolVersion, as defined in RFC 9846, Section 4.2.2.
type Version uint16

// The versions of TLS and DTLS.
const (
	VersionSSL30  Version = 0x0300
	VersionTLS10  Version = 0x0301
	VersionTLS11  Version = 0x0302
	VersionTLS12  Version = 0x0303
	VersionTLS13  Version = 0x0304
	VersionDTLS10 Version = 0xfeff
	VersionDTLS12 Version = 0xfefd
	VersionDTLS13 Version = 0xfefc
)

// Name returns the usual name, such as "TLS 1.3", "TLS 1.3 draft 23", "GREASE", or "" for an
// unknown version.
func (v Version) Name() string {
	switch v {
	case VersionSSL30:
		return "SSL 3.0"
	case VersionTLS10:
		return "TLS 1.0"
	case VersionTLS11:
		return "TLS 1.1"
	case VersionTLS12:
		return "TLS 1.2"
	case VersionTLS13:
		return "TLS 1.3"
	case VersionDTLS10:
		return "DTLS 1.0"
	case VersionDTLS12:
		return "DTLS 1.2"
	case VersionDTLS13:
		return "DTLS 1.3"
	case 0x0100: // OpenSSL before 0.9.8f, and Cisco's AnyConnect; GnuTLS names it so
		return "DTLS 0.9"
	}
	if name := v.draftName(); name != "" {
		return name
	}
	return greaseOr(uint16(v), "")
}

// draftName names the versions of the drafts of TLS 1.3. 0x7f and the number of a draft is
// its version (draft-ietf-tls-tls13-28, Section 4.2.1.1), up to draft 28. Fizz replaced 0x7f
// with 0xfb in two of them.
func (v Version) draftName() string {
	const lastDraft = 28
	draft := strconv.Itoa(int(v & 0xff))
	switch {
	case v == 0xfb17, v == 0xfb1a:
		return "TLS 1.3 draft " + draft + " of Facebook"
	case 0x7f00 < v && v <= 0x7f00+lastDraft:
		return "TLS 1.3 draft " + draft
	}
	return ""
}

// String returns the name, "GREASE(0x", four digits and ")", or "0x" and four digits
// if the version has no name.
func (v Version) String() string { return nameOrHex(v.Name(), uint16(v)) }

// CipherSuite is a value of the "TLS Cipher Suites" registry, RFC 9846, Appendix B.4.
type CipherSuite uint16

// Name returns the registered name, such as "TLS_AES_128_GCM_SHA256", "GREASE", or
// "" for an unknown suite.
func (c CipherSuite) Name() string { return greaseOr(uint16(c), cipherSuiteName(uint16(c))) }

// String returns the name, "GREASE(0x", four digits and ")", or "0x" and four digits
// if the suite has no name.
func (c CipherSuite) String() string { return nameOrHex(c.Name(), uint16(c)) }

// Group is a NamedGroup, as defined in RFC 9846, Section 4.3.7.
type Group uint16

// Name returns the registered name, such as "x25519", "GREASE", or "" for an
// unknown group.
func (g Group) Name() string { return greaseOr(uint16(g), groupName(uint16(g))) }

// String returns the name, "GREASE(0x", four digits and ")", or "0x" and four digits
// if the group has no name.
func (g Group) String() string { return nameOrHex(g.Name(), uint16(g)) }

// SignatureScheme is a value of the registry of RFC 9846, Section 4.3.3.
type SignatureScheme uint16

// Name returns the registered name, such as "ed25519", "GREASE", or "" for an
// unknown scheme.
func (s SignatureScheme) Name() string {
	return greaseOr(uint16(s), signatureSchemeName(uint16(s)))
}

// String returns the name, "GREASE(0x", four digits and ")", or "0x" and four digits
// if the scheme has no name.
func (s SignatureScheme) String() string { return nameOrHex(s.Name(), uint16(s)) }

// CertificateCompressionAlgorithm is a value of the registry of RFC 8879, Section 7.3,
// in which RFC 8701 reserves none for GREASE.
type CertificateCompressionAlgorithm uint16

// Name returns the registered name, such as "brotli", or "" for an unknown algorithm.
func (a CertificateCompressionAlgorithm) Name() string {
	switch a {
	case 1:
		return "zlib"
	case 2:
		return "brotli"
	case 3:
		return "zstd"
	}
	return ""
}

// String returns the name, or "0x" and four digits if the algorithm has none.
func (a CertificateCompressionAlgorithm) String() string { return nameOrHex(a.Name(), uint16(a)) }

func greaseOr(v uint16, name string) string {
	if extension.IsGREASE(v) {
		return "GREASE"
	}
	return name
}

func nameOrHex(name string, v uint16) string {
	switch name {
	case "", "GREASE":
		hex := strconv.FormatUint(uint64(v)|1<<16, 16)[1:]
		if name == "" {
			return "0x" + hex
		}
		return "GREASE(0x" + hex + ")"
	}
	return name
}
