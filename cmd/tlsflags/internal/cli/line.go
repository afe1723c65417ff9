package cli

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/extension"
)

// inspectSchema is the value of "schema" in every line. docs/inspect.md states what
// may change without a new number.
const inspectSchema = "tlsflags.inspect/1"

// line is what inspect knows about one ClientHello, also a refused one: an object of
// tlsflags.inspect/1, from which all formats are made. Nil, or an empty optional, means
// absent, redacted or not applicable. The tags are for the test of appendLine.
type line struct {
	Schema          string      `json:"schema"`
	Source          string      `json:"source"`
	Hello           int         `json:"hello"` // its number in the capture, from 1
	Time            optional    `json:"time"`  // RFC 3339, UTC
	Transport       string      `json:"transport"`
	Src             optional    `json:"src"`
	Dst             optional    `json:"dst"`
	SrcIP           optional    `json:"src_ip"`
	SrcPort         *int        `json:"src_port"`
	DstIP           optional    `json:"dst_ip"`
	DstPort         *int        `json:"dst_port"`
	Frames          []int       `json:"frames"`
	Pieces          pieces      `json:"pieces"`
	HelloIndex      int         `json:"hello_index"`
	QUIC            *quicInfo   `json:"quic"`
	DTLS            *dtlsInfo   `json:"dtls"`
	ClientHello     *helloInfo  `json:"client_hello"`
	TLSFlags        *flagsInfo  `json:"tls_flags"`
	TLSFlagsChanged *bool       `json:"tls_flags_changed"`
	RequestMTLS     bool        `json:"request_mtls"`
	JA4             optional    `json:"ja4"`
	ServerFlags     []sentFlags `json:"server_flags"`
	ClientFlags     []sentFlags `json:"client_flags"`
	Acknowledged    *bool       `json:"request_mtls_acknowledged"`
	Error           *refuseInfo `json:"error"`
	Ambiguous       []string    `json:"ambiguous,omitempty"`
	Faults          []oddInfo   `json:"faults,omitempty"`
	Contradicts     []int       `json:"contradicts,omitempty"`
	Path            []string    `json:"path,omitempty"`

	Prologue *prologueInfo `json:"prologue,omitempty"`
	Partial  *partialInfo  `json:"partial,omitempty"`
	Message  optional      `json:"message,omitempty"` // in hexadecimal, with --bytes

	ports    [2]int // to which SrcPort and DstPort point
	hello    *capture.Hello
	redacted bool
}

type (
	codePoint = codepoint.Point
	optional  = codepoint.Optional
)

// pieces counts what the hello was reassembled from.
type pieces struct {
	Segments  int `json:"segments"`
	Records   int `json:"records"`
	Packets   int `json:"packets"`
	Datagrams int `json:"datagrams"`
}

// prologueInfo is what the client sent before TLS.
type prologueInfo struct {
	Protocol optional `json:"protocol"`
	Length   int      `json:"length"`
}

type quicInfo struct {
	Version     codePoint `json:"version"`
	DCID        *string   `json:"dcid"`
	SCID        *string   `json:"scid"`
	TokenLength int       `json:"token_length"`
	Retry       bool      `json:"retry"`
}

type dtlsInfo struct {
	Version      codePoint `json:"version"`
	CookieLength *int      `json:"cookie_length"`
	MessageSeq   int       `json:"message_seq"`
}

type flagsInfo struct {
	Extension codePoint   `json:"extension"`
	Data      string      `json:"data"`
	Flags     []codePoint `json:"flags"`
	Error     *refuseInfo `json:"error"`
}

// sentFlags is a TLS Flags extension of a message that was followed with --keylog.
type sentFlags struct {
	Message string `json:"message"`
	flagsInfo
	Verdict *rulesInfo `json:"verdict"`
}

// rulesInfo is the rule that the flags break.
type rulesInfo struct {
	refuseInfo
	Alternative *codePoint `json:"alternative"`
	Clause      string     `json:"clause"`
	Flag        *codePoint `json:"flag"`
}

type refuseInfo struct {
	Code    string    `json:"code"`
	Offset  int       `json:"offset"`
	Alert   codePoint `json:"alert"`
	Message string    `json:"message"`
}

type oddInfo struct {
	Code   string `json:"code"`
	Offset int    `json:"offset"`
}

func refuse(code extension.Code, offset int) *refuseInfo {
	alert := code.Alert()
	return &refuseInfo{
		Code:    code.Name(),
		Offset:  offset,
		Alert:   codepoint.Of(alert, alert.String()),
		Message: strings.TrimPrefix(code.Error(), "tlsflags: "),
	}
}

func hasTime(t time.Time) bool {
	year := t.UTC().Year()
	return !t.IsZero() && 0 <= year && year <= 9999
}

func (m *lists) describeQUIC(q assemble.QUICInfo) *quicInfo {
	m.ids = [2]string{m.texts.hex(q.DCID), m.texts.hex(q.SCID)}
	m.quic = quicInfo{
		Version:     codepoint.Of(q.Version, quicName(q.Version)),
		DCID:        &m.ids[0],
		SCID:        &m.ids[1],
		TokenLength: q.TokenLength,
		Retry:       q.Retry,
	}
	return &m.quic
}

// describeDTLS returns nil for a message that was in no record.
func describeDTLS(d assemble.DTLSInfo) *dtlsInfo {
	if d.Version == 0 {
		return nil
	}
	version := clienthello.Version(d.Version)
	return &dtlsInfo{Version: codepoint.Of(version, version.Name()), MessageSeq: d.MessageSeq}
}

// quicName names the versions of QUIC that can be opened.
func quicName(version uint32) string {
	switch {
	case version == 1:
		return "QUIC v1"
	case version == 0x6b3343cf:
		return "QUIC v2"
	case version>>8 == 0xff0000:
		return fmt.Sprintf("draft-%02d", version&0xff)
	case version>>8 == 0xfaceb0:
		return fmt.Sprintf("mvfst %02x", version&0xff)
	case version>>8 == 0x543035: // T05 in ASCII
		return "Google T05" + string(rune(version&0xff))
	}
	return ""
}

// describeFlags returns nil if the block has no TLS Flags extension.
func describeFlags(block extension.List) *flagsInfo {
	e, ok := block.FlagsExtension()
	if !ok {
		return nil
	}
	info := &flagsInfo{
		Extension: codepoint.Of(e.Type, e.Type.Name()),
		Data:      hex.EncodeToString(e.Data),
		Flags:     []codePoint{},
	}
	flags, n, err := extension.ParseFlags(e.Data)
	if code, ok := err.(extension.Code); ok {
		info.Error = refuse(code, e.Offset+n)
		return info
	}
	for f := range flags.All() {
		info.Flags = append(info.Flags, codepoint.Of(f, f.Name()))
	}
	return info
}

// redact removes what could tell who talked to whom, or help to find the same hello
// elsewhere.
func (l *line) redact() {
	l.redacted = true
	l.Src, l.Dst = "", ""
	l.SrcIP, l.SrcPort, l.DstIP, l.DstPort = "", nil, "", nil
	l.Path = slices.Clone(l.Path) // the Hello's is shared
	for i, layer := range l.Path {
		if kind, _, _ := strings.Cut(layer, ":"); strings.HasPrefix(kind, "ip") {
			l.Path[i] = kind
		}
	}
	if l.QUIC != nil {
		l.QUIC.DCID, l.QUIC.SCID = nil, nil
	}
	if h := l.readable(); h != nil {
		h.Random, h.SessionID, h.ServerName = nil, nil, ""
		if h.ECH != nil {
			h.ECH.ConfigID = nil
		}
	}
}

// readable returns the hello, or what could be read of a refused one, or nil.
func (l *line) readable() *helloInfo {
	if l.Partial != nil {
		return &l.Partial.helloInfo
	}
	return l.ClientHello
}
