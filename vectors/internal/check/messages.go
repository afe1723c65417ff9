package check

import (
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// readMessage judges the flags of a message after those that went before.
func readMessage(t *vectors.Test) answer {
	sender := extension.FromServer
	if t.Sender == "client" {
		sender = extension.FromClient
	}
	var x extension.Exchange
	second := false
	for _, before := range t.Before {
		if h, _, err := clienthello.Parse(before); err == nil {
			x.Hello = h.Extensions()
			continue
		}
		m, _, err := extension.ParseMessage(before)
		if err != nil {
			panic(t.ID + ": what went before cannot be read: " + err.Error())
		}
		second = second || m.Message() == extension.HelloRetryRequest
		if m.Message() == extension.CertificateRequest {
			x.Request = m.Extensions()
		}
	}
	if t.Message == "client_hello" {
		h, n, err := clienthello.Parse(t.Input)
		if err != nil {
			return refused(err, n)
		}
		judge := func(l extension.List) extension.Verdict { return x.Judge(extension.ClientHello, sender, l) }
		if second {
			judge = x.JudgeSecondHello
		}
		return readBlock(h.Extensions(), judge(h.Extensions()))
	}
	m, n, err := parsers[t.Message](t.Input)
	if err != nil {
		return refused(err, n)
	}
	if m.Message() != names[t.Message] {
		return answer{code: extension.ErrMessageType}
	}
	return readBlock(m.Extensions(), x.JudgeMessage(sender, m))
}

var names = map[string]extension.Message{
	"server_hello":         extension.ServerHello,
	"hello_retry_request":  extension.HelloRetryRequest,
	"encrypted_extensions": extension.EncryptedExtensions,
	"certificate":          extension.Certificate,
	"certificate_request":  extension.CertificateRequest,
	"new_session_ticket":   extension.NewSessionTicket,
}

var parsers = map[string]func([]byte) (extension.HandshakeMessage, int, error){
	"server_hello":         extension.ParseServerHello,
	"hello_retry_request":  extension.ParseServerHello,
	"encrypted_extensions": extension.ParseEncryptedExtensions,
	"certificate":          extension.ParseCertificate,
	"certificate_request":  extension.ParseCertificateRequest,
	"new_session_ticket":   extension.ParseNewSessionTicket,
}

// readBlock returns the flags of a message on which there is a verdict.
func readBlock(l extension.List, v extension.Verdict) answer {
	if !v.OK() {
		return answer{code: v.Code, clause: v.Clause(), offset: v.Offset}
	}
	flags, typ, err := l.Flags()
	if err != nil {
		panic("judged as fine, but refused: " + err.Error())
	}
	return answer{parsed: &vectors.Parsed{Flags: numbers(flags), FlagsExtension: uint16(typ)}}
}
