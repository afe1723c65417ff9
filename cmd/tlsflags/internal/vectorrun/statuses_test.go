package vectorrun

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// verdictOf is the answer that has every key of a test.
func verdictOf(t test) Answer {
	want := t.want
	a := Answer{ID: t.ID, Result: want.Result, Code: want.Code, Offset: want.Offset, Outcome: want.Outcome, Action: want.Action, Joined: want.Joined}
	switch {
	case want.Alert != nil:
		a.Alert = new(int(want.Alert.Value))
	case want.QUICError != nil:
		a.QUICError = new(int(want.QUICError.Value))
	}
	if p := want.Parsed; p != nil && want.Result == vectors.Valid {
		a.Flags, a.FlagsExtension = append([]uint16{}, p.Flags...), &p.FlagsExtension
		if p.ClientHello != nil {
			a.ClientHello = membersOf(p.ClientHello)
		}
	}
	return a
}

// alertNamed returns the number of an alert.
func alertNamed(name string) *int {
	for n := range 256 {
		if extension.Alert(n).String() == name {
			return &n
		}
	}
	return nil
}

// TestStatuses checks the status of published tests: the verdict passes, an alternative is
// a disagreement, and what is neither fails.
func TestStatuses(t *testing.T) {
	check := func(asked test, a Answer, want Status) {
		t.Helper()
		if o := compare(asked, a); o.Status != want || want == Pass && o.Unchecked != nil {
			t.Errorf("%s: %+v is %+v, want %s", asked.ID, a, o, want)
		}
	}
	for _, g := range everything(t, "valid").Suite.Groups {
		for _, asked := range g.Tests {
			parts := []test{asked}
			if asked.Prefixes != nil {
				parts = partsOf(asked)
			}
			for _, part := range parts {
				right := verdictOf(part)
				check(part, right, Pass)
				for _, alternative := range part.want.Alternatives {
					check(part, answerOf(part, alternative), Disagree)
				}
				if part.want.Result == vectors.Invalid {
					other := right
					other.Alert, other.QUICError = new(200), nil // no test has this alert
					check(part, other, Fail)
				}
				if right.Flags != nil {
					other := right
					other.Flags = append(slices.Clip(right.Flags), 2039)
					check(part, other, Fail)
				}
				if right.Joined != nil {
					other := right
					other.Joined = right.Joined[1:]
					check(part, other, Fail)
				}
			}
		}
	}
}

// answerOf is the answer that an alternative describes.
func answerOf(t test, alternative vectors.Alternative) Answer {
	a := Answer{ID: t.ID, Result: alternative.Result, Outcome: alternative.Outcome, Alert: alertNamed(alternative.Alert), Action: t.want.Action}
	if i := slices.Index(quicErrors[:], alternative.QUICError); i >= 0 {
		a.QUICError = &i
	}
	return a
}
