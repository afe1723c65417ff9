package main

import (
	"fmt"

	"github.com/tlsflags/tlsflags/vectors"
)

// The functions below are the vocabulary in which groups are written.

// accept makes a test of a valid input.
func accept(id string, input []byte, parsed vectors.Parsed, comment string, flags ...string) vectors.Test {
	return vectors.Test{
		ID:      id,
		Comment: comment,
		Flags:   append([]string{}, flags...),
		Input:   nonNil(input),
		Result:  vectors.Valid,
		Parsed:  &parsed,
	}
}

// refuse makes a test of an invalid input: code says why, and offset is where the
// field begins that cannot be accepted.
func refuse(id string, input []byte, code string, offset int, comment string, flags ...string) vectors.Test {
	v := verdictOf(code)
	return vectors.Test{
		ID:           id,
		Comment:      comment,
		Flags:        append([]string{}, flags...),
		Input:        nonNil(input),
		Result:       vectors.Invalid,
		Code:         code,
		Offset:       &offset,
		Alert:        &v.alert,
		Alternatives: v.alternatives,
	}
}

// byteCount is a number of bytes for a comment.
func byteCount(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// nonNil makes sure that an empty input is written, and not left out.
func nonNil(b []byte) vectors.Bytes {
	if b == nil {
		return vectors.Bytes{}
	}
	return b
}

// setsFlags is what is parsed of extension_data.
func setsFlags(flags ...uint16) vectors.Parsed {
	return vectors.Parsed{Flags: append([]uint16{}, flags...)}
}

// reads adds what another version of a document says about the input.
func reads(t vectors.Test, document string, result vectors.Result, flags ...uint16) vectors.Test {
	t.Readings = append(t.Readings, vectors.Reading{
		Document: document, Result: result, Flags: append([]uint16{}, flags...),
	})
	return t
}

type verdict struct {
	alert        vectors.Alert
	alternatives []vectors.Alternative
}

func alert(name, clause string) vectors.Alert {
	value, ok := alerts[name]
	if !ok {
		panic(fmt.Sprintf("no alert is %s", name))
	}
	return vectors.Alert{Value: value, Name: name, Clause: clause}
}

func verdictOf(code string) verdict {
	v, ok := verdicts[code]
	if !ok {
		panic(fmt.Sprintf("no verdict is %s", code))
	}
	if v.alternatives == nil {
		v.alternatives = []vectors.Alternative{}
	}
	return v
}

// alerts are the alerts of RFC 9846, Section 6 that verdicts name.
var alerts = map[string]uint8{
	"unexpected_message":    10,
	"record_overflow":       22,
	"handshake_failure":     40,
	"bad_certificate":       42,
	"illegal_parameter":     47,
	"decode_error":          50,
	"protocol_version":      70,
	"internal_error":        80,
	"missing_extension":     109,
	"unsupported_extension": 110,
	"certificate_required":  116,
}

const (
	flagsSection2 = "draft-ietf-tls-tlsflags-16, Section 2"
	flagsSection3 = "draft-ietf-tls-tlsflags-16, Section 3"
)

// framing are the alternatives for tls_flags that are no vector of 1 to 255 octets:
// the draft calls every invalid extension an illegal parameter, RFC 9846 calls what
// does not decode a decode error.
var framing = []vectors.Alternative{{
	Alert:  "decode_error",
	Clause: "RFC 9846, Section 4.3",
	Who:    "BoringSSL, in NewSessionTicket",
}}

// malformed are the alternatives for lengths that contradict each other.
var malformed = []vectors.Alternative{{Alert: "decode_error", Clause: "RFC 9846, Section 6.2"}}

// verdicts say of each code which alert is sent, and why.
var verdicts = map[string]verdict{
	"empty_data":     {alert("illegal_parameter", flagsSection3), framing},
	"empty_vector":   {alert("illegal_parameter", flagsSection3), framing},
	"inner_too_long": {alert("illegal_parameter", flagsSection3), framing},
	"trailing_bytes": {alert("illegal_parameter", flagsSection3), framing},
	"all_zero":       {alert("illegal_parameter", flagsSection2), nil},
	"trailing_zero":  {alert("illegal_parameter", flagsSection2), nil},

	"truncated":          {alert("decode_error", "RFC 9846, Section 6.2"), nil},
	"wrong_message_type": {alert("unexpected_message", "RFC 9846, Section 4"), nil},
	"message_too_large": {alert("decode_error", "RFC 9846, Section 4.2.2"), []vectors.Alternative{
		{Alert: "illegal_parameter", Who: "OpenSSL 3.0"},
	}},
	"field_overrun":       {alert("decode_error", "RFC 9846, Section 6.2"), nil},
	"stray_bytes":         {alert("decode_error", "RFC 9846, Section 4.2.2"), nil},
	"session_id_too_long": {alert("decode_error", "RFC 9846, Section 4.2.2"), nil},
	"cipher_suites_empty": {alert("decode_error", "RFC 9846, Section 4.2.2"), []vectors.Alternative{
		{Alert: "illegal_parameter", Who: "OpenSSL 3.0"},
		{Alert: "handshake_failure", Who: "Go 1.26 crypto/tls"},
	}},
	"cipher_suites_odd": {alert("decode_error", "RFC 9846, Section 4.2.2"), nil},
	"compression_methods_empty": {alert("decode_error", "RFC 9846, Section 4.2.2"), []vectors.Alternative{
		{Alert: "illegal_parameter", Who: "Go 1.26 crypto/tls"},
	}},
	"extension_overrun": {alert("decode_error", "RFC 9846, Section 4.3"), nil},
	"duplicate_extension": {alert("illegal_parameter", "RFC 9846, Section 4.3"), []vectors.Alternative{
		{Alert: "decode_error", Clause: "RFC 9846, Section 4.3, which names no alert", Who: "BoringSSL, Go 1.26 crypto/tls"},
	}},
	"vector_size":        {alert("decode_error", "RFC 9846, Section 6.2"), nil},
	"illegal_value":      {alert("illegal_parameter", "RFC 9846, Section 6.2"), nil},
	"over_limit":         {alert("internal_error", "RFC 9846, Section 6.2"), nil},
	"record_overflow":    {alert("record_overflow", "RFC 9846, Section 5.1"), nil},
	"record_empty":       {alert("unexpected_message", "RFC 9846, Section 5.1"), nil},
	"record_interleaved": {alert("unexpected_message", "RFC 9846, Section 5.1"), nil},
	"record_version": {alert("protocol_version", "RFC 9846, Section 5.1"), []vectors.Alternative{
		{Alert: "decode_error", Clause: "RFC 9846, Section 6.2"},
	}},
	"sslv2_hello":       {alert("protocol_version", "RFC 9846, Appendix E.5"), nil},
	"overlap_changed":   {alert("illegal_parameter", "RFC 9147, Section 5.5; RFC 9000, Section 2.2"), nil},
	"fragment_mismatch": {alert("illegal_parameter", "RFC 9147, Section 5.5"), malformed},
	"fragment_overrun":  {alert("illegal_parameter", "RFC 9147, Section 5.2"), malformed},
	"frame_type":        {alert("unexpected_message", "RFC 9000, Section 17.2.2"), nil},
	"crypto_offset":     {alert("decode_error", "RFC 9000, Section 19.6"), nil},
	"vector_empty":      {alert("decode_error", "RFC 9846, Section 6.2"), nil},
	"flags_unrequested": {alert("unsupported_extension", "RFC 9846, Section 4.3"), []vectors.Alternative{
		{Alert: "illegal_parameter", Clause: flagsSection3},
	}},
	"flag_unsolicited":     {alert("illegal_parameter", flagsSection3), nil},
	"flag_misplaced":       {alert("illegal_parameter", "draft-ietf-tls-tlsflags-16, Section 4"), nil},
	"second_hello_changed": {alert("illegal_parameter", "RFC 9846, Section 4.2.2"), nil},
	"pre_shared_key_not_last": {alert("illegal_parameter", "RFC 9846, Section 4.3.11"), []vectors.Alternative{
		{Alert: "decode_error", Who: "Go 1.26 crypto/tls"},
	}},
}
