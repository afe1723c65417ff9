package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// answerOf returns a record with the beginning of a ServerHello.
func answerOf(sessionID string, suite clienthello.CipherSuite) []byte {
	b := slices.Concat([]byte{22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3}, make([]byte, 32), []byte{byte(len(sessionID))}, []byte(sessionID))
	return binary.BigEndian.AppendUint16(b, uint16(suite))
}

func TestReadServerHello(t *testing.T) {
	for _, sessionID := range []string{"", "id", string(bytes.Repeat([]byte{'x'}, 32))} {
		b := answerOf(sessionID, 0x1301)
		for name, b := range map[string][]byte{"alone": b, "with more": append(b, 0, 0, 46)} {
			if got, ok := readServerHello(b); !ok || string(got.sessionID) != sessionID || got.suite != 0x1301 {
				t.Errorf("%q, %s: %q, %#x, %t", sessionID, name, got.sessionID, uint16(got.suite), ok)
			}
		}
		for n := range b {
			if _, ok := readServerHello(b[:n:n]); ok {
				t.Errorf("%q, %d bytes of %d are a ServerHello", sessionID, n, len(b))
			}
		}
		for at, value := range map[int]byte{0: 21, 5: 1} { // an alert, a ClientHello
			changed := bytes.Clone(b)
			changed[at] = value
			if _, ok := readServerHello(changed); ok {
				t.Errorf("with byte %d changed, it is a ServerHello", at)
			}
		}
	}
}

// TestSettle checks which answers say that a hello in doubt was read.
func TestSettle(t *testing.T) {
	body := slices.Concat([]byte{3, 3}, make([]byte, 33), []byte{0, 4, 0, 0, 0xc0, 0x2f, 1, 0})
	message := slices.Concat([]byte{1, 0, 0, byte(len(body))}, body)
	odd, other := Reasons(oddHello), Reasons(0).With(Overlap)
	for name, row := range map[string]struct {
		answer []byte
		single bool
		doubts Reasons
		want   Reasons
	}{
		"a ServerHello":                      {answerOf("", 0xc02f), false, odd, 0},
		"a ServerHello, another doubt":       {answerOf("", 0xc02f), false, odd | other, odd | other},
		"a ServerHello, the only reading":    {answerOf("", 0xc02f), true, odd | other, 0},
		"a ServerHello to another hello":     {answerOf("", 0x1301), true, odd | other, odd | other},
		"which is cut":                       {answerOf("", 0xc02f)[:40], true, odd | other, odd | other},
		"other bytes, and no suite was sent": {[]byte{23, 3, 3, 0, 1, 0}, true, odd | other, odd | other},
	} {
		h := &Hello{Message: message, Ambiguous: row.doubts, single: row.single}
		if h.settle(row.answer); h.Ambiguous != row.want {
			t.Errorf("%s: %v", name, h.Ambiguous)
		}
	}
}

// TestAnswerFits compares answers with hellos.
func TestAnswerFits(t *testing.T) {
	hello := func(versions ...byte) *Hello {
		body := slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{2, 'i', 'd', 0, 4, 0x13, 1, 0xc0, 0x2f, 1, 0})
		if len(versions) > 0 {
			list := slices.Concat([]byte{0, byte(extension.SupportedVersions), 0, byte(len(versions) + 1), byte(len(versions))}, versions)
			body = slices.Concat(body, []byte{0, byte(len(list))}, list)
		}
		return &Hello{Message: slices.Concat([]byte{1, 0, 0, byte(len(body))}, body)}
	}
	tls13, both, tls12, none := hello(3, 4), hello(3, 3, 3, 4), hello(3, 3), hello()
	for name, row := range map[string]struct {
		hello     *Hello
		sessionID string
		suite     clienthello.CipherSuite
		want      bool
	}{
		"TLS 1.3":                           {tls13, "id", 0x1301, true},
		"TLS 1.3 among others":              {both, "id", 0x1301, true},
		"another session ID":                {tls13, "", 0x1301, false},
		"another session ID, among others":  {both, "x", 0x1301, false},
		"a new session of TLS 1.2":          {both, "x", 0xc02f, true},
		"a new session, TLS 1.2 offered":    {tls12, "x", 0x1301, true},
		"a new session, no version offered": {none, "x", 0x1301, true},
		"a suite that was not offered":      {none, "id", 0xc030, false},
		"a suite of TLS 1.3 that was not":   {tls13, "id", 0x1302, false},
		"an answer to no hello":             {&Hello{Message: []byte{1, 0, 0, 0}}, "", 0x1301, false},
	} {
		answer, _ := readServerHello(answerOf(row.sessionID, row.suite))
		if got := answer.fits(row.hello); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
