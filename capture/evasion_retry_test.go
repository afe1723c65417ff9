package capture_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// TestQUICAttempts checks what is said of several attempts of a client to connect, and of packets
// whose port, version or source connection ID changes.
func TestQUICAttempts(t *testing.T) {
	msg := message()
	plain := bytes.Replace(msg, []byte{0, 62, 0, 12}, []byte{0x1a, 0x2b, 0, 12}, 1)
	again := messageWith(2) // with the same flags
	whole, decoy := quicseal.AppendCrypto(nil, 0, msg), quicseal.AppendCrypto(nil, 0, plain)
	first, rest := quicseal.AppendCrypto(nil, 0, msg[:40]), quicseal.AppendCrypto(nil, 40, msg[40:])
	ping := []byte{1}
	sent := func(p quicseal.Packet, frames ...[]byte) []byte {
		p.Payload = slices.Concat(frames...)
		if p.Version == 0 {
			p.Version = quicseal.V1
		}
		if p.SCID == nil {
			p.SCID = []byte("client's")
		}
		return p.PadTo(1200).Seal()
	}
	to := func(dcid string, number uint64, frames ...[]byte) []byte {
		return fromClient(sent(quicseal.Packet{DCID: []byte(dcid), Number: number}, frames...))
	}
	with := func(token, dcid string, frames ...[]byte) []byte {
		return fromClient(sent(quicseal.Packet{DCID: []byte(dcid), Token: []byte(token)}, frames...))
	}
	version := func(v uint32, number uint64, frames ...[]byte) []byte {
		return fromClient(sent(quicseal.Packet{DCID: []byte("original"), Version: v, Number: number}, frames...))
	}
	from := func(p quicseal.Packet) []byte {
		p.DCID, p.Server, p.Payload = []byte("client's"), true, make([]byte, 50)
		return fromServer(p.Seal())
	}
	answer := from(quicseal.Packet{Version: quicseal.V1, SCID: []byte("server"), KeyDCID: []byte("original")})
	long := func(head string) []byte {
		return fromServer([]byte(head + "\x08client's\x08retry ID" + "a token, and the integrity tag"))
	}
	retry, negotiation := long("\xf0\x00\x00\x00\x01"), long("\xf0\x00\x00\x00\x00")
	retry2 := long("\xc0\x6b\x33\x43\xcf")
	handshake := quicseal.Packet{Version: quicseal.V1, Type: quicseal.Handshake, DCID: []byte("original"), SCID: []byte("client's")}
	elsewhere := func(p []byte) []byte { // from another port
		p = slices.Clone(p)
		p[20] ^= 1
		return p
	}
	two := func(a, b quicseal.Packet, frames ...[]byte) []byte { // in a datagram
		a.Payload, b.Payload = slices.Concat(frames[0], make([]byte, 20)), slices.Concat(frames[1], make([]byte, 1200))
		return fromClient(slices.Concat(a.Seal(), b.Seal()))
	}
	v1 := func(dcid, keys string, number uint64) quicseal.Packet {
		return quicseal.Packet{Version: quicseal.V1, DCID: []byte(dcid), KeyDCID: []byte(keys), SCID: []byte("client's"), Number: number}
	}
	greased := v1("original", "original", 0)
	greased.Greased = true
	greased2 := v1("another!", "another!", 0)
	greased2.Greased = true
	tiny := v1("retry ID", "retry ID", 9)
	tiny.Token, tiny.Payload = []byte("token"), make([]byte, 20)
	small := v1("original", "original", 1)
	small.Payload = []byte{2, 0, 0, 0, 0}
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"a Retry":                                 {[][]byte{to("original", 0, whole), retry, with("token", "retry ID", whole)}, "[1 ]"},
		"another hello after a Retry":             {[][]byte{to("original", 0, whole), retry, with("token", "retry ID", decoy)}, "[1  1 initial]"},
		"a small datagram after a Retry":          {[][]byte{to("original", 0, whole), retry, fromClient(tiny.Seal()), with("token", "retry ID", decoy)}, "[1  1 initial]"},
		"another one with the same flags":         {[][]byte{to("original", 0, whole), retry, with("token", "retry ID", quicseal.AppendCrypto(nil, 0, again))}, "[1  1 ]"},
		"another hello to the same connection ID": {[][]byte{to("original", 0, decoy), retry, with("token", "original", whole)}, "[1  1 initial]"},
		"a Retry, and nothing after it":           {[][]byte{to("original", 0, whole), retry, to("original", 1, ping)}, "[1  0 initial]"},
		"a Retry, and a part after it":            {[][]byte{to("original", 0, whole), retry, with("token", "retry ID", first)}, "[1  0 initial]"},
		"a Retry that was not captured":           {[][]byte{to("original", 0, whole), with("token", "retry ID", decoy)}, "[1  1 initial]"},
		"a Retry after an answer":                 {[][]byte{to("original", 0, whole), answer, retry}, "[1 ]"},
		"a Retry of version 2":                    {[][]byte{version(quicseal.V2, 0, whole), retry2}, "[1  0 initial]"},
		"an answer of the attempt before":         {[][]byte{to("original", 0, whole), retry, answer, with("token", "original", decoy)}, "[1 ]"},
		"an answer to another attempt":            {[][]byte{to("original", 0, whole), retry, from(quicseal.Packet{Version: quicseal.V1, SCID: []byte("server"), KeyDCID: []byte("another!")})}, "[1  0 initial]"},
		"another hello after Version Negotiation": {[][]byte{version(quicseal.V2, 0, decoy), negotiation, to("original", 0, whole)}, "[1  1 initial]"},
		"a new one after Version Negotiation":     {[][]byte{version(quicseal.V2, 0, whole), negotiation, to("original", 0, quicseal.AppendCrypto(nil, 0, again))}, "[1  1 ]"},
		"another version in a connection":         {[][]byte{to("original", 0, first), version(quicseal.V2, 1, rest)}, "[0 initial]"},
		"another version after a hello":           {[][]byte{to("original", 0, decoy), version(quicseal.V2, 1, whole)}, "[1  1 initial]"},
		"the server's version":                    {[][]byte{to("original", 0, first), from(quicseal.Packet{Version: quicseal.V2, SCID: []byte("server"), KeyDCID: []byte("original")}), fromClient(sent(quicseal.Packet{Version: quicseal.V2, DCID: []byte("server"), KeyDCID: []byte("original"), Number: 1}, rest))}, "[1 ]"},
		"two versions in one datagram":            {[][]byte{to("original", 0, first), two(v1("original", "original", 1), quicseal.Packet{Version: quicseal.V2, DCID: []byte("original"), SCID: []byte("client's"), Number: 2}, ping, rest)}, "[]"},
		"the server's ID from another port":       {[][]byte{to("original", 0, first), answer, elsewhere(fromClient(sent(v1("server", "original", 1), rest)))}, "[1 ]"},
		"Handshake packets":                       {[][]byte{to("original", 0, whole), answer, fromClient(sent(handshake, ping)), to("original", 1, decoy)}, "[1 ]"},
		"a Handshake packet first":                {[][]byte{two(handshake, v1("original", "original", 0), ping, whole)}, "[1 initial]"},
		"a packet without the fixed bit first":    {[][]byte{two(greased, v1("original", "original", 1), ping, whole)}, "[1 initial]"},
		"and without it between":                  {[][]byte{to("original", 5, first), two(greased, v1("original", "original", 1), ping, rest)}, "[1 initial]"},
		"and a hello that is repeated":            {[][]byte{to("original", 0, whole), answer, two(greased2, v1("another!", "another!", 1), ping, whole), to("another!", 2, decoy)}, "[1  1 initial 1 overlap]"},
		"another SCID after a small datagram":     {[][]byte{fromClient(quicseal.Packet{Version: quicseal.V1, DCID: []byte("original"), SCID: []byte("decoy's"), Payload: make([]byte, 20)}.Seal()), to("original", 1, first), fromClient(sent(v1("server", "original", 2), rest))}, "[1 ]"},
		"a packet of two connections":             {[][]byte{to("original", 0, whole), answer, two(v1("another!", "another!", 0), v1("another!", "original", 1), []byte{2, 9, 0, 0, 0}, ping), to("another!", 2, decoy)}, "[1  1 initial]"},
		"an ACK in a small datagram":              {[][]byte{to("original", 0, first), fromClient(small.Seal()), to("original", 2, rest)}, "[1 small_initial]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestQUICMessageOfTwoReadings checks that a hello is what it was when another reading of its
// datagram goes on.
func TestQUICMessageOfTwoReadings(t *testing.T) {
	msg := message()
	packet := func(scid string, number uint64, payload []byte) []byte {
		return quicseal.Packet{Version: quicseal.V1, DCID: []byte("original"), SCID: []byte(scid), Number: number, Payload: payload}.Seal()
	}
	both := slices.Concat(packet("client's", 1, quicseal.AppendCrypto(nil, 0, msg)), packet("client's", 2, bytes.Repeat([]byte{1}, 1200)))
	hellos, _ := scan(capture.Options{}, fromClient(packet("decoy's", 0, make([]byte, 20))), fromClient(both))
	if len(hellos) != 1 || !bytes.Equal(hellos[0].Message, msg) {
		t.Errorf("%d hellos: %v", len(hellos), hellos)
	}
}
