package vectorrun

import (
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// Status is how an answer compares with a verdict.
type Status string

// The statuses.
const (
	Pass     Status = "pass"
	Fail     Status = "fail"
	Disagree Status = "disagree" // another reading, which the test lists as alternative
	Known    Status = "known"    // a difference that was expected
	Skip     Status = "skip"
)

// compare returns the status of an answer and, unless it passes, what it says and what
// it should say.
func compare(t *vectors.Test, a Answer) (status Status, got, want string) {
	switch {
	case a.Result == Skipped:
		return Skip, "", ""
	case a.Result != t.Result:
		return Fail, describe(a), expected(t)
	case a.Action != "" && a.Action != t.Action:
		return Fail, "action " + string(a.Action), "action " + string(t.Action)
	case a.Outcome != "" && a.Outcome != t.Outcome:
		return Fail, "outcome " + string(a.Outcome), "outcome " + string(t.Outcome)
	case t.Parsed != nil:
		return compareFlags(t, a)
	case t.Alert != nil:
		return compareAlert(t, a)
	}
	return Pass, "", ""
}

func compareFlags(t *vectors.Test, a Answer) (Status, string, string) {
	if a.Flags != nil && !slices.Equal(a.Flags, t.Parsed.Flags) {
		return Fail, fmt.Sprintf("flags %d", a.Flags), fmt.Sprintf("flags %d", t.Parsed.Flags)
	}
	if a.FlagsExtension != nil && *a.FlagsExtension != t.Parsed.FlagsExtension {
		return Fail, fmt.Sprintf("flags in extension %d", *a.FlagsExtension), fmt.Sprintf("flags in extension %d", t.Parsed.FlagsExtension)
	}
	return Pass, "", ""
}

func compareAlert(t *vectors.Test, a Answer) (Status, string, string) {
	if a.Alert != nil && *a.Alert != int(t.Alert.Value) {
		status := Fail
		for _, other := range t.Alternatives {
			if n := *a.Alert; n >= 0 && n <= 255 && extension.Alert(n).String() == other.Alert {
				status = Disagree
			}
		}
		return status, fmt.Sprintf("alert %d", *a.Alert), fmt.Sprintf("alert %s(%d)", t.Alert.Name, t.Alert.Value)
	}
	if a.Code != "" && a.Code != t.Code {
		return Fail, "code " + a.Code, "code " + t.Code
	}
	if a.Offset != nil && t.Offset != nil && *a.Offset != *t.Offset {
		return Fail, fmt.Sprintf("offset %d", *a.Offset), fmt.Sprintf("offset %d", *t.Offset)
	}
	return Pass, "", ""
}

func describe(a Answer) string {
	if a.Code != "" {
		return fmt.Sprintf("%s, %s", a.Result, a.Code)
	}
	return string(a.Result)
}

func expected(t *vectors.Test) string {
	switch {
	case t.Code != "":
		return fmt.Sprintf("%s, %s", t.Result, t.Code)
	case t.Action != "":
		return fmt.Sprintf("%s, %s", t.Result, t.Action)
	}
	return string(t.Result)
}
