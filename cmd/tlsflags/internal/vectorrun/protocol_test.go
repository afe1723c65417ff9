package vectorrun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
		head + "\t\t\t\t\t\t\t\t771\t0aff\t00": {Result: vectors.Valid, ClientHello: map[string]any{
			"legacy_version": 771, "session_id": "0aff", "compression_methods": "00",
		}},
		head + "\t\t\t\t\t\t\t\t\t-\t?": {Result: vectors.Valid, ClientHello: map[string]any{"session_id": ""}},
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
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Answer{})); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", line, err, diff)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\n": `"a"`, strings.Repeat("a", 80): `"` + strings.Repeat("a", 80) + `"`, strings.Repeat("a", 81): `"` + strings.Repeat("a", 80) + `"...`,
		`{"a":1}`: "`{\"a\":1}`", "\"\x1b": `"\"\x1b"`,
	} {
		if got := quote([]byte(text)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestMalformedJSON(t *testing.T) {
	for line, want := range map[string]string{
		`{"alert":"decode_error"}`: "the answer `{\"alert\":\"decode_error\"}` cannot be read as JSON: a value does not fit: string",
		`{"flags":[65536]}`:        "the answer `{\"flags\":[65536]}` cannot be read as JSON: a value does not fit: number 65536",
		`[]`:                       `the answer "[]" cannot be read as JSON: a value does not fit: array`,
		`{"result":"valid"} {}`:    "the answer `{\"result\":\"valid\"} {}` cannot be read as JSON: invalid character '{' after top-level value",
	} {
		if _, err := JSON.decode([]byte(line + "\n")); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A key that has no meaning is found, also in a batch.
func TestUnknownKeys(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":"x","result":"valid","flag":[1]}`:                       "flag",
		`{"id":"x","client_hello":{"alpn":[],"sni":"a"}}`:              "client_hello.sni",
		`{"id":"x","answers":[{"result":"valid","parsed":{}}]}`:        "parsed",
		`{"id":"x","answers":[{"client_hello":{"server_names":[]}}]}`:  "client_hello.server_names",
		`{"id":"x","answers":[{"client_hello":{"server_name":null}}]}`: "",
	} {
		a, err := JSON.decode([]byte(line))
		if err != nil || a.ID != "x" || a.unknown != want {
			t.Errorf("%s: %q, %v, want %q", line, a.unknown, err, want)
		}
	}
}

// whole accepts what does not end in 0 and has more than a byte, also in a batch.
func whole(flags ...uint16) func(question) Answer {
	return func(q question) Answer {
		a := Answer{ID: q.ID, Result: vectors.Valid, Flags: flags}
		switch {
		case q.Prefixes != nil:
			for n := q.Prefixes.From; n <= q.Prefixes.To+1; n++ {
				a.Answers = append(a.Answers, whole(flags...)(question{Input: q.Input[:n]}))
			}
		case q.Input[len(q.Input)-1] == 0 || len(q.Input) == 1:
			return Answer{ID: q.ID, Result: vectors.Invalid, Code: "truncated", Offset: new(len(q.Input))}
		}
		return a
	}
}

func TestPrefixes(t *testing.T) {
	asked := test{
		question{ID: "x", Entry: vectors.Handshake, Input: vectors.Bytes{1, 0, 0, 2}, Prefixes: &vectors.Range{From: 1, To: 3}},
		verdict{Common: vectors.Common{Result: vectors.Invalid, Code: "truncated", Alert: &vectors.Alert{Name: "decode_error"}}, Parsed: &vectors.Parsed{Flags: []uint16{8}}},
	}
	for _, tt := range []struct {
		implementation string
		batch          bool
		want           Outcome
	}{
		{"whole", false, Outcome{Status: Pass, Unchecked: []string{"alert", "flags_extension"}}},
		{"whole", true, Outcome{Status: Pass, Unchecked: []string{"alert", "flags_extension"}}},
		{"other flags", true, Outcome{Status: Fail, Got: "flags [9] for the first 4 bytes", Want: "flags [8]", Unchecked: []string{"alert", "flags_extension"}}},
		{"no flags", false, Outcome{Status: Unchecked, Got: "no flags for the first 4 bytes", Want: "flags [8]", Unchecked: []string{"alert", "flags", "flags_extension"}}},
		{"truncated", false, Outcome{Status: Fail, Got: "invalid, truncated for the first 4 bytes", Want: "valid", Unchecked: []string{"offset"}}},
		{"valid", false, Outcome{Status: Fail, Got: "valid for the first 1 bytes", Want: "invalid, truncated", Unchecked: []string{"flags", "flags_extension"}}},
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
		got, err := p.ask(t.Context(), c, asked)
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
	o, err := (*process)(nil).ask(t.Context(), Config{Protocol: TSV}, test{question: question{Entry: vectors.Exchange}})
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
		{question{ID: "x"}, Answer{ID: "y", Result: vectors.Valid}, `the answer has the id "y", not that of the question`},
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
