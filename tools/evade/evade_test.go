package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
)

// testHello is a message with the flag, made up of what scripts change.
func testHello(t *testing.T) []byte {
	t.Helper()
	msg, err := clientHello(realName)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestHello(t *testing.T) {
	msg := testHello(t)
	for _, test := range []struct {
		name string
		msg  []byte
		want reading
	}{
		{"reads the hello with the flag", msg, newReading(true, realName)},
		{"reads the decoy", withoutFlag(msg), newReading(false, decoyName)},
		{"reads a session id of 33 bytes", sessionID(33)(bytes.Clone(msg)), newReading(true, realName)},
		{"reads the first of two extensions", extensions(requestMTLS)(bytes.Clone(msg)), newReading(true, realName)},
	} {
		t.Run(test.name, func(t *testing.T) {
			stream := append(record(21, 0x301, []byte{1, 100}), record(22, 0x301, test.msg[:50])...)
			stream = append(stream, record(22, 0x303, test.msg[50:])...)
			if got, ok := readStream(stream); !ok || got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if got, ok := readStream(stream[:len(stream)-1]); ok {
				t.Errorf("%q of a hello that is not whole", got)
			}
		})
	}
}

// Each trick makes packets, whatever the seed, that are the same for the same seed.
func TestTricks(t *testing.T) {
	msg := testHello(t)
	names := make(map[string]bool)
	for _, trick := range all() {
		if names[trick.name] || trick.about == "" || trick.clause == "" && !trick.honest {
			t.Errorf("%q is there twice, or has no clause", trick.name)
		}
		names[trick.name] = true
		for seed := range int64(50) {
			v6 := trick.only == 6 || trick.only == 0 && seed%2 == 0
			a, b := packetsOf(msg, trick, seed, v6), packetsOf(msg, trick, seed, v6)
			if a != b {
				t.Fatalf("%s: packets of seed %d differ", trick.name, seed)
			}
		}
	}
}

// packetsOf returns all packets of a script in one text.
func packetsOf(msg []byte, tr trick, seed int64, v6 bool) string {
	s := &script{r: rand.New(rand.NewSource(seed)), v6: v6, stamps: seed%3 == 0, swapped: seed%5 == 0}
	e := s.tunnelEnds()
	var b strings.Builder
	switch tr.carrier {
	case quicCarrier:
		q, err := newQUICScript(s, []trick{tr})
		if err != nil {
			return err.Error()
		}
		for _, st := range q.packets {
			fmt.Fprintf(&b, "%d\n", len(q.build(st))) // keys are new each time
		}
		return b.String()
	case dtlsCarrier:
		for _, st := range newDTLSScript(s, bytes.Clone(msg), []trick{tr}).steps() {
			fmt.Fprintf(&b, "%x\n", st.data)
		}
		return b.String()
	}
	s.apply(bytes.Clone(msg), []trick{tr})
	for _, p := range append([]packet{s.syn}, s.packets...) {
		segment := p.tcp(e, uint32(p.off), 1, nil)
		for _, ip := range p.ip(e, 7, protoTCP, segment) {
			fmt.Fprintf(&b, "%x\n", ip)
		}
	}
	return b.String()
}

// What is not odd about a packet is right, and readReply reads it.
func TestPacket(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		s := &script{v6: v6}
		e := s.tunnelEnds()
		p := packet{off: 3, data: []byte("abc")}
		segment := p.tcp(e, 100, 200, timestamps(1, 2))
		if c := sum(pseudoHeader(e, protoTCP, len(segment)), segment); c != 0 {
			t.Errorf("checksum is off by %#x", c)
		}
		b := p.ip(e, 7, protoTCP, segment)[0]
		if !v6 && sum(b[:20]) != 0 {
			t.Error("the checksum of the IP header is wrong")
		}
		r, ok := readReply(b)
		if !ok || r.port != e.serverPort || r.seq != 100 || r.ack != 200 || r.flags != ack|psh || string(r.data) != "abc" {
			t.Errorf("%+v", r)
		}
		if stamp, ok := replyStamp(b); !ok || stamp != 1 {
			t.Errorf("timestamp %d", stamp)
		}
		edited := view{offloaded: true}.edit(b, e)
		at := len(b) - len(segment) + 16
		partial := ^sum(pseudoHeader(e, protoTCP, len(segment)))
		if got := uint16(edited[at])<<8 | uint16(edited[at+1]); got != partial {
			t.Errorf("an offloaded checksum is %#x, want %#x", got, partial)
		}
		b[len(b)-1]++
		if !bytes.Equal(view{offloaded: true}.edit(b, e), b) {
			t.Error("a wrong checksum became an offloaded one")
		}
	}
}

func TestFragments(t *testing.T) {
	s := &script{r: rand.New(rand.NewSource(1))}
	for _, v6 := range []bool{false, true} {
		s.v6 = v6
		p := packet{fragments: fragments(s, 3000)}
		header := 20
		if v6 {
			header = 48
		}
		payload := make([]byte, 3000)
		s.r.Read(payload)
		var joined []byte
		for _, b := range p.ip(s.tunnelEnds(), 7, protoTCP, payload) {
			joined = append(joined, b[header:]...)
		}
		if !bytes.Equal(joined, payload) {
			t.Error("the fragments are not the payload")
		}
	}
}

// The Initial packet is that of RFC 9001, Appendix A.2, but for its CRYPTO frame.
func TestInitial(t *testing.T) {
	dcid := []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}
	key, iv, hp := initialKeys(dcid, "client in")
	got := fmt.Sprintf("%x %x %x", key, iv, hp)
	if want := "1f369613dd76d5467730efcbe3b1a22d fa044b2f42a3fd3b46fb255c 9f50449e04a0e810283a1e9933adedd2"; got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
	q := &quicScript{script: &script{}, dcid: dcid}
	for _, p := range []*initial{{frames: []byte{1}}, {frames: []byte{1}, with: &initial{number: 1, frames: crypto(0, make([]byte, 900))}}, {frames: []byte{1}, after: []byte{1, 2}}} {
		if b := p.datagram(q); len(b) != 1200 {
			t.Errorf("a datagram of %d bytes", len(b))
		}
	}
}

// A hello of DTLS is read like that of TLS that it was made of.
func TestDTLSHello(t *testing.T) {
	msg := testHello(t)
	s := &script{r: rand.New(rand.NewSource(1))}
	d := newDTLSScript(s, msg, nil)
	n := len(d.stream)
	b := slices.Concat([]byte{1, byte(n >> 16), byte(n >> 8), byte(n), 0, 0, 0, 0, 0, 0, 0, 0}, d.stream)
	if got, ok := readDTLSHello(b); !ok || got != newReading(true, realName) {
		t.Errorf("%q", got)
	}
	for i := range b {
		readDTLSHello(b[:i])
	}
}

func TestJudge(t *testing.T) {
	hello, decoy := newReading(true, realName), newReading(false, decoyName)
	rowOf := func(r reading, reasons ...string) row {
		kind, name, _ := strings.Cut(string(r), " ")
		var o row
		o.RequestMTLS, o.Ambiguous = kind == "flagged", reasons
		o.ClientHello = &struct {
			ServerName *string `json:"server_name"`
		}{&name}
		return o
	}
	nothing := row{Ambiguous: []string{"overlap"}}
	for _, test := range []struct {
		name string
		read []reading
		rows []row
		want verdict
	}{
		{"sure: the hello alone", []reading{hello}, []row{rowOf(hello)}, sure},
		{"sure: nothing was read", nil, nil, sure},
		{"right: with a doubt", []reading{hello}, []row{rowOf(hello, "overlap")}, right},
		{"right: both readings", []reading{hello}, []row{rowOf(hello, "overlap"), rowOf(decoy, "overlap")}, right},
		{"right: a sure hello without the flag beside it", []reading{hello}, []row{rowOf(hello), rowOf(decoy)}, right},
		{"right: a sure hello without the flag that was not read", nil, []row{rowOf(decoy)}, right},
		{"named: the other one, in doubt", []reading{hello}, []row{rowOf(decoy, "overlap")}, named},
		{"named: nothing whole", []reading{hello}, []row{nothing}, named},
		{"silent: the other one", []reading{hello}, []row{rowOf(decoy)}, silent},
		{"silent: no row", []reading{hello}, nil, silent},
		{"silent: a flag that was not read", nil, []row{rowOf(hello)}, silent},
		{"silent: a sure flag that was not read, beside the right one", []reading{decoy}, []row{rowOf(decoy), rowOf(hello)}, silent},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := judge(test.read, test.rows); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// docs/evasion.md has a line for each trick.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../../docs/evasion.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, trick := range all() {
		if !trick.honest && !strings.Contains(string(b), "| "+trick.name+" |") {
			t.Errorf("docs/evasion.md does not have %q; run make evasion-table", trick.name)
		}
	}
	for _, v := range verdictNames {
		if !strings.Contains(string(b), "| "+v+" |") {
			t.Errorf("docs/evasion.md does not explain %q", v)
		}
	}
}
