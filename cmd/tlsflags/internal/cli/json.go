package cli

import (
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
)

// jsonlPrinter writes one object a line.
type jsonlPrinter struct {
	w      io.Writer
	append func([]byte, *line) []byte
	b      []byte
}

func (p *jsonlPrinter) print(l *line) error {
	p.b = append(p.append(p.b[:0], l), '\n')
	_, err := p.w.Write(p.b)
	return err
}

func (p *jsonlPrinter) close() error { return nil }

// jsonPrinter writes one array with an object a line, without keeping it in memory.
type jsonPrinter struct {
	w       io.Writer
	append  func([]byte, *line) []byte
	b       []byte
	printed bool
}

func (p *jsonPrinter) print(l *line) error {
	p.b = append(p.b[:0], "[\n"...)
	if p.printed {
		p.b = append(p.b[:0], ",\n"...)
	}
	p.printed = true
	p.b = p.append(p.b, l)
	_, err := p.w.Write(p.b)
	return err
}

func (p *jsonPrinter) close() error {
	end := "\n]\n"
	if !p.printed {
		end = "[]\n"
	}
	_, err := io.WriteString(p.w, end)
	return err
}

// appendLine appends l as JSON, with the keys that its tags name. It is written by hand
// because encoding/json takes longer than everything else that is done for a hello.
func appendLine(b []byte, l *line) []byte {
	b = appendPlain(append(b, `{"schema":`...), l.Schema)
	b = appendString(append(b, `,"source":`...), l.Source)
	b = appendInt(append(b, `,"hello":`...), l.Hello)
	b = appendText(append(b, `,"time":`...), l.Time)
	b = appendPlain(append(b, `,"transport":`...), l.Transport)
	b = appendText(append(b, `,"src":`...), l.Src)
	b = appendText(append(b, `,"dst":`...), l.Dst)
	b = appendText(append(b, `,"src_ip":`...), l.SrcIP)
	b = appendNullable(append(b, `,"src_port":`...), l.SrcPort, appendInt)
	b = appendText(append(b, `,"dst_ip":`...), l.DstIP)
	b = appendNullable(append(b, `,"dst_port":`...), l.DstPort, appendInt)
	b = appendList(append(b, `,"frames":`...), l.Frames, appendInt)
	b = appendInt(append(b, `,"pieces":{"segments":`...), l.Pieces.Segments)
	b = appendInt(append(b, `,"records":`...), l.Pieces.Records)
	b = appendInt(append(b, `,"packets":`...), l.Pieces.Packets)
	b = appendInt(append(b, `,"datagrams":`...), l.Pieces.Datagrams)
	b = appendInt(append(b, `},"hello_index":`...), l.HelloIndex)
	b = appendNullable(append(b, `,"quic":`...), l.QUIC, appendQUIC)
	b = appendNullable(append(b, `,"dtls":`...), l.DTLS, appendDTLS)
	b = appendNullable(append(b, `,"client_hello":`...), l.ClientHello, appendHello)
	b = appendNullable(append(b, `,"tls_flags":`...), l.TLSFlags, appendFlags)
	b = appendNullable(append(b, `,"tls_flags_changed":`...), l.TLSFlagsChanged, appendBool)
	b = strconv.AppendBool(append(b, `,"request_mtls":`...), l.RequestMTLS)
	b = appendText(append(b, `,"ja4":`...), l.JA4)
	b = appendList(append(b, `,"server_flags":`...), l.ServerFlags, appendSent)
	b = appendList(append(b, `,"client_flags":`...), l.ClientFlags, appendSent)
	b = appendNullable(append(b, `,"request_mtls_acknowledged":`...), l.Acknowledged, appendBool)
	b = appendNullable(append(b, `,"error":`...), l.Error, appendRefusal)
	b = appendPresent(b, `,"ambiguous":`, l.Ambiguous, appendString)
	b = appendPresent(b, `,"faults":`, l.Faults, appendFault)
	b = appendPresent(b, `,"contradicts":`, l.Contradicts, appendInt)
	b = appendPresent(b, `,"path":`, l.Path, appendPlain)
	if l.Prologue != nil {
		b = appendPrologue(append(b, `,"prologue":`...), *l.Prologue)
	}
	if l.Partial != nil {
		b = appendPartial(append(b, `,"partial":`...), *l.Partial)
	}
	if l.Message != "" {
		b = appendOptional(append(b, `,"message":`...), l.Message)
	}
	return append(b, '}')
}

func appendPrologue(b []byte, p prologueInfo) []byte {
	b = appendOptional(append(b, `{"protocol":`...), p.Protocol)
	return append(appendInt(append(b, `,"length":`...), p.Length), '}')
}

func appendFault(b []byte, f oddInfo) []byte {
	b = appendString(append(b, `{"code":`...), f.Code)
	b = appendInt(append(b, `,"offset":`...), f.Offset)
	return append(b, '}')
}

func appendQUIC(b []byte, q quicInfo) []byte {
	b = appendUint(append(b, `{"version":{"value":`...), uint64(q.Version.Value))
	b = appendOptional(append(b, `,"name":`...), q.Version.Name) // which may end in any byte
	b = appendNullable(append(b, `},"dcid":`...), q.DCID, appendPlain)
	b = appendNullable(append(b, `,"scid":`...), q.SCID, appendPlain)
	b = appendInt(append(b, `,"token_length":`...), q.TokenLength)
	b = strconv.AppendBool(append(b, `,"retry":`...), q.Retry)
	return append(b, '}')
}

func appendDTLS(b []byte, d dtlsInfo) []byte {
	b = appendPoint(append(b, `{"version":`...), d.Version)
	b = appendNullable(append(b, `,"cookie_length":`...), d.CookieLength, appendInt)
	b = appendInt(append(b, `,"message_seq":`...), d.MessageSeq)
	return append(b, '}')
}

func appendHello(b []byte, h helloInfo) []byte {
	b = appendInt(append(b, `{"length":`...), h.Length)
	b = appendPoint(append(b, `,"legacy_version":`...), h.LegacyVersion)
	b = appendNullable(append(b, `,"random":`...), h.Random, appendPlain)
	b = appendNullable(append(b, `,"session_id":`...), h.SessionID, appendPlain)
	b = appendList(append(b, `,"cipher_suites":`...), h.CipherSuites, appendPoint)
	b = appendList(append(b, `,"compression_methods":`...), h.CompressionMethods, appendInt)
	b = appendList(append(b, `,"extensions":`...), h.Extensions, appendExtension)
	b = appendOptional(append(b, `,"server_name":`...), h.ServerName)
	b = appendList(append(b, `,"alpn":`...), h.ALPN, appendString)
	b = appendList(append(b, `,"supported_versions":`...), h.SupportedVersions, appendPoint)
	b = appendList(append(b, `,"supported_groups":`...), h.SupportedGroups, appendPoint)
	b = appendList(append(b, `,"key_share_groups":`...), h.KeyShareGroups, appendPoint)
	b = appendList(append(b, `,"signature_algorithms":`...), h.SignatureAlgorithms, appendPoint)
	b = appendNullable(append(b, `,"ech":`...), h.ECH, appendECH)
	b = appendPresent(b, `,"malformed_extensions":`, h.Malformed, appendMalformed)
	return append(b, '}')
}

func appendECH(b []byte, e echInfo) []byte {
	b = appendPoint(append(b, `{"type":`...), e.Type)
	b = appendNullable(append(b, `,"kdf":`...), e.KDF, appendPoint)
	b = appendNullable(append(b, `,"aead":`...), e.AEAD, appendPoint)
	b = appendNullable(append(b, `,"config_id":`...), e.ConfigID, appendInt)
	b = appendNullable(append(b, `,"enc_length":`...), e.EncLength, appendInt)
	b = appendNullable(append(b, `,"payload_length":`...), e.PayloadLength, appendInt)
	return append(b, '}')
}

func appendMalformed(b []byte, m malformedInfo) []byte {
	b = appendPoint(b, m.codePoint)
	b = appendString(append(b[:len(b)-1], `,"code":`...), m.Code)
	return append(appendInt(append(b, `,"offset":`...), m.Offset), '}')
}

func appendPartial(b []byte, p partialInfo) []byte {
	b = appendHello(b, p.helloInfo)
	b = appendOptional(append(b[:len(b)-1], `,"ja4":`...), p.JA4)
	return append(b, '}')
}

func appendExtension(b []byte, e extensionInfo) []byte {
	b = appendPoint(b, e.codePoint)
	b = appendInt(append(b[:len(b)-1], `,"offset":`...), e.Offset)
	b = appendInt(append(b, `,"length":`...), e.Length)
	return append(b, '}')
}

func appendFlags(b []byte, f flagsInfo) []byte {
	b = appendPoint(append(b, `{"extension":`...), f.Extension)
	b = appendString(append(b, `,"data":`...), f.Data)
	b = appendList(append(b, `,"flags":`...), f.Flags, appendPoint)
	b = appendNullable(append(b, `,"error":`...), f.Error, appendRefusal)
	return append(b, '}')
}

func appendSent(b []byte, f sentFlags) []byte {
	b = appendString(append(b, `{"message":`...), f.Message)
	b = append(b, ',')
	start := len(b)
	b = appendFlags(b, f.flagsInfo)
	b = slices.Delete(b, start, start+1) // its keys are in the same object
	b = appendNullable(append(b[:len(b)-1], `,"verdict":`...), f.Verdict, appendRules)
	return append(b, '}')
}

func appendRules(b []byte, r rulesInfo) []byte {
	b = appendRefusal(b, r.refuseInfo)
	b = appendNullable(append(b[:len(b)-1], `,"alternative":`...), r.Alternative, appendPoint)
	b = appendString(append(b, `,"clause":`...), r.Clause)
	b = appendNullable(append(b, `,"flag":`...), r.Flag, appendPoint)
	return append(b, '}')
}

func appendRefusal(b []byte, e refuseInfo) []byte {
	b = appendString(append(b, `{"code":`...), e.Code)
	b = appendInt(append(b, `,"offset":`...), e.Offset)
	b = appendPoint(append(b, `,"alert":`...), e.Alert)
	b = appendString(append(b, `,"message":`...), e.Message)
	return append(b, '}')
}

// appendPoint appends a number of a registry, whose names need no escape.
func appendPoint(b []byte, p codePoint) []byte {
	b = appendUint(append(b, `{"value":`...), uint64(p.Value))
	return append(appendText(append(b, `,"name":`...), p.Name), '}')
}

func appendInt(b []byte, n int) []byte {
	if n < 0 {
		return strconv.AppendInt(b, int64(n), 10)
	}
	return appendUint(b, uint64(n))
}

// appendUint is strconv.AppendUint, and faster for the numbers that most are.
func appendUint(b []byte, n uint64) []byte {
	digit := func(unit uint64) byte { return '0' + byte(n/unit%10) }
	switch {
	case n < 10:
		return append(b, digit(1))
	case n < 100:
		return append(b, digit(10), digit(1))
	case n < 1000:
		return append(b, digit(100), digit(10), digit(1))
	case n < 10000:
		return append(b, digit(1000), digit(100), digit(10), digit(1))
	case n < 100000:
		return append(b, digit(10000), digit(1000), digit(100), digit(10), digit(1))
	}
	return strconv.AppendUint(b, n, 10)
}

func appendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

func appendOptional(b []byte, s optional) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, string(s))
}

// appendText is appendOptional for a string that needs no escape.
func appendText(b []byte, s optional) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendPlain(b, string(s))
}

// appendPlain is appendString for a string that needs no escape.
func appendPlain(b []byte, s string) []byte {
	return append(append(append(b, '"'), s...), '"')
}

// appendNullable appends null for a nil pointer.
func appendNullable[T any](b []byte, v *T, appendValue func([]byte, T) []byte) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return appendValue(b, *v)
}

// appendList appends null for a nil slice.
func appendList[T any](b []byte, list []T, appendValue func([]byte, T) []byte) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']')
}

// appendPresent appends a key and its list, or nothing for an empty list.
func appendPresent[T any](b []byte, key string, list []T, appendValue func([]byte, T) []byte) []byte {
	if len(list) == 0 {
		return b
	}
	return appendList(append(b, key...), list, appendValue)
}

// appendString appends a JSON string, escaped as terminal.AppendJSON does.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		n := terminal.PlainPrefix(s)
		if b = append(b, s[:n]...); n == len(s) {
			break
		}
		r, size := utf8.DecodeRuneInString(s[n:])
		b = terminal.AppendJSON(b, r)
		s = s[n+size:]
	}
	return append(b, '"')
}
