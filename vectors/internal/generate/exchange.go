package main

import "github.com/tlsflags/tlsflags/vectors"

var requestMTLSKind = kind{
	kind:   vectors.RequestMTLS,
	entry:  vectors.Exchange,
	spec:   []string{text02, textEditor, "draft-ietf-tls-tlsflags-16", "RFC 9846", "RFC 5246"},
	groups: requestMTLSGroups,
}

var requestMTLSGroups = []group{
	{"request", "What a server does when it has read the ClientHello.", textEditor + ", Section 3", func(g *list) {
		honors := func(version string) vectors.State {
			s := server(version)
			s.Honor = true
			return s
		}
		resumed, always, both := honors(tls13), server(tls13), honors(tls13)
		resumed.Resumed, always.Always, both.Always = true, true, true
		always12 := server(tls12)
		always12.Always = true
		experimental := clientStep("client_hello", asking().with(flagsExperiment(80)).bytes())
		offering12 := clientStep("client_hello", asking12().with(flagsExt(80)).bytes())
		otherFlag := clientStep("client_hello", asking().with(flagsExt(81)).bytes())
		for _, text := range texts {
			asked := vectors.PlainRequest
			if text.text == textEditor {
				asked = vectors.AcknowledgedRequest
			}
			add := func(name string, state vectors.State, hello vectors.Step, action vectors.Action, clause, comment string) {
				g.add(does("request-mtls/request/"+text.slug+"/"+name, text.text, state, []vectors.Step{hello}, action, clause, comment))
			}
			flag := text.text + ", Section 3"
			add("offered", honors(tls13), offering(), asked, flag, "The client offers the flag, and the server honors it.")
			add("offered-experimental", honors(tls13), experimental, asked, flag, "The same under type 0xfe01.")
			add("offered-and-always", both, offering(), asked, flag, "The server asks everybody, and honors the flag.")
			add("not-offered", honors(tls13), plain(), vectors.NoRequest, flag, "Nobody asks a client that does not offer the flag.")
			add("other-flag", honors(tls13), otherFlag, vectors.NoRequest, flag, "The client sets another flag.")
			add("not-honored", server(tls13), offering(), vectors.NoRequest, flag, "The server does not honor the flag.")
			add("always", always, offering(), vectors.PlainRequest, flag, "The server asks for another reason, and does not honor the flag.")
			add("always-not-offered", always, plain(), vectors.PlainRequest, "RFC 9846, Section 4.4.2", "The server asks everybody.")
			add("resumed", resumed, clientStep("client_hello", asking().with(flagsExt(80), preSharedKey()).bytes()), vectors.NoRequest, "RFC 9846, Section 4.4.2", "A handshake that resumes with a PSK has no CertificateRequest.")
			add("tls12", honors(tls12), offering12, vectors.NoRequest, flag, "TLS 1.2 is negotiated, which has no tls_flags.")
			add("tls12-always", always12, offering12, vectors.PlainRequest, "RFC 5246, Section 7.4.4", "TLS 1.2 is negotiated, and the server asks everybody.")
		}
	}},
	{"empty-certificate", "What a server does when a client that was asked has no certificate.", "RFC 9846, Section 4.5.1.3", func(g *list) {
		msg, _ := certificates()
		none := clientStep("certificate", msg)
		steps12 := []vectors.Step{
			clientStep("client_hello", asking12().bytes()),
			// certificate_types: ecdsa_sign; supported_signature_algorithms; no authorities.
			serverStep("certificate_request", handshake(13, concat(opaque8([]byte{64}), opaque16(made(uint16s(ed25519Scheme, 0x0403))), opaque16(nil)))),
			clientStep("certificate", handshake(11, opaque24(nil))),
		}
		require, require12 := server(tls13), server(tls12)
		require.Require, require12.Require = true, true
		for _, text := range texts {
			id := "request-mtls/empty-certificate/" + text.slug + "/"
			acknowledged := asks()
			if text.text == textEditor {
				acknowledged = asks(flagsExt(80))
			}
			offered, notOffered := []vectors.Step{offering(), acknowledged, none}, []vectors.Step{plain(), asks(), none}
			required := aborts(id+"offered-required", text.text, require, offered, alert("certificate_required", "RFC 9846, Section 4.5.1.3"), nil, "The client offered the flag, and the server needs a certificate.")
			if text.text == text02 {
				required = aborts(id+"offered-required", text.text, require, offered, alert("bad_certificate", text02+", Section 4"),
					[]vectors.Alternative{otherAlert("certificate_required", "RFC 9846, Section 4.5.1.3", "")},
					"The client offered the flag, and the server needs a certificate.")
			}
			g.add(required,
				does(id+"offered", text.text, server(tls13), offered, vectors.GoOn, "RFC 9846, Section 4.5.1.3", "The client offered the flag; the server goes on without a certificate."),
				does(id+"not-offered", text.text, server(tls13), notOffered, vectors.GoOn, "RFC 9846, Section 4.5.1.3", "The server goes on without a certificate."),
				aborts(id+"not-offered-required", text.text, require, notOffered, alert("certificate_required", "RFC 9846, Section 4.5.1.3"), nil, "The server needs a certificate."),
				does(id+"tls12", text.text, server(tls12), steps12, vectors.GoOn, "RFC 5246, Section 7.4.6", "TLS 1.2; the server goes on."),
				aborts(id+"tls12-required", text.text, require12, steps12, alert("handshake_failure", "RFC 5246, Section 7.4.6"), nil, "TLS 1.2; the server needs a certificate."),
			)
		}
	}},
	{"answer", "What a client does when it is asked for a certificate.", textEditor + ", Section 3", func(g *list) {
		nothing := vectors.State{Side: "client", Version: tls13}
		has, mismatch := nothing, nothing
		has.HasCertificate, mismatch.Mismatch = true, true
		const section = "RFC 9846, Section 4.5.1"
		for _, text := range texts {
			id := "request-mtls/answer/" + text.slug + "/"
			add := func(name string, state vectors.State, hello, request vectors.Step, action vectors.Action, clause, comment string) {
				g.add(does(id+name, text.text, state, []vectors.Step{hello, request}, action, clause, comment))
			}
			add("plain-certificate", has, offering(), asks(), vectors.SendCertificate, section, "The client offered the flag; the request does not have it.")
			add("plain-nothing", nothing, offering(), asks(), vectors.SendEmpty, section, "The client offered the flag, and has no certificate.")
			add("not-offered-certificate", has, plain(), asks(), vectors.SendCertificate, section, "An ordinary request.")
			add("not-offered-nothing", nothing, plain(), asks(), vectors.SendEmpty, section, "An ordinary request; the client has no certificate.")
			acknowledged := section
			if text.text == textEditor {
				acknowledged = textEditor + ", Section 3"
			}
			add("acknowledged-certificate", has, offering(), asks(flagsExt(80)), vectors.SendCertificate, acknowledged, "The request has the flag that the client offered.")
			add("acknowledged-nothing", nothing, offering(), asks(flagsExt(80)), vectors.SendEmpty, acknowledged, "The client has no certificate, and does not quit for it.")
			add("acknowledged-mismatch", mismatch, offering(), asks(flagsExt(80)), vectors.SendEmpty, acknowledged, "The client has none that the request allows.")
			if text.text == text02 {
				add("not-offered-flag", has, plain(), asks(flagsExt(80)), vectors.SendCertificate, section, "The request has a flag that nobody offered, which the text does not forbid.")
				continue
			}
			g.add(aborts(id+"not-offered-flag", text.text, has, []vectors.Step{plain(), asks(flagsExt(80))}, alert("illegal_parameter", textEditor+", Section 3"), nil, "The request has a flag that the client did not offer."))
		}
	}},
	{"misplaced", "The flag in another message than ClientHello and CertificateRequest.", textEditor + ", Section 3", func(g *list) {
		client := vectors.State{Side: "client", Version: tls13, HasCertificate: true}
		for _, text := range texts {
			id := "request-mtls/misplaced/" + text.slug + "/"
			clause, request := flagsSection3, asks(flagsExt(0))
			if text.text == textEditor {
				clause, request = textEditor+", Section 3", asks(flagsExt(80))
			}
			illegal := alert("illegal_parameter", clause)
			for _, c := range responses()[:4] {
				msg, _ := c.build(flagsExt(80))
				g.add(aborts(id+c.slug(), text.text, client, []vectors.Step{offering(), serverStep(c.name, msg)}, illegal, nil, "The server sets the flag that the client offered in the wrong message."))
			}
			ticket, _ := newSessionTicket(flagsExt(80))
			steps := []vectors.Step{offering(), serverStep("new_session_ticket", ticket)}
			if text.text == text02 {
				g.add(does(id+"new-session-ticket", text.text, client, steps, vectors.GoOn, flagsSection3, "The text says nothing about NewSessionTicket, where unsolicited flags are ignored."))
			} else {
				g.add(aborts(id+"new-session-ticket", text.text, client, steps, illegal, nil, "The flag in a NewSessionTicket."))
			}
			msg, _ := clientCertificate(flagsExt(80))
			g.add(aborts(id+"client-certificate", text.text, server(tls13), []vectors.Step{offering(), request, clientStep("certificate", msg)}, illegal, nil, "The client sets the flag in its Certificate."))
		}
	}},
}

const (
	text02     = "draft-jhoyla-req-mtls-flag-02"
	textEditor = "draft-jhoyla-req-mtls-flag (editors' copy)"

	tls13 = "TLS 1.3"
	tls12 = "TLS 1.2"
)

// texts are the versions of the document, with their names in ids.
var texts = []struct{ slug, text string }{{"draft-02", text02}, {"editors-copy", textEditor}}

// does is a test in which a side continues with an action.
func does(id, text string, state vectors.State, steps []vectors.Step, action vectors.Action, clause, comment string) vectors.Test {
	return vectors.Test{
		ID: id, Comment: comment, Flags: []string{"request_mtls"}, Text: text, State: &state, Steps: steps,
		Result: vectors.Valid, Action: action, Clause: clause,
	}
}

// aborts is a test in which a side ends the handshake.
func aborts(id, text string, state vectors.State, steps []vectors.Step, a vectors.Alert, alternatives []vectors.Alternative, comment string) vectors.Test {
	t := does(id, text, state, steps, vectors.Abort, a.Clause, comment)
	t.Result, t.Alert, t.Alternatives = vectors.Invalid, &a, append([]vectors.Alternative{}, alternatives...)
	return t
}

func clientStep(name string, msg []byte) vectors.Step {
	return vectors.Step{From: "client", Message: name, Input: msg}
}

func serverStep(name string, msg []byte) vectors.Step {
	return vectors.Step{From: "server", Message: name, Input: msg}
}

// offering is a ClientHello that sets request_mtls, plain is one that does not.
func offering() vectors.Step { return clientStep("client_hello", asking().with(flagsExt(80)).bytes()) }

func plain() vectors.Step { return clientStep("client_hello", asking().bytes()) }

func asks(extensions ...ext) vectors.Step {
	msg, _ := certificateRequest(extensions...)
	return serverStep("certificate_request", msg)
}

func server(version string) vectors.State { return vectors.State{Side: "server", Version: version} }
