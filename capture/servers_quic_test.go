package capture_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestOddHelloInQUIC has hellos that only some servers refuse, as in TCP.
func TestOddHelloInQUIC(t *testing.T) {
	for want, msg := range map[string][]byte{"80": message(), "80 (hello) session_id_too_long 38": withSessionID(message(), 33)} {
		hellos, stats := scan(capture.Options{}, fromClient(inQUIC(1200, nil, crypto(0, msg))))
		if got := rows(hellos); got != want {
			t.Errorf("got %q, want %q; %+v", got, want, stats)
		}
	}
}
