package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

const (
	clientHello         = extension.ClientHello
	serverHello         = extension.ServerHello
	helloRetryRequest   = extension.HelloRetryRequest
	encryptedExtensions = extension.EncryptedExtensions
	certificate         = extension.Certificate
	certificateRequest  = extension.CertificateRequest
	newSessionTicket    = extension.NewSessionTicket

	server = handshake.FromServer
	client = handshake.FromClient
)

// none is a handshake that has offered nothing.
var none rules.Handshake

// offered is a handshake whose ClientHello has the given flags.
func offered(flags ...extension.Flag) rules.Handshake {
	return rules.Handshake{Hello: hello(flags...)}
}

// ext returns a whole extension.
func ext(t extension.Type, data ...byte) []byte {
	return append([]byte{byte(t >> 8), byte(t), byte(len(data) >> 8), byte(len(data))}, data...)
}

// flagsExt returns a whole tls_flags extension with the given flags.
func flagsExt(flags ...extension.Flag) []byte {
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		panic(err)
	}
	b, err := set.AppendExtension(nil, extension.TLSFlags)
	if err != nil {
		panic(err)
	}
	return b
}

// message returns a handshake message with the given body.
func message(msgType byte, body []byte) []byte {
	n := len(body)
	return append([]byte{msgType, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// blockOf returns an extension block with its length.
func blockOf(exts ...[]byte) []byte {
	b := slices.Concat(exts...)
	return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)
}

// certificateMessage returns a Certificate with one entry for each element of entries.
// The element has the extensions of that entry.
func certificateMessage(entries ...[]byte) []byte {
	var list []byte
	for _, exts := range entries {
		list = append(list, 0, 0, 1, 0x30)
		list = append(list, blockOf(exts)...)
	}
	n := len(list)
	return message(11, append([]byte{0, byte(n >> 16), byte(n >> 8), byte(n)}, list...))
}

// list returns the extension block that holds exts, as part of message m.
func list(m extension.MessageKind, exts ...[]byte) extension.List {
	l, _, err := extension.ParseList(m, slices.Concat(exts...), 0)
	if err != nil {
		panic(err)
	}
	return l
}

func hello(flags ...extension.Flag) extension.List {
	return list(clientHello, flagsExt(flags...))
}

func request(flags ...extension.Flag) extension.List {
	return list(certificateRequest, flagsExt(flags...))
}

// experimental returns a tls_flags extension of the experimental code point.
func experimental(flags ...extension.Flag) []byte {
	b := flagsExt(flags...)
	b[0], b[1] = 0xfe, 0x01
	return b
}

const (
	noFlag      = -1
	illegal     = extension.AlertIllegalParameter
	decode      = extension.AlertDecodeError
	unsupported = extension.AlertUnsupportedExtension
)

// Flags 100 and above are unknown to the registry.
func TestCheck(t *testing.T) {
	local, err := extension.Registry{}.With(extension.FlagInfo{Number: 7, Name: "local",
		Messages: extension.MessagesOf(clientHello, serverHello), Answers: extension.MessagesOf(serverHello)})
	if err != nil {
		t.Fatal(err)
	}
	text02, err := extension.Registry{}.With(extension.FlagInfo{Number: extension.RequestMTLS, Name: "request_mtls"})
	if err != nil {
		t.Fatal(err)
	}
	fe01 := list(clientHello, experimental(1))
	malformed := list(clientHello, ext(extension.TLSFlags, 2, 1, 0))
	tests := []struct {
		name   string
		x      rules.Handshake
		m      extension.MessageKind
		s      handshake.Sender
		block  []byte
		want   extension.Code
		flag   int
		offset int
	}{
		{"accepts a message without tls_flags", none, serverHello, server, ext(extension.Cookie, 0, 1, 7), 0, noFlag, 0},

		{"accepts an unknown flag in ClientHello", none, clientHello, client, flagsExt(100), 0, noFlag, 0},
		{"accepts an unknown unsolicited flag in CertificateRequest", none, certificateRequest, server, flagsExt(100), 0, noFlag, 0},
		{"accepts an unknown unsolicited flag in NewSessionTicket", offered(1), newSessionTicket, server, flagsExt(2, 100, 2039), 0, noFlag, 0},
		{"accepts resumption_across_names in NewSessionTicket", none, newSessionTicket, server, flagsExt(8), 0, noFlag, 0},

		{"accepts an answer in ServerHello", offered(3), serverHello, server, flagsExt(3), 0, noFlag, 0},
		{"accepts an answer in HelloRetryRequest", offered(3), helloRetryRequest, server, flagsExt(3), 0, noFlag, 0},
		{"accepts an answer in EncryptedExtensions", offered(3, 5), encryptedExtensions, server, flagsExt(5), 0, noFlag, 0},
		{"accepts an answer in the server's Certificate", offered(3), certificate, server, flagsExt(3), 0, noFlag, 0},
		{"accepts an answer in the client's Certificate", rules.Handshake{Request: request(100)}, certificate, client, flagsExt(100), 0, noFlag, 0},
		{"accepts an answer under the experimental code point", rules.Handshake{Hello: fe01}, encryptedExtensions, server, experimental(1), 0, noFlag, 0},

		{"refuses an unsolicited flag in ServerHello", offered(3), serverHello, server, flagsExt(3, 4), extension.ErrFlagUnsolicited, 4, 5},
		{"refuses an unsolicited flag in HelloRetryRequest", offered(3), helloRetryRequest, server, flagsExt(4), extension.ErrFlagUnsolicited, 4, 5},
		{"refuses an unsolicited flag in EncryptedExtensions", offered(3), encryptedExtensions, server, flagsExt(3, 20, 21), extension.ErrFlagUnsolicited, 20, 7},
		{"refuses an unsolicited flag in the server's Certificate", offered(3), certificate, server, flagsExt(2039), extension.ErrFlagUnsolicited, 2039, 4 + 255},
		{"refuses an unsolicited flag in the client's Certificate", rules.Handshake{Request: request(100)}, certificate, client, flagsExt(101), extension.ErrFlagUnsolicited, 101, 17},
		{"refuses a client's Certificate that answers its own ClientHello", rules.Handshake{Hello: hello(100), Request: request(101)}, certificate, client, flagsExt(100), extension.ErrFlagUnsolicited, 100, 17},
		{"refuses a server's Certificate that answers its own CertificateRequest", rules.Handshake{Hello: hello(100), Request: request(101)}, certificate, server, flagsExt(101), extension.ErrFlagUnsolicited, 101, 17},
		{"refuses an answer to a malformed proposal", rules.Handshake{Hello: malformed}, serverHello, server, flagsExt(0), extension.ErrFlagUnsolicited, 0, 5},

		{"refuses tls_flags in ServerHello that was not requested", none, serverHello, server, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in HelloRetryRequest that was not requested", none, helloRetryRequest, server, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in EncryptedExtensions that was not requested", none, encryptedExtensions, server, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in the server's Certificate that was not requested", rules.Handshake{Request: request(3)}, certificate, server, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in the client's Certificate without a CertificateRequest that has it", offered(3), certificate, client, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses an answer under another code point", offered(1), serverHello, server, experimental(1), extension.ErrFlagsUnrequested, noFlag, 0},
		{"finds the extension after others", none, serverHello, server, slices.Concat(ext(extension.Cookie, 7), flagsExt(3)), extension.ErrFlagsUnrequested, noFlag, 5},

		{"refuses malformed flags in ClientHello", none, clientHello, client, ext(extension.TLSFlags, 2, 1, 0), extension.ErrFlagsTrailingZero, noFlag, 6},
		{"refuses empty flags in NewSessionTicket", none, newSessionTicket, server, ext(extension.TLSFlags), extension.ErrFlagsEmptyData, noFlag, 4},
		{"refuses all-zero flags in CertificateRequest", none, certificateRequest, server, ext(extension.TLSFlags, 1, 0), extension.ErrFlagsAllZero, noFlag, 5},
		{"judges type 62 if both code points are there", none, clientHello, client, slices.Concat(experimental(1), ext(extension.TLSFlags, 0)), extension.ErrFlagsEmptyVector, noFlag, 10},

		{"refuses resumption_across_names in ClientHello", none, clientHello, client, flagsExt(8), extension.ErrFlagMisplaced, 8, 6},
		{"refuses resumption_across_names in CertificateRequest", none, certificateRequest, server, flagsExt(8), extension.ErrFlagMisplaced, 8, 6},
		{"refuses a proposed flag if its document does not answer", offered(80), encryptedExtensions, server, flagsExt(80), extension.ErrFlagMisplaced, 80, 15},
		{"refuses request_mtls in NewSessionTicket", offered(80), newSessionTicket, server, flagsExt(80), extension.ErrFlagMisplaced, 80, 15},
		{"accepts request_mtls in CertificateRequest if it was offered", offered(80), certificateRequest, server, flagsExt(80), 0, noFlag, 0},
		{"refuses request_mtls in CertificateRequest if it was not offered", offered(1), certificateRequest, server, flagsExt(80), extension.ErrFlagUnsolicited, 80, 15},
		{"accepts request_mtls unsolicited if the registry does not say", rules.Handshake{Registry: text02}, certificateRequest, server, flagsExt(80), 0, noFlag, 0},
		{"applies the document of a local flag", rules.Handshake{Hello: hello(7), Registry: local}, encryptedExtensions, server, flagsExt(7), extension.ErrFlagMisplaced, 7, 5},
		{"accepts a local flag if its document has it", rules.Handshake{Hello: hello(7), Registry: local}, serverHello, server, flagsExt(7), 0, noFlag, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block := list(tt.m, tt.block)
			v := tt.x.Check(tt.m, tt.s, block)
			if v.Code != tt.want || v.Offset != tt.offset || v.OK() != (tt.want == 0) {
				t.Errorf("verdict %q at %d, want %q at %d", v.Code.Name(), v.Offset, tt.want.Name(), tt.offset)
			}
			f, ok := v.Flag()
			if ok != (tt.flag != noFlag) || ok && int(f) != tt.flag {
				t.Errorf("offending flag %d, %t; want %d", f, ok, tt.flag)
			}
			if err := v.Err(); err != tt.want.Err() {
				t.Errorf("error %v, want %v", err, tt.want.Err())
			}
			if (v.Clause() == "") != v.OK() {
				t.Errorf("clause %q", v.Clause())
			}
			if n := testing.AllocsPerRun(1, func() { tt.x.Check(tt.m, tt.s, block) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

func TestViolationAlerts(t *testing.T) {
	tests := []struct {
		name        string
		x           rules.Handshake
		m           extension.MessageKind
		block       []byte
		alert       extension.Alert
		alternative extension.Alert // 0: none
		clause      string
	}{
		{"an unsolicited flag", offered(1), serverHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-16, Section 3"},
		{"an unrequested extension", none, serverHello, flagsExt(2), unsupported, illegal, "RFC 9846, Section 4.3"},
		{"a misplaced extension", none, 0, flagsExt(2), illegal, 0, "RFC 9846, Section 4.3"},
		{"a misplaced flag", none, clientHello, flagsExt(8), illegal, 0, "draft-ietf-tls-tlsflags-16, Section 4"},
		{"request_mtls in CertificateRequest, not offered", offered(1), certificateRequest, flagsExt(80), illegal, 0, "draft-jhoyla-req-mtls-flag, Section 3"},
		{"a framing fault", none, clientHello, ext(extension.TLSFlags, 5, 1), illegal, decode, "draft-ietf-tls-tlsflags-16, Section 3"},
		{"an all-zero value", none, clientHello, ext(extension.TLSFlags, 1, 0), illegal, 0, "draft-ietf-tls-tlsflags-16, Section 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := tt.x.Check(tt.m, server, list(tt.m, tt.block))
			alternative, ok := v.AlternativeAlert()
			if v.Alert() != tt.alert || alternative != tt.alternative || ok != (tt.alternative != 0) || v.Clause() != tt.clause {
				t.Errorf("%v, alternative %v, %q; want %v, %v, %q", v.Alert(), alternative, v.Clause(), tt.alert, tt.alternative, tt.clause)
			}
		})
	}
}

func TestViolationString(t *testing.T) {
	for want, block := range map[string][]byte{
		"accepted": flagsExt(1),
		"byte 15 (request_mtls): a flag answers a message that did not have it; alert illegal_parameter; draft-ietf-tls-tlsflags-16, Section 3": flagsExt(1, 80),
		"byte 5: no flag is set; alert illegal_parameter; draft-ietf-tls-tlsflags-16, Section 2":                                                ext(extension.TLSFlags, 1, 0),
	} {
		v := offered(1).Check(encryptedExtensions, server, list(encryptedExtensions, block))
		if v.String() != want {
			t.Errorf("got  %q\nwant %q", v, want)
		}
	}
}

// No message answers a NewSessionTicket: the flags of one are no proposal for anything
// that either side sends afterwards.
func TestNewSessionTicketIsNotAnswered(t *testing.T) {
	ticket := list(newSessionTicket, flagsExt(8, 100))
	for _, m := range []extension.MessageKind{serverHello, helloRetryRequest, encryptedExtensions, certificate} {
		for _, s := range []handshake.Sender{server, client} {
			h := rules.Handshake{Hello: hello(1), Request: request(1)}
			if v := h.Check(m, s, ticket); v.OK() {
				t.Errorf("%v: the flags of a ticket are accepted as an answer", m)
			}
		}
	}
	if set := (offered(8)).Answer(newSessionTicket, server, setOf(t, 8)); set.Len() != 0 {
		t.Error("a NewSessionTicket is treated as an answer")
	}
}

func TestCheckMessage(t *testing.T) {
	parse := func(msg []byte) handshake.Message {
		m, _, err := handshake.Parse(msg)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	second := parse(certificateMessage(flagsExt(1), flagsExt(1, 2)))
	offset := len(second.Raw()) - 1
	mixed := parse(certificateMessage(flagsExt(1), experimental(1)))
	tests := []struct {
		name   string
		x      rules.Handshake
		s      handshake.Sender
		m      handshake.Message
		want   extension.Code
		offset int
	}{
		{"accepts an empty Certificate, which has no place for a flag", rules.Handshake{Request: request(1)}, client, parse(certificateMessage()), 0, 0},
		{"judges every CertificateEntry", offered(1), server, second, extension.ErrFlagUnsolicited, offset},
		{"accepts flags in every CertificateEntry", offered(1, 2), server, second, 0, 0},
		{"checks each CertificateEntry under its code point", offered(1), server, mixed,
			extension.ErrFlagsUnrequested, len(mixed.Raw()) - len(experimental(1))},
		{"accepts a CertificateEntry of each code point", rules.Handshake{Hello: list(clientHello, slices.Concat(flagsExt(1), experimental(1)))}, server, mixed, 0, 0},
		{"passes over extensions that are no flags", none, server, parse(message(8, blockOf(ext(extension.SupportedGroups)))), 0, 0},
		{"looks after a CertificateEntry without tls_flags", none, server,
			parse(certificateMessage(nil, flagsExt(1))), extension.ErrFlagsUnrequested, 8 + 6 + 6},
		{"judges the message that it is", none, server, parse(message(8, blockOf(flagsExt(1)))), extension.ErrFlagsUnrequested, 6},
		{"accepts the zero message", none, server, handshake.Message{}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v := tt.x.CheckMessage(tt.s, tt.m); v.Code != tt.want || v.Offset != tt.offset {
				t.Errorf("%q at %d, want %q at %d", v.Code.Name(), v.Offset, tt.want.Name(), tt.offset)
			}
			if n := testing.AllocsPerRun(1, func() { tt.x.CheckMessage(tt.s, tt.m) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

func TestCheckSecondHello(t *testing.T) {
	tests := []struct {
		name          string
		first, second []byte
		want          extension.Code
		offset        int
	}{
		{"accepts the same flags", flagsExt(1, 80), flagsExt(1, 80), 0, 0},
		{"accepts none twice", nil, nil, 0, 0},
		{"accepts other extensions around them", flagsExt(1), slices.Concat(ext(extension.Cookie, 0, 1, 7), flagsExt(1)), 0, 0},
		{"refuses a flag more", flagsExt(1), flagsExt(1, 2), extension.ErrSecondHelloChanged, 0},
		{"refuses a flag less", slices.Concat(ext(extension.Cookie, 7), flagsExt(1, 2)), slices.Concat(ext(extension.Cookie, 7), flagsExt(1)), extension.ErrSecondHelloChanged, 5},
		{"refuses the extension if the first hello had none", nil, flagsExt(1), extension.ErrSecondHelloChanged, 0},
		{"refuses that the extension is gone", flagsExt(1), nil, extension.ErrSecondHelloChanged, 0},
		{"refuses a change of the experimental code point", slices.Concat(flagsExt(1), experimental(1)), slices.Concat(flagsExt(1), experimental(2)), extension.ErrSecondHelloChanged, 6},
		{"refuses the move to another code point", flagsExt(1), experimental(1), extension.ErrSecondHelloChanged, 0},
		{"refuses other bytes for the same flags", flagsExt(1), ext(extension.TLSFlags, 2, 2, 0), extension.ErrSecondHelloChanged, 0},
		{"refuses malformed flags, although the same", ext(extension.TLSFlags, 1, 0), ext(extension.TLSFlags, 1, 0), extension.ErrFlagsAllZero, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := rules.Handshake{Hello: list(clientHello, tt.first)}
			second := list(clientHello, tt.second)
			if v := h.CheckSecondHello(second); v.Code != tt.want || v.Offset != tt.offset {
				t.Errorf("%q at %d, want %q at %d", v.Code.Name(), v.Offset, tt.want.Name(), tt.offset)
			}
			if n := testing.AllocsPerRun(1, func() { h.CheckSecondHello(second) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

func ExampleHandshake_Check() {
	// The client offered flag 80; the server puts 80 and 81 into EncryptedExtensions.
	offer := []byte{0, 62, 0, 12, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	answer := []byte{0, 62, 0, 12, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}
	hello, _, _ := extension.ParseList(clientHello, offer, 0)
	block, _, _ := extension.ParseList(encryptedExtensions, answer, 0)

	h := rules.Handshake{Hello: hello}
	v := h.Check(encryptedExtensions, server, block)
	flag, _ := v.Flag()
	fmt.Println(v.Code.Name(), flag, v.Alert(), v.Clause())
	// Output: flag_unsolicited flag(81) illegal_parameter draft-ietf-tls-tlsflags-16, Section 3
}
