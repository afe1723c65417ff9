package clienthello

import (
	"iter"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/wire"
)

// CONTRIBUTING.md says how to add the body of an extension.

// A bodyRow is one extension whose body has a method.
type bodyRow struct {
	typ    extension.Type
	method string                         // of ClientHello
	check  func(data []byte) (int, error) // nil: any body is fine
}

// bodies has the extensions whose bodies have a method.
var bodies = [...]bodyRow{
	{extension.ServerName, "ServerName", func(b []byte) (int, error) { return verdict(parseServerName(b)) }},
	{extension.StatusRequest, "StatusRequest", func(b []byte) (int, error) { return verdict(parseStatusRequest(b)) }},
	{extension.SupportedGroups, "SupportedGroups", checkVector2},
	{extension.ECPointFormats, "ECPointFormats", checkBytes},
	{extension.SignatureAlgorithms, "SignatureAlgorithms", checkVector2},
	{extension.ALPN, "ALPN", func(b []byte) (int, error) { return verdict(parseALPN(b)) }},
	{extension.ExtendedMasterSecret, "ExtendedMasterSecret", checkEmpty},
	{extension.CompressCertificate, "CompressCertificate", checkVector1},
	{extension.RecordSizeLimit, "RecordSizeLimit", func(b []byte) (int, error) { return verdict(parseRecordSizeLimit(b)) }},
	{extension.SessionTicket, "SessionTicket", nil},
	{extension.PreSharedKey, "PreSharedKey", func(b []byte) (int, error) { return verdict(parsePreSharedKey(b)) }},
	{extension.EarlyData, "EarlyData", checkEmpty},
	{extension.SupportedVersions, "SupportedVersions", checkVector1},
	{extension.Cookie, "Cookie", func(b []byte) (int, error) { return verdict(parseOpaque(2, 1)(b)) }},
	{extension.PSKKeyExchangeModes, "PSKKeyExchangeModes", checkBytes},
	{extension.SignatureAlgorithmsCert, "SignatureAlgorithmsCert", checkVector2},
	{extension.KeyShare, "KeyShares", func(b []byte) (int, error) { return verdict(parseKeyShares(b)) }},
	{extension.QUICTransportParameters, "QUICTransportParameters", nil},
	{extension.TLSFlags, "Flags", checkFlags},
	{extension.TLSFlagsExperimental, "Flags", checkFlags},
	{extension.EncryptedClientHello, "EncryptedClientHello", func(b []byte) (int, error) { return verdict(parseECH(b)) }},
	{extension.RenegotiationInfo, "RenegotiationInfo", func(b []byte) (int, error) { return verdict(parseOpaque(1, 0)(b)) }},
}

// verdict drops the value that a parser returns.
func verdict[T any](_ T, n int, err error) (int, error) { return n, err }

func checkVector1(b []byte) (int, error) { return verdict(parseVector[uint16](1)(b)) }
func checkVector2(b []byte) (int, error) { return verdict(parseVector[uint16](2)(b)) }
func checkBytes(b []byte) (int, error)   { return verdict(parseOpaque(1, 1)(b)) }
func checkEmpty(b []byte) (int, error)   { return verdict(parseEmpty(b)) }
func checkFlags(b []byte) (int, error)   { return verdict(extension.ParseFlags(b)) }

// CheckExtension checks the body of the extension of type t, as the method for it does.
// For a malformed body it returns the offset in the message of the field that cannot be
// accepted, and the error. Bodies that no method reads are fine.
func (h ClientHello) CheckExtension(t extension.Type) (offset int, err error) {
	for i := range bodies {
		row := &bodies[i]
		if row.typ != t || row.check == nil {
			continue
		}
		// Only now is the extension searched: a caller may ask about every one there is.
		e, ok := h.extensions.Lookup(t)
		if !ok {
			return 0, nil
		}
		if n, err := row.check(e.Data); err != nil {
			return e.Offset + n, err
		}
	}
	return 0, nil
}

// BodyTypes yields the types of the extensions whose bodies a method of ClientHello
// reads, in ascending order.
func BodyTypes() iter.Seq[extension.Type] {
	return func(yield func(extension.Type) bool) {
		for i := range bodies {
			if !yield(bodies[i].typ) {
				return
			}
		}
	}
}

// lookup applies a parser of extension_data to the extension of type t.
func lookup[T any](h ClientHello, t extension.Type, parse func([]byte) (T, int, error)) (T, error) {
	v, _, err := present(h, t, parse)
	return v, err
}

// present is lookup for extensions whose zero value does not say that they are absent.
// ok reports whether the client sent the extension.
func present[T any](h ClientHello, t extension.Type, parse func([]byte) (T, int, error)) (v T, ok bool, err error) {
	e, ok := h.extensions.Lookup(t)
	if !ok {
		return v, false, nil
	}
	v, _, err = parse(e.Data)
	return v, true, err
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
		v, n, code := wire.OnlyVector(data, lengthSize, 2, 2) //mutation:equivalent one byte is no multiple of 2 either
		if code != 0 {
			return Vector[T]{}, n, code
		}
		return Vector[T]{v}, n, nil
	}
}

// closed returns v, which is the body up to offset end, or the fault that bytes follow it.
func closed[T any](data []byte, v T, end int) (T, int, error) {
	if end < len(data) {
		var zero T
		return zero, end, extension.ErrStrayBytes
	}
	return v, end, nil //mutation:equivalent only the offset of a fault counts
}

// done returns v, which a parser of extension_data has read, if nothing is left, or else the
// zero value and the fault.
func done[T any](b *wire.Reader, v T) (T, int, error) {
	n, err := b.Done()
	if err != nil {
		var zero T
		return zero, n, err
	}
	return v, n, nil //mutation:equivalent only the offset of a fault counts
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

// parseOpaque returns the parser of a body that is one vector of least bytes or more,
// with a length field of lengthSize bytes.
func parseOpaque(lengthSize, least int) func([]byte) ([]byte, int, error) {
	return func(data []byte) ([]byte, int, error) {
		v, n, code := wire.OnlyVector(data, lengthSize, least, 1)
		if code != 0 {
			return nil, n, code
		}
		return v, n, nil
	}
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
	b := wire.NewReader(data, 0)
	return done(&b, true)
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

// EncryptedClientHello returns the body of the encrypted_client_hello extension, and
// whether the client sent the extension. A type other than outer and inner is
// ErrIllegalValue. A GREASE extension (RFC 9849, Section 6.2) looks like a real one.
func (h ClientHello) EncryptedClientHello() (ech ECH, ok bool, err error) {
	return present(h, extension.EncryptedClientHello, parseECH)
}

func parseECH(data []byte) (e ECH, n int, err error) {
	const encAt = 6
	switch {
	case len(data) == 0:
		return e, 0, extension.ErrFieldOverrun
	case data[0] == ECHInner:
		return closed(data, ECH{Type: ECHInner}, 1)
	case data[0] != ECHOuter:
		return e, 0, extension.ErrIllegalValue
	}
	for _, field := range [...]int{1, 3, 5} { // kdf_id, aead_id, config_id
		if size := min(2, encAt-field); len(data) < field+size {
			return e, field, extension.ErrFieldOverrun
		}
	}
	enc, code := wire.Vector(data[encAt:], 2, 0, 1)
	if code != 0 {
		return e, encAt, code
	}
	payloadAt := encAt + 2 + len(enc)
	payload, code := wire.Vector(data[payloadAt:], 2, 1, 1)
	if code != 0 {
		return e, payloadAt, code
	}
	e = ECH{
		KDF:      uint16(data[1])<<8 | uint16(data[2]),
		AEAD:     uint16(data[3])<<8 | uint16(data[4]),
		ConfigID: data[5],
		Enc:      enc,
		Payload:  payload,
	}
	return closed(data, e, payloadAt+2+len(payload))
}

// QUICTransportParameters returns the undecoded body of the quic_transport_parameters
// extension, RFC 9001, Section 8.2, and whether the client sent it.
func (h ClientHello) QUICTransportParameters() ([]byte, bool) {
	e, ok := h.extensions.Lookup(extension.QUICTransportParameters)
	return e.Data, ok
}

// SessionTicket returns the body of the session_ticket extension, RFC 5077, Section
// 3.2, which is empty if the client asks for a ticket, and whether the client sent it.
func (h ClientHello) SessionTicket() ([]byte, bool) {
	e, ok := h.extensions.Lookup(extension.SessionTicket)
	return e.Data, ok
}

// RecordSizeLimit returns the limit in bytes of the record_size_limit extension, as
// defined in RFC 8449, Section 4, and whether the client sent the extension. Less than
// 64 is ErrIllegalValue.
func (h ClientHello) RecordSizeLimit() (limit uint16, ok bool, err error) {
	return present(h, extension.RecordSizeLimit, parseRecordSizeLimit)
}

func parseRecordSizeLimit(data []byte) (uint16, int, error) {
	b := wire.NewReader(data, 0)
	limit := b.Uint(2)
	if limit < 64 {
		b.Fail(extension.ErrIllegalValue, 0)
	}
	return done(&b, uint16(limit))
}

// StatusRequest is the body of status_request in a ClientHello, as defined in RFC 6066,
// Section 8.
type StatusRequest struct {
	Type              uint8  // CertificateStatusType; 1 is ocsp
	ResponderIDs      []byte // responder_id_list without its length, of type ocsp
	RequestExtensions []byte // request_extensions without their length, of type ocsp
}

// StatusRequest returns the body of the status_request extension, and whether the client
// sent the extension. The body of a type other than ocsp is undefined and not checked.
func (h ClientHello) StatusRequest() (status StatusRequest, ok bool, err error) {
	return present(h, extension.StatusRequest, parseStatusRequest)
}

func parseStatusRequest(data []byte) (s StatusRequest, n int, err error) {
	const ocsp = 1
	if len(data) == 0 {
		return s, 0, extension.ErrFieldOverrun
	}
	if s.Type = data[0]; s.Type != ocsp {
		return s, len(data), nil //mutation:equivalent only the offset of a fault counts
	}
	ids, code := wire.Vector(data[1:], 2, 0, 1)
	if code != 0 {
		return StatusRequest{}, 1, code
	}
	for i := 0; i < len(ids); {
		id, code := wire.Vector(ids[i:], 2, 1, 1)
		if code != 0 {
			return StatusRequest{}, 3 + i, code
		}
		i += 2 + len(id)
	}
	at := 3 + len(ids)
	extensions, code := wire.Vector(data[at:], 2, 0, 1)
	if code != 0 {
		return StatusRequest{}, at, code
	}
	s.ResponderIDs, s.RequestExtensions = ids, extensions
	return closed(data, s, at+2+len(extensions))
}
