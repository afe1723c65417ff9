package tls13_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
)

// The two senders.
const (
	server = iota
	client
)

// script is a connection whose secrets are all zero.
type script struct {
	t    *testing.T
	keys *tls13.Keys // of the server
	all  []chunk
}

const secretLen = 32

func newScript(t *testing.T) *script {
	s := &script{t: t}
	hello := append([]byte{1, 0, 0, 34, 3, 3}, make([]byte, 32)...)
	s.write(client, record(22, hello))
	return s
}

// serverHello selects TLS 1.3 and TLS_AES_128_GCM_SHA256.
func (s *script) serverHello() {
	msg := append([]byte{2, 0, 0, 46, 3, 3}, make([]byte, 33)...)
	msg = append(msg, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4)
	s.write(server, record(22, msg))
	s.newKeys()
}

func (s *script) newKeys() {
	var err error
	if s.keys, err = tls13.NewKeys(tls.TLS_AES_128_GCM_SHA256, make([]byte, secretLen)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) write(from int, data []byte) {
	c := chunk{data: data}
	if from == client {
		c.from++
	}
	s.all = append(s.all, c)
}

// sealed writes an encrypted record of the server.
func (s *script) sealed(contentType byte, content []byte) {
	s.write(server, s.keys.Seal(contentType, content))
}

func (s *script) keyLog() string {
	random, secret := strings.Repeat("00", 32), strings.Repeat("00", secretLen)
	var keyLog strings.Builder
	for _, label := range []string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"} {
		keyLog.WriteString(label + " " + random + " " + secret + "\n")
	}
	return keyLog.String()
}

// read returns the types of the messages that the server sent.
func (s *script) read() ([]byte, error) {
	messages, err := read(s.t, s.all, s.keyLog())
	var types []byte
	for _, m := range messages[server] {
		types = append(types, m[0])
	}
	return types, err
}

func record(contentType byte, content []byte) []byte {
	return append([]byte{contentType, 3, 3, byte(len(content) >> 8), byte(len(content))}, content...)
}

func message(kind byte, n int) []byte {
	return append([]byte{kind, byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
}

var finished = message(20, 32)

// TestEarlyDataLimit sends 64 kB before the server answers, and a byte more.
func TestEarlyDataLimit(t *testing.T) {
	for n, want := range map[int]error{64 << 10: nil, 64<<10 + 1: tls13.ErrTooLarge} {
		for _, piece := range []int{1 << 10, n} {
			s := newScript(t)
			early := bytes.Repeat(record(23, make([]byte, 1<<14)), n/(5+1<<14))
			early = append(early, record(23, make([]byte, n-len(early)-5))...)
			if len(early) != n {
				t.Fatalf("%d bytes of early data, want %d", len(early), n)
			}
			for b := range slices.Chunk(early, piece) {
				s.write(client, b)
			}
			s.serverHello()
			s.sealed(22, finished)
			if types, err := s.read(); !errors.Is(err, want) || want == nil && string(types) != "\x02\x14" {
				t.Errorf("%d bytes, %d at once: messages %d, error %v, want %v", n, piece, types, err, want)
			}
		}
	}
}

// TestTailLimit checks that a ticket is found in the 64th record after the server's
// Finished, and not in the 65th.
func TestTailLimit(t *testing.T) {
	for at, want := range map[int]string{1: "\x02\x14\x04", 64: "\x02\x14\x04", 65: "\x02\x14"} {
		s := newScript(t)
		s.serverHello()
		s.sealed(22, finished)
		s.newKeys()
		for range at - 1 {
			s.sealed(23, []byte("data"))
		}
		s.sealed(22, message(4, 20))
		if types, err := s.read(); string(types) != want || err != nil {
			t.Errorf("a ticket in record %d: messages %d, error %v, want %d", at, types, err, []byte(want))
		}
	}
}

// TestMessageLimit sends a message of 256 kB with its header, and one of a byte more.
func TestMessageLimit(t *testing.T) {
	for n, want := range map[int]error{256 << 10: nil, 256<<10 + 1: tls13.ErrTooLarge} {
		s := newScript(t)
		s.serverHello()
		for b := range slices.Chunk(message(11, n-4), 1<<14) {
			s.sealed(22, b)
		}
		if types, err := s.read(); !errors.Is(err, want) || want == nil && string(types) != "\x02\x0b" {
			t.Errorf("%d bytes: messages %d, error %v, want %v", n, types, err, want)
		}
	}
}

// TestRecordLimit sends a record of 2^14 + 256 bytes, and one of a byte more.
func TestRecordLimit(t *testing.T) {
	for n, want := range map[int]error{1<<14 + 256: tls13.ErrDecrypt, 1<<14 + 257: tls13.ErrFormat} {
		s := newScript(t)
		s.serverHello()
		s.write(server, record(23, make([]byte, n)))
		if _, err := s.read(); !errors.Is(err, want) {
			t.Errorf("%d bytes: error %v, want %v", n, err, want)
		}
	}
}

// TestKeyLogLimit reads a line of 4096 bytes with its newline, and one of a byte more.
func TestKeyLogLimit(t *testing.T) {
	for n, ok := range map[int]bool{4096: true, 4097: false} {
		if _, err := tls13.ReadKeyLog(strings.NewReader(strings.Repeat("x", n-1) + "\n")); (err == nil) != ok {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
}

// TestPadding reads records with padding, and one that has nothing else.
func TestPadding(t *testing.T) {
	for name, tt := range map[string]struct {
		inner []byte // without its last byte, which is 0
		want  error
	}{
		"a byte of padding":      {append(message(8, 2), 22), nil},
		"100 bytes of padding":   {append(append(message(8, 2), 22), make([]byte, 99)...), nil},
		"nothing but padding":    {make([]byte, 20), tls13.ErrDecrypt},
		"only a byte of padding": {nil, tls13.ErrDecrypt},
	} {
		s := newScript(t)
		s.serverHello()
		s.sealed(0, tt.inner)
		if types, err := s.read(); !errors.Is(err, tt.want) || tt.want == nil && string(types) != "\x02\x08" {
			t.Errorf("%s: messages %d, error %v, want %v", name, types, err, tt.want)
		}
	}
}

func TestNewKeysRefuses(t *testing.T) {
	for _, tt := range []struct {
		suite uint16
		n     int // length of the secret
	}{
		{tls.TLS_AES_128_GCM_SHA256, 0},
		{tls.TLS_AES_128_GCM_SHA256, 31},
		{tls.TLS_AES_128_GCM_SHA256, 48},
		{tls.TLS_AES_256_GCM_SHA384, 32},
		{0x1304, 32}, // TLS_AES_128_CCM_SHA256
	} {
		if _, err := tls13.NewKeys(tt.suite, make([]byte, tt.n)); err == nil {
			t.Errorf("suite %#x, a secret of %d bytes: no error", tt.suite, tt.n)
		}
	}
}

// TestClientFirst feeds all that the client sends before the server's answer.
func TestClientFirst(t *testing.T) {
	s := newScript(t)
	s.newKeys() // all secrets are the same
	s.write(client, s.keys.Seal(22, finished))
	s.serverHello()
	messages, err := read(t, s.all, s.keyLog())
	if err != nil || len(messages[client]) != 2 || messages[client][1][0] != 20 {
		t.Errorf("messages %x, error %v; want the client's Finished", messages[client], err)
	}
}

// TestUse reads the server's messages without a ClientHello.
func TestUse(t *testing.T) {
	s := newScript(t)
	s.serverHello()
	s.sealed(22, finished)
	secret := make([]byte, secretLen)
	var types []byte
	c := tls13.NewConversation(nil, func(_ handshake.Sender, msg []byte) { types = append(types, msg[0]) })
	c.Use(tls13.Secrets{ServerHandshake: secret, ServerTraffic: secret})
	for _, chunk := range s.all[1:] {
		c.Feed(chunk.from, chunk.data)
	}
	if string(types) != "\x02\x14" || c.Err() != nil {
		t.Errorf("messages %d, error %v", types, c.Err())
	}
}

// TestHeld checks that a conversation holds what is incomplete, and nothing after an error.
func TestHeld(t *testing.T) {
	c := tls13.NewConversation(nil, func(handshake.Sender, []byte) {})
	if n := c.Held(); n != 0 {
		t.Errorf("a new conversation holds %d bytes", n)
	}
	c.Feed(server, append(record(22, message(2, 100)[:50]), 22, 3, 3))
	if n := c.Held(); n < 53 {
		t.Errorf("holds %d bytes of 53", n)
	}
	c.Feed(client, []byte{22, 3, 3, 0xff, 0xff}) // the header of a record that is too long
	if c.Err() == nil || !c.Done() || c.Held() != 0 {
		t.Errorf("after an error: %v, done %t, holds %d bytes", c.Err(), c.Done(), c.Held())
	}
	c.Feed(server, make([]byte, 10))
	if n := c.Held(); n != 0 {
		t.Errorf("holds %d bytes of what came after the error", n)
	}
}
