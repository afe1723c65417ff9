package vectors_test

import (
	"bytes"
	"crypto/x509"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/vectors"
)

// TestAnswersAreLegal checks that a receiver can read each message after those before it,
// apart from what the test is about: an answer has only extensions that were offered, and
// echoes the session id; a ServerHello has an offered suite and group; certificates and
// timestamps are well formed.
func TestAnswersAreLegal(t *testing.T) {
	n := 0
	judge := func(test *vectors.Test, before []vectors.Bytes, sender string, input []byte) {
		l := legality{test.ID, t}
		if l.message(test.Code == "flags_unrequested", before, sender, input) {
			n++
		} else if test.Result == vectors.Valid {
			t.Errorf("%s: an answer cannot be read", test.ID)
		}
	}
	for _, test := range load(t, vectors.Messages).All() {
		if test.Message != "client_hello" {
			judge(test, test.Before, test.Sender, test.Input)
		}
	}
	for _, test := range load(t, vectors.RequestMTLS).All() {
		var before []vectors.Bytes
		for _, s := range test.Steps {
			if len(before) > 0 && test.State.Version == "TLS 1.3" {
				judge(test, before, s.From, s.Input)
			}
			before = append(before, s.Input)
		}
	}
	if n < 150 {
		t.Errorf("%d messages were judged, want at least 150", n)
	}
}

type legality struct {
	id string
	t  *testing.T
}

// message judges a message, and reports whether it can be read.
func (l legality) message(flagsUnrequested bool, before []vectors.Bytes, sender string, input []byte) bool {
	m, _, err := handshake.Parse(input)
	if err != nil {
		return false
	}
	var hello clienthello.ClientHello
	var request extension.List
	for _, b := range before {
		if h, _, err := clienthello.Parse(b); err == nil {
			hello = h
		} else if r, _, err := handshake.Parse(b); err != nil {
			l.t.Errorf("%s: a message before cannot be read: %v", l.id, err)
		} else if r.Kind() == extension.CertificateRequest {
			request = r.Extensions()
		}
	}
	offered := hello.Extensions()
	switch m.Kind() {
	case extension.CertificateRequest, extension.NewSessionTicket: // they answer nothing
		return true
	case extension.Certificate:
		l.certificate(m)
		if sender == "client" {
			offered = request
		}
	case extension.ServerHello, extension.HelloRetryRequest:
		l.serverHello(hello, m)
	}
	for block := range m.Blocks() {
		for e := range block.All() {
			flags := e.Type == extension.TLSFlags || e.Type == extension.TLSFlagsExperimental
			cookie := m.Kind() == extension.HelloRetryRequest && e.Type == extension.Cookie
			if _, ok := offered.Lookup(e.Type); !ok && !cookie && !(flags && flagsUnrequested) {
				l.t.Errorf("%s: %v was not offered", l.id, e.Type)
			}
		}
	}
	return true
}

func (l legality) serverHello(hello clienthello.ClientHello, m handshake.Message) {
	const sessionID = 4 + 2 + 32
	body := m.Raw()
	if echo := body[sessionID+1:][:body[sessionID]]; !bytes.Equal(echo, hello.LegacySessionID()) {
		l.t.Errorf("%s: legacy_session_id_echo is %x, the hello has %x", l.id, echo, hello.LegacySessionID())
	}
	if !slices.Contains(slices.Collect(hello.CipherSuites().All()), clienthello.CipherSuite(m.CipherSuite())) {
		l.t.Errorf("%s: suite %#04x was not offered", l.id, m.CipherSuite())
	}
	share, ok := m.Extensions().Lookup(extension.KeyShare)
	if !ok {
		l.t.Errorf("%s: no key_share", l.id)
		return
	}
	group := uint16(share.Data[0])<<8 | uint16(share.Data[1])
	shared := false
	shares, _ := hello.KeyShares()
	for s := range shares.All() {
		shared = shared || uint16(s.Group) == group
	}
	named := false
	groups, _ := hello.SupportedGroups()
	for g := range groups.All() {
		named = named || uint16(g) == group
	}
	if retry := m.Kind() == extension.HelloRetryRequest; !named || shared == retry {
		l.t.Errorf("%s: group %#04x is named by the hello: %t, has a share: %t", l.id, group, named, shared)
	}
}

func (l legality) certificate(m handshake.Message) {
	for e := range m.Entries() {
		if _, err := x509.ParseCertificate(e.CertData); err != nil {
			l.t.Errorf("%s: %v", l.id, err)
		}
		sct, ok := e.Extensions.Lookup(18) // signed_certificate_timestamp
		if !ok {
			continue
		}
		var list, one cryptobyte.String
		data := cryptobyte.String(sct.Data)
		if !data.ReadUint16LengthPrefixed(&list) || !data.Empty() || list.Empty() {
			l.t.Errorf("%s: %x is no list of timestamps", l.id, sct.Data)
		}
		for !list.Empty() {
			if !list.ReadUint16LengthPrefixed(&one) || one.Empty() {
				l.t.Errorf("%s: an empty timestamp", l.id)
				break
			}
		}
	}
}
