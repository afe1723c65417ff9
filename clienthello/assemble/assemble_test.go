package assemble_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// assembler is an Assembler that tells what has come.
type assembler interface {
	assemble.Assembler
	Prefix() []byte
}

// TestPrefixWithoutMemory checks the header of a message for which there is no memory yet.
func TestPrefixWithoutMemory(t *testing.T) {
	var r assemble.Records
	msg := handshake(300)
	for n, piece := range [][]byte{0: inRecords(msg, 200)[:5], 3: msg[:3], 4: msg[3:10]} {
		r.Feed(piece)
		if got := r.Prefix(); piece != nil && !bytes.Equal(got, msg[:n]) {
			t.Errorf("% x, want %d bytes", got, n)
		}
	}
}

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
		a                      assembler
		first, useless, second []byte
		begun                  []byte // after first and useless
	}{
		{"TLS records", new(assemble.Records), stream[:205], nil, stream[205:], msg[:200]},
		{"QUIC", new(assemble.QUIC), packet(0, crypto(0, msg[:100])), []byte{0x40}, packet(1, crypto(100, msg[100:])), msg[:100]},
		{"DTLS", new(assemble.DTLS), dtlsDatagram(fragment(dtlsMsg, 0, 100)), []byte{0x40}, dtlsDatagram(fragment(dtlsMsg, 100, 300)), dtlsMsg[:112]},
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
				if got := tt.a.Prefix(); i < 2 && !bytes.Equal(got, tt.begun) {
					t.Errorf("piece %d: %d bytes have begun, want %d", i+1, len(got), len(tt.begun))
				}
				if r.Outcome != step.outcome || r.Err() != nil || p.Pieces != step.pieces || p.Attempt != attempt {
					t.Errorf("piece %d: %v, %v, %+v; want %v and %d pieces", i+1, r.Outcome, r.Err(), p, step.outcome, step.pieces)
				}
			}
			tt.a.Next()
			if p := tt.a.Progress(); p.Pieces != 0 || len(tt.a.Prefix()) > 0 {
				t.Errorf("%+v after Next, %d bytes", p, len(tt.a.Prefix()))
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

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sampleDCID and sampleCrypto are those of RFC 9001, Appendix A, and RFC 9369,
// Appendix A: the CRYPTO frame of the client's first Initial.
const (
	sampleDCID   = "8394c8f03e515708"
	sampleCrypto = `060040f1010000ed0303ebf8fa56f129 39b9584a3896472ec40bb863cfd3e868
		04fe3a47f06a2b69484c000004130113 02010000c000000010000e00000b6578
		616d706c652e636f6dff01000100000a 00080006001d00170018001000070005
		04616c706e0005000501000000000033 00260024001d00209370b2c9caa47fba
		baf4559fedba753de171fa71f50f1ce1 5d43e994ec74d748002b000302030400
		0d0010000e0403050306030203080408 050806002d00020101001c0002400100
		3900320408ffffffffffffffff050480 00ffff07048000ffff08011001048000
		75300901100f088394c8f03e51570806 048000ffff`
)
