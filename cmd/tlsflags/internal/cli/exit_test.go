package cli

import (
	"errors"
	"testing"
)

func TestExitPrecedence(t *testing.T) {
	order := []Exit{ExitUsage, ExitInput, ExitCapture, ExitRefused, ExitUnmet, ExitDone}
	for i, first := range order {
		for _, second := range order[i:] {
			if got := first.and(second); got != first {
				t.Errorf("%d and %d are %d, want %d", first, second, got, first)
			}
			if got := second.and(first); got != first {
				t.Errorf("%d and %d are %d, want %d", second, first, got, first)
			}
		}
	}
	if exitWith(ExitDone) != nil {
		t.Error("0 is an error")
	}
}

func TestExitError(t *testing.T) {
	cause := errors.New("why")
	for want, err := range map[string]error{"exit 4": exitWith(ExitRefused), "why": usageError("%w", cause)} {
		if err.Error() != want || errors.Is(err, cause) != (want == "why") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if asExitError(nil) != nil {
		t.Error("no error became one")
	}
	if e, ok := errors.AsType[*exitError](asExitError(cause)); !ok || e.code != ExitInput || e.err != cause {
		t.Errorf("another error became %+v", e)
	}
	if err := exitWith(ExitUnmet); asExitError(err) != err {
		t.Error("an exitError was changed")
	}
}
