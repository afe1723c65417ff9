package assemble_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// oddStreams are streams that some servers read, with a hello of 100 bytes in two parts of 40
// and 60, and what the servers do. go is crypto/tls 1.26, openssl 3.0 (node does the
// same), gnutls 3.7; ok is an answer with a ServerHello, a10 the alert 10, and so on.
func oddStreams() []oddStream {
	msg := handshake(96)
	a, b := msg[:40], msg[40:]
	whole := record(22, 0x0301, msg)
	first, second := record(22, 0x0301, a), record(22, 0x0301, b)
	warning := record(21, 0x0301, []byte{1, 90})
	ccs, noCCS, empty := record(20, 0x0301, []byte{1}), record(20, 0x0301, nil), record(22, 0x0301, nil)
	times := bytes.Repeat
	const none = clienthello.Servers(0)
	return []oddStream{
		{"plain", "go ok, openssl ok, gnutls ok", whole, clienthello.AllServers, "", assemble.Result{}},
		{"version 0x0400", "go ok, openssl close, gnutls a70", record(22, 0x0400, msg), clienthello.CryptoTLS, "record_version 1", unrecognized},
		{"version 0x0fff", "go ok, openssl close, gnutls a70", record(22, 0x0fff, msg), clienthello.CryptoTLS, "record_version 1", unrecognized},
		{"version 0x1000", "go close, openssl close, gnutls a70", record(22, 0x1000, msg), none, "", unrecognized},
		{"second version 0x0400", "go ok, openssl a70, gnutls a70", slices.Concat(first, record(22, 0x0400, b)), clienthello.CryptoTLS, "record_version 46", assemble.Result{}},
		{"second version 0xffff, to be ignored by RFC 9846", "go close, openssl a70, gnutls a70", slices.Concat(first, record(22, 0xffff, b)), none, "record_version 46", assemble.Result{}},
		{"a warning first", "go ok, openssl a10, gnutls a10", slices.Concat(warning, whole), clienthello.CryptoTLS, "record_alert 0", unrecognized},
		{"16 warnings", "go ok, openssl a10, gnutls a10", slices.Concat(times(warning, 16), whole), clienthello.CryptoTLS, "record_alert 0", unrecognized},
		{"17 warnings", "go a10, openssl a10, gnutls a10", slices.Concat(times(warning, 17), whole), none, "", unrecognized},
		{"8 warnings and 9 between", "go ok, openssl a10, gnutls a10", slices.Concat(times(warning, 8), first, times(warning, 9), second), clienthello.CryptoTLS, "record_alert 0", unrecognized},
		{"a warning between", "go ok, openssl a10, gnutls close", slices.Concat(first, warning, second), clienthello.CryptoTLS, "record_alert 45", interleaved(45)},
		{"a warning after the first byte", "go ok, openssl a10, gnutls close", slices.Concat(record(22, 0x0301, msg[:1]), warning, record(22, 0x0301, msg[1:])), clienthello.CryptoTLS, "record_alert 6", interleaved(6)},
		{"a warning of version 0x0400", "go ok, openssl close, gnutls a70", slices.Concat(record(21, 0x0400, []byte{1, 90}), whole), clienthello.CryptoTLS, "record_version 1, record_alert 0", unrecognized},
		{"close_notify", "go close, openssl a10, gnutls a10", slices.Concat(record(21, 0x0301, []byte{1, 0}), whole), none, "", unrecognized},
		{"a fatal alert", "go close, openssl a10, gnutls a10", slices.Concat(record(21, 0x0301, []byte{2, 40}), whole), none, "", unrecognized},
		{"a fatal alert between", "go close, openssl a10, gnutls a10", slices.Concat(first, record(21, 0x0301, []byte{2, 40}), second), none, "", interleaved(45)},
		{"two alerts in a record", "go a10, openssl a10, gnutls a10", slices.Concat(record(21, 0x0301, []byte{1, 90, 1, 90}), whole), none, "", unrecognized},
		{"an empty alert between", "go a10, openssl a10, gnutls a10", slices.Concat(first, record(21, 0x0301, nil), second), none, "", interleaved(45)},
		{"change_cipher_spec first", "go close, openssl a10, gnutls ok", slices.Concat(ccs, whole), clienthello.GnuTLS, "record_change_cipher_spec 0", unrecognized},
		{"40 change_cipher_specs", "go close, openssl a10, gnutls ok", slices.Concat(times(ccs, 40), whole), clienthello.GnuTLS, "record_change_cipher_spec 0", unrecognized},
		{"change_cipher_spec between", "go close, openssl a10, gnutls ok", slices.Concat(first, ccs, second), clienthello.GnuTLS, "record_change_cipher_spec 45", interleaved(45)},
		{"change_cipher_spec of 2", "go close, openssl a10, gnutls a10", slices.Concat(record(20, 0x0301, []byte{2}), whole), none, "", unrecognized},
		{"change_cipher_spec of version 0x0400", "go close, openssl close, gnutls a70", slices.Concat(record(20, 0x0400, []byte{1}), whole), none, "", unrecognized},
		{"change_cipher_spec, then version 0x0400", "go close, openssl a10, gnutls a70", slices.Concat(ccs, record(22, 0x0400, msg)), none, "", unrecognized},
		{"empty change_cipher_spec first", "go close, openssl ok, gnutls a10", slices.Concat(noCCS, whole), clienthello.OpenSSL, "record_change_cipher_spec_empty 0", unrecognized},
		{"32 empty change_cipher_specs", "go close, openssl ok, gnutls a10", slices.Concat(times(noCCS, 32), whole), clienthello.OpenSSL, "record_change_cipher_spec_empty 0", unrecognized},
		{"33 empty change_cipher_specs", "go close, openssl a10, gnutls a10", slices.Concat(times(noCCS, 33), whole), none, "", unrecognized},
		{"empty change_cipher_spec between", "go close, openssl a10, gnutls a10", slices.Concat(first, noCCS, second), none, "", interleaved(45)},
		{"an empty record first", "go a10, openssl ok, gnutls a10", slices.Concat(empty, whole), clienthello.OpenSSL, "record_empty 3", emptyRecord(3)},
		{"32 empty records", "go a10, openssl ok, gnutls a10", slices.Concat(times(empty, 32), whole), clienthello.OpenSSL, "record_empty 3", emptyRecord(3)},
		{"33 empty records", "go a10, openssl a10, gnutls a10", slices.Concat(times(empty, 33), whole), none, "", emptyRecord(3)},
		{"20 empty records and 20 between", "go a10, openssl ok, gnutls a10", slices.Concat(times(empty, 20), first, times(empty, 20), second), clienthello.OpenSSL, "record_empty 3", emptyRecord(3)},
		{"20 empty change_cipher_specs and 20 empty records", "go close, openssl a10, gnutls a10", slices.Concat(times(noCCS, 20), times(empty, 20), whole), none, "", unrecognized},
		{"an empty record and other bytes", "go a10, openssl close, gnutls a10", slices.Concat(empty, []byte("GET / HTTP/1.1")), none, "", emptyRecord(3)},
		{"an empty application data record", "go close, openssl a10, gnutls a10", slices.Concat(record(23, 0x0301, nil), whole), none, "", unrecognized},
	}
}

type oddStream struct {
	name, servers string
	stream        []byte
	pass          clienthello.Servers
	faults        string
	strict        assemble.Result // without Tolerant; NeedMore: complete
}

var unrecognized = assemble.Result{Outcome: assemble.Unrecognized}

func interleaved(at int) assemble.Result {
	return assemble.Result{Outcome: assemble.Refused, Code: extension.ErrRecordInterleaved, Offset: at}
}

func emptyRecord(at int) assemble.Result {
	return assemble.Result{Outcome: assemble.Refused, Code: extension.ErrRecordEmpty, Offset: at}
}

func TestTolerantRecords(t *testing.T) {
	msg := string(handshake(96))
	for _, test := range oddStreams() {
		t.Run(test.name, func(t *testing.T) {
			for _, tolerant := range []bool{false, true} {
				want := seen{Outcome: test.strict.Outcome, Code: test.strict.Code, Offset: test.strict.Offset}
				if want.Outcome == assemble.NeedMore || tolerant && test.faults != "" {
					want = seen{Outcome: assemble.Complete, Message: msg}
				}
				for _, size := range []int{len(test.stream), 1} {
					r := assemble.Records{Tolerant: tolerant}
					r.Reset(make([]byte, 200))
					got := feed(&r, slices.Collect(slices.Chunk(test.stream, size))...)
					got.Used = 0
					if got != want {
						t.Errorf("tolerant %v, by %d bytes: %+v, want %+v", tolerant, size, got, want)
					}
					faults := ""
					for i, f := range r.Faults() {
						if i > 0 {
							faults += ", "
						}
						faults += fmt.Sprint(f.Code, " ", f.Offset)
					}
					if got.Outcome == assemble.Complete && tolerant && (faults != test.faults || r.Servers() != test.pass) {
						t.Errorf("faults %q, servers %b, want %q, %b", faults, r.Servers(), test.faults, test.pass)
					}
					if !tolerant && r.Faults() != nil {
						t.Errorf("strict reader has faults %q", faults)
					}
				}
			}
		})
	}
}

func TestTolerantRecordsReadASecondHelloStrictly(t *testing.T) {
	r := assemble.Records{Tolerant: true}
	r.Reset(make([]byte, 200))
	stream := slices.Concat(record(21, 0x0301, []byte{1, 90}), record(22, 0x0301, handshake(20)))
	if got := r.Feed(stream); got.Outcome != assemble.Complete {
		t.Fatal(got)
	}
	r.Next()
	if got := r.Feed(stream); got.Outcome != assemble.Unrecognized {
		t.Error(got.Outcome, "after a second hello's warning")
	}
}

// TestTolerantRecordsGrow checks that memory which is too short is said as such, whatever was
// passed over, and can grow.
func TestTolerantRecordsGrow(t *testing.T) {
	r := assemble.Records{Tolerant: true}
	r.Reset(nil)
	msg := handshake(20)
	stream := slices.Concat(record(21, 0x0301, []byte{1, 90}), record(22, 0x0301, msg[:15]), record(22, 0x0301, msg[15:]))
	first := r.Feed(stream)
	if first.Code != extension.ErrOverLimit {
		t.Fatal(first)
	}
	r.Grow(make([]byte, len(msg)))
	if got := r.Feed(stream[first.Used:]); !bytes.Equal(got.Message, msg) {
		t.Error(got)
	}
}
