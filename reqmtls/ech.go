package reqmtls

import (
	"crypto/tls"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/ech"
)

// A server that accepts Encrypted Client Hello goes by the inner ClientHello alone
// (RFC 9849, Section 7.1), so the inner flags count, and the outer ones only if the
// server rejects. crypto/tls decrypts by itself and hands out a list of the inner
// extension types, but not their contents. If that list has TLS flags, the hello is
// decrypted here a second time, with the same keys.

// keepECHKeys makes config remember the keys that the application chooses for a client.
func (s *Server) keepECHKeys(config *tls.Config) {
	choose := config.GetEncryptedClientHelloKeys
	if choose == nil {
		return
	}
	config.GetEncryptedClientHelloKeys = func(info *tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) {
		keys, err := choose(info)
		if conn := s.connOf(info); conn != nil && conn.recorder != nil {
			conn.recorder.echKeys = keys
		}
		return keys, err
	}
}

// acceptsECH reports whether config has keys for Encrypted Client Hello.
func acceptsECH(config *tls.Config) bool {
	return config.EncryptedClientHelloKeys != nil || config.GetEncryptedClientHelloKeys != nil
}

// offersECH reports whether a hello is an outer one. One that says it is an inner one,
// which a client-facing server has decrypted, is read as it is. Only the type is looked
// at, as crypto/tls also decrypts an extension with stray bytes after the payload.
func offersECH(hello clienthello.ClientHello) bool {
	e, ok := hello.Extensions().Lookup(extension.EncryptedClientHello)
	return ok && len(e.Data) > 0 && e.Data[0] == clienthello.ECHOuter
}

// endRecording ends the recording for good, when crypto/tls has the ClientHello that it
// is going by. served is the config of the connection.
func (c *Conn) endRecording(info *tls.ClientHelloInfo, served *tls.Config) {
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
	if served.GetEncryptedClientHelloKeys == nil {
		keys = served.EncryptedClientHelloKeys
	}
	outer, _, _ := clienthello.Parse(r.message) // as before, without error
	if inner, ok := ech.Open(outer, keys); ok {
		hello := *c.server.read(inner)
		hello.ECH = true
		c.hello.Store(&hello)
	}
}

func isFlagsType(t uint16) bool {
	return extension.Type(t) == extension.TLSFlags || extension.Type(t) == extension.TLSFlagsExperimental
}
