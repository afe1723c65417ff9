package extension_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

// list returns the extension block that holds exts, as part of message m.
func list(m extension.Message, exts ...[]byte) extension.List {
	l, _, err := extension.ParseList(m, slices.Concat(exts...), 0)
	if err != nil {
		panic(err)
	}
	return l
}

func hello(flags ...extension.Flag) extension.List {
	return list(extension.ClientHello, flagsExt(flags...))
}

func request(flags ...extension.Flag) extension.List {
	return list(extension.CertificateRequest, flagsExt(flags...))
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
func TestJudge(t *testing.T) {
	local, err := extension.Registry{}.With(extension.FlagInfo{Number: 7, Name: "local",
		Messages: 1<<extension.ClientHello | 1<<extension.ServerHello, Answers: 1 << extension.ServerHello})
	if err != nil {
		t.Fatal(err)
	}
	text02, err := extension.Registry{}.With(extension.FlagInfo{Number: extension.RequestMTLS, Name: "request_mtls"})
	if err != nil {
		t.Fatal(err)
	}
	none := extension.List{}
	fe01 := list(extension.ClientHello, experimental(1))
	malformed := list(extension.ClientHello, ext(extension.TLSFlags, 2, 1, 0))
	tests := []struct {
		name   string
		x      extension.Exchange
		m      extension.Message
		s      extension.Sender
		block  []byte
		want   extension.Code
		flag   int
		offset int
	}{
		{"accepts a message without tls_flags", extension.Exchange{}, extension.ServerHello, extension.FromServer, ext(extension.Cookie, 0, 1, 7), 0, noFlag, 0},

		{"accepts an unknown flag in ClientHello", extension.Exchange{}, extension.ClientHello, extension.FromClient, flagsExt(100), 0, noFlag, 0},
		{"accepts an unknown unsolicited flag in CertificateRequest", extension.Exchange{Hello: none}, extension.CertificateRequest, extension.FromServer, flagsExt(100), 0, noFlag, 0},
		{"accepts an unknown unsolicited flag in NewSessionTicket", extension.Exchange{Hello: hello(1)}, extension.NewSessionTicket, extension.FromServer, flagsExt(2, 100, 2039), 0, noFlag, 0},
		{"accepts resumption_across_names in NewSessionTicket", extension.Exchange{}, extension.NewSessionTicket, extension.FromServer, flagsExt(8), 0, noFlag, 0},

		{"accepts an answer in ServerHello", extension.Exchange{Hello: hello(3)}, extension.ServerHello, extension.FromServer, flagsExt(3), 0, noFlag, 0},
		{"accepts an answer in HelloRetryRequest", extension.Exchange{Hello: hello(3)}, extension.HelloRetryRequest, extension.FromServer, flagsExt(3), 0, noFlag, 0},
		{"accepts an answer in EncryptedExtensions", extension.Exchange{Hello: hello(3, 5)}, extension.EncryptedExtensions, extension.FromServer, flagsExt(5), 0, noFlag, 0},
		{"accepts an answer in the server's Certificate", extension.Exchange{Hello: hello(3)}, extension.Certificate, extension.FromServer, flagsExt(3), 0, noFlag, 0},
		{"accepts an answer in the client's Certificate", extension.Exchange{Request: request(100)}, extension.Certificate, extension.FromClient, flagsExt(100), 0, noFlag, 0},
		{"accepts an answer under the experimental code point", extension.Exchange{Hello: fe01}, extension.EncryptedExtensions, extension.FromServer, experimental(1), 0, noFlag, 0},

		{"refuses an unsolicited flag in ServerHello", extension.Exchange{Hello: hello(3)}, extension.ServerHello, extension.FromServer, flagsExt(3, 4), extension.ErrFlagUnsolicited, 4, 5},
		{"refuses an unsolicited flag in HelloRetryRequest", extension.Exchange{Hello: hello(3)}, extension.HelloRetryRequest, extension.FromServer, flagsExt(4), extension.ErrFlagUnsolicited, 4, 5},
		{"refuses an unsolicited flag in EncryptedExtensions", extension.Exchange{Hello: hello(3)}, extension.EncryptedExtensions, extension.FromServer, flagsExt(3, 20, 21), extension.ErrFlagUnsolicited, 20, 7},
		{"refuses an unsolicited flag in the server's Certificate", extension.Exchange{Hello: hello(3)}, extension.Certificate, extension.FromServer, flagsExt(2039), extension.ErrFlagUnsolicited, 2039, 4 + 255},
		{"refuses an unsolicited flag in the client's Certificate", extension.Exchange{Request: request(100)}, extension.Certificate, extension.FromClient, flagsExt(101), extension.ErrFlagUnsolicited, 101, 17},
		{"refuses a client's Certificate that answers its own ClientHello", extension.Exchange{Hello: hello(100), Request: request(101)}, extension.Certificate, extension.FromClient, flagsExt(100), extension.ErrFlagUnsolicited, 100, 17},
		{"refuses a server's Certificate that answers its own CertificateRequest", extension.Exchange{Hello: hello(100), Request: request(101)}, extension.Certificate, extension.FromServer, flagsExt(101), extension.ErrFlagUnsolicited, 101, 17},
		{"refuses an answer to a malformed proposal", extension.Exchange{Hello: malformed}, extension.ServerHello, extension.FromServer, flagsExt(0), extension.ErrFlagUnsolicited, 0, 5},

		{"refuses tls_flags in ServerHello that was not requested", extension.Exchange{}, extension.ServerHello, extension.FromServer, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in HelloRetryRequest that was not requested", extension.Exchange{}, extension.HelloRetryRequest, extension.FromServer, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in EncryptedExtensions that was not requested", extension.Exchange{}, extension.EncryptedExtensions, extension.FromServer, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in the server's Certificate that was not requested", extension.Exchange{Request: request(3)}, extension.Certificate, extension.FromServer, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses tls_flags in the client's Certificate without a CertificateRequest that has it", extension.Exchange{Hello: hello(3)}, extension.Certificate, extension.FromClient, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"refuses an answer under another code point", extension.Exchange{Hello: hello(1)}, extension.ServerHello, extension.FromServer, experimental(1), extension.ErrFlagsUnrequested, noFlag, 0},
		{"finds the extension behind others", extension.Exchange{}, extension.ServerHello, extension.FromServer, slices.Concat(ext(extension.Cookie, 7), flagsExt(3)), extension.ErrFlagsUnrequested, noFlag, 5},

		{"refuses malformed flags in ClientHello", extension.Exchange{}, extension.ClientHello, extension.FromClient, ext(extension.TLSFlags, 2, 1, 0), extension.ErrFlagsTrailingZero, noFlag, 6},
		{"refuses empty flags in NewSessionTicket", extension.Exchange{}, extension.NewSessionTicket, extension.FromServer, ext(extension.TLSFlags), extension.ErrFlagsEmptyData, noFlag, 4},
		{"refuses all-zero flags in CertificateRequest", extension.Exchange{}, extension.CertificateRequest, extension.FromServer, ext(extension.TLSFlags, 1, 0), extension.ErrFlagsAllZero, noFlag, 5},
		{"judges type 62 where both code points are there", extension.Exchange{}, extension.ClientHello, extension.FromClient, slices.Concat(experimental(1), ext(extension.TLSFlags, 0)), extension.ErrFlagsEmptyVector, noFlag, 10},

		{"refuses resumption_across_names in ClientHello", extension.Exchange{}, extension.ClientHello, extension.FromClient, flagsExt(8), extension.ErrFlagMisplaced, 8, 6},
		{"refuses resumption_across_names in CertificateRequest", extension.Exchange{}, extension.CertificateRequest, extension.FromServer, flagsExt(8), extension.ErrFlagMisplaced, 8, 6},
		{"refuses a proposed flag where its document does not answer", extension.Exchange{Hello: hello(80)}, extension.EncryptedExtensions, extension.FromServer, flagsExt(80), extension.ErrFlagMisplaced, 80, 15},
		{"refuses request_mtls in NewSessionTicket", extension.Exchange{Hello: hello(80)}, extension.NewSessionTicket, extension.FromServer, flagsExt(80), extension.ErrFlagMisplaced, 80, 15},
		{"accepts request_mtls in CertificateRequest where it was offered", extension.Exchange{Hello: hello(80)}, extension.CertificateRequest, extension.FromServer, flagsExt(80), 0, noFlag, 0},
		{"refuses request_mtls in CertificateRequest where it was not offered", extension.Exchange{Hello: hello(1)}, extension.CertificateRequest, extension.FromServer, flagsExt(80), extension.ErrFlagUnsolicited, 80, 15},
		{"accepts request_mtls unsolicited where the registry does not say", extension.Exchange{Registry: text02}, extension.CertificateRequest, extension.FromServer, flagsExt(80), 0, noFlag, 0},
		{"applies the document of a local flag", extension.Exchange{Hello: hello(7), Registry: local}, extension.EncryptedExtensions, extension.FromServer, flagsExt(7), extension.ErrFlagMisplaced, 7, 5},
		{"accepts a local flag where its document has it", extension.Exchange{Hello: hello(7), Registry: local}, extension.ServerHello, extension.FromServer, flagsExt(7), 0, noFlag, 0},

		{"-00 knows no flags in HelloRetryRequest", extension.Exchange{Draft: extension.Draft00, Hello: hello(3)}, extension.HelloRetryRequest, extension.FromServer, flagsExt(3), extension.ErrFlagsMisplaced, noFlag, 0},
		{"-02 knows no flags in CertificateRequest", extension.Exchange{Draft: extension.Draft01}, extension.CertificateRequest, extension.FromServer, flagsExt(3), extension.ErrFlagsMisplaced, noFlag, 0},
		{"-03 knows no flags in NewSessionTicket", extension.Exchange{Draft: extension.Draft03}, extension.NewSessionTicket, extension.FromServer, flagsExt(3), extension.ErrFlagsMisplaced, noFlag, 0},
		{"-04 knows flags in Certificate", extension.Exchange{Draft: extension.Draft04, Hello: hello(3)}, extension.Certificate, extension.FromServer, flagsExt(3), 0, noFlag, 0},
		{"-00 refuses an unsolicited flag in EncryptedExtensions", extension.Exchange{Draft: extension.Draft00, Hello: hello(3)}, extension.EncryptedExtensions, extension.FromServer, ext(extension.TLSFlags, 1, 0x80), extension.ErrFlagUnsolicited, 0, 5},
		{"-00 reads the most significant bit first", extension.Exchange{Draft: extension.Draft00, Hello: list(extension.ClientHello, ext(extension.TLSFlags, 1, 0x44))}, extension.ServerHello, extension.FromServer, ext(extension.TLSFlags, 1, 0x40), 0, noFlag, 0},
		{"-01 accepts an empty list in ClientHello", extension.Exchange{Draft: extension.Draft01}, extension.ClientHello, extension.FromClient, ext(extension.TLSFlags, 0), 0, noFlag, 0},
		{"-01 accepts server flags in EncryptedExtensions", extension.Exchange{Draft: extension.Draft01, Hello: list(extension.ClientHello, ext(extension.TLSFlags, 0))}, extension.EncryptedExtensions, extension.FromServer, flagsExt(3), 0, noFlag, 0},
		{"-01 refuses server flags where the client sent no extension", extension.Exchange{Draft: extension.Draft01}, extension.EncryptedExtensions, extension.FromServer, flagsExt(3), extension.ErrFlagsUnrequested, noFlag, 0},
		{"-01 refuses server flags in ServerHello", extension.Exchange{Draft: extension.Draft01, Hello: list(extension.ClientHello, ext(extension.TLSFlags, 0))}, extension.ServerHello, extension.FromServer, flagsExt(3), extension.ErrFlagUnsolicited, 3, 5},
		{"-03 refuses server flags in EncryptedExtensions", extension.Exchange{Draft: extension.Draft03, Hello: hello(2)}, extension.EncryptedExtensions, extension.FromServer, flagsExt(3), extension.ErrFlagUnsolicited, 3, 5},
		{"-03 refuses an empty list in ClientHello", extension.Exchange{Draft: extension.Draft03}, extension.ClientHello, extension.FromClient, ext(extension.TLSFlags, 0), extension.ErrFlagsEmptyVector, noFlag, 4},
		{"-04 accepts unsolicited flags in CertificateRequest", extension.Exchange{Draft: extension.Draft04}, extension.CertificateRequest, extension.FromServer, flagsExt(100), 0, noFlag, 0},
		{"-06 refuses unsolicited flags in ServerHello", extension.Exchange{Draft: extension.Draft04, Hello: hello(2)}, extension.ServerHello, extension.FromServer, flagsExt(3), extension.ErrFlagUnsolicited, 3, 5},
		{"-08 refuses unsolicited flags in HelloRetryRequest", extension.Exchange{Draft: extension.Draft07, Hello: hello(2)}, extension.HelloRetryRequest, extension.FromServer, flagsExt(3), extension.ErrFlagUnsolicited, 3, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block := list(tt.m, tt.block)
			v := tt.x.Judge(tt.m, tt.s, block)
			if v.Code != tt.want || v.Offset != tt.offset || v.OK() != (tt.want == 0) {
				t.Errorf("verdict %q at %d, want %q at %d", v.Code.Name(), v.Offset, tt.want.Name(), tt.offset)
			}
			f, ok := v.Flag()
			if ok != (tt.flag != noFlag) || ok && int(f) != tt.flag {
				t.Errorf("offending flag %d, %t; want %d", f, ok, tt.flag)
			}
			if (v.Clause() == "") != v.OK() {
				t.Errorf("clause %q", v.Clause())
			}
			if n := testing.AllocsPerRun(1, func() { tt.x.Judge(tt.m, tt.s, block) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

func TestVerdictAlerts(t *testing.T) {
	tests := []struct {
		name        string
		x           extension.Exchange
		m           extension.Message
		block       []byte
		alert       extension.Alert
		alternative extension.Alert // 0: none
		clause      string
	}{
		{"an unsolicited flag", extension.Exchange{Hello: hello(1)}, extension.ServerHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-16, Section 3"},
		{"an unsolicited flag in -00", extension.Exchange{Draft: extension.Draft00, Hello: hello(1)}, extension.ServerHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-00, Section 2"},
		{"an unsolicited flag in -02", extension.Exchange{Draft: extension.Draft01, Hello: hello(1)}, extension.ServerHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-02, Section 2"},
		{"an unsolicited flag in -03", extension.Exchange{Draft: extension.Draft03, Hello: hello(1)}, extension.ServerHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-03, Section 3"},
		{"an unsolicited flag in -06", extension.Exchange{Draft: extension.Draft04, Hello: hello(1)}, extension.ServerHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-06, Section 3"},
		{"an unsolicited flag in -08", extension.Exchange{Draft: extension.Draft07, Hello: hello(1)}, extension.ServerHello, flagsExt(2), illegal, 0, "draft-ietf-tls-tlsflags-08, Section 3"},
		{"an unrequested extension", extension.Exchange{}, extension.ServerHello, flagsExt(2), unsupported, illegal, "RFC 9846, Section 4.3"},
		{"a misplaced extension", extension.Exchange{Draft: extension.Draft00}, extension.NewSessionTicket, flagsExt(2), illegal, 0, "RFC 9846, Section 4.3"},
		{"a misplaced flag", extension.Exchange{}, extension.ClientHello, flagsExt(8), illegal, 0, "draft-ietf-tls-tlsflags-16, Section 4"},
		{"request_mtls in CertificateRequest, not offered", extension.Exchange{Hello: hello(1)}, extension.CertificateRequest, flagsExt(80), illegal, 0, "draft-jhoyla-req-mtls-flag, Section 3"},
		{"a framing fault", extension.Exchange{}, extension.ClientHello, ext(extension.TLSFlags, 5, 1), illegal, decode, "draft-ietf-tls-tlsflags-16, Section 3"},
		{"an all-zero value", extension.Exchange{}, extension.ClientHello, ext(extension.TLSFlags, 1, 0), illegal, 0, "draft-ietf-tls-tlsflags-16, Section 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := tt.x.Judge(tt.m, extension.FromServer, list(tt.m, tt.block))
			alternative, ok := v.Alternative()
			if v.Alert() != tt.alert || alternative != tt.alternative || ok != (tt.alternative != 0) || v.Clause() != tt.clause {
				t.Errorf("%v, alternative %v, %q; want %v, %v, %q", v.Alert(), alternative, v.Clause(), tt.alert, tt.alternative, tt.clause)
			}
		})
	}
}

func TestVerdictString(t *testing.T) {
	for want, block := range map[string][]byte{
		"accepted": flagsExt(1),
		"byte 15 (request_mtls): a flag answers a message that did not have it; alert illegal_parameter; draft-ietf-tls-tlsflags-16, Section 3": flagsExt(1, 80),
		"byte 5: no flag is set; alert illegal_parameter; draft-ietf-tls-tlsflags-16, Section 2":                                                ext(extension.TLSFlags, 1, 0),
	} {
		v := extension.Exchange{Hello: hello(1)}.Judge(extension.EncryptedExtensions, extension.FromServer, list(extension.EncryptedExtensions, block))
		if v.String() != want {
			t.Errorf("got  %q\nwant %q", v, want)
		}
	}
}

// No message answers a NewSessionTicket: the flags of one are no proposal for anything
// that either side sends afterwards.
func TestNewSessionTicketIsNotAnswered(t *testing.T) {
	ticket := list(extension.NewSessionTicket, flagsExt(8, 100))
	for _, m := range []extension.Message{extension.ServerHello, extension.HelloRetryRequest, extension.EncryptedExtensions, extension.Certificate} {
		for _, s := range []extension.Sender{extension.FromServer, extension.FromClient} {
			x := extension.Exchange{Hello: hello(1), Request: request(1)}
			if v := x.Judge(m, s, ticket); v.OK() {
				t.Errorf("%v: the flags of a ticket are accepted as an answer", m)
			}
		}
	}
	if set := (extension.Exchange{Hello: hello(8)}).Answer(extension.NewSessionTicket, extension.FromServer, setOf(t, 8)); set.Len() != 0 {
		t.Error("a NewSessionTicket is treated as an answer")
	}
}

func TestJudgeMessage(t *testing.T) {
	parse := func(msg []byte) extension.HandshakeMessage {
		m, _, err := extension.ParseMessage(msg)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	second := parse(certificate(testEntry{[]byte{1}, [][]byte{flagsExt(1)}}, testEntry{[]byte{2}, [][]byte{flagsExt(1, 2)}}))
	offset := len(second.Raw()) - 1
	tests := []struct {
		name   string
		x      extension.Exchange
		s      extension.Sender
		m      extension.HandshakeMessage
		want   extension.Code
		offset int
	}{
		{"has nothing against an empty Certificate, which has no place for a flag", extension.Exchange{Request: request(1)}, extension.FromClient, parse(certificate()), 0, 0},
		{"judges every CertificateEntry", extension.Exchange{Hello: hello(1)}, extension.FromServer, second, extension.ErrFlagUnsolicited, offset},
		{"accepts flags in every CertificateEntry", extension.Exchange{Hello: hello(1, 2)}, extension.FromServer, second, 0, 0},
		{"passes over extensions that are no flags", extension.Exchange{}, extension.FromServer, parse(encryptedExtensions([]byte{0, 10, 0, 0})), 0, 0},
		{"looks behind a CertificateEntry without tls_flags", extension.Exchange{}, extension.FromServer,
			parse(certificate(testEntry{[]byte{1}, nil}, testEntry{[]byte{2}, [][]byte{flagsExt(1)}})), extension.ErrFlagsUnrequested, 10 + 6 + 6},
		{"judges the message that it is", extension.Exchange{}, extension.FromServer, parse(encryptedExtensions(flagsExt(1))), extension.ErrFlagsUnrequested, 6},
		{"has nothing against the zero message", extension.Exchange{}, extension.FromServer, extension.HandshakeMessage{}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v := tt.x.JudgeMessage(tt.s, tt.m); v.Code != tt.want || v.Offset != tt.offset {
				t.Errorf("%q at %d, want %q at %d", v.Code.Name(), v.Offset, tt.want.Name(), tt.offset)
			}
			if n := testing.AllocsPerRun(1, func() { tt.x.JudgeMessage(tt.s, tt.m) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

func TestJudgeSecondHello(t *testing.T) {
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
		{"refuses the extension where the first hello had none", nil, flagsExt(1), extension.ErrSecondHelloChanged, 0},
		{"refuses that the extension is gone", flagsExt(1), nil, extension.ErrSecondHelloChanged, 0},
		{"refuses a change of the experimental code point", slices.Concat(flagsExt(1), experimental(1)), slices.Concat(flagsExt(1), experimental(2)), extension.ErrSecondHelloChanged, 6},
		{"refuses the move to another code point", flagsExt(1), experimental(1), extension.ErrSecondHelloChanged, 0},
		{"refuses other bytes for the same flags", flagsExt(1), ext(extension.TLSFlags, 2, 2, 0), extension.ErrSecondHelloChanged, 0},
		{"refuses malformed flags, although the same", ext(extension.TLSFlags, 1, 0), ext(extension.TLSFlags, 1, 0), extension.ErrFlagsAllZero, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := extension.Exchange{Hello: list(extension.ClientHello, tt.first)}
			second := list(extension.ClientHello, tt.second)
			if v := x.JudgeSecondHello(second); v.Code != tt.want || v.Offset != tt.offset {
				t.Errorf("%q at %d, want %q at %d", v.Code.Name(), v.Offset, tt.want.Name(), tt.offset)
			}
			if n := testing.AllocsPerRun(1, func() { x.JudgeSecondHello(second) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

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
		{Number: 1, Name: "hello", Messages: 1<<extension.ClientHello | 1<<extension.ServerHello, Answers: 1 << extension.ServerHello},
		{Number: 2, Name: "retry", Messages: 1<<extension.ClientHello | 1<<extension.HelloRetryRequest, Answers: 1 << extension.HelloRetryRequest},
		{Number: 3, Name: "encrypted", Messages: 1<<extension.ClientHello | 1<<extension.EncryptedExtensions, Answers: 1 << extension.EncryptedExtensions},
		{Number: 4, Name: "certificate", Messages: 1<<extension.ClientHello | 1<<extension.CertificateRequest | 1<<extension.Certificate, Answers: 1 << extension.Certificate},
		{Number: 6, Name: "hello too", Messages: 1<<extension.ClientHello | 1<<extension.ServerHello, Answers: 1 << extension.ServerHello},
		{Number: 5, Name: "silent", Messages: 1 << extension.ClientHello},
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
		x         extension.Exchange
		m         extension.Message
		s         extension.Sender
		supported extension.FlagSet
		want      []byte
	}{
		{"answers in ServerHello", extension.Exchange{Registry: r, Hello: offer}, extension.ServerHello, extension.FromServer, all, flagsExt(1)},
		{"answers in HelloRetryRequest", extension.Exchange{Registry: r, Hello: offer}, extension.HelloRetryRequest, extension.FromServer, all, flagsExt(2)},
		{"answers in EncryptedExtensions", extension.Exchange{Registry: r, Hello: offer}, extension.EncryptedExtensions, extension.FromServer, all, flagsExt(3)},
		{"answers in the server's Certificate", extension.Exchange{Registry: r, Hello: offer}, extension.Certificate, extension.FromServer, all, flagsExt(4)},
		{"answers in the client's Certificate", extension.Exchange{Registry: r, Hello: hello(1), Request: request(4, 5)}, extension.Certificate, extension.FromClient, all, flagsExt(4)},
		{"answers in the client's Certificate under the code point of the request", extension.Exchange{Registry: r, Hello: hello(4),
			Request: list(extension.CertificateRequest, experimental(4))}, extension.Certificate, extension.FromClient, all, experimental(4)},
		{"acknowledges request_mtls in CertificateRequest", extension.Exchange{Registry: r, Hello: offer}, extension.CertificateRequest, extension.FromServer, all, flagsExt(80)},
		{"does not answer what was not offered", extension.Exchange{Registry: r, Hello: hello(2)}, extension.ServerHello, extension.FromServer, all, nil},
		{"does not answer what is not supported", extension.Exchange{Registry: r, Hello: offer}, extension.ServerHello, extension.FromServer, setOf(t, 2), nil},
		{"does not answer a hello without tls_flags", extension.Exchange{Registry: r}, extension.ServerHello, extension.FromServer, all, nil},
		{"does not answer a malformed offer", extension.Exchange{Registry: r, Hello: list(extension.ClientHello, ext(extension.TLSFlags, 2, 2, 0))}, extension.ServerHello, extension.FromServer, all, nil},
		{"does not answer unknown flags", extension.Exchange{Hello: hello(100)}, extension.EncryptedExtensions, extension.FromServer, all, nil},
		{"does not answer in NewSessionTicket", extension.Exchange{Registry: r, Hello: offer}, extension.NewSessionTicket, extension.FromServer, all, nil},
		{"answers under the code point of the offer", extension.Exchange{Registry: r, Hello: list(extension.ClientHello, experimental(1))}, extension.ServerHello, extension.FromServer, all, experimental(1)},
		{"answers -00 most significant bit first", extension.Exchange{Draft: extension.Draft00, Registry: r,
			Hello: list(extension.ClientHello, ext(extension.TLSFlags, 1, 0x40))}, extension.ServerHello, extension.FromServer, all, ext(extension.TLSFlags, 1, 0x40)},
		{"answers two flags of one octet", extension.Exchange{Registry: r, Hello: hello(1, 6)}, extension.ServerHello, extension.FromServer, setOf(t, 1, 6), flagsExt(1, 6)},
		{"leaves an empty answer of -00 out", extension.Exchange{Draft: extension.Draft00, Registry: r,
			Hello: list(extension.ClientHello, ext(extension.TLSFlags, 1, 0x40))}, extension.ServerHello, extension.FromServer, setOf(t, 2), nil},
		{"answers in no message that the draft does not have", extension.Exchange{Draft: extension.Draft03, Registry: r, Hello: offer}, extension.HelloRetryRequest, extension.FromServer, all, nil},
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
	x := extension.Exchange{Hello: hello(1, 80)}
	set, v := x.Agreed(extension.CertificateRequest, extension.FromServer, request(80, 100))
	if !v.OK() || set != setOf(t, 80) {
		t.Errorf("agreed on %d flags, %q; an unsolicited flag is not agreed on", set.Len(), v.Code.Name())
	}
	set, v = x.Agreed(extension.ServerHello, extension.FromServer, list(extension.ServerHello, flagsExt(2)))
	if v.Code != extension.ErrFlagUnsolicited || set.Len() != 0 {
		t.Errorf("%d flags, %q; want none and an objection", set.Len(), v.Code.Name())
	}
	set, v = x.Agreed(extension.ServerHello, extension.FromServer, list(extension.ServerHello, flagsExt(1, 2)))
	if v.OK() || set.Len() != 0 {
		t.Errorf("%d flags, %q; the good flag of a refused answer is not agreed on", set.Len(), v.Code.Name())
	}
	set, v = x.Agreed(extension.NewSessionTicket, extension.FromServer, list(extension.NewSessionTicket, flagsExt(1)))
	if !v.OK() || set.Len() != 0 {
		t.Errorf("%d flags, %q; a ticket agrees on nothing", set.Len(), v.Code.Name())
	}
}

func ExampleExchange_Judge() {
	// The client offered flag 80; the server puts 80 and 81 into EncryptedExtensions.
	offer := []byte{0, 62, 0, 12, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	answer := []byte{0, 62, 0, 12, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}
	hello, _, _ := extension.ParseList(extension.ClientHello, offer, 0)
	block, _, _ := extension.ParseList(extension.EncryptedExtensions, answer, 0)

	x := extension.Exchange{Hello: hello}
	v := x.Judge(extension.EncryptedExtensions, extension.FromServer, block)
	flag, _ := v.Flag()
	fmt.Println(v.Code.Name(), flag, v.Alert(), v.Clause())
	// Output: flag_unsolicited flag(81) illegal_parameter draft-ietf-tls-tlsflags-16, Section 3
}
