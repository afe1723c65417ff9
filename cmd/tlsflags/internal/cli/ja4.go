package cli

import (
	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/fingerprint"
)

// ja4 returns the JA4 fingerprint of a hello over a transport.
func ja4(h clienthello.ClientHello, over capture.Transport) fingerprint.JA4 {
	if over == capture.Raw { // TLS in something else than TCP
		over = capture.TCP
	}
	return fingerprint.SumJA4(h, fingerprint.Transport(over[0]))
}
