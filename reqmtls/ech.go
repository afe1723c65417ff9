package reqmtls

import (
	"crypto/tls"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/ech"
)

// A server that accepts Encrypted Client Hello goes by the inner ClientHello alone
// (RFC 9849, Section 7.1), so its flags count, and those of the outer one only where
// the server rejects. crypto/tls decrypts by itself and hands out a list of the inner
// extension types, but not what is in them. So a hello for which that list has TLS
// flags is decrypted here once more, with the same keys.

// encryptedClientHelloKeys keeps the keys that the application chose for a client.
func (s *Server) encryptedClientHelloKeys(info *tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) {
	keys, err := s.echKeys(info)
	if conn, ok := underlying(info.Conn); ok && conn.recorder != nil {
		conn.recorder.echKeys = keys
	}
	return keys, err
}

// offersECH reports whether a hello is an outer one. One that says it is an inner one,
// which a client-facing server has decrypted, is read as it is. The type alone is looked
// at, as crypto/tls decrypts also what has stray bytes behind the payload.
func offersECH(hello clienthello.ClientHello) bool {
	e, ok := hello.Extensions().Lookup(extension.EncryptedClientHello)
	return ok && len(e.Data) > 0 && e.Data[0] == clienthello.ECHOuter
}

// endRecording ends the recording for good, when crypto/tls has the ClientHello that it
// is going by.
func (c *Conn) endRecording(info *tls.ClientHelloInfo) {
	c.recorded = true
	if c.recorder == nil {
		return
	}
	defer c.release()
	r := c.recorder
	if r.message == nil {
		return
	}
	if !slices.ContainsFunc(info.Extensions, isFlagsType) {
		c.hello.Store(&c.server.unflagged)
		return
	}
	keys := r.echKeys
	if c.server.echKeys == nil {
		keys = c.server.config.EncryptedClientHelloKeys
	}
	outer, _, err := clienthello.Parse(r.message)
	if err != nil {
		return
	}
	if inner, ok := ech.Open(outer, keys); ok {
		hello := *c.server.read(inner)
		hello.ECH = true
		c.hello.Store(&hello)
	}
}

func isFlagsType(t uint16) bool {
	return extension.Type(t) == extension.TLSFlags || extension.Type(t) == extension.TLSFlagsExperimental
}
