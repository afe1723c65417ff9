package reqmtls_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// flag80 is the data of a TLS Flags extension with request_mtls.
const flag80 = "\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"

// tlsFlags is a TLS Flags extension.
func tlsFlags(data string) extension.Extension {
	return extension.Extension{Type: extension.TLSFlags, Data: []byte(data)}
}

// plainHello returns the ClientHello of a client of crypto/tls.
func plainHello(t *testing.T, c testClient) clienthello.ClientHello {
	t.Helper()
	a, b := net.Pipe()
	got := make(chan []byte, 1)
	go func() {
		defer b.Close()
		header := make([]byte, 5)
		io.ReadFull(b, header)
		body := make([]byte, int(header[3])<<8|int(header[4]))
		io.ReadFull(b, body)
		got <- body
	}()
	c.start(a)
	hello, _, err := clienthello.Parse(<-got)
	if err != nil {
		t.Fatal(err)
	}
	return hello
}

// rawHello returns a record with the ClientHello of c and more extensions. No handshake can
// be completed with it.
func rawHello(t *testing.T, c testClient, more ...extension.Extension) []byte {
	t.Helper()
	hello := plainHello(t, c)
	var list []extension.Extension
	for e := range hello.Extensions().All() {
		list = append(list, e)
	}
	return record(body(hello, hello.LegacySessionID(), append(list, more...)))
}

// rawFlagged returns a record with a ClientHello that has the flag.
func rawFlagged(t *testing.T) []byte { return rawHello(t, testClient{}, tlsFlags(flag80)) }

// record returns a record with a ClientHello.
func record(body []byte) []byte {
	var b cryptobyte.Builder
	b.AddBytes([]byte{22, 3, 1})
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(1)
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(body) })
	})
	return b.BytesOrPanic()
}

// block appends extensions, each {type, data}.
func block(list []extension.Extension) []byte {
	var b cryptobyte.Builder
	for _, e := range list {
		b.AddUint16(uint16(e.Type))
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
	}
	return b.BytesOrPanic()
}

// body returns the body of a ClientHello like hello with other extensions.
func body(hello clienthello.ClientHello, sessionID []byte, list []extension.Extension) []byte {
	var b cryptobyte.Builder
	b.AddUint16(tls.VersionTLS12)
	b.AddBytes(hello.Random())
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(sessionID) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for s := range hello.CipherSuites().All() {
			b.AddUint16(uint16(s))
		}
	})
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddUint8(0) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(block(list)) })
	return b.BytesOrPanic()
}

// send sends data, ends the writing side, and returns what the server answers.
func (s *server) send(t *testing.T, data []byte) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		conn.Write(data) // the server may hang up meanwhile
		conn.(*net.TCPConn).CloseWrite()
	}()
	answer, _ := io.ReadAll(conn)
	return answer
}

// eventOf sends a hello, hangs up, and returns the event and the answer.
func (s *server) eventOf(t *testing.T, hello []byte) (reqmtls.Event, []byte) {
	t.Helper()
	answer := s.send(t, hello)
	if err := <-s.errs; err == nil {
		t.Fatal("the handshake succeeded")
	}
	return s.event(t), answer
}

// TestFlags covers what a ClientHello can have.
func TestFlags(t *testing.T) {
	experimental := func(data string) extension.Extension {
		return extension.Extension{Type: extension.TLSFlagsExperimental, Data: []byte(data)}
	}
	const flag17, flag8, malformed = "\x03\x00\x00\x02", "\x02\x00\x01", "\x02\x01\x00"
	exts := func(e ...extension.Extension) []extension.Extension { return e }
	types := func(ts ...extension.Type) reqmtls.Config { return reqmtls.Config{Types: ts} }
	flags := func(fs ...extension.Flag) reqmtls.Config { return reqmtls.Config{Flags: fs} }
	type want struct {
		Applied   bool
		Extension extension.Type
		Err       error
	}
	tests := []struct {
		name   string
		config reqmtls.Config
		hello  []extension.Extension
		want   want
	}{
		{"no extension", types(), nil, want{false, 0, nil}},
		{"the flag under 62", types(), exts(tlsFlags(flag80)), want{true, 62, nil}},
		{"the flag under 0xfe01", types(), exts(experimental(flag80)), want{true, 0xfe01, nil}},
		{"another flag", types(), exts(tlsFlags(flag8)), want{false, 62, nil}},
		{"the flag and the last one", types(), exts(tlsFlags("\xff" + flag80[1:] + string(make([]byte, 0xff-12)) + "\x80")), want{true, 62, nil}},
		{"62 decides by default", types(), exts(experimental(flag80), tlsFlags(flag8)), want{false, 62, nil}},
		{"the first of Types decides", types(0xfe01, 62), exts(experimental(flag80), tlsFlags(flag8)), want{true, 0xfe01, nil}},
		{"0xfe01 if only 62 is configured", types(62), exts(experimental(flag80)), want{false, 0, nil}},
		{"62 if only 0xfe01 is configured", types(0xfe01), exts(tlsFlags(flag80)), want{false, 0, nil}},
		{"another flag number", flags(17), exts(tlsFlags(flag17)), want{true, 62, nil}},
		{"80 if another number is configured", flags(17), exts(tlsFlags(flag80)), want{false, 62, nil}},
		{"one of two numbers", flags(80, 17), exts(tlsFlags(flag17)), want{true, 62, nil}},
		{"flag 0", flags(0), exts(tlsFlags("\x01\x01")), want{true, 62, nil}},
		{"80 if 0 is configured", flags(0), exts(tlsFlags(flag80)), want{false, 62, nil}},
		{"a trailing zero", types(), exts(tlsFlags(malformed)), want{false, 62, extension.ErrFlagsTrailingZero}},
		{"empty data", types(), exts(tlsFlags("")), want{false, 62, extension.ErrFlagsEmptyData}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.ClientCAs = botCAs()
			s := startReal(t, baseConfig(), tt.config)
			e, _ := s.eventOf(t, rawHello(t, testClient{}, tt.hello...))
			typ, ok := e.Hello.Extension()
			if got := (want{e.Hello.Applied, typ, e.Hello.Err}); got != tt.want || ok != (typ != 0) {
				t.Errorf("%+v, %v, want %+v", got, ok, tt.want)
			}
			if (e.Outcome == reqmtls.NotApplied) == tt.want.Applied || e.CertificateRequested != tt.want.Applied {
				t.Errorf("%v", e)
			}
		})
	}
}

func TestRefuseMalformed(t *testing.T) {
	const illegal = extension.AlertIllegalParameter
	s := startReal(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs(), RefuseMalformed: true})
	for _, tt := range []struct {
		name   string
		client testClient
		hello  []extension.Extension
		alert  extension.Alert
	}{
		{"empty data", testClient{}, []extension.Extension{tlsFlags("")}, illegal},
		{"a trailing zero", testClient{}, []extension.Extension{tlsFlags("\x02\x01\x00")}, illegal},
		{"trailing bytes under 0xfe01", testClient{}, []extension.Extension{{Type: 0xfe01, Data: []byte{1, 1, 1}}}, illegal},
		{"the flag", testClient{}, []extension.Extension{tlsFlags(flag80)}, 0},
		{"another flag", testClient{}, []extension.Extension{tlsFlags("\x02\x00\x01")}, 0},
		{"no flag", testClient{}, nil, 0},
		{"TLS 1.2", testClient{tls12: true}, nil, 0},
		{"malformed in TLS 1.2", testClient{tls12: true}, []extension.Extension{tlsFlags("\x00")}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := s.send(t, rawHello(t, tt.client, tt.hello...))
			err, e := <-s.errs, s.event(t)
			refused := tt.alert != 0
			if (e.Outcome == reqmtls.Refused) != refused || (e.Err != nil) != refused {
				t.Errorf("%v", e)
			}
			if e.Err != nil && err != e.Err {
				t.Errorf("the handshake ends with %v, want %v", err, e.Err)
			}
			want := string([]byte{21, 3, 3, 0, 2, 2, byte(tt.alert)})
			if refused && string(answer) != want {
				t.Errorf("answer %x, want %x", answer, want)
			}
		})
	}
}

// TestLegacyVersion sends hellos without supported_versions that name TLS 1.3 as their
// legacy_version: they are hellos of TLS 1.2, in which flags mean nothing.
func TestLegacyVersion(t *testing.T) {
	for name, config := range map[string]reqmtls.Config{
		flag80:     {ClientCAs: botCAs()},
		"\x01\x00": {ClientCAs: botCAs(), RefuseMalformed: true},
	} {
		s := startReal(t, baseConfig(), config)
		hello := plainHello(t, testClient{tls12: true})
		list := []extension.Extension{tlsFlags(name)}
		for e := range hello.Extensions().All() {
			if e.Type != extension.SupportedVersions {
				list = append(list, e)
			}
		}
		raw := record(body(hello, nil, list))
		const version = 5 + 4 // after the headers of the record and of the message
		copy(raw[version:], "\x03\x04")
		e, answer := s.eventOf(t, raw)
		if !bytes.Contains(answer, []byte("\x0e\x00\x00\x00")) {
			t.Errorf("%x: no ServerHelloDone of TLS 1.2 in %x", name, answer)
		}
		if e.Outcome != reqmtls.NotApplied || e.CertificateRequested {
			t.Errorf("%x: %v", name, e)
		}
	}
}
