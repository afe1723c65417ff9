package cli

import (
	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/extension"
)

// helloInfo is a message. A malformed extension gives the same as none, and is in
// Malformed.
type helloInfo struct {
	Length              int             `json:"length"`
	LegacyVersion       codePoint       `json:"legacy_version"`
	Random              *string         `json:"random"`
	SessionID           *string         `json:"session_id"`
	CipherSuites        []codePoint     `json:"cipher_suites"`
	CompressionMethods  []int           `json:"compression_methods"`
	Extensions          []extensionInfo `json:"extensions"`
	ServerName          optional        `json:"server_name"`
	ALPN                []string        `json:"alpn"`
	SupportedVersions   []codePoint     `json:"supported_versions"`
	SupportedGroups     []codePoint     `json:"supported_groups"`
	KeyShareGroups      []codePoint     `json:"key_share_groups"`
	SignatureAlgorithms []codePoint     `json:"signature_algorithms"`
	ECH                 *echInfo        `json:"ech"`
	Malformed           []malformedInfo `json:"malformed_extensions,omitempty"`
}

type extensionInfo struct {
	codePoint
	Offset int `json:"offset"`
	Length int `json:"length"`
}

// echInfo is the body of encrypted_client_hello; all but the type is nil in an inner
// ClientHello.
type echInfo struct {
	Type          codePoint  `json:"type"`
	KDF           *codePoint `json:"kdf"`
	AEAD          *codePoint `json:"aead"`
	ConfigID      *int       `json:"config_id"`
	EncLength     *int       `json:"enc_length"`
	PayloadLength *int       `json:"payload_length"`
}

// malformedInfo is an extension whose body could not be read.
type malformedInfo struct {
	codePoint
	Code   string `json:"code"`
	Offset int    `json:"offset"`
}

// partialInfo is what could be read of a refused message. The slices of helloInfo are nil
// for what could not be read.
type partialInfo struct {
	helloInfo
	JA4 optional `json:"ja4"`
}

// lists is memory for a line with its lists, used again for the next one.
type lists struct {
	line  line
	hello helloInfo
	quic  quicInfo
	ids   [2]string // of quic
	texts texts

	points      []codePoint
	extensions  []extensionInfo
	compression []int
	names       []string // of ALPN
	random      string
	session     string
	fields      clienthello.Fields
}

// reset makes room for the next helloInfo. The slices are not nil, since an empty list is
// not null.
func (m *lists) reset() {
	if m.points == nil {
		m.points, m.extensions, m.compression = make([]codePoint, 0, 64), make([]extensionInfo, 0, 32), make([]int, 0, 1)
	}
	m.points, m.extensions, m.compression, m.names = m.points[:0], m.extensions[:0], m.compression[:0], m.names[:0]
}

// parts are what of a hello is shown; the rest need not be computed.
type parts uint16

const (
	partRandom     parts = 1 << iota // random and session_id
	partSuites                       // cipher_suites
	partALPN                         // alpn
	partExtensions                   // the list of extensions
	partECH                          // ech
	partMalformed                    // malformed_extensions
	partJA4                          // ja4
	partRest                         // all else but length, versions and server_name
	allParts       = partRest<<1 - 1

	textParts = partMalformed
	csvParts  = partRandom | partSuites | partALPN | partExtensions | partECH | partJA4
)

func (p parts) has(part parts) bool { return p&part != 0 }

func (m *lists) describeHello(h clienthello.ClientHello, p parts) *helloInfo {
	m.reset()
	info := &m.hello
	*info = helloInfo{
		Length:        len(h.Raw()),
		LegacyVersion: codepoint.Of(h.LegacyVersion(), h.LegacyVersion().Name()),
	}
	if p.has(partRandom) {
		m.describeRandom(info, h.Random(), h.LegacySessionID())
	}
	if p.has(partSuites) {
		info.CipherSuites = points(m, h.CipherSuites())
	}
	if p.has(partRest) {
		info.CompressionMethods = m.ints(h.LegacyCompressionMethods())
	}
	if h.HasExtensionBlock() {
		m.describeExtensions(info, h, p)
	}
	return info
}

// describePartial returns nil if not even the random of a refused hello could be read.
func (m *lists) describePartial(h *capture.Hello) *partialInfo {
	m.reset()
	parse := clienthello.ParsePartial
	if h.Transport == capture.DTLS {
		parse = clienthello.ParsePartialDTLS
	}
	p := parse(h.Message)
	if p.Random == nil {
		return nil
	}
	info := &partialInfo{helloInfo: helloInfo{
		Length:        p.Length,
		LegacyVersion: codepoint.Of(p.LegacyVersion, p.LegacyVersion.Name()),
	}}
	m.describeRandom(&info.helloInfo, p.Random, p.LegacySessionID)
	info.CipherSuites = points(m, p.CipherSuites)
	if p.LegacyCompressionMethods != nil {
		info.CompressionMethods = m.ints(p.LegacyCompressionMethods)
	}
	if p.Hello.Extensions().Len() > 0 {
		m.describeExtensions(&info.helloInfo, p.Hello, allParts)
	}
	if p.Whole {
		info.JA4 = optional(ja4(p.Hello, h.Transport).String())
	}
	return info
}

// describeExtensions fills in what comes from the extensions of h.
func (m *lists) describeExtensions(info *helloInfo, h clienthello.ClientHello, p parts) {
	if p.has(partExtensions) {
		for e := range h.Extensions().All() {
			m.extensions = append(m.extensions, extensionInfo{codepoint.Of(e.Type, e.Type.Name()), e.Offset, len(e.Data)})
		}
		info.Extensions = m.extensions
	}
	f := &m.fields
	h.ReadFields(f)
	info.ServerName = optional(m.texts.of(f.ServerName))
	info.SupportedVersions = points(m, f.SupportedVersions)
	if p.has(partALPN) {
		for name := range f.ALPN.All() {
			m.names = append(m.names, m.texts.of(name))
		}
		if len(m.names) > 0 {
			info.ALPN = m.names
		}
	}
	if p.has(partECH) && f.Has(extension.EncryptedClientHello) && !f.Malformed(extension.EncryptedClientHello) {
		info.ECH = describeECH(f.EncryptedClientHello)
	}
	if p.has(partRest) {
		m.describeRest(info)
	}
	if p.has(partMalformed) {
		for _, t := range describedExtensions {
			if f.Malformed(t) {
				info.malformed(h, t)
			}
		}
	}
}

// describedExtensions are the extensions whose bodies are shown, in the order of
// malformed_extensions.
var describedExtensions = []extension.Type{
	extension.ServerName, extension.ALPN, extension.SupportedVersions, extension.SupportedGroups,
	extension.KeyShare, extension.SignatureAlgorithms, extension.EncryptedClientHello,
}

// describeRest fills in what m.fields say and is shown only in JSON.
func (m *lists) describeRest(info *helloInfo) {
	f := &m.fields
	info.SupportedGroups = points(m, f.SupportedGroups)
	if f.Has(extension.KeyShare) && !f.Malformed(extension.KeyShare) {
		begin := len(m.points)
		for share := range f.KeyShares.All() {
			m.points = append(m.points, codepoint.Of(share.Group, share.Group.Name()))
		}
		info.KeyShareGroups = m.points[begin:len(m.points):len(m.points)]
	}
	info.SignatureAlgorithms = points(m, f.SignatureAlgorithms)
}

// malformed adds a malformed extension.
func (info *helloInfo) malformed(h clienthello.ClientHello, t extension.Type) {
	offset, err := h.CheckExtension(t)
	if code, ok := err.(extension.Code); ok {
		info.Malformed = append(info.Malformed, malformedInfo{codepoint.Of(t, t.Name()), code.Name(), offset})
	}
}

func describeECH(e clienthello.ECH) *echInfo {
	if e.Type == clienthello.ECHInner {
		return &echInfo{Type: codepoint.Of(e.Type, "inner")}
	}
	return &echInfo{
		Type:          codepoint.Of(e.Type, "outer"),
		KDF:           new(codepoint.Of(e.KDF, hpkeKDF[e.KDF])),
		AEAD:          new(codepoint.Of(e.AEAD, hpkeAEAD[e.AEAD])),
		ConfigID:      new(int(e.ConfigID)),
		EncLength:     new(len(e.Enc)),
		PayloadLength: new(len(e.Payload)),
	}
}

// The algorithms of RFC 9180, Sections 7.2 and 7.3.
var (
	hpkeKDF  = map[uint16]string{1: "HKDF-SHA256", 2: "HKDF-SHA384", 3: "HKDF-SHA512"}
	hpkeAEAD = map[uint16]string{1: "AES-128-GCM", 2: "AES-256-GCM", 3: "ChaCha20Poly1305", 0xffff: "Export-only"}
)

// describeRandom fills in random and session_id. A legacy_session_id that is too long is told
// elsewhere.
func (m *lists) describeRandom(info *helloInfo, random, session []byte) {
	m.random = m.texts.hex(random)
	info.Random = &m.random
	if session != nil && len(session) <= 32 {
		m.session = m.texts.hex(session)
		info.SessionID = &m.session
	}
}

func (m *lists) ints(b []byte) []int {
	for _, v := range b {
		m.compression = append(m.compression, int(v))
	}
	return m.compression
}

// points lists the values of a vector with their names, in m. It returns nil if there are
// none.
func points[T interface {
	~uint16
	Name() string
}](m *lists, v clienthello.Vector[T]) []codePoint {
	if v.Len() == 0 {
		return nil
	}
	begin := len(m.points)
	for x := range v.All() {
		m.points = append(m.points, codepoint.Of(x, x.Name()))
	}
	return m.points[begin:len(m.points):len(m.points)]
}
