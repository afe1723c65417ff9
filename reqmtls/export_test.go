package reqmtls

import (
	"reflect"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

// HideConfig makes crypto/tls one that does not say which config a connection has, until
// the test ends.
func HideConfig(t *testing.T) {
	before := configField
	configField = reflect.StructField{}
	t.Cleanup(func() { configField = before })
}

// HoldsBuffer reports whether c still has a buffer for its ClientHello. Nobody may be
// reading from it.
func (c *Conn) HoldsBuffer() bool { return c.recorder != nil }

// StandIn makes s take another extension for TLS Flags: one that clients of crypto/tls
// send, since these cannot send TLS Flags. Both begin with a byte for the length, and the
// versions that a client supports, each of two bytes, are flags as well: a client has flag
// 16 if it supports a second version, as do those of TLS 1.3 and 1.2, or of TLS 1.2 and 1.1.
// The tests of package client repeat the important ones with real flags.
func (s *Server) StandIn() {
	s.types = []extension.Type{extension.SupportedVersions}
	s.flags = []extension.Flag{16}
}
