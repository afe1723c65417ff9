package main

import (
	"fmt"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// offsets say of each code what begins at the offset of the tests.
var offsets = map[string]string{
	"truncated":                 "the end of the bytes given",
	"wrong_message_type":        "the type of the message",
	"message_too_large":         "the length of the message",
	"field_overrun":             "the length of the vector that is too long; a field without a length; in QUIC the frame, in DTLS the fragment",
	"stray_bytes":               "the first byte that is left over",
	"vector_empty":              "the length of the vector",
	"vector_size":               "the length of the vector",
	"session_id_too_long":       "its length",
	"cipher_suites_empty":       "its length",
	"cipher_suites_odd":         "its length",
	"compression_methods_empty": "its length",
	"extension_overrun":         "the length of extension_data",
	"duplicate_extension":       "the second of the two extensions",
	"pre_shared_key_not_last":   "the extension after pre_shared_key",
	"illegal_value":             "the value or the vector that is forbidden",

	"empty_data":     "where extension_data would begin",
	"empty_vector":   "the length of the vector",
	"inner_too_long": "the length of the vector",
	"trailing_bytes": "the first byte after the vector",
	"all_zero":       "the last octet of the vector, which is the one that must not be zero",
	"trailing_zero":  "the last octet of the vector, which is the one that must not be zero",

	"over_limit":         "the length of the message",
	"record_overflow":    "the length of the record",
	"record_empty":       "the length of the record",
	"record_interleaved": "the record",
	"record_version":     "the version of the record",
	"sslv2_hello":        "the stream: 0",

	"overlap_changed":   "the data of the second frame or fragment",
	"fragment_mismatch": "the type or the length that differs",
	"fragment_overrun":  "fragment_offset",
	"frame_type":        "the frame",
	"crypto_offset":     "the frame",

	"flags_unrequested":    "the extension",
	"flag_unsolicited":     "the octet that has the lowest such flag",
	"flag_misplaced":       "the octet that has the lowest such flag",
	"second_hello_changed": "the extension of the second hello; 0 where it has none",
}

// codeTable says what the codes of the tests mean.
func codeTable(all []vectors.File) (string, error) {
	used := map[string]*vectors.Test{}
	for _, f := range all {
		for _, t := range f.All() {
			if t.Code != "" {
				used[t.Code] = t
			}
		}
	}
	var b strings.Builder
	b.WriteString("| code | what is wrong | the offset is that of | alert, or an alternative |\n| --- | --- | --- | --- |\n")
	for i := range 256 {
		code := extension.Code(i)
		name := code.Name()
		t := used[name]
		if name == "" || t == nil {
			continue
		}
		delete(used, name)
		if offsets[name] == "" {
			return "", fmt.Errorf("nothing says what the offset of %s is", name)
		}
		sent := []string{fmt.Sprintf("%s (%d)", t.Alert.Name, t.Alert.Value)}
		for _, other := range t.Alternatives {
			sent = append(sent, other.Alert)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, strings.TrimPrefix(code.Error(), "tlsflags: "), offsets[name], strings.Join(sent, ", "))
	}
	for name := range used {
		return "", fmt.Errorf("package extension has no code %s", name)
	}
	return b.String(), nil
}
