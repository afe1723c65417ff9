package tls13_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
)

// TestRecordsAfterServerHello checks what each kind of record does to what follows.
func TestRecordsAfterServerHello(t *testing.T) {
	ticket, keyUpdate, extensions := message(4, 20), message(24, 1), message(8, 2)
	alert := []byte{1, 0}
	for name, row := range map[string]struct {
		send func(s *script)
		want string // types of the messages after ServerHello
		err  error
	}{
		"a message in two records": {func(s *script) {
			s.sealed(22, extensions[:3])
			s.sealed(22, extensions[3:])
		}, "\x08", nil},
		"two messages in a record": {func(s *script) { s.sealed(22, slices.Concat(extensions, ticket)) }, "\x08\x04", nil},
		"a message that is not encrypted": {func(s *script) {
			s.sealed(22, extensions)
			s.write(server, record(22, ticket))
		}, "\x08", tls13.ErrFormat},
		"change_cipher_spec": {func(s *script) {
			s.write(server, record(20, []byte{1}))
			s.sealed(22, extensions)
		}, "\x08", nil},
		"an alert": {func(s *script) {
			s.write(server, append(record(21, alert), s.keys.Seal(22, extensions)...))
		}, "", nil},
		"an encrypted alert": {func(s *script) {
			s.write(server, append(s.keys.Seal(21, alert), s.keys.Seal(22, extensions)...))
		}, "", nil},
		"a key update":                  {func(s *script) { s.sealed(22, slices.Concat(keyUpdate, ticket)) }, "\x18", nil},
		"a ticket in Finished's record": {func(s *script) { s.sealed(22, slices.Concat(finished, ticket)) }, "\x14\x04", nil},
		"another ServerHello":           {func(s *script) { s.sealed(22, s.all[1].data[5:]) }, "", tls13.ErrFormat},
		"a message of the client":       {func(s *script) { s.sealed(22, message(1, 2)) }, "\x01", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.serverHello()
			row.send(s)
			types, err := s.read()
			if string(types) != "\x02"+row.want || !errors.Is(err, row.err) {
				t.Errorf("messages %d, error %v; want %d after ServerHello, error %v", types, err, []byte(row.want), row.err)
			}
		})
	}
}

// TestClientFinishedIsTheLast checks that nothing is read after the client's Finished, whose
// keys the log need not have.
func TestClientFinishedIsTheLast(t *testing.T) {
	s := newScript(t)
	s.serverHello()
	s.write(client, slices.Concat(s.keys.Seal(22, slices.Concat(finished, message(4, 20))), record(23, make([]byte, 30))))
	s.write(client, record(23, make([]byte, 30)))
	messages, err := read(t, s.all, s.keyLog())
	if len(messages[client]) != 2 || messages[client][1][0] != 20 || err != nil {
		t.Errorf("messages %x, error %v; want the client's Finished as the last", messages[client], err)
	}
}

// TestMissingSecrets checks that a side is read as far as there are secrets, without an error.
func TestMissingSecrets(t *testing.T) {
	secret := make([]byte, secretLen)
	for want, secrets := range map[string]tls13.Secrets{
		"\x02":     {ServerTraffic: secret, ClientHandshake: secret},
		"\x02\x14": {ServerHandshake: secret},
	} {
		s := newScript(t)
		s.serverHello()
		s.sealed(22, finished)
		s.newKeys()
		s.sealed(22, message(4, 20))
		var types []byte
		c := tls13.NewConversation(nil, func(_ handshake.Sender, msg []byte) { types = append(types, msg[0]) })
		c.Use(secrets)
		for _, chunk := range s.all[1:] {
			c.Feed(chunk.from, chunk.data)
		}
		if string(types) != want || c.Err() != nil || c.Done() || c.Held() != 0 {
			t.Errorf("messages %d, want %d; error %v, done %t, holds %d bytes", types, []byte(want), c.Err(), c.Done(), c.Held())
		}
		c.Feed(client, record(21, []byte{1, 0}))
		if !c.Done() || c.Err() != nil || c.Held() != 0 {
			t.Errorf("after an alert of the client: done %t, error %v, holds %d bytes", c.Done(), c.Err(), c.Held())
		}
	}
}

// TestShortClientHello feeds hellos that end before and after the random.
func TestShortClientHello(t *testing.T) {
	for n, want := range map[int]error{33: tls13.ErrFormat, 34: nil} {
		_, err := read(t, []chunk{{handshake.FromClient, record(22, message(1, n))}}, newScript(t).keyLog())
		if !errors.Is(err, want) {
			t.Errorf("a body of %d bytes: error %v, want %v", n, err, want)
		}
	}
}

func TestOpenAndSeal(t *testing.T) {
	newKeys := func() *tls13.Keys {
		keys, err := tls13.NewKeys(tls.TLS_AES_128_GCM_SHA256, make([]byte, secretLen))
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	from, to := newKeys(), newKeys()
	for i := range byte(3) {
		sealed := from.Seal(22, []byte{i, 0, 7})
		if want := []byte{23, 3, 3, 0, 3 + 1 + 16}; !bytes.HasPrefix(sealed, want) || len(sealed) != 5+20 {
			t.Errorf("sealed %x, want the header %x", sealed, want)
		}
		changed := bytes.Clone(sealed)
		changed[len(changed)-1] ^= 1
		if kind, content, ok := to.Open(changed); kind != 0 || content != nil || ok {
			t.Errorf("a changed record opens to %d %x, %t", kind, content, ok)
		}
		if kind, content, ok := to.Open(sealed); kind != 22 || !bytes.Equal(content, []byte{i, 0, 7}) || !ok {
			t.Errorf("record %d opens to %d %x, %t", i, kind, content, ok)
		}
	}
	if kind, content, ok := to.Open(from.Seal(0, nil)); kind != 0 || content != nil || ok {
		t.Errorf("a record of padding opens to %d %x, %t", kind, content, ok)
	}
}

// TestKeyLogErrors checks that the error of a reader is returned with what was read.
func TestKeyLogErrors(t *testing.T) {
	broken := errors.New("broken")
	line := "SERVER_TRAFFIC_SECRET_0 " + strings.Repeat("ab", 32) + " 04\n"
	log, err := tls13.ReadKeyLog(io.MultiReader(strings.NewReader(line), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || len(log) != 1 {
		t.Errorf("%d connections, error %v", len(log), err)
	}
}

// TestOtherLabels checks that lines with other labels add no connection.
func TestOtherLabels(t *testing.T) {
	log, err := tls13.ReadKeyLog(strings.NewReader("CLIENT_RANDOM " + strings.Repeat("ab", 32) + " 04\n"))
	if err != nil || len(log) != 0 {
		t.Errorf("%d connections, error %v", len(log), err)
	}
}
