package flagconn

import (
	"bytes"
	"strings"

	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
)

// certificateRequest returns the CertificateRequest in what a server of TLS 1.3 sent. keyLog
// is the log of this connection alone. It returns false if there is no CertificateRequest,
// or no secret to decrypt it with.
func certificateRequest(sent []byte, keyLog string) (request handshake.Message, found bool) {
	log, err := tls13.ReadKeyLog(strings.NewReader(keyLog))
	if err != nil {
		return handshake.Message{}, false
	}
	c := tls13.NewConversation(log.Lookup, func(_ handshake.Sender, msg []byte) {
		if m, _, err := handshake.ParseCertificateRequest(bytes.Clone(msg)); err == nil && !found {
			request, found = m, true
		}
	})
	for _, secrets := range log {
		c.Use(secrets)
	}
	c.Feed(handshake.FromServer, sent)
	return request, found
}
