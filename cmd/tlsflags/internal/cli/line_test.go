package cli

import (
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

func TestQUICName(t *testing.T) {
	for version, want := range map[uint32]string{
		1: "QUIC v1", 0x6b3343cf: "QUIC v2", 0xff00001d: "draft-29", 0xff000009: "draft-09", 0xff010000: "",
		0xfaceb002: "mvfst 02", 0xfaceb100: "", 0x54303531: "Google T051", 0x54303631: "", 2: "", 0: "",
	} {
		if got := quicName(version); got != want {
			t.Errorf("%#x: %q, want %q", version, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	s := summary{inputs: 1, skipped: 2, hellos: 3, withFlags: 4, mtls: 5, refused: 6}
	s.add(capture.Stats{Packets: 1, Flows: 7, Evicted: 8, Incomplete: 9})
	s.add(capture.Stats{Packets: 1, Flows: 1, Evicted: 1, Incomplete: 1})
	want := "1 input, 2 packets, 8 flows, 3 hellos, 4 with tls_flags, 5 with request_mtls, 6 refused, 10 incomplete, 9 dropped, 2 other files skipped"
	if got := s.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUseColor(t *testing.T) {
	for mode, want := range map[string]bool{"always": true, "never": false, "auto": false} {
		if got := useColor(mode, nil); got != want {
			t.Errorf("%s: %t", mode, got)
		}
	}
}

func TestClock(t *testing.T) {
	for rfc3339, want := range map[string]string{
		"2026-01-02T03:04:05Z": "03:04:05.000000", "2026-01-02T03:04:05.1Z": "03:04:05.100000",
		"2026-01-02T03:04:05.123456789Z": "03:04:05.123456",
	} {
		if got := clock(rfc3339); got != want {
			t.Errorf("%s: %s, want %s", rfc3339, got, want)
		}
	}
}
