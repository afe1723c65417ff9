package vectorrun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/vectors"
)

func TestEncodeTSV(t *testing.T) {
	for want, q := range map[string]question{
		"a\ttls_flags\textension_data\t0101\t\t\t\t\n": {ID: "a", Kind: "tls_flags", Entry: "extension_data", Input: vectors.Bytes{1, 1}},
		"b\tdtls\tdatagrams\t01,02\t1\tclient\tfinished\t03,04\n": {
			ID: "b", Kind: "dtls", Entry: "datagrams", Pieces: []vectors.Bytes{{1}, {2}}, Memory: 1,
			Sender: "client", Message: "finished", Before: []vectors.Bytes{{3}, {4}},
		},
	} {
		if got, err := TSV.encode(q); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestDecodeTSV(t *testing.T) {
	const head = "id\tvalid\t\t\t\t\t\t"
	none := map[string]any{}
	for line, want := range map[string]Answer{
		"id\tvalid\n": {Result: vectors.Valid, ClientHello: none},
		"id\tvalid\t?\t?\t?\t?\t?\t?\t?\t?\t?\t?\t?\t?\t?": {Result: vectors.Valid, ClientHello: none},
		"id\tvalid\t\t\t\t\t\t\t\t\t\t\t\t":                {Result: vectors.Valid, ClientHello: none},
		"id\tinvalid\tcode\t2147483647\t255\t65535\t0,65535\tneed_more\r\n": {
			Result: vectors.Invalid, Code: "code", Offset: new(1<<31 - 1), Alert: new(255), FlagsExtension: new(uint16(65535)),
			Flags: []uint16{0, 65535}, Outcome: "need_more", ClientHello: none,
		},
		"id\tinvalid\t\t0\t0\t0\t-": {
			Result: vectors.Invalid, Offset: new(0), Alert: new(0), FlagsExtension: new(uint16(0)), Flags: []uint16{}, ClientHello: none,
		},
		head + "\t0aff\ta.example\t6832,0a0a\t772,771\t2,1,65535\t0,65281\t65535": {
			Result: vectors.Valid, Joined: vectors.Bytes{10, 255}, QUICError: new(65535), ClientHello: map[string]any{
				"server_name": "a.example", "alpn": []string{"h2", "\n\n"}, "supported_versions": []uint16{772, 771},
				"cipher_suites": map[string]any{"count": uint16(2), "first": uint16(1), "last": uint16(65535)}, "extensions": []uint16{0, 65281},
			},
		},
		head + "\t\t-\t-\t-\t?\t-": {Result: vectors.Valid, ClientHello: map[string]any{
			"server_name": nil, "alpn": []string{}, "supported_versions": []uint16{}, "extensions": []uint16{},
		}},
	} {
		want.ID = "id"
		got, err := TSV.decode([]byte(line))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", line, err, diff)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\n": `"a"`, strings.Repeat("a", 80): `"` + strings.Repeat("a", 80) + `"`, strings.Repeat("a", 81): `"` + strings.Repeat("a", 80) + `"...`,
	} {
		if got := quote([]byte(text)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestPrefixes(t *testing.T) {
	group := &vectors.Group{Entry: vectors.Handshake, Source: "RFC 1"}
	test := &vectors.Test{
		ID: "x", Input: vectors.Bytes{1, 0, 0, 2}, Prefixes: &vectors.Range{From: 1, To: 3}, Result: vectors.Invalid,
		Code: "truncated", Alert: &vectors.Alert{Name: "decode_error"},
	}
	for _, tt := range []struct {
		implementation string
		batch          bool
		want           Outcome
	}{
		{"whole", false, Outcome{Status: Pass, Unchecked: []string{"alert"}}},
		{"whole", true, Outcome{Status: Pass, Unchecked: []string{"alert"}}},
		{"truncated", false, Outcome{Status: Fail, Got: "invalid, truncated for the first 4 bytes", Want: "valid", Unchecked: []string{"offset"}}},
		{"valid", false, Outcome{Status: Fail, Got: "valid for the first 1 bytes", Want: "invalid, truncated"}},
		{"invalid", false, Outcome{Status: Fail, Got: "invalid for the first 4 bytes", Want: "valid", Unchecked: []string{"alert", "code", "offset"}}},
		{"skipped", false, Outcome{Status: Skip}},
		{"skipped", true, Outcome{Status: Skip}},
	} {
		c := config(t, tt.implementation)
		c.Batch = tt.batch
		p, err := start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.ask(t.Context(), c, group, test)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s, batch %t: %v (-want +got):\n%s", tt.implementation, tt.batch, err, diff)
		}
		if err := p.stop(t.Context(), c.Timeout); err != nil {
			t.Error(err)
		}
	}
}

// A command that does not know batches is told so.
func TestBatchWithoutAnswers(t *testing.T) {
	c := config(t, "valid")
	c.Batch = true
	var err error
	if c.Suite, err = Select(nil, nil, []string{"hello/prefixes/minimal"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "at hello/prefixes/minimal: the batch has 0 answers, not 46") {
		t.Errorf("error is %v", err)
	}
}

// An exchange cannot be asked in TSV.
func TestExchangeInTSV(t *testing.T) {
	o, err := (*process)(nil).ask(t.Context(), Config{Protocol: TSV}, &vectors.Group{Entry: vectors.Exchange}, &vectors.Test{ID: "x"})
	if err != nil || o.Status != Skip {
		t.Errorf("%+v, %v", o, err)
	}
}

// A batch needs an answer for each length and for the whole message.
func TestCheck(t *testing.T) {
	batch := question{ID: "x", Prefixes: &vectors.Range{From: 1, To: 2}}
	valid := Answer{Result: vectors.Valid}
	for _, tt := range []struct {
		q    question
		a    Answer
		want string
	}{
		{question{ID: "x"}, Answer{ID: "x", Result: vectors.Valid}, ""},
		{question{ID: "x"}, Answer{ID: "x", Result: Skipped}, ""},
		{question{ID: "x"}, Answer{ID: "y", Result: vectors.Valid}, `the answer has the id "y"`},
		{question{ID: "x"}, Answer{ID: "x", Answers: []Answer{valid}}, `the result is "", not valid, invalid or skipped`},
		{batch, Answer{ID: "x", Result: Skipped}, ""},
		{batch, Answer{ID: "x", Answers: []Answer{valid, {Result: vectors.Invalid}, {Result: Skipped}}}, ""},
		{batch, Answer{ID: "x", Answers: []Answer{valid, {}, valid}}, `the result is "", not valid, invalid or skipped`},
		{batch, Answer{ID: "x", Answers: []Answer{valid, valid}}, "the batch has 2 answers, not 3: one for each length, and one for the whole input"},
		{batch, Answer{ID: "x", Result: vectors.Valid}, "the batch has 0 answers, not 3: one for each length, and one for the whole input"},
	} {
		err := tt.a.check(tt.q)
		if got := fmt.Sprint(err); got != tt.want && (err != nil || tt.want != "") {
			t.Errorf("%+v: %s, want %s", tt.a, got, tt.want)
		}
	}
}
