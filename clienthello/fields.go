package clienthello

import "github.com/tlsflags/tlsflags/extension"

// Fields is what the extensions of a ClientHello say. Each field is named after the method
// of ClientHello that reads the same body, and shares the message's memory. It is zero if
// the client did not send the extension, or its body is malformed: see Has and Malformed.
type Fields struct {
	ServerName              []byte
	StatusRequest           StatusRequest
	SupportedGroups         Vector[Group]
	ECPointFormats          []byte
	SignatureAlgorithms     Vector[SignatureScheme]
	ALPN                    ProtocolNames
	ExtendedMasterSecret    bool
	CompressCertificate     Vector[CertificateCompressionAlgorithm]
	RecordSizeLimit         uint16
	SessionTicket           []byte
	PreSharedKey            OfferedPSKs
	EarlyData               bool
	SupportedVersions       Vector[Version]
	Cookie                  []byte
	PSKKeyExchangeModes     []byte
	SignatureAlgorithmsCert Vector[SignatureScheme]
	KeyShares               KeyShares
	QUICTransportParameters []byte
	Flags                   extension.Flags
	EncryptedClientHello    ECH
	RenegotiationInfo       []byte

	sent, malformed uint64 // fieldBit of each
}

// fieldBit returns the bit for a type in BodyTypes, and 0 for any other. The type of most is
// below 64, and is the number of the bit.
func fieldBit(t extension.Type) uint64 {
	switch t {
	case extension.EncryptedClientHello:
		return 1 << 59
	case extension.RenegotiationInfo:
		return 1 << 60
	case extension.TLSFlagsExperimental:
		return 1 << 61
	case extension.QUICTransportParameters, extension.TLSFlags:
		return 1 << t
	}
	if t > extension.KeyShare {
		return 0
	}
	return 1 << t
}

// Has reports whether the client sent the extension, whose type is one of BodyTypes.
func (f *Fields) Has(t extension.Type) bool { return f.sent&fieldBit(t) != 0 }

// Malformed reports whether the client sent the extension, whose type is one of BodyTypes,
// with a malformed body. [ClientHello.CheckExtension] says what is wrong.
func (f *Fields) Malformed(t extension.Type) bool { return f.malformed&fieldBit(t) != 0 }

// ReadFields sets f to what the extensions say. It reads each once, and takes less time than
// the method for each of them would, which searches the list.
func (h ClientHello) ReadFields(f *Fields) {
	*f = Fields{}
	if h.msg == nil { // zero, or of ParsePartial
		for e := range h.extensions.All() {
			f.add(e.Type, e.Data)
		}
		return
	}
	for i := h.firstExtension(); i < len(h.msg); {
		b := h.msg[i:]
		t, size := extension.Type(b[0])<<8|extension.Type(b[1]), int(b[2])<<8|int(b[3])
		data := b[4 : 4+size : 4+size]
		i += 4 + size
		f.add(t, data)
	}
}

// add reads an extension, unless one of its type came before, after ParseTolerant.
func (f *Fields) add(t extension.Type, data []byte) {
	bit := fieldBit(t)
	if f.sent&bit != 0 {
		return
	}
	f.sent |= bit
	if f.read(t, data) != nil {
		f.malformed |= bit
	}
}

// read reads the body of an extension, the first of its type.
func (f *Fields) read(t extension.Type, data []byte) (err error) {
	switch t {
	case extension.ServerName:
		f.ServerName, _, err = parseServerName(data)
	case extension.StatusRequest:
		f.StatusRequest, _, err = parseStatusRequest(data)
	case extension.SupportedGroups:
		f.SupportedGroups, _, err = parseVector[Group](2)(data)
	case extension.ECPointFormats:
		f.ECPointFormats, _, err = parseOpaque(1, 1)(data)
	case extension.SignatureAlgorithms:
		f.SignatureAlgorithms, _, err = parseVector[SignatureScheme](2)(data)
	case extension.ALPN:
		f.ALPN, _, err = parseALPN(data)
	case extension.ExtendedMasterSecret:
		f.ExtendedMasterSecret, _, err = parseEmpty(data)
	case extension.CompressCertificate:
		f.CompressCertificate, _, err = parseVector[CertificateCompressionAlgorithm](1)(data)
	case extension.RecordSizeLimit:
		f.RecordSizeLimit, _, err = parseRecordSizeLimit(data)
	case extension.SessionTicket:
		f.SessionTicket = data
	case extension.PreSharedKey:
		f.PreSharedKey, _, err = parsePreSharedKey(data)
	case extension.EarlyData:
		f.EarlyData, _, err = parseEmpty(data)
	case extension.SupportedVersions:
		f.SupportedVersions, _, err = parseVector[Version](1)(data)
	case extension.Cookie:
		f.Cookie, _, err = parseOpaque(2, 1)(data)
	case extension.PSKKeyExchangeModes:
		f.PSKKeyExchangeModes, _, err = parseOpaque(1, 1)(data)
	case extension.SignatureAlgorithmsCert:
		f.SignatureAlgorithmsCert, _, err = parseVector[SignatureScheme](2)(data)
	case extension.KeyShare:
		f.KeyShares, _, err = parseKeyShares(data)
	case extension.QUICTransportParameters:
		f.QUICTransportParameters = data
	case extension.EncryptedClientHello:
		f.EncryptedClientHello, _, err = parseECH(data)
	case extension.RenegotiationInfo:
		f.RenegotiationInfo, _, err = parseOpaque(1, 0)(data)
	case extension.TLSFlags:
		f.Flags, _, err = extension.ParseFlags(data)
	case extension.TLSFlagsExperimental:
		var flags extension.Flags
		if flags, _, err = extension.ParseFlags(data); !f.Has(extension.TLSFlags) {
			f.Flags = flags
		}
	}
	return err
}

// firstExtension returns the offset of the first extension, or of the end of the message.
func (h ClientHello) firstExtension() int {
	i := h.compression()
	i += 1 + int(h.msg[i])
	return min(i+2, len(h.msg))
}
