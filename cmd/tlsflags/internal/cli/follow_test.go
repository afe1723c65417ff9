package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

// TestFollowSecondHello checks that a second ClientHello is compared with the first.
func TestFollowSecondHello(t *testing.T) {
	c := conversation{losses: new(losses)}
	for _, flags := range []byte{1, 1, 2} {
		c.message(handshake.FromClient, helloOf(0x0303, []uint16{0x1301}, ext(62, 1, flags)))
	}
	c.message(handshake.FromClient, []byte{1, 0, 0, 0}) // malformed
	var got []string
	for _, sent := range c.sent[handshake.FromClient] {
		verdict := "accepted"
		if sent.Verdict != nil {
			verdict = sent.Verdict.Code
		}
		got = append(got, sent.Message+" "+sent.Data+" "+verdict)
	}
	want := []string{"ClientHello 0101 accepted", "ClientHello 0101 accepted", "ClientHello 0102 second_hello_changed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLosses(t *testing.T) {
	for l, want := range map[losses]string{
		{}:                            "",
		{connections: 1}:              "1 connection not followed to the end",
		{messages: 1}:                 "the flags of 1 message left out",
		{connections: 2, messages: 3}: "2 connections not followed to the end, the flags of 3 messages left out",
	} {
		if got := l.String(); got != want {
			t.Errorf("%+v: %q, want %q", l, got, want)
		}
	}
}

// TestFollowKeepsLittle checks the limit on the memory of the flags that are kept.
func TestFollowKeepsLittle(t *testing.T) {
	block := flagsOf(8)
	list, _, err := extension.ParseList(extension.NewSessionTicket, block, 0)
	if err != nil {
		t.Fatal(err)
	}
	lost := losses{kept: maxKept - 1}
	c := conversation{losses: &lost}
	for range 3 {
		c.note(handshake.FromServer, extension.NewSessionTicket, list, rules.Violation{})
		c.note(handshake.FromServer, extension.NewSessionTicket, extension.List{}, rules.Violation{}) // has none
	}
	if kept := len(c.sent[handshake.FromServer]); kept != 1 || lost.messages != 2 {
		t.Errorf("%d messages kept, %d left out; want 1, 2", kept, lost.messages)
	}
	few, many := describeFlags(list), &flagsInfo{Data: strings.Repeat("ff", 255), Flags: make([]codePoint, 2040)}
	if a, b := sentSize(few), sentSize(many); a < len(few.Data) || b < a+len(many.Data)-len(few.Data)+16*2039 {
		t.Errorf("1 flag takes %d bytes and 2,040 take %d", a, b)
	}
}
