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

func TestIterationCanStop(t *testing.T) {
	n := 0
	for range (extension.Registry{}).All() {
		n++
		break
	}
	certificate := []byte{11, 0, 0, 16, 0, 0, 0, 12, 0, 0, 1, 0x30, 0, 0, 0, 0, 1, 0x31, 0, 0}
	m, _, err := extension.ParseMessage(certificate)
	if err != nil {
		t.Fatal(err)
	}
	for range m.Entries() {
		n++
		break
	}
	if n != 2 {
		t.Errorf("%d steps, want one each", n)
	}
}

func TestWithRequestMTLSRefusesLargeNumbers(t *testing.T) {
	if _, err := (extension.Registry{}).WithRequestMTLS(extension.MaxFlag + 1); err != extension.ErrFlagTooLarge {
		t.Errorf("got %v, want ErrFlagTooLarge", err)
	}
}
