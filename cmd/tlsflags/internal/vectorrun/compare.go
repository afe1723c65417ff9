package vectorrun

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tlsflags/tlsflags/vectors"
)

// Status is how the answer to a test compares with its verdict.
type Status string

// The statuses.
const (
	Pass      Status = "pass"
	Fail      Status = "fail"
	Disagree  Status = "disagree"  // an alternative of the test, or another code or offset
	Unchecked Status = "unchecked" // no difference, but the key that decides is missing
	Known     Status = "known"     // a difference that was expected
	Skip      Status = "skip"
)

// severity has the statuses of an answer, the worst last.
var severity = []Status{Pass, Unchecked, Skip, Disagree, Fail}

func (s Status) worse(than Status) bool {
	return slices.Index(severity, s) > slices.Index(severity, than)
}

// A key is one value of a verdict, as text.
type key struct {
	name      string
	got, want string // got is "" if the answer does not have the key
	differ    Status // if got is another value than want
	decides   bool   // an answer needs one of these keys to pass
}

// compare compares an answer with the verdict of a test. The outcome has no ID and no
// Clause yet.
func compare(t test, a Answer) Outcome {
	want := t.want
	if a.Result == Skipped {
		return Outcome{Status: Skip}
	}
	differ := Fail
	if slices.ContainsFunc(want.Alternatives, func(alt vectors.Alternative) bool { return gives(want, a, alt) }) {
		differ = Disagree
	}
	if a.Result != want.Result {
		got, want := clip(describe(a.Result, a.Code), describe(want.Result, want.Code, string(want.Action)))
		return Outcome{Status: differ, Got: got, Want: want}
	}
	o := Outcome{Status: Pass}
	keys := keysOf(t, a, differ)
	for _, k := range keys {
		switch {
		case k.got == "":
			o.Unchecked = append(o.Unchecked, k.name)
		case k.got != k.want && k.differ.worse(o.Status):
			got, want := clip(k.got, k.want)
			o.Status, o.Got, o.Want = k.differ, k.name+" "+got, k.name+" "+want
		}
	}
	if k, ok := undecided(keys); ok && o.Status == Pass {
		_, want := clip("", k.want)
		o.Status, o.Got, o.Want = Unchecked, "no "+k.name, k.name+" "+want
	}
	return o
}

// undecided returns the first key that decides, if the answer has none of them.
func undecided(keys []key) (first key, ok bool) {
	for _, k := range slices.Backward(keys) {
		switch {
		case k.decides && k.got != "":
			return key{}, false
		case k.decides:
			first, ok = k, true
		}
	}
	return first, ok
}

// gives reports whether an answer is the alternative, which has an alert or an error of
// QUIC or neither.
func gives(want verdict, a Answer, alt vectors.Alternative) bool {
	return a.Result == alt.Result &&
		(want.Outcome == "" || a.Outcome == "" || a.Outcome == alt.Outcome) &&
		(a.Result == vectors.Valid || a.sent() == "" || a.sent() == alt.Alert+alt.QUICError)
}

// keysOf returns the keys of a test beside its result. A difference in the outcome or the
// alert has the status differ.
func keysOf(t test, a Answer, differ Status) []key {
	want := t.want
	var keys []key
	add := func(name, got, wanted string, differ Status, decides bool) {
		keys = append(keys, key{name, got, wanted, differ, decides})
	}
	if want.Action != "" {
		add("action", string(a.Action), string(want.Action), Fail, true)
	}
	if want.Outcome != "" {
		add("outcome", string(a.Outcome), string(want.Outcome), differ, want.Outcome == vectors.NeedMore || want.Outcome == vectors.NotThisProtocol)
	}
	if want.Result == vectors.Valid {
		return append(keys, contentKeys(t, a)...)
	}
	fault := want.Action == ""
	switch sent := a.sent(); {
	case want.Alert != nil:
		add("alert", sent, want.Alert.Name, differ, fault)
	case want.QUICError != nil:
		add("quic_error", sent, want.QUICError.Name, differ, fault)
	case sent != "":
		add("alert", sent, "none", differ, false)
	}
	if want.Code != "" {
		add("code", a.Code, want.Code, Disagree, fault)
	}
	if want.Offset != nil {
		add("offset", text(a.Offset, number), number(*want.Offset), Disagree, false)
	}
	return keys
}

// contentKeys returns the keys with the content of a valid input.
func contentKeys(t test, a Answer) []key {
	want := t.want
	var keys []key
	add := func(name, got, wanted string, decides bool) {
		keys = append(keys, key{name, got, wanted, Fail, decides})
	}
	if want.Joined != nil {
		add("joined", hex.EncodeToString(a.Joined), hex.EncodeToString(want.Joined), true)
	}
	if want.Parsed == nil {
		return keys
	}
	flags := ""
	if a.Flags != nil {
		flags = fmt.Sprint(a.Flags)
	}
	add("flags", flags, fmt.Sprint(want.Parsed.Flags), want.Joined == nil)
	if t.Entry != vectors.ExtensionData {
		typ := text(a.FlagsExtension, number)
		if typ == "" && flags == "[]" {
			typ = "0" // tls_flags is never without flags
		}
		add("flags_extension", typ, number(want.Parsed.FlagsExtension), false)
	}
	if want.Parsed.ClientHello == nil {
		return keys
	}
	hello := membersOf(want.Parsed.ClientHello)
	for _, name := range slices.Sorted(maps.Keys(hello)) {
		got := ""
		if member, ok := a.ClientHello[name]; ok {
			got = jsonText(member)
		}
		add("client_hello."+name, got, jsonText(hello[name]), false)
	}
	return keys
}

// membersOf returns the members of a hello by the names that they have in JSON.
func membersOf(h *vectors.Hello) map[string]any {
	var members map[string]any
	if err := json.Unmarshal([]byte(jsonText(h)), &members); err != nil {
		panic(err) // it was written by encoding/json
	}
	return members
}

// helloMembers returns those of any hello.
var helloMembers = sync.OnceValue(func() map[string]any { return membersOf(new(vectors.Hello)) })

// jsonText returns a value that encoding/json can write, which it always does in one way.
func jsonText(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// text returns a value that may be missing.
func text[T any](v *T, format func(T) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}

func number[T int | uint16](n T) string { return fmt.Sprint(n) }

func describe[T ~string](result vectors.Result, details ...T) string {
	words := []string{string(result)}
	for _, d := range details {
		if d != "" {
			words = append(words, string(d))
		}
	}
	return strings.Join(words, ", ")
}

// clip shortens long texts to where they differ.
func clip(got, want string) (string, string) {
	const most, before = 80, 16
	same := 0
	for same < min(len(got), len(want)) && got[same] == want[same] {
		same++
	}
	cut := func(s string) string {
		from := ""
		if len(s) > most && same > before {
			from, s = "...", s[same-before:]
		}
		if len(s) > most {
			s = s[:most] + "..."
		}
		return from + s
	}
	return cut(got), cut(want)
}
