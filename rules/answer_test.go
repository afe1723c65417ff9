package rules_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

func setOf(t *testing.T, flags ...extension.Flag) extension.FlagSet {
	t.Helper()
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestNegotiation plays both sides: what Answer says, Judge accepts and Agreed returns.
func TestNegotiation(t *testing.T) {
	var r extension.Registry
	for _, info := range []extension.FlagInfo{
		{Number: 1, Name: "hello", Messages: extension.MessagesOf(clientHello, serverHello), Answers: extension.MessagesOf(serverHello)},
		{Number: 2, Name: "retry", Messages: extension.MessagesOf(clientHello, helloRetryRequest), Answers: extension.MessagesOf(helloRetryRequest)},
		{Number: 3, Name: "encrypted", Messages: extension.MessagesOf(clientHello, encryptedExtensions), Answers: extension.MessagesOf(encryptedExtensions)},
		{Number: 4, Name: "certificate", Messages: extension.MessagesOf(clientHello, certificateRequest, certificate), Answers: extension.MessagesOf(certificate)},
		{Number: 6, Name: "hello too", Messages: extension.MessagesOf(clientHello, serverHello), Answers: extension.MessagesOf(serverHello)},
		{Number: 5, Name: "silent", Messages: extension.MessagesOf(clientHello)},
	} {
		var err error
		if r, err = r.With(info); err != nil {
			t.Fatal(err)
		}
	}
	all := setOf(t, 1, 2, 3, 4, 5, 80, 100)
	offer := hello(1, 2, 3, 4, 5, 80, 100)
	tests := []struct {
		name      string
		x         rules.Handshake
		m         extension.MessageKind
		s         handshake.Sender
		supported extension.FlagSet
		want      []byte
	}{
		{"answers in ServerHello", rules.Handshake{Registry: r, Hello: offer}, serverHello, server, all, flagsExt(1)},
		{"answers in HelloRetryRequest", rules.Handshake{Registry: r, Hello: offer}, helloRetryRequest, server, all, flagsExt(2)},
		{"answers in EncryptedExtensions", rules.Handshake{Registry: r, Hello: offer}, encryptedExtensions, server, all, flagsExt(3)},
		{"answers in the server's Certificate", rules.Handshake{Registry: r, Hello: offer}, certificate, server, all, flagsExt(4)},
		{"answers in the client's Certificate", rules.Handshake{Registry: r, Hello: hello(1), Request: request(4, 5)}, certificate, client, all, flagsExt(4)},
		{"answers in the client's Certificate under the code point of the request", rules.Handshake{Registry: r, Hello: hello(4),
			Request: list(certificateRequest, experimental(4))}, certificate, client, all, experimental(4)},
		{"acknowledges request_mtls in CertificateRequest", rules.Handshake{Registry: r, Hello: offer}, certificateRequest, server, all, flagsExt(80)},
		{"does not answer what was not offered", rules.Handshake{Registry: r, Hello: hello(2)}, serverHello, server, all, nil},
		{"does not answer what is not supported", rules.Handshake{Registry: r, Hello: offer}, serverHello, server, setOf(t, 2), nil},
		{"does not answer a hello without tls_flags", rules.Handshake{Registry: r}, serverHello, server, all, nil},
		{"does not answer a malformed offer", rules.Handshake{Registry: r, Hello: list(clientHello, ext(extension.TLSFlags, 2, 2, 0))}, serverHello, server, all, nil},
		{"does not answer unknown flags", offered(100), encryptedExtensions, server, all, nil},
		{"does not answer in NewSessionTicket", rules.Handshake{Registry: r, Hello: offer}, newSessionTicket, server, all, nil},
		{"answers under the code point of the offer", rules.Handshake{Registry: r, Hello: list(clientHello, experimental(1))}, serverHello, server, all, experimental(1)},
		{"answers two flags of one octet", rules.Handshake{Registry: r, Hello: hello(1, 6)}, serverHello, server, setOf(t, 1, 6), flagsExt(1, 6)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.x.AppendAnswer([]byte{0xee}, tt.m, tt.s, tt.supported)
			if !slices.Equal(got[1:], tt.want) {
				t.Fatalf("answer %x, want %x", got[1:], tt.want)
			}
			set := tt.x.Answer(tt.m, tt.s, tt.supported)
			agreed, v := tt.x.Agreed(tt.m, tt.s, list(tt.m, tt.want))
			if !v.OK() || agreed != set {
				t.Errorf("verdict %q, agreed on %d flags of %d", v.Code.Name(), agreed.Len(), set.Len())
			}
			if n := testing.AllocsPerRun(1, func() { tt.x.Answer(tt.m, tt.s, tt.supported) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

func TestAgreed(t *testing.T) {
	h := offered(1, 80)
	set, v := h.Agreed(certificateRequest, server, request(80, 100))
	if !v.OK() || set != setOf(t, 80) {
		t.Errorf("agreed on %d flags, %q; an unsolicited flag is not agreed on", set.Len(), v.Code.Name())
	}
	set, v = h.Agreed(serverHello, server, list(serverHello, flagsExt(2)))
	if v.Code != extension.ErrFlagUnsolicited || set.Len() != 0 {
		t.Errorf("%d flags, %q; want none and an objection", set.Len(), v.Code.Name())
	}
	set, v = h.Agreed(serverHello, server, list(serverHello, flagsExt(1, 2)))
	if v.OK() || set.Len() != 0 {
		t.Errorf("%d flags, %q; the good flag of a refused answer is not agreed on", set.Len(), v.Code.Name())
	}
	set, v = h.Agreed(newSessionTicket, server, list(newSessionTicket, flagsExt(1)))
	if !v.OK() || set.Len() != 0 {
		t.Errorf("%d flags, %q; a ticket agrees on nothing", set.Len(), v.Code.Name())
	}
}
