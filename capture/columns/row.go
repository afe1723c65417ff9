package columns

import (
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/fingerprint"
)

// A Row is a ClientHello that was found, also one that was refused or is only a doubt. Its
// fields are the columns of a file, and their tags say how they are stored and which key of
// tlsflags inspect's JSON they have. Nil, "" and the zero Time are null; a list without
// members is empty, not null. Strings are valid UTF-8.
type Row struct {
	Source     string    `parquet:"source,dict" key:"source"`
	Time       time.Time `parquet:"time,optional,timestamp(microsecond)" key:"time"`
	Transport  string    `parquet:"transport,dict" key:"transport"`
	SrcIP      string    `parquet:"src_ip,optional,dict" key:"src_ip"`
	SrcPort    *uint16   `parquet:"src_port,optional" key:"src_port"`
	DstIP      string    `parquet:"dst_ip,optional,dict" key:"dst_ip"`
	DstPort    *uint16   `parquet:"dst_port,optional" key:"dst_port"`
	Frames     []int64   `parquet:"frames,list" key:"frames"`
	FrameFiles []string  `parquet:"frame_files,list,dict"`
	Segments   int32     `parquet:"segments" key:"pieces.segments"`
	Records    int32     `parquet:"records" key:"pieces.records"`
	Packets    int32     `parquet:"packets" key:"pieces.packets"`
	Datagrams  int32     `parquet:"datagrams" key:"pieces.datagrams"`
	HelloIndex int32     `parquet:"hello_index" key:"hello_index"`

	Length              *int32   `parquet:"length,optional" key:"client_hello.length"`
	LegacyVersion       *uint16  `parquet:"legacy_version,optional" key:"client_hello.legacy_version"`
	Random              []byte   `parquet:"random,optional" key:"client_hello.random"`
	SessionID           []byte   `parquet:"session_id,optional" key:"client_hello.session_id"`
	CipherSuites        []uint16 `parquet:"cipher_suites,list" key:"client_hello.cipher_suites"`
	CompressionMethods  []uint16 `parquet:"compression_methods,list" key:"client_hello.compression_methods"`
	Extensions          []uint16 `parquet:"extensions,list" key:"client_hello.extensions"`
	ServerName          string   `parquet:"server_name,optional,dict" key:"client_hello.server_name"`
	ALPN                []string `parquet:"alpn,list,dict" key:"client_hello.alpn"`
	SupportedVersions   []uint16 `parquet:"supported_versions,list" key:"client_hello.supported_versions"`
	Groups              []uint16 `parquet:"groups,list" key:"client_hello.supported_groups"`
	KeyShareGroups      []uint16 `parquet:"key_share_groups,list" key:"client_hello.key_share_groups"`
	SignatureAlgorithms []uint16 `parquet:"signature_algorithms,list" key:"client_hello.signature_algorithms"`
	ECHType             *uint16  `parquet:"ech_type,optional" key:"client_hello.ech.type"`
	MalformedExtensions []uint16 `parquet:"malformed_extensions,list" key:"client_hello.malformed_extensions"`

	FlagsExtension *uint16  `parquet:"tls_flags_extension,optional" key:"tls_flags.extension"`
	FlagsData      []byte   `parquet:"tls_flags_data,optional" key:"tls_flags.data"`
	Flags          []uint16 `parquet:"flags,list" key:"tls_flags.flags"`
	FlagsError     string   `parquet:"tls_flags_error,optional,dict" key:"tls_flags.error"`
	FlagsChanged   *bool    `parquet:"tls_flags_changed,optional" key:"tls_flags_changed"`
	RequestMTLS    bool     `parquet:"request_mtls" key:"request_mtls"`
	Acknowledged   *bool    `parquet:"request_mtls_acknowledged,optional" key:"request_mtls_acknowledged"`
	JA4            string   `parquet:"ja4,optional,dict" key:"ja4"`

	Error        string   `parquet:"error,optional,dict" key:"error"`
	ErrorOffset  *int32   `parquet:"error_offset,optional" key:"error.offset"`
	ErrorAlert   *uint16  `parquet:"error_alert,optional" key:"error.alert"`
	Ambiguous    []string `parquet:"ambiguous,list,dict" key:"ambiguous"`
	Faults       []string `parquet:"faults,list,dict" key:"faults"`
	FaultOffsets []int32  `parquet:"fault_offsets,list"`
	Contradicts  []int64  `parquet:"contradicts,list" key:"contradicts"`
	Path         []string `parquet:"path,list,dict" key:"path"`

	PrologueProtocol string  `parquet:"prologue_protocol,optional,dict" key:"prologue.protocol"`
	PrologueLength   *int32  `parquet:"prologue_length,optional" key:"prologue.length"`
	QUICVersion      *uint32 `parquet:"quic_version,optional" key:"quic.version"`
	QUICDCID         []byte  `parquet:"quic_dcid,optional" key:"quic.dcid"`
	QUICSCID         []byte  `parquet:"quic_scid,optional" key:"quic.scid"`
	QUICTokenLength  *int32  `parquet:"quic_token_length,optional" key:"quic.token_length"`
	QUICRetry        *bool   `parquet:"quic_retry,optional" key:"quic.retry"`
	DTLSVersion      *uint16 `parquet:"dtls_version,optional" key:"dtls.version"`
	DTLSMessageSeq   *int32  `parquet:"dtls_message_seq,optional" key:"dtls.message_seq"`

	Message []byte `parquet:"message,optional" key:"message"`
}

// Of returns the row of a hello that was found in source. The row shares memory with the
// hello, so it is valid as long as that. FrameFiles and Acknowledged stay nil.
func Of(source string, h *capture.Hello) Row {
	r := Row{
		Source:           text(source),
		Transport:        string(h.Transport),
		Segments:         int32(h.Pieces.Segments),
		Records:          int32(h.Pieces.Records),
		Packets:          int32(h.Pieces.Packets),
		Datagrams:        int32(h.Pieces.Datagrams),
		HelloIndex:       int32(h.Index),
		PrologueProtocol: h.PrologueProtocol,
		Path:             h.Path,
		Message:          present(h.Message),
	}
	if year := h.Time.UTC().Year(); !h.Time.IsZero() && 0 <= year && year <= 9999 {
		r.Time = h.Time.UTC().Truncate(time.Microsecond)
	}
	if h.Src.IsValid() {
		r.SrcIP, r.SrcPort = h.Src.Addr().String(), new(h.Src.Port())
	} else {
		r.Transport = string(capture.Raw)
	}
	if h.Dst.IsValid() {
		r.DstIP, r.DstPort = h.Dst.Addr().String(), new(h.Dst.Port())
	}
	r.Frames, r.Contradicts = numbers(h.Frames), numbers(h.Contradicts)
	for reason := range h.Ambiguous.All() {
		r.Ambiguous = append(r.Ambiguous, reason.String())
	}
	for _, f := range h.Faults {
		r.Faults, r.FaultOffsets = append(r.Faults, f.Code), append(r.FaultOffsets, int32(f.Offset))
	}
	if h.Prologue > 0 {
		r.PrologueLength = new(int32(h.Prologue))
	}
	if h.Index > 1 {
		r.FlagsChanged = new(h.FlagsChanged)
	}
	switch {
	case h.Transport == capture.QUIC:
		r.QUICVersion, r.QUICDCID, r.QUICSCID = new(h.QUIC.Version), present(h.QUIC.DCID), present(h.QUIC.SCID)
		r.QUICTokenLength, r.QUICRetry = new(int32(h.QUIC.TokenLength)), new(h.QUIC.Retry)
	case h.DTLS.Version != 0:
		r.DTLSVersion, r.DTLSMessageSeq = new(h.DTLS.Version), new(int32(h.DTLS.MessageSeq))
	}
	if h.Found() {
		r.parse(h)
	}
	return r
}

// parse fills in what is in the message, or why it was refused.
func (r *Row) parse(h *capture.Hello) {
	msg, offset, err := h.Parse()
	if code, ok := err.(extension.Code); ok {
		r.Error, r.ErrorOffset, r.ErrorAlert = code.Name(), new(int32(offset)), new(uint16(code.Alert()))
		return
	}
	r.Length, r.LegacyVersion = new(int32(len(msg.Raw()))), new(uint16(msg.LegacyVersion()))
	r.Random = msg.Random()
	if id := msg.LegacySessionID(); len(id) <= 32 { // a longer one is among the faults
		r.SessionID = present(id)
	}
	r.CipherSuites = values(msg.CipherSuites())
	for _, m := range msg.LegacyCompressionMethods() {
		r.CompressionMethods = append(r.CompressionMethods, uint16(m))
	}
	transport := h.Transport
	if transport == capture.Raw { // TLS in something else than TCP
		transport = capture.TCP
	}
	r.JA4 = fingerprint.SumJA4(msg, fingerprint.Transport(transport[0])).String()
	r.readExtensions(msg)
	r.readFlags(msg)
}

// described are the extensions whose bodies are read.
var described = []extension.Type{
	extension.ServerName, extension.ALPN, extension.SupportedVersions, extension.SupportedGroups,
	extension.KeyShare, extension.SignatureAlgorithms, extension.EncryptedClientHello,
}

// readExtensions fills in the bodies; a malformed one gives nothing.
func (r *Row) readExtensions(msg clienthello.ClientHello) {
	for e := range msg.Extensions().All() {
		r.Extensions = append(r.Extensions, uint16(e.Type))
	}
	name, _ := msg.ServerName()
	r.ServerName = text(string(name))
	protocols, _ := msg.ALPN()
	for name := range protocols.All() {
		r.ALPN = append(r.ALPN, text(string(name)))
	}
	versions, _ := msg.SupportedVersions()
	groups, _ := msg.SupportedGroups()
	schemes, _ := msg.SignatureAlgorithms()
	r.SupportedVersions, r.Groups, r.SignatureAlgorithms = values(versions), values(groups), values(schemes)
	if shares, err := msg.KeyShares(); err == nil {
		for share := range shares.All() {
			r.KeyShareGroups = append(r.KeyShareGroups, uint16(share.Group))
		}
	}
	if ech, ok, err := msg.EncryptedClientHello(); ok && err == nil {
		r.ECHType = new(uint16(ech.Type))
	}
	for _, t := range described {
		if _, err := msg.CheckExtension(t); err != nil {
			r.MalformedExtensions = append(r.MalformedExtensions, uint16(t))
		}
	}
}

func (r *Row) readFlags(msg clienthello.ClientHello) {
	e, ok := msg.Extensions().FlagsExtension()
	if !ok {
		return
	}
	r.FlagsExtension, r.FlagsData = new(uint16(e.Type)), present(e.Data)
	flags, _, err := msg.Flags()
	if code, ok := err.(extension.Code); ok {
		r.FlagsError = code.Name()
	}
	for f := range flags.All() {
		r.Flags = append(r.Flags, uint16(f))
	}
	r.RequestMTLS = msg.HasFlag(extension.RequestMTLS)
}

// text replaces what is not UTF-8, which readers of Parquet refuse.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// present returns b, but not nil: what is there and empty is not null.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func numbers(list []int) []int64 {
	var all []int64
	for _, n := range list {
		all = append(all, int64(n))
	}
	return all
}

func values[T interface {
	~uint16
	Name() string
}](v clienthello.Vector[T]) []uint16 {
	var all []uint16
	for x := range v.All() {
		all = append(all, uint16(x))
	}
	return all
}
