package handshake

import (
	"iter"

	"github.com/tlsflags/tlsflags/extension"
)

// Message is a validated handshake message, other than ClientHello, that can
// carry extensions: an immutable view that shares memory with the bytes it was parsed
// from. Since it exists only after validation, reading it cannot fail. The zero value
// is no message and has no extension.
type Message struct {
	msg   []byte
	list  extension.List // the extension block, in a Certificate that of the first entry
	start uint32         // offset of the first byte after certificate_list's length
	kind  extension.MessageKind
}

// Kind says which message it is; 0 for the zero value.
func (m Message) Kind() extension.MessageKind { return m.kind }

// Extensions returns the extension block of the message; of a Certificate that of the
// first CertificateEntry, to which an extension for the whole chain belongs (RFC 9846,
// Section 4.5.1).
func (m Message) Extensions() extension.List { return m.list }

// Blocks yields every extension block of the message in order: one for each
// CertificateEntry of a Certificate, exactly one for any other message.
func (m Message) Blocks() iter.Seq[extension.List] {
	return func(yield func(extension.List) bool) {
		if m.kind != extension.Certificate && m.kind != 0 {
			yield(m.list)
		}
		for e := range m.Entries() { // only a Certificate has any
			if !yield(e.Extensions) {
				return
			}
		}
	}
}

// CertificateEntry is one certificate of a Certificate message, with the extensions
// that belong to it.
type CertificateEntry struct {
	CertData   []byte // at least one byte; shares the message's memory
	Extensions extension.List
}

// Entries yields the entries of a Certificate in order: none if the sender has no
// certificate to offer, and none for any other message. Each block is walked through
// once more to yield it.
func (m Message) Entries() iter.Seq[CertificateEntry] {
	return func(yield func(CertificateEntry) bool) {
		if m.kind != extension.Certificate {
			return
		}
		for i := int(m.start); i < len(m.msg); {
			e, next := m.entry(i)
			if !yield(e) {
				return
			}
			i = next
		}
	}
}

// entry returns the CertificateEntry that begins at offset i, and the offset after it.
func (m Message) entry(i int) (CertificateEntry, int) {
	b := m.msg
	data := i + 3
	end := data + (int(b[i])<<16 | int(b[i+1])<<8 | int(b[i+2]))
	block := end + 2
	next := block + (int(b[end])<<8 | int(b[end+1]))
	// ParseCertificate has accepted this block.
	list, _, _ := extension.ParseList(m.kind, b[block:next:next], block)
	return CertificateEntry{CertData: b[data:end:end], Extensions: list}, next
}

// Empty reports whether the message is a Certificate without any certificate, with
// which a client answers that it has none (RFC 9846, Section 4.5.1). It has no
// extension block, and so no place for a flag.
func (m Message) Empty() bool {
	return m.kind == extension.Certificate && int(m.start) == len(m.msg)
}

// HasFlag reports whether any block of the message has TLS flag f, in an extension that
// ParseFlags accepts.
func (m Message) HasFlag(f extension.Flag) bool {
	for block := range m.Blocks() {
		if block.HasFlag(f) {
			return true
		}
	}
	return false
}

// RequestContext returns certificate_request_context, of 0 to 255 bytes, of a
// CertificateRequest or a Certificate; nil for any other message.
func (m Message) RequestContext() []byte {
	if m.kind != extension.CertificateRequest && m.kind != extension.Certificate {
		return nil
	}
	const i = handshakeHeaderLen
	end := i + 1 + int(m.msg[i])
	return m.msg[i+1 : end : end]
}

// CipherSuite returns the cipher suite that a ServerHello or a HelloRetryRequest
// selects; 0 for any other message.
func (m Message) CipherSuite() uint16 {
	if m.kind != extension.ServerHello && m.kind != extension.HelloRetryRequest {
		return 0
	}
	i := handshakeHeaderLen + 2 + randomLen
	i += 1 + int(m.msg[i])
	return uint16(m.msg[i])<<8 | uint16(m.msg[i+1])
}

// Version returns the version that a ServerHello or a HelloRetryRequest selects, in its
// supported_versions extension (RFC 9846, Section 4.3.1) or without one in
// legacy_version; 0 for any other message.
func (m Message) Version() uint16 {
	if m.kind != extension.ServerHello && m.kind != extension.HelloRetryRequest {
		return 0
	}
	v := m.msg[handshakeHeaderLen:]
	if e, ok := m.list.Lookup(extension.SupportedVersions); ok && len(e.Data) == 2 {
		v = e.Data
	}
	return uint16(v[0])<<8 | uint16(v[1])
}

// Raw returns the message with its handshake header, as it was consumed.
func (m Message) Raw() []byte { return m.msg }

// AppendTo appends the message with its handshake header, byte for byte as it was
// consumed, to b.
func (m Message) AppendTo(b []byte) []byte { return append(b, m.msg...) }
