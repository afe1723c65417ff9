package assemble_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// TestAssembler feeds each carrier a message in two pieces through the interface alone,
// with a piece of no use in between.
func TestAssembler(t *testing.T) {
	msg := handshake(300)
	stream := inRecords(msg, 200)
	dtlsMsg := dtlsHandshake(300, 0)
	packet := func(number uint64, frames ...[]byte) []byte {
		return quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), Number: number, Payload: padded(1162, frames...)}.Seal()
	}
	for _, tt := range []struct {
		name                   string
		a                      assemble.Assembler
		first, useless, second []byte
	}{
		{"TLS records", new(assemble.Records), stream[:205], nil, stream[205:]},
		{"QUIC", new(assemble.QUIC), packet(0, crypto(0, msg[:100])), []byte{0x40}, packet(1, crypto(100, msg[100:]))},
		{"DTLS", new(assemble.DTLS), dtlsDatagram(fragment(dtlsMsg, 0, 100)), []byte{0x40}, dtlsDatagram(fragment(dtlsMsg, 100, 300))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.a.Reset(make([]byte, assemble.BufferSize(400)))
			if p := tt.a.Progress(); p != (assemble.Progress{}) {
				t.Errorf("%+v before the first piece", p)
			}
			var attempt int
			for i, step := range []struct {
				piece   []byte
				pieces  int
				outcome assemble.Outcome
			}{
				{tt.first, 1, assemble.NeedMore}, {tt.useless, 1, assemble.NeedMore}, {tt.second, 2, assemble.Complete},
			} {
				r := tt.a.Feed(step.piece)
				p := tt.a.Progress()
				if i == 0 {
					attempt = p.Attempt
				}
				if r.Outcome != step.outcome || r.Err() != nil || p.Pieces != step.pieces || p.Attempt != attempt {
					t.Errorf("piece %d: %v, %v, %+v; want %v and %d pieces", i+1, r.Outcome, r.Err(), p, step.outcome, step.pieces)
				}
			}
			tt.a.Next()
			if p := tt.a.Progress(); p.Pieces != 0 {
				t.Errorf("%+v after Next", p)
			}
		})
	}
}

func TestOutcomeString(t *testing.T) {
	for i, want := range []string{"need more", "complete", "unrecognized", "refused", "unknown outcome"} {
		if got := assemble.Outcome(i).String(); got != want {
			t.Errorf("outcome %d is %q, want %q", i, got, want)
		}
	}
}

func TestResultErr(t *testing.T) {
	var r assemble.Records
	if err := r.Feed([]byte{22, 3, 1, 0, 0}).Err(); err != extension.ErrRecordEmpty {
		t.Errorf("an empty record gives the error %v", err)
	}
	if err := r.Feed(nil).Err(); err != extension.ErrRecordEmpty {
		t.Errorf("the answer is repeated with the error %v", err)
	}
	r.Reset(nil)
	if result := r.Feed([]byte("GET / HTTP/1.1\r\n")); result.Outcome != assemble.Unrecognized || result.Err() != nil {
		t.Errorf("HTTP gives %v and the error %v", result.Outcome, result.Err())
	}
}
