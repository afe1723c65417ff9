package cli

import (
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
)

// TestJA4 compares with what JA4's databases have for these browsers.
func TestJA4(t *testing.T) {
	for file, want := range map[string]string{
		"records/utls-chrome-102.bin":         "t13d1516h2_8daaf6152771_e5627efa2ab1",
		"records/utls-chrome-106-shuffle.bin": "t13d1516h2_8daaf6152771_e5627efa2ab1",
		"records/utls-chrome-131.bin":         "t13d1516h2_8daaf6152771_02713d6af862",
		"records/utls-firefox-120.bin":        "t13d1715h2_5b57614c22b0_5c2c66f702b0",
	} {
		entry, _ := corpus.Lookup(file)
		if got := ja4Of(t, entry.Data()[5:], capture.TCP); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

func TestJA4Protocol(t *testing.T) {
	for protocol, want := range map[string]string{
		"h2": "h2", "http/1.1": "h1", "h": "hh", "\x0a\x0a": "0a", "h\xff": "6f", " a": "21",
	} {
		if got := ja4Of(t, message("a", protocol), capture.QUIC)[8:10]; got != want {
			t.Errorf("%q: %s, want %s", protocol, got, want)
		}
	}
}

func ja4Of(t *testing.T, msg []byte, carrier capture.Transport) string {
	t.Helper()
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		t.Fatal(err)
	}
	return ja4(hello, carrier)
}
