package vectorrun

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

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
}

// compare compares an answer with the verdict of a test. The outcome has no ID and no
// Clause yet.
func compare(g *vectors.Group, t *vectors.Test, a Answer) Outcome {
	if a.Result == Skipped {
		return Outcome{Status: Skip}
	}
	differ := Fail
	if slices.ContainsFunc(t.Alternatives, func(alt vectors.Alternative) bool { return gives(t, a, alt) }) {
		differ = Disagree
	}
	if a.Result != t.Result {
		return Outcome{Status: differ, Got: describe(a.Result, a.Code), Want: describe(t.Result, t.Code, string(t.Action))}
	}
	o := Outcome{Status: Pass}
	decisive, decided := []key{}, false
	for _, k := range keysOf(g, t, a, differ) {
		if slices.Contains(decisiveKeys(t), k.name) {
			decisive, decided = append(decisive, k), decided || k.got != ""
		}
		switch {
		case k.got == "":
			o.Unchecked = append(o.Unchecked, k.name)
		case k.got != k.want && k.differ.worse(o.Status):
			got, want := clip(k.got, k.want)
			o.Status, o.Got, o.Want = k.differ, k.name+" "+got, k.name+" "+want
		}
	}
	if o.Status == Pass && len(decisive) > 0 && !decided {
		o.Status, o.Got = Unchecked, "no "+decisive[0].name
		_, want := clip("", decisive[0].want)
		o.Want = decisive[0].name + " " + want
	}
	return o
}

// gives reports whether an answer is the alternative, which has an alert or an error of
// QUIC or neither.
func gives(t *vectors.Test, a Answer, alt vectors.Alternative) bool {
	return a.Result == alt.Result &&
		(t.Outcome == "" || a.Outcome == "" || a.Outcome == alt.Outcome) &&
		(a.Result == vectors.Valid || a.sent() == "" || a.sent() == alt.Alert+alt.QUICError)
}

// decisiveKeys names the keys one of which an answer needs to pass.
func decisiveKeys(t *vectors.Test) []string {
	switch {
	case t.Action != "":
		return []string{"action"}
	case t.Outcome == vectors.NeedMore || t.Outcome == vectors.NotThisProtocol:
		return []string{"outcome"}
	case t.Result == vectors.Invalid:
		return []string{"alert", "quic_error", "code"}
	case t.Pieces != nil:
		return []string{"joined"}
	}
	return []string{"flags"}
}

// keysOf returns the keys of a test beside its result. A difference in the outcome or the
// alert has the status differ.
func keysOf(g *vectors.Group, t *vectors.Test, a Answer, differ Status) []key {
	var keys []key
	if t.Action != "" {
		keys = append(keys, key{"action", string(a.Action), string(t.Action), Fail})
	}
	if t.Outcome != "" {
		keys = append(keys, key{"outcome", string(a.Outcome), string(t.Outcome), differ})
	}
	if t.Result == vectors.Valid {
		return append(keys, contentKeys(g, t, a)...)
	}
	switch {
	case t.Alert != nil:
		keys = append(keys, key{"alert", a.sent(), t.Alert.Name, differ})
	case t.QUICError != nil:
		keys = append(keys, key{"quic_error", a.sent(), t.QUICError.Name, differ})
	case a.sent() != "":
		keys = append(keys, key{"alert", a.sent(), "none", differ})
	}
	if t.Code != "" {
		keys = append(keys, key{"code", a.Code, t.Code, Disagree})
	}
	if t.Offset != nil {
		keys = append(keys, key{"offset", text(a.Offset, number), number(*t.Offset), Disagree})
	}
	return keys
}

// contentKeys returns the keys with the content of a valid input.
func contentKeys(g *vectors.Group, t *vectors.Test, a Answer) []key {
	var keys []key
	if t.Joined != nil {
		keys = append(keys, key{"joined", hex.EncodeToString(a.Joined), hex.EncodeToString(t.Joined), Fail})
	}
	if t.Parsed == nil {
		return keys
	}
	flags := key{"flags", "", fmt.Sprint(t.Parsed.Flags), Fail}
	if a.Flags != nil {
		flags.got = fmt.Sprint(a.Flags)
	}
	keys = append(keys, flags)
	if g.Entry != vectors.ExtensionData {
		keys = append(keys, key{"flags_extension", text(a.FlagsExtension, number), number(t.Parsed.FlagsExtension), Fail})
	}
	if t.Parsed.ClientHello == nil {
		return keys
	}
	hello := membersOf(t.Parsed.ClientHello)
	for _, name := range slices.Sorted(maps.Keys(hello)) {
		k := key{"client_hello." + name, "", jsonText(hello[name]), Fail}
		if member, ok := a.ClientHello[name]; ok {
			k.got = jsonText(member)
		}
		keys = append(keys, k)
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
