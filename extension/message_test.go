package extension_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

func TestNamesAreTotal(t *testing.T) {
	seen := make(map[string]int)
	for i := range 256 {
		if s := extension.Status(i).String(); s == "" {
			t.Errorf("status %d has no text", i)
		} else {
			seen[s]++
		}
		if m := extension.Message(i); m.String() == "" {
			t.Errorf("message %d has no name", i)
		} else if known := m.String() != "unknown message"; known != (m >= extension.ClientHello && m <= extension.NewSessionTicket) {
			t.Errorf("message %d is called %v", i, m)
		}
		if m := extension.Message(i); m >= extension.ClientHello && m <= extension.NewSessionTicket && m.Abbreviation() == "" {
			t.Errorf("%v has no abbreviation", m)
		}
		_ = extension.Message(i).Abbreviation()
	}
	if len(seen) < 3 {
		t.Errorf("all statuses read %v", seen)
	}
}
