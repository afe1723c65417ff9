package check

import (
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
	"github.com/tlsflags/tlsflags/vectors"
)

// readMessage judges the flags of a message after those that went before.
func readMessage(t *vectors.MessageTest) answer {
	sender := handshake.FromServer
	if t.Sender == "client" {
		sender = handshake.FromClient
	}
	var x rules.Handshake
	second := false
	for _, before := range t.Before {
		if h, _, err := clienthello.Parse(before); err == nil {
			x.Hello = h.Extensions()
			continue
		}
		m, _, err := handshake.Parse(before)
		if err != nil {
			panic(t.ID + ": what went before cannot be read: " + err.Error())
		}
		second = second || m.Kind() == extension.HelloRetryRequest
		if m.Kind() == extension.CertificateRequest {
			x.Request = m.Extensions()
		}
	}
	if t.Message == "client_hello" {
		h, n, err := clienthello.Parse(t.Input)
		if err != nil {
			return refused(err, n)
		}
		judge := func(l extension.List) rules.Violation { return x.Check(extension.ClientHello, sender, l) }
		if second {
			judge = x.CheckSecondHello
		}
		return readBlock(h.Extensions(), judge(h.Extensions()))
	}
	m, n, err := parsers[t.Message](t.Input)
	if err != nil {
		return refused(err, n)
	}
	if m.Kind() != names[t.Message] {
		return answer{code: extension.ErrMessageType}
	}
	return readBlock(m.Extensions(), x.CheckMessage(sender, m))
}

var names = map[string]extension.MessageKind{
	"server_hello":         extension.ServerHello,
	"hello_retry_request":  extension.HelloRetryRequest,
	"encrypted_extensions": extension.EncryptedExtensions,
	"certificate":          extension.Certificate,
	"certificate_request":  extension.CertificateRequest,
	"new_session_ticket":   extension.NewSessionTicket,
}

var parsers = map[string]func([]byte) (handshake.Message, int, error){
	"server_hello":         handshake.ParseServerHello,
	"hello_retry_request":  handshake.ParseServerHello,
	"encrypted_extensions": handshake.ParseEncryptedExtensions,
	"certificate":          handshake.ParseCertificate,
	"certificate_request":  handshake.ParseCertificateRequest,
	"new_session_ticket":   handshake.ParseNewSessionTicket,
}

// readBlock returns the flags of a message on which there is a verdict.
func readBlock(l extension.List, v rules.Violation) answer {
	if !v.OK() {
		return answer{code: v.Code, clause: v.Clause(), offset: v.Offset}
	}
	flags, typ, err := l.Flags()
	if err != nil {
		panic("judged as fine, but refused: " + err.Error())
	}
	return answer{parsed: &vectors.Parsed{Flags: numbers(flags), FlagsExtension: uint16(typ)}}
}
