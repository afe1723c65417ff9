package clienthello

import (
	"iter"

	"github.com/tlsflags/tlsflags/extension"
)

// The methods below read the body of one extension each, when they are called and
// not before. Where the client did not send the extension they return the zero value
// and no error; where its body is malformed, the zero value and one of ErrFieldOverrun,
// ErrStrayBytes, ErrVectorEmpty, ErrVectorSize and ErrIllegalValue. CheckExtension
// says where in the message the fault is.

// lookup applies a parser of extension_data to the extension of type t.
func lookup[T any](h ClientHello, t extension.Type, parse func([]byte) (T, int, error)) (T, error) {
	e, ok := h.extensions.Lookup(t)
	if !ok {
		var zero T
		return zero, nil
	}
	v, _, err := parse(e.Data)
	return v, err
}

// ServerName returns the host_name of the server_name extension, as defined in RFC
// 6066, Section 3, as it stands there: whether it is a valid DNS name is not judged.
// Two names of one type are ErrIllegalValue.
func (h ClientHello) ServerName() ([]byte, error) {
	return lookup(h, extension.ServerName, parseServerName)
}

func parseServerName(data []byte) ([]byte, int, error) {
	// struct { NameType name_type; opaque HostName<1..2^16-1>; } ServerName;
	// ServerName server_name_list<1..2^16-1>;
	b := newBody(data)
	var host []byte
	var seen [4]uint64 // a bit for each name_type
	outer := b.open(2, 1, 1)
	for b.more() {
		start := b.at
		nameType := b.uint(1)
		name := b.vector(2, 1, 1)
		if seen[nameType/64]>>(nameType%64)&1 != 0 {
			b.fail(extension.ErrIllegalValue, start)
		}
		seen[nameType/64] |= 1 << (nameType % 64)
		if nameType == 0 {
			host = name
		}
	}
	b.close(outer)
	n, err := b.done()
	if err != nil {
		return nil, n, err
	}
	return host, n, nil
}

// ProtocolNames is the validated list of ALPN protocol names, a view that shares the
// message's memory. The zero value is empty.
type ProtocolNames struct{ data []byte }

// All yields the names in the client's order of preference, each of 1 to 255 bytes.
func (p ProtocolNames) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 0; i < len(p.data); {
			end := i + 1 + int(p.data[i])
			if !yield(p.data[i+1 : end : end]) {
				return
			}
			i = end
		}
	}
}

// Len returns how many names there are.
func (p ProtocolNames) Len() int {
	n := 0
	for range p.All() {
		n++
	}
	return n
}

// ALPN returns the names of the application_layer_protocol_negotiation extension, as
// defined in RFC 7301, Section 3.1.
func (h ClientHello) ALPN() (ProtocolNames, error) {
	return lookup(h, extension.ALPN, parseALPN)
}

func parseALPN(data []byte) (ProtocolNames, int, error) {
	// opaque ProtocolName<1..2^8-1>; ProtocolName protocol_name_list<2..2^16-1>
	b := newBody(data)
	outer := b.open(2, 2, 1)
	start := b.at
	for b.more() {
		b.vector(1, 1, 1)
	}
	end := b.end
	b.close(outer)
	n, err := b.done()
	if err != nil {
		return ProtocolNames{}, n, err
	}
	return ProtocolNames{data[start:end:end]}, n, nil
}

// SupportedVersions returns the versions of the supported_versions extension, as
// defined in RFC 9846, Section 4.3.1, in the client's order of preference.
func (h ClientHello) SupportedVersions() (Vector[Version], error) {
	return lookup(h, extension.SupportedVersions, parseVector[Version](1))
}

// OffersTLS13 reports whether supported_versions lists TLS 1.3 or DTLS 1.3: that makes
// the message a TLS 1.3 ClientHello (RFC 9846, Section 4.2.2).
func (h ClientHello) OffersTLS13() bool {
	versions, err := h.SupportedVersions()
	return err == nil && (versions.Contains(VersionTLS13) || versions.Contains(VersionDTLS13))
}

// SupportedGroups returns the groups of the supported_groups extension, as defined in
// RFC 9846, Section 4.3.7, in the client's order of preference.
func (h ClientHello) SupportedGroups() (Vector[Group], error) {
	return lookup(h, extension.SupportedGroups, parseVector[Group](2))
}

// SignatureAlgorithms returns the schemes of the signature_algorithms extension, as
// defined in RFC 9846, Section 4.3.3, in the client's order of preference.
func (h ClientHello) SignatureAlgorithms() (Vector[SignatureScheme], error) {
	return lookup(h, extension.SignatureAlgorithms, parseVector[SignatureScheme](2))
}

// SignatureAlgorithmsCert returns the schemes of the signature_algorithms_cert
// extension, as defined in RFC 9846, Section 4.3.3.
func (h ClientHello) SignatureAlgorithmsCert() (Vector[SignatureScheme], error) {
	return lookup(h, extension.SignatureAlgorithmsCert, parseVector[SignatureScheme](2))
}

// CompressCertificate returns the algorithms of the compress_certificate extension, as
// defined in RFC 8879, Section 3.
func (h ClientHello) CompressCertificate() (Vector[CertificateCompressionAlgorithm], error) {
	return lookup(h, extension.CompressCertificate, parseVector[CertificateCompressionAlgorithm](1))
}

// parseVector returns the parser of a body that is one vector of at least one 16-bit
// value, with a length field of lengthSize bytes.
func parseVector[T ~uint16](lengthSize int) func([]byte) (Vector[T], int, error) {
	return func(data []byte) (Vector[T], int, error) {
		b := newBody(data)
		v := b.vector(lengthSize, 2, 2)
		n, err := b.done()
		if err != nil {
			return Vector[T]{}, n, err
		}
		return Vector[T]{v}, n, nil
	}
}

// KeyShareEntry is one key share, as defined in RFC 9846, Section 4.3.8.
type KeyShareEntry struct {
	Group       Group
	KeyExchange []byte // 1 to 65,535 bytes
}

// KeyShares is the validated list of key shares, a view that shares the message's
// memory. The zero value is empty.
type KeyShares struct{ data []byte }

// All yields the key shares in the client's order of preference.
func (k KeyShares) All() iter.Seq[KeyShareEntry] {
	return func(yield func(KeyShareEntry) bool) {
		for i := 0; i < len(k.data); {
			b := k.data[i:]
			end := 4 + (int(b[2])<<8 | int(b[3]))
			if !yield(KeyShareEntry{Group(b[0])<<8 | Group(b[1]), b[4:end:end]}) {
				return
			}
			i += end
		}
	}
}

// Len returns how many key shares there are.
func (k KeyShares) Len() int {
	n := 0
	for range k.All() {
		n++
	}
	return n
}

// KeyShares returns the client_shares of the key_share extension, as defined in RFC
// 9846, Section 4.3.8. None is a request for HelloRetryRequest.
func (h ClientHello) KeyShares() (KeyShares, error) {
	return lookup(h, extension.KeyShare, parseKeyShares)
}

func parseKeyShares(data []byte) (KeyShares, int, error) {
	// struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } KeyShareEntry;
	// KeyShareEntry client_shares<0..2^16-1>;
	b := newBody(data)
	outer := b.open(2, 0, 1)
	start := b.at
	for b.more() {
		b.uint(2)
		b.vector(2, 1, 1)
	}
	end := b.end
	b.close(outer)
	n, err := b.done()
	if err != nil {
		return KeyShares{}, n, err
	}
	return KeyShares{data[start:end:end]}, n, nil
}

// PSKKeyExchangeModes returns the modes of the psk_key_exchange_modes extension, one
// a byte, as defined in RFC 9846, Section 4.3.9.
func (h ClientHello) PSKKeyExchangeModes() ([]byte, error) {
	return lookup(h, extension.PSKKeyExchangeModes, parseOpaque(1, 1))
}

// ECPointFormats returns the formats of the ec_point_formats extension, one a byte,
// as defined in RFC 8422, Section 5.1.2.
func (h ClientHello) ECPointFormats() ([]byte, error) {
	return lookup(h, extension.ECPointFormats, parseOpaque(1, 1))
}

// Cookie returns the cookie of the cookie extension, as defined in RFC 9846, Section
// 4.3.2.
func (h ClientHello) Cookie() ([]byte, error) {
	return lookup(h, extension.Cookie, parseOpaque(2, 1))
}

// RenegotiationInfo returns renegotiated_connection of the renegotiation_info
// extension, as defined in RFC 5746, Section 3.2: empty, but not nil, in a first
// handshake.
func (h ClientHello) RenegotiationInfo() ([]byte, error) {
	return lookup(h, extension.RenegotiationInfo, parseOpaque(1, 0))
}

// parseOpaque returns the parser of a body that is one vector of at least floor bytes,
// with a length field of lengthSize bytes.
func parseOpaque(lengthSize, floor int) func([]byte) ([]byte, int, error) {
	return func(data []byte) ([]byte, int, error) {
		b := newBody(data)
		v := b.vector(lengthSize, floor, 1)
		n, err := b.done()
		if err != nil {
			return nil, n, err
		}
		return v, n, nil
	}
}

// PSKIdentity is one offered pre-shared key, as defined in RFC 9846, Section 4.3.11.
type PSKIdentity struct {
	Identity            []byte // 1 to 65,535 bytes
	ObfuscatedTicketAge uint32 // in milliseconds, plus ticket_age_add
}

// OfferedPSKs is the validated body of pre_shared_key in a ClientHello, a view that
// shares the message's memory. It has as many binders as identities. The zero value
// is empty.
type OfferedPSKs struct{ identities, binders []byte }

// Identities yields the pre-shared keys in the client's order of preference.
func (p OfferedPSKs) Identities() iter.Seq[PSKIdentity] {
	return func(yield func(PSKIdentity) bool) {
		for i := 0; i < len(p.identities); {
			b := p.identities[i:]
			end := 2 + (int(b[0])<<8 | int(b[1]))
			age := b[end : end+4]
			id := PSKIdentity{
				Identity:            b[2:end:end],
				ObfuscatedTicketAge: uint32(age[0])<<24 | uint32(age[1])<<16 | uint32(age[2])<<8 | uint32(age[3]),
			}
			if !yield(id) {
				return
			}
			i += end + 4
		}
	}
}

// Binders yields the binders in the order of the identities, each of 32 to 255 bytes.
func (p OfferedPSKs) Binders() iter.Seq[[]byte] { return ProtocolNames{p.binders}.All() }

// Len returns how many pre-shared keys are offered.
func (p OfferedPSKs) Len() int { return ProtocolNames{p.binders}.Len() }

// PreSharedKey returns the offers of the pre_shared_key extension, as defined in RFC
// 9846, Section 4.3.11. Another number of binders than of identities is ErrIllegalValue.
func (h ClientHello) PreSharedKey() (OfferedPSKs, error) {
	return lookup(h, extension.PreSharedKey, parsePreSharedKey)
}

func parsePreSharedKey(data []byte) (OfferedPSKs, int, error) {
	// struct { opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; } PskIdentity;
	// opaque PskBinderEntry<32..255>;
	// PskIdentity identities<7..2^16-1>; PskBinderEntry binders<33..2^16-1>;
	const minIdentities, minBinders, minBinder = 7, 33, 32
	b := newBody(data)
	var p OfferedPSKs
	count := 0
	outer := b.open(2, minIdentities, 1)
	p.identities = b.data[b.at:b.end:b.end]
	for b.more() {
		b.vector(2, 1, 1)
		b.uint(4)
		count++
	}
	b.close(outer)
	start := b.at
	outer = b.open(2, minBinders, 1)
	p.binders = b.data[b.at:b.end:b.end]
	for b.more() {
		b.vector(1, minBinder, 1)
		count--
	}
	b.close(outer)
	if count != 0 {
		b.fail(extension.ErrIllegalValue, start)
	}
	n, err := b.done()
	if err != nil {
		return OfferedPSKs{}, n, err
	}
	return p, n, nil
}

// EarlyData reports whether the client sent the early_data extension, as defined in
// RFC 9846, Section 4.3.10, whose body is empty.
func (h ClientHello) EarlyData() (bool, error) {
	return lookup(h, extension.EarlyData, parseEmpty)
}

// ExtendedMasterSecret reports whether the client sent the extended_master_secret
// extension, as defined in RFC 7627, Section 5.1, whose body is empty. RFC 9846 names it
// extended_main_secret.
func (h ClientHello) ExtendedMasterSecret() (bool, error) {
	return lookup(h, extension.ExtendedMasterSecret, parseEmpty)
}

func parseEmpty(data []byte) (bool, int, error) {
	b := newBody(data)
	n, err := b.done()
	return err == nil, n, err
}

// The values of ECHClientHelloType, RFC 9849, Section 5.
const (
	ECHOuter uint8 = 0
	ECHInner uint8 = 1
)

// ECH is the body of encrypted_client_hello in a ClientHello, as defined in RFC 9849,
// Section 5. In an inner ClientHello all but Type is zero.
type ECH struct {
	Type     uint8  // ECHOuter or ECHInner
	KDF      uint16 // HpkeKdfId
	AEAD     uint16 // HpkeAeadId
	ConfigID uint8
	Enc      []byte // 0 to 65,535 bytes; empty in a second ClientHello
	Payload  []byte // 1 to 65,535 bytes
}

// EncryptedClientHello returns the body of the encrypted_client_hello extension. A type
// other than outer and inner is ErrIllegalValue. A GREASE extension (RFC 9849, Section
// 6.2) looks like a real one. Without the extension all is zero, Payload too, which an
// outer one cannot lack.
func (h ClientHello) EncryptedClientHello() (ECH, error) {
	return lookup(h, extension.EncryptedClientHello, parseECH)
}

func parseECH(data []byte) (ECH, int, error) {
	b := newBody(data)
	var e ECH
	e.Type = uint8(b.uint(1))
	switch e.Type {
	case ECHOuter:
		e.KDF = uint16(b.uint(2))
		e.AEAD = uint16(b.uint(2))
		e.ConfigID = uint8(b.uint(1))
		e.Enc = b.vector(2, 0, 1)
		e.Payload = b.vector(2, 1, 1)
	case ECHInner:
	default:
		b.fail(extension.ErrIllegalValue, 0)
	}
	n, err := b.done()
	if err != nil {
		return ECH{}, n, err
	}
	return e, n, nil
}

// QUICTransportParameters returns the undecoded body of the quic_transport_parameters
// extension, RFC 9001, Section 8.2, and whether the client sent it.
func (h ClientHello) QUICTransportParameters() ([]byte, bool) {
	e, ok := h.extensions.Lookup(extension.QUICTransportParameters)
	return e.Data, ok
}

// SessionTicket returns the body of the session_ticket extension, RFC 5077, Section
// 3.2, which is empty where the client asks for a ticket, and whether the client sent it.
func (h ClientHello) SessionTicket() ([]byte, bool) {
	e, ok := h.extensions.Lookup(extension.SessionTicket)
	return e.Data, ok
}

// RecordSizeLimit returns the limit in bytes of the record_size_limit extension, as
// defined in RFC 8449, Section 4, or 0 without it. Less than 64 is ErrIllegalValue.
func (h ClientHello) RecordSizeLimit() (uint16, error) {
	return lookup(h, extension.RecordSizeLimit, parseRecordSizeLimit)
}

func parseRecordSizeLimit(data []byte) (uint16, int, error) {
	b := newBody(data)
	limit := b.uint(2)
	if limit < 64 {
		b.fail(extension.ErrIllegalValue, 0)
	}
	n, err := b.done()
	if err != nil {
		return 0, n, err
	}
	return uint16(limit), n, nil
}

// StatusRequest is the body of status_request in a ClientHello, as defined in RFC 6066,
// Section 8.
type StatusRequest struct {
	Type              uint8  // CertificateStatusType; 1 is ocsp
	ResponderIDs      []byte // responder_id_list without its length, of type ocsp
	RequestExtensions []byte // request_extensions without their length, of type ocsp
}

// StatusRequest returns the body of the status_request extension. The body of a type
// other than ocsp is undefined and not judged.
func (h ClientHello) StatusRequest() (StatusRequest, error) {
	return lookup(h, extension.StatusRequest, parseStatusRequest)
}

func parseStatusRequest(data []byte) (StatusRequest, int, error) {
	const ocsp = 1
	b := newBody(data)
	s := StatusRequest{Type: uint8(b.uint(1))}
	if s.Type == ocsp {
		outer := b.open(2, 0, 1)
		s.ResponderIDs = b.data[b.at:b.end:b.end]
		for b.more() {
			b.vector(2, 1, 1)
		}
		b.close(outer)
		s.RequestExtensions = b.vector(2, 0, 1)
	} else {
		b.rest()
	}
	n, err := b.done()
	if err != nil {
		return StatusRequest{}, n, err
	}
	return s, n, nil
}

// CheckExtension judges the body of the extension of type t, as the method for it
// does. For a malformed body it returns the offset in the message of the field that
// cannot be accepted, and the error. Bodies that no method reads are fine.
func (h ClientHello) CheckExtension(t extension.Type) (offset int, err error) {
	if !hasMethod(t) {
		return 0, nil // without a search, of which there may be one for every extension
	}
	e, ok := h.extensions.Lookup(t)
	if !ok {
		return 0, nil
	}
	n := 0
	switch t {
	case extension.ServerName:
		_, n, err = parseServerName(e.Data)
	case extension.ALPN:
		_, n, err = parseALPN(e.Data)
	case extension.SupportedVersions, extension.CompressCertificate:
		_, n, err = parseVector[uint16](1)(e.Data)
	case extension.SupportedGroups, extension.SignatureAlgorithms, extension.SignatureAlgorithmsCert:
		_, n, err = parseVector[uint16](2)(e.Data)
	case extension.KeyShare:
		_, n, err = parseKeyShares(e.Data)
	case extension.PSKKeyExchangeModes, extension.ECPointFormats:
		_, n, err = parseOpaque(1, 1)(e.Data)
	case extension.RenegotiationInfo:
		_, n, err = parseOpaque(1, 0)(e.Data)
	case extension.Cookie:
		_, n, err = parseOpaque(2, 1)(e.Data)
	case extension.PreSharedKey:
		_, n, err = parsePreSharedKey(e.Data)
	case extension.EarlyData, extension.ExtendedMasterSecret:
		_, n, err = parseEmpty(e.Data)
	case extension.EncryptedClientHello:
		_, n, err = parseECH(e.Data)
	case extension.RecordSizeLimit:
		_, n, err = parseRecordSizeLimit(e.Data)
	case extension.StatusRequest:
		_, n, err = parseStatusRequest(e.Data)
	case extension.TLSFlags, extension.TLSFlagsExperimental:
		_, n, err = extension.ParseFlags(e.Data)
	}
	if err != nil {
		return e.Offset + n, err
	}
	return 0, nil
}

// hasMethod reports whether a method reads the bodies of extensions of type t.
func hasMethod(t extension.Type) bool {
	switch t {
	case extension.ServerName, extension.ALPN, extension.SupportedVersions, extension.CompressCertificate,
		extension.SupportedGroups, extension.SignatureAlgorithms, extension.SignatureAlgorithmsCert,
		extension.KeyShare, extension.PSKKeyExchangeModes, extension.ECPointFormats, extension.RenegotiationInfo,
		extension.Cookie, extension.PreSharedKey, extension.EarlyData, extension.ExtendedMasterSecret,
		extension.EncryptedClientHello, extension.RecordSizeLimit, extension.StatusRequest,
		extension.TLSFlags, extension.TLSFlagsExperimental:
		return true
	}
	return false
}
