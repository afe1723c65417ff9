package vectorrun

import (
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

func TestCompare(t *testing.T) {
	hello := &vectors.Hello{CipherSuites: vectors.CipherSuites{Count: 2, First: 3, Last: 4}, ALPN: []string{}, ServerName: new("a<b")}
	valid := &vectors.Test{Result: vectors.Valid, Parsed: &vectors.Parsed{Flags: []uint16{8, 80}, FlagsExtension: 62}}
	withHello := &vectors.Test{Result: vectors.Valid, Parsed: &vectors.Parsed{Flags: []uint16{}, ClientHello: hello}}
	invalid := &vectors.Test{
		Result: vectors.Invalid, Code: "trailing_zero", Offset: new(2), Alert: &vectors.Alert{Name: "illegal_parameter"},
		Alternatives: []vectors.Alternative{{Result: vectors.Invalid, Alert: "decode_error"}, {Result: vectors.Invalid, Alert: "handshake_failure"}, {Result: vectors.Valid}},
	}
	strict := &vectors.Test{Result: vectors.Valid, Parsed: valid.Parsed, Alternatives: []vectors.Alternative{{Result: vectors.Invalid, Alert: "decode_error"}}}
	action := &vectors.Test{Result: vectors.Valid, Action: "go_on"}
	abort := &vectors.Test{Result: vectors.Invalid, Action: "abort", Alert: &vectors.Alert{Name: "illegal_parameter"}, Alternatives: invalid.Alternatives}
	complete := &vectors.Test{
		Result: vectors.Valid, Outcome: "complete", Pieces: []vectors.Bytes{{1, 2}}, Joined: vectors.Bytes{1, 2}, Parsed: valid.Parsed,
		Alternatives: []vectors.Alternative{{Result: vectors.Invalid, Outcome: "refused", Alert: "decode_error"}},
	}
	more := &vectors.Test{
		Result: vectors.Invalid, Outcome: "need_more", Pieces: []vectors.Bytes{{1}},
		Alternatives: []vectors.Alternative{{Result: vectors.Invalid, Outcome: "not_this_protocol"}, {Result: vectors.Valid, Outcome: "complete"}},
	}
	refused := &vectors.Test{Result: vectors.Invalid, Outcome: "refused", Pieces: []vectors.Bytes{{1}}, Alert: &vectors.Alert{Name: "unexpected_message"}}
	frame := &vectors.Test{
		Result: vectors.Invalid, Outcome: "refused", Pieces: []vectors.Bytes{{1}}, QUICError: &vectors.QUICError{Name: "PROTOCOL_VIOLATION"},
		Alternatives: []vectors.Alternative{{Result: vectors.Invalid, Outcome: "refused", QUICError: "FRAME_ENCODING_ERROR"}, {Result: vectors.Invalid, Outcome: "need_more"}},
	}
	foreign := &vectors.Test{Result: vectors.Invalid, Outcome: "not_this_protocol", Pieces: []vectors.Bytes{{1}}}
	ok := func(a Answer) Answer { a.Result = vectors.Valid; return a }
	bad := func(a Answer) Answer { a.Result = vectors.Invalid; return a }
	flags := []uint16{8, 80}
	for _, tt := range []struct {
		name      string
		test      *vectors.Test
		answer    Answer
		want      [3]string
		unchecked string
	}{
		{"skipped", invalid, Answer{Result: Skipped}, [3]string{"skip"}, ""},
		{"another result", valid, bad(Answer{}), [3]string{"fail", "invalid", "valid"}, ""},
		{"another result with a code", valid, bad(Answer{Code: "x"}), [3]string{"fail", "invalid, x", "valid"}, ""},
		{"another result than an action", action, bad(Answer{}), [3]string{"fail", "invalid", "valid, go_on"}, ""},
		{"a result that is an alternative", invalid, ok(Answer{Alert: new(1)}), [3]string{"disagree", "valid", "invalid, trailing_zero"}, ""},
		{"a result and an alert that are an alternative", strict, bad(Answer{Alert: new(50)}), [3]string{"disagree", "invalid", "valid"}, ""},
		{"a result without the alert of the alternative", strict, bad(Answer{}), [3]string{"disagree", "invalid", "valid"}, ""},
		{"a result with another alert than the alternative", strict, bad(Answer{Alert: new(47)}), [3]string{"fail", "invalid", "valid"}, ""},

		{"valid alone", valid, ok(Answer{}), [3]string{"unchecked", "no flags", "flags [8 80]"}, "flags flags_extension"},
		{"the flags", valid, ok(Answer{Flags: flags}), [3]string{"pass"}, "flags_extension"},
		{"the flags and their extension", valid, ok(Answer{Flags: flags, FlagsExtension: new(uint16(62))}), [3]string{"pass"}, ""},
		{"other flags", valid, ok(Answer{Flags: flags[:1]}), [3]string{"fail", "flags [8]", "flags [8 80]"}, "flags_extension"},
		{"no flags", valid, ok(Answer{Flags: flags[:0]}), [3]string{"fail", "flags []", "flags [8 80]"}, "flags_extension"},
		{"another extension", valid, ok(Answer{FlagsExtension: new(uint16(65025))}), [3]string{"fail", "flags_extension 65025", "flags_extension 62"}, "flags"},
		{"wrong flags where invalid is an alternative", strict, ok(Answer{Flags: flags[1:]}), [3]string{"fail", "flags [80]", "flags [8 80]"}, "flags_extension"},
		{
			"a hello", withHello, ok(Answer{Flags: flags[:0], FlagsExtension: new(uint16(0)), ClientHello: map[string]any{"server_name": "a<b", "alpn": []any{}, "legacy_version": 0.0}}),
			[3]string{"pass"}, "client_hello.cipher_suites client_hello.compression_methods client_hello.extensions client_hello.session_id client_hello.supported_versions",
		},
		{
			"another server name", withHello, ok(Answer{Flags: flags[:0], ClientHello: map[string]any{"server_name": nil}}), [3]string{"fail", "client_hello.server_name null", `client_hello.server_name "a\u003cb"`},
			"flags_extension client_hello.alpn client_hello.cipher_suites client_hello.compression_methods client_hello.extensions client_hello.legacy_version client_hello.session_id client_hello.supported_versions",
		},

		{"invalid alone", invalid, bad(Answer{}), [3]string{"unchecked", "no alert", "alert illegal_parameter"}, "alert code offset"},
		{"an offset alone", invalid, bad(Answer{Offset: new(2)}), [3]string{"unchecked", "no alert", "alert illegal_parameter"}, "alert code"},
		{"the alert", invalid, bad(Answer{Alert: new(47)}), [3]string{"pass"}, "code offset"},
		{"the code", invalid, bad(Answer{Code: "trailing_zero"}), [3]string{"pass"}, "alert offset"},
		{"everything", invalid, bad(Answer{Code: "trailing_zero", Offset: new(2), Alert: new(47)}), [3]string{"pass"}, ""},
		{"an alternative", invalid, bad(Answer{Alert: new(50)}), [3]string{"disagree", "alert decode_error", "alert illegal_parameter"}, "code offset"},
		{"another alert", invalid, bad(Answer{Alert: new(10), Code: "trailing_zero", Offset: new(2)}), [3]string{"fail", "alert unexpected_message", "alert illegal_parameter"}, ""},
		{"another code", invalid, bad(Answer{Alert: new(47), Code: "all_zero"}), [3]string{"disagree", "code all_zero", "code trailing_zero"}, "offset"},
		{"another offset", invalid, bad(Answer{Alert: new(47), Offset: new(1)}), [3]string{"disagree", "offset 1", "offset 2"}, "code"},
		{"another code and another alert", invalid, bad(Answer{Code: "all_zero", Alert: new(10)}), [3]string{"fail", "alert unexpected_message", "alert illegal_parameter"}, "offset"},
		{"an offset of a test without", refused, bad(Answer{Alert: new(10), Offset: new(1), Code: "x"}), [3]string{"pass"}, "outcome"},

		{"no action", action, ok(Answer{}), [3]string{"unchecked", "no action", "action go_on"}, "action"},
		{"the action", action, ok(Answer{Action: "go_on"}), [3]string{"pass"}, ""},
		{"another action", action, ok(Answer{Action: "abort"}), [3]string{"fail", "action abort", "action go_on"}, ""},
		{"an alert without the action", abort, bad(Answer{Alert: new(47)}), [3]string{"unchecked", "no action", "action abort"}, "action"},
		{"an action with an alternative alert", abort, bad(Answer{Action: "abort", Alert: new(50)}), [3]string{"disagree", "alert decode_error", "alert illegal_parameter"}, ""},
		{"another action with an alternative alert", abort, bad(Answer{Action: "go_on", Alert: new(50)}), [3]string{"fail", "action go_on", "action abort"}, ""},

		{"the flags of pieces", complete, ok(Answer{Outcome: "complete", Flags: flags, FlagsExtension: new(uint16(62))}), [3]string{"unchecked", "no joined", "joined 0102"}, "joined"},
		{"joined", complete, ok(Answer{Joined: vectors.Bytes{1, 2}}), [3]string{"pass"}, "outcome flags flags_extension"},
		{"another message", complete, ok(Answer{Joined: vectors.Bytes{1, 3}, Outcome: "complete", Flags: flags}), [3]string{"fail", "joined 0103", "joined 0102"}, "flags_extension"},
		{"another outcome", complete, ok(Answer{Outcome: "refused"}), [3]string{"fail", "outcome refused", "outcome complete"}, "joined flags flags_extension"},
		{"an outcome that is an alternative", complete, bad(Answer{Outcome: "refused", Alert: new(50)}), [3]string{"disagree", "invalid", "valid"}, ""},
		{"another outcome than the alternative", complete, bad(Answer{Outcome: "need_more", Alert: new(50)}), [3]string{"fail", "invalid", "valid"}, ""},
		{"need_more", more, bad(Answer{Outcome: "need_more"}), [3]string{"pass"}, ""},
		{"need_more, unsaid", more, bad(Answer{Code: "truncated"}), [3]string{"unchecked", "no outcome", "outcome need_more"}, "outcome"},
		{"need_more with an alert", more, bad(Answer{Outcome: "need_more", Alert: new(50)}), [3]string{"fail", "alert decode_error", "alert none"}, ""},
		{"another outcome of the alternatives", more, bad(Answer{Outcome: "not_this_protocol"}), [3]string{"disagree", "outcome not_this_protocol", "outcome need_more"}, ""},
		{"an alternative that is valid", more, ok(Answer{Outcome: "complete", Joined: vectors.Bytes{9}}), [3]string{"disagree", "valid", "invalid"}, ""},
		{"not_this_protocol, unsaid", foreign, bad(Answer{}), [3]string{"unchecked", "no outcome", "outcome not_this_protocol"}, "outcome"},
		{"refused with an alert", refused, bad(Answer{Outcome: "refused", Alert: new(10)}), [3]string{"pass"}, ""},
		{"an alert as an error of QUIC", refused, bad(Answer{Outcome: "refused", QUICError: new(0x10a)}), [3]string{"pass"}, ""},
		{"another alert as an error of QUIC", refused, bad(Answer{QUICError: new(0x0a)}), [3]string{"fail", "alert PROTOCOL_VIOLATION", "alert unexpected_message"}, "outcome"},
		{"an error of QUIC", frame, bad(Answer{QUICError: new(0x0a)}), [3]string{"pass"}, "outcome"},
		{"an alternative error of QUIC", frame, bad(Answer{QUICError: new(7)}), [3]string{"disagree", "quic_error FRAME_ENCODING_ERROR", "quic_error PROTOCOL_VIOLATION"}, "outcome"},
		{"an alternative without an error", frame, bad(Answer{Outcome: "need_more"}), [3]string{"disagree", "outcome need_more", "outcome refused"}, "quic_error"},
		{"an alternative with an error too many", frame, bad(Answer{Outcome: "need_more", QUICError: new(7)}), [3]string{"fail", "outcome need_more", "outcome refused"}, ""},
		{"no error of QUIC", frame, bad(Answer{}), [3]string{"unchecked", "no quic_error", "quic_error PROTOCOL_VIOLATION"}, "outcome quic_error"},
		{"an alert instead of an error of QUIC", frame, bad(Answer{Alert: new(10)}), [3]string{"fail", "quic_error unexpected_message", "quic_error PROTOCOL_VIOLATION"}, "outcome"},
		{"refused alone", refused, bad(Answer{Outcome: "refused"}), [3]string{"unchecked", "no alert", "alert unexpected_message"}, "alert"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := compare(&vectors.Group{Entry: vectors.Handshake}, tt.test, tt.answer)
			if got := [3]string{string(o.Status), o.Got, o.Want}; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := strings.Join(o.Unchecked, " "); got != tt.unchecked {
				t.Errorf("unchecked: %s, want %s", got, tt.unchecked)
			}
		})
	}
}

// The extension that the flags are in is a key only of messages.
func TestCompareExtensionData(t *testing.T) {
	test := &vectors.Test{Result: vectors.Valid, Parsed: &vectors.Parsed{Flags: []uint16{1}}}
	o := compare(&vectors.Group{Entry: vectors.ExtensionData}, test, Answer{Result: vectors.Valid, Flags: []uint16{1}})
	if o.Status != Pass || o.Unchecked != nil {
		t.Errorf("%+v", o)
	}
}

func TestClip(t *testing.T) {
	a, b, z := strings.Repeat("a", 80), strings.Repeat("b", 90), strings.Repeat("z", 16)
	for _, tt := range [][4]string{
		{a + "x", "y", a + "...", "y"},
		{a, a, a, a},
		{z + b, z + a, z + b[:64] + "...", z + a[:64] + "..."},
		{"0" + z + b, "0" + z + "1", "..." + z + b[:64] + "...", "0" + z + "1"},
		{"0" + z + b[:64], "0" + z, "..." + z + b[:64], "0" + z},
		{a + z + "1", a + z + "2", "..." + z + "1", "..." + z + "2"},
	} {
		if got, want := clip(tt[0], tt[1]); got != tt[2] || want != tt[3] {
			t.Errorf("%s, %s:\ngot  %s, %s\nwant %s, %s", tt[0], tt[1], got, want, tt[2], tt[3])
		}
	}
}

// TestAlternativesAtTheEnds checks the lowest and the highest alert, and numbers that are
// no alert but would be one in 8 bits.
func TestAlternativesAtTheEnds(t *testing.T) {
	test := &vectors.Test{Result: vectors.Invalid, Alert: &vectors.Alert{Name: "illegal_parameter"}, Alternatives: []vectors.Alternative{
		{Result: vectors.Invalid, Alert: extension.Alert(0).String()}, {Result: vectors.Invalid, Alert: extension.Alert(255).String()},
	}}
	if name := (Answer{Alert: new(256)}).sent(); name != "alert 256" {
		t.Error(name)
	}
	for alert, want := range map[int]Status{0: Disagree, 255: Disagree, 1: Fail, 254: Fail, 256: Fail, -1: Fail, 511: Fail} {
		if o := compare(&vectors.Group{}, test, Answer{Result: vectors.Invalid, Alert: &alert}); o.Status != want {
			t.Errorf("alert %d: %s, want %s", alert, o.Status, want)
		}
	}
}

func TestSent(t *testing.T) {
	for n, want := range map[int]string{
		-1: "error -0x1", 0: "NO_ERROR", 0x10: "NO_VIABLE_PATH", 0x11: "error 0x11", 0xff: "error 0xff",
		0x100: "close_notify", 0x132: "decode_error", 0x1ff: extension.Alert(255).String(), 0x200: "error 0x200",
	} {
		if got := (Answer{QUICError: &n, Alert: new(47)}).sent(); got != want {
			t.Errorf("%#x: %s, want %s", n, got, want)
		}
	}
	if got := (Answer{}).sent(); got != "" {
		t.Error(got)
	}
}
