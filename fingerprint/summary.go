package fingerprint

import (
	"strconv"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// AppendSummary appends a line about a hello for logs, without a line feed, to b: keys and
// values of what the hello has, such as
//
//	ja4=t13d1516h2_8daaf6152771_02713d6af862 version="TLS 1.3" server_name=example.com alpn=h2,http/1.1 tls_flags=request_mtls
//
// The keys are those of the JSON of the tlsflags command, ech is outer or inner. They keep
// their order; further ones may be appended. A value, or an element of a list, is a quoted
// Go string in ASCII if it has other characters than printable ASCII, or a space, comma,
// quotation mark, equals sign or backslash.
func AppendSummary(b []byte, h clienthello.ClientHello, t Transport) []byte {
	var f clienthello.Fields
	h.ReadFields(&f)
	ja4 := SumJA4(h, t)
	b = append(append(b, "ja4="...), ja4[:]...)
	b = appendQuoted(append(b, " version="...), []byte(highestVersion(h).String()))
	if len(f.ServerName) > 0 {
		b = appendQuoted(append(b, " server_name="...), f.ServerName)
	}
	separator := " alpn="
	for name := range f.ALPN.All() {
		b = appendQuoted(append(b, separator...), name)
		separator = ","
	}
	separator = " tls_flags="
	for flag := range f.Flags.All() {
		b = appendQuoted(append(b, separator...), []byte(flag.String()))
		separator = ","
	}
	if f.Has(extension.EncryptedClientHello) && !f.Malformed(extension.EncryptedClientHello) {
		b = append(append(b, " ech="...), echType(f.EncryptedClientHello)...)
	}
	return b
}

func echType(e clienthello.ECH) string {
	if e.Type == clienthello.ECHInner {
		return "inner"
	}
	return "outer"
}

func appendQuoted(b, value []byte) []byte {
	for _, c := range value {
		if c <= ' ' || c > '~' || c == ',' || c == '"' || c == '=' || c == '\\' {
			return strconv.AppendQuoteToASCII(b, string(value))
		}
	}
	return append(b, value...)
}
