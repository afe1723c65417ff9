package extension_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/extension"
)

// Every code that has a name has a whole row, and no two have the same name.
func TestCodes(t *testing.T) {
	names := make(map[string]extension.Code)
	slug := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for i := range 256 {
		c := extension.Code(i)
		if c.Name() == "" {
			if c.Alert() != extension.AlertInternalError || c.Clause() != "" || !strings.HasPrefix(c.Error(), "tlsflags: code ") {
				t.Errorf("code %d has half a row", i)
			}
			if _, ok := c.AlternativeAlert(); ok {
				t.Errorf("code %d has half a row", i)
			}
			continue
		}
		if other, ok := names[c.Name()]; ok {
			t.Errorf("%q is the name of %d and %d", c.Name(), other, c)
		}
		names[c.Name()] = c
		if !slug.MatchString(c.Name()) || c.Clause() == "" || c.Alert() == 0 || !strings.HasPrefix(c.Error(), "tlsflags: ") {
			t.Errorf("code %d (%q) has half a row", i, c.Name())
		}
		if other, ok := c.AlternativeAlert(); ok && other == c.Alert() {
			t.Errorf("%q has its own alert as the alternative", c.Name())
		}
		if !errors.Is(error(c), c) {
			t.Errorf("%q does not match itself", c.Name())
		}
	}
}

// What each code says, and the alerts for it. vectors/README.md has the same table for readers.
func TestCodeRows(t *testing.T) {
	const draft = "draft-ietf-tls-tlsflags-16, Section "
	rows := []struct {
		code                             extension.Code
		name, alert, alternative, clause string
		text                             string
	}{
		{extension.ErrTruncated, "truncated", "decode_error", "", "RFC 9846, Section 6.2",
			"the message is longer than the bytes given"},
		{extension.ErrMessageType, "wrong_message_type", "unexpected_message", "", "RFC 9846, Section 4",
			"the handshake message has another type"},
		{extension.ErrMessageTooLarge, "message_too_large", "decode_error", "illegal_parameter", "RFC 9846, Section 4.2.2",
			"no valid message is that long"},
		{extension.ErrFieldOverrun, "field_overrun", "decode_error", "", "RFC 9846, Section 6.2",
			"a field reaches beyond the end of what contains it"},
		{extension.ErrStrayBytes, "stray_bytes", "decode_error", "", "RFC 9846, Section 4.2.2",
			"bytes are left over after the last field"},
		{extension.ErrVectorEmpty, "vector_empty", "decode_error", "", "RFC 9846, Section 6.2",
			"a vector that needs an element has none"},
		{extension.ErrVectorSize, "vector_size", "decode_error", "", "RFC 9846, Section 6.2",
			"the length of a vector does not fit its definition"},
		{extension.ErrSessionIDTooLong, "session_id_too_long", "decode_error", "", "RFC 9846, Section 4.2.2",
			"legacy_session_id is longer than 32 bytes"},
		{extension.ErrCipherSuitesEmpty, "cipher_suites_empty", "decode_error", "illegal_parameter", "RFC 9846, Section 4.2.2",
			"cipher_suites is empty"},
		{extension.ErrCipherSuitesOdd, "cipher_suites_odd", "decode_error", "", "RFC 9846, Section 4.2.2",
			"cipher_suites has an odd length"},
		{extension.ErrCompressionMethodsEmpty, "compression_methods_empty", "decode_error", "illegal_parameter", "RFC 9846, Section 4.2.2",
			"legacy_compression_methods is empty"},
		{extension.ErrExtensionOverrun, "extension_overrun", "decode_error", "", "RFC 9846, Section 4.3",
			"an extension reaches beyond the extension block"},
		{extension.ErrDuplicateExtension, "duplicate_extension", "illegal_parameter", "decode_error", "RFC 9846, Section 4.3",
			"an extension type occurs twice in one message"},
		{extension.ErrPreSharedKeyNotLast, "pre_shared_key_not_last", "illegal_parameter", "decode_error", "RFC 9846, Section 4.3.11",
			"an extension follows pre_shared_key"},
		{extension.ErrIllegalValue, "illegal_value", "illegal_parameter", "", "RFC 9846, Section 6.2",
			"a field has a forbidden value"},
		{extension.ErrFragment, "fragment", "decode_error", "", "RFC 9147, Section 5.2",
			"a fragment of a message, not the whole message"},
		{extension.ErrFlagsEmptyData, "empty_data", "illegal_parameter", "decode_error", draft + "3",
			"extension_data of tls_flags is empty"},
		{extension.ErrFlagsEmptyVector, "empty_vector", "illegal_parameter", "decode_error", draft + "3",
			"the flags vector is empty"},
		{extension.ErrFlagsInnerTooLong, "inner_too_long", "illegal_parameter", "decode_error", draft + "3",
			"the flags vector is longer than extension_data"},
		{extension.ErrFlagsTrailingBytes, "trailing_bytes", "illegal_parameter", "decode_error", draft + "3",
			"bytes follow the flags vector"},
		{extension.ErrFlagsAllZero, "all_zero", "illegal_parameter", "", draft + "2",
			"no flag is set"},
		{extension.ErrFlagsTrailingZero, "trailing_zero", "illegal_parameter", "", draft + "2",
			"the last flags octet is zero"},
		{extension.ErrFlagTooLarge, "flag_too_large", "internal_error", "", draft + "2",
			"the flag number is above 2039"},
		{extension.ErrNoFlags, "no_flags", "internal_error", "", draft + "3",
			"the set is empty; leave the extension out"},
		{extension.ErrFlagUnnamed, "flag_unnamed", "internal_error", "", draft + "4",
			"a flag of the registry needs a name"},
		{extension.ErrOverLimit, "over_limit", "internal_error", "", "RFC 9846, Section 6.2",
			"the message is longer than the memory set aside for it"},
		{extension.ErrRecordOverflow, "record_overflow", "record_overflow", "", "RFC 9846, Section 5.1",
			"a record holds more than 16384 bytes"},
		{extension.ErrRecordEmpty, "record_empty", "unexpected_message", "", "RFC 9846, Section 5.1",
			"a handshake record is empty"},
		{extension.ErrRecordInterleaved, "record_interleaved", "unexpected_message", "", "RFC 9846, Section 5.1",
			"a record of another type is inside a handshake message"},
		{extension.ErrSSLv2Hello, "sslv2_hello", "protocol_version", "", "RFC 9846, Appendix E.5",
			"an SSLv2-compatible hello, which cannot carry extensions"},
		{extension.ErrOverlapChanged, "overlap_changed", "illegal_parameter", "", "RFC 9147, Section 5.5; RFC 9000, Section 2.2",
			"two copies of the same bytes of a message differ"},
		{extension.ErrFragmentMismatch, "fragment_mismatch", "illegal_parameter", "decode_error", "RFC 9147, Section 5.5",
			"fragments of one message differ in type or length"},
		{extension.ErrFragmentOverrun, "fragment_overrun", "illegal_parameter", "decode_error", "RFC 9147, Section 5.2",
			"a fragment reaches beyond the end of its message"},
		{extension.ErrFrameType, "frame_type", "unexpected_message", "", "RFC 9000, Section 12.4",
			"an Initial packet holds a frame that it may not hold"},
		{extension.ErrCryptoOffset, "crypto_offset", "decode_error", "", "RFC 9000, Section 19.6",
			"CRYPTO data reaches beyond offset 2^62-1"},
		{extension.ErrFlagsMisplaced, "flags_misplaced", "illegal_parameter", "", "RFC 9846, Section 4.3",
			"tls_flags is not allowed in this message"},
		{extension.ErrFlagsUnrequested, "flags_unrequested", "unsupported_extension", "illegal_parameter", "RFC 9846, Section 4.3",
			"tls_flags answers a message that had none"},
		{extension.ErrFlagUnsolicited, "flag_unsolicited", "illegal_parameter", "", draft + "3",
			"a flag answers a message that did not have it"},
		{extension.ErrFlagMisplaced, "flag_misplaced", "illegal_parameter", "", draft + "4",
			"its document does not allow the flag in this message"},
		{extension.ErrSecondHelloChanged, "second_hello_changed", "illegal_parameter", "", "RFC 9846, Section 4.2.2",
			"the second ClientHello has other TLS flags than the first"},
	}
	named := 0
	for i := range 256 {
		if extension.Code(i).Name() != "" {
			named++
		}
	}
	if named != len(rows) {
		t.Errorf("%d codes have a name, and %d are here", named, len(rows))
	}
	for _, row := range rows {
		alternative := ""
		if a, ok := row.code.AlternativeAlert(); ok {
			alternative = a.String()
		}
		got := []string{row.code.Name(), row.code.Alert().String(), alternative, row.code.Clause(), row.code.Error()}
		want := []string{row.name, row.alert, row.alternative, row.clause, "tlsflags: " + row.text}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("code %d (-want +got):\n%s", row.code, diff)
		}
	}
}

// The alerts of RFC 9846, Section 6.
func TestAlertNames(t *testing.T) {
	want := map[extension.Alert]string{
		0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
		40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
		45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
		49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
		71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
		109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
		113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required",
		117: "general_error", 120: "no_application_protocol", 121: "ech_required",
	}
	for i := range 256 {
		a := extension.Alert(i)
		name, ok := want[a]
		if !ok {
			name = fmt.Sprintf("alert(%d)", i)
		}
		if a.String() != name {
			t.Errorf("alert %d is %q, want %q", i, a, name)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[extension.Type]string{
		0: "server_name", 62: "tls_flags", 0x0a0a: "GREASE(0x0a0a)", 0xfafa: "GREASE(0xfafa)", 0x0afa: "extension(2810)", 65000: "extension(65000)",
	} {
		if typ.String() != want {
			t.Errorf("type %d is %q, want %q", int(typ), typ, want)
		}
	}
	names := make(map[string]extension.Type)
	for i := range 1 << 16 {
		typ := extension.Type(i)
		name := typ.Name()
		if other, ok := names[name]; ok && name != "" && !typ.IsGREASE() {
			t.Errorf("%d and %d are called %q", typ, other, name)
		}
		names[name] = typ
	}
	if n := extension.Type(0x0a0a).Name(); n != "GREASE" {
		t.Errorf("a GREASE type is called %q", n)
	}
	if n := extension.Type(65000).Name(); n != "" {
		t.Errorf("an unknown type is called %q", n)
	}
}

func TestMessageNames(t *testing.T) {
	want := []string{"ClientHello", "ServerHello", "HelloRetryRequest", "EncryptedExtensions", "Certificate", "CertificateRequest", "NewSessionTicket", "unknown message"}
	for i, name := range want {
		if got := (extension.ClientHello + extension.MessageKind(i)).String(); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

func TestCodeErr(t *testing.T) {
	if err := extension.Code(0).Err(); err != nil {
		t.Errorf("the zero Code gives the error %v", err)
	}
	if err := extension.ErrTruncated.Err(); err != extension.ErrTruncated {
		t.Errorf("ErrTruncated gives the error %v", err)
	}
}
