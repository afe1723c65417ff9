package tlsclient

import (
	"bytes"
	"strings"

	tlsmsg "github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/tls13"
)

// certificateRequest returns the CertificateRequest in what a server of TLS 1.3 sent, where
// there is one and keyLog, that of this connection alone, has the secret to read it.
func certificateRequest(sent []byte, keyLog string) (request tlsmsg.Message, found bool) {
	log, err := tls13.ReadKeyLog(strings.NewReader(keyLog))
	if err != nil {
		return tlsmsg.Message{}, false
	}
	c := tls13.NewConversation(log.Lookup, func(_ tlsmsg.Sender, msg []byte) {
		if m, _, err := tlsmsg.ParseCertificateRequest(bytes.Clone(msg)); err == nil && !found {
			request, found = m, true
		}
	})
	for _, secrets := range log {
		c.Use(secrets)
	}
	c.Feed(tlsmsg.FromServer, sent)
	return request, found
}
