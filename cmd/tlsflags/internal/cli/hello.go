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

// lists is memory for the lists of a helloInfo, used again for the next one.
type lists struct {
	points     []codePoint
	extensions []extensionInfo
}

// reset makes room for the next helloInfo. The slices are not nil, since an empty list is
// not null.
func (m *lists) reset() {
	if m.points == nil {
		*m = lists{make([]codePoint, 0, 64), make([]extensionInfo, 0, 32)}
	}
	m.points, m.extensions = m.points[:0], m.extensions[:0]
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

	textParts = partMalformed | partJA4
	csvParts  = partRandom | partSuites | partALPN | partExtensions | partECH | partJA4
)

func (p parts) has(part parts) bool { return p&part != 0 }

func (m *lists) describeHello(h clienthello.ClientHello, p parts) *helloInfo {
	m.reset()
	info := &helloInfo{
		Length:        len(h.Raw()),
		LegacyVersion: codepoint.Of(h.LegacyVersion(), h.LegacyVersion().Name()),
	}
	if p.has(partRandom) {
		info.Random, info.SessionID = hexOf(h.Random()), sessionID(h.LegacySessionID())
	}
	if p.has(partSuites) {
		info.CipherSuites = points(m, h.CipherSuites())
	}
	if p.has(partRest) {
		info.CompressionMethods = ints(h.LegacyCompressionMethods())
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
		Random:        hexOf(p.Random),
	}}
	if p.LegacySessionID != nil {
		info.SessionID = sessionID(p.LegacySessionID)
	}
	info.CipherSuites = points(m, p.CipherSuites)
	if p.LegacyCompressionMethods != nil {
		info.CompressionMethods = ints(p.LegacyCompressionMethods)
	}
	if p.Hello.Extensions().Len() > 0 {
		m.describeExtensions(&info.helloInfo, p.Hello, allParts)
	}
	if p.Whole {
		info.JA4 = optional(ja4(p.Hello, h.Transport))
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
	name, err := h.ServerName()
	info.ServerName = optional(name)
	versions, bad := h.SupportedVersions()
	info.SupportedVersions = points(m, versions)
	suspect := err != nil || bad != nil || !p.has(partALPN) || !p.has(partECH) || !p.has(partRest)
	if p.has(partALPN) {
		names, err := h.ALPN()
		for name := range names.All() {
			info.ALPN = append(info.ALPN, string(name))
		}
		suspect = suspect || err != nil
	}
	if p.has(partECH) {
		ech, ok, err := h.EncryptedClientHello()
		if ok && err == nil {
			info.ECH = describeECH(ech)
		}
		suspect = suspect || err != nil
	}
	if p.has(partRest) && !m.describeRest(info, h) {
		suspect = true
	}
	if p.has(partMalformed) && suspect {
		for _, t := range describedExtensions {
			info.malformed(h, t)
		}
	}
}

// describedExtensions are the extensions whose bodies are shown, in the order of
// malformed_extensions.
var describedExtensions = []extension.Type{
	extension.ServerName, extension.ALPN, extension.SupportedVersions, extension.SupportedGroups,
	extension.KeyShare, extension.SignatureAlgorithms, extension.EncryptedClientHello,
}

// describeRest reports whether the extensions that it read are well formed.
func (m *lists) describeRest(info *helloInfo, h clienthello.ClientHello) bool {
	groups, groupsErr := h.SupportedGroups()
	info.SupportedGroups = points(m, groups)
	shares, sharesErr := h.KeyShares()
	if _, ok := h.Extensions().Lookup(extension.KeyShare); ok && sharesErr == nil {
		begin := len(m.points)
		for share := range shares.All() {
			m.points = append(m.points, codepoint.Of(share.Group, share.Group.Name()))
		}
		info.KeyShareGroups = m.points[begin:len(m.points):len(m.points)]
	}
	schemes, schemesErr := h.SignatureAlgorithms()
	info.SignatureAlgorithms = points(m, schemes)
	return groupsErr == nil && sharesErr == nil && schemesErr == nil
}

// malformed adds an extension to the malformed ones if it is one.
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

// sessionID returns nil for a legacy_session_id that is too long, which is told elsewhere.
func sessionID(id []byte) *string {
	if len(id) > 32 {
		return nil
	}
	return hexOf(id)
}

func ints(b []byte) []int {
	list := make([]int, len(b))
	for i, v := range b {
		list[i] = int(v)
	}
	return list
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
