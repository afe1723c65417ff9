package capture_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// The tests in this file compare what is reported with what servers read, which a comment or a
// column of each row says: go is crypto/tls 1.26, openssl 3.0 (node does the same), gnutls 3.7,
// quic-go 0.65; ok is an answer with a ServerHello or HelloVerifyRequest, a10 the alert 10.

// decoyMessage is message() with flag 81 instead of 80, and another random.
func decoyMessage() []byte {
	msg := messageWith(2)
	msg[len(msg)-1] = 2
	return msg
}

// rows says what hellos there are: the flag or the code of each, its doubts and faults.
func rows(hellos []capture.Hello) string {
	var all []string
	for _, h := range hellos {
		hello, _, err := h.Parse()
		row := "-"
		switch {
		case !h.Found():
		case err != nil:
			row = err.(extension.Code).Name()
		case hello.HasFlag(80):
			row = "80"
		case hello.HasFlag(81):
			row = "81"
		}
		if h.Ambiguous != 0 {
			row += " (" + h.Ambiguous.String() + ")"
		}
		for _, f := range h.Faults {
			row += fmt.Sprint(" ", f.Code, " ", f.Offset)
		}
		all = append(all, row)
	}
	return strings.Join(all, ", ")
}

// withSessionID is a message with a session id of n bytes.
func withSessionID(msg []byte, n int) []byte {
	const at = 4 + 2 + 32
	long := join(msg[:at], []byte{byte(n)}, make([]byte, n), msg[at+1:])
	long[3] = byte(len(long) - 4)
	return long
}

func TestOddRecordsAndHellos(t *testing.T) {
	record := func(typ, major byte, b []byte) []byte { return join([]byte{typ, major, 1}, be16(len(b)), b) }
	msg := message()
	a, b := msg[:20], msg[20:]
	warning, ccs := record(21, 3, []byte{1, 90}), record(20, 3, []byte{1})
	tls13 := join(msg, []byte{0, 43, 0, 3, 2, 3, 4})
	tls13[3] += 7
	tls13[3+2+32+1+3+2+1+2] += 7
	twice := join(msg, []byte{0x12, 0x34, 0, 0, 0x12, 0x34, 0, 0})
	twice[3] += 8
	twice[3+2+32+1+3+2+1+2] += 8
	known := bytes.Clone(twice)
	for _, at := range []int{8, 4} {
		known[len(known)-at], known[len(known)-at+1] = 0, 23
	}
	serverHello := join([]byte{22, 3, 3, 0, 44, 2, 0, 0, 40, 3, 3}, make([]byte, 32), []byte{0, 0x13, 1, 0, 0, 0})
	alert := func(description byte) []byte { return []byte{21, 3, 3, 0, 2, 2, description} }
	version := func(msg []byte, major, low byte) []byte {
		msg = bytes.Clone(msg)
		msg[4], msg[5] = major, low
		return record(22, 3, msg)
	}
	for _, test := range []struct {
		name, servers, alone, accepted, refused string
		stream                                  []byte
	}{
		{"plain", "all ok", "80", "80", "80", hello()},
		{"version 4", "go ok, openssl close, gnutls a70", "80 (records) record_version 1", "80 record_version 1", "", record(22, 4, msg)},
		{"version 16", "go close, openssl close, gnutls a70", "", "", "", record(22, 16, msg)},
		{"version 4 of another protocol", "all close", "", "", "", record(22, 4, bytes.Repeat([]byte{1, 0, 0, 90}, 30))},
		{"second version 4", "go ok, openssl a70, gnutls a70", "80 (records) record_version 26", "80 record_version 26", "", join(record(22, 3, a), record(22, 4, b))},
		{"a warning", "go ok, openssl a10, gnutls a10", "80 (records) record_alert 0", "80 record_alert 0", "", join(warning, hello())},
		{"a warning between", "go ok, openssl a10, gnutls close", "80 (records) record_alert 25", "80 record_alert 25", "", join(record(22, 3, a), warning, record(22, 3, b))},
		{"change_cipher_spec", "go close, openssl a10, gnutls ok", "80 (records) record_change_cipher_spec 0", "80 record_change_cipher_spec 0", "", join(ccs, hello())},
		{"change_cipher_spec and a warning", "go close, openssl a10, gnutls a10", "", "", "", join(ccs, warning, hello())},
		{"an empty record", "go a10, openssl ok, gnutls a10", "80 (records) record_empty 3", "80 record_empty 3", "", join(record(22, 3, nil), hello())},
		{"bytes after the message, TLS 1.2", "all ok", "80 record_trailing 68", "80 record_trailing 68", "80 record_trailing 68", record(22, 3, join(msg, []byte{0}))},
		{"bytes after the message, TLS 1.3", "go ok, openssl a10, gnutls ok", "80 (records) record_trailing 75", "80 record_trailing 75", "", record(22, 3, join(tls13, []byte{0}))},
		{"session id of 33", "go ok, openssl a50, gnutls a50", "80 (hello) session_id_too_long 38", "80 session_id_too_long 38", "session_id_too_long", record(22, 3, withSessionID(msg, 33))},
		{"session id of 33, version 4", "go ok, openssl close, gnutls a70", "80 (records,hello) record_version 1 session_id_too_long 38", "80 record_version 1 session_id_too_long 38", "", record(22, 4, withSessionID(msg, 33))},
		{"session id of 33, an empty record", "all a10 or a50", "session_id_too_long", "", "", join(record(22, 3, nil), record(22, 3, withSessionID(msg, 33)))},
		{"an extension twice", "go a50, openssl ok, gnutls ok", "80 (hello) duplicate_extension 67", "80 duplicate_extension 67", "duplicate_extension", record(22, 3, twice)},
		{"legacy_version 0x0200", "go ok, openssl a70, gnutls a70", "80 (hello) legacy_version 4", "80 legacy_version 4", "80 (hello) legacy_version 4", version(msg, 2, 0)},
		{"legacy_version of SSL 3", "openssl a40, gnutls a40", "80", "80", "80", version(msg, 3, 0)},
		{"legacy_version of SSL 3, TLS 1.3", "go ok, openssl a40, gnutls a40", "80 (hello) legacy_version 4", "80 legacy_version 4", "80 (hello) legacy_version 4", version(tls13, 3, 0)},
		{"extended_master_secret twice", "go a50, openssl a47, gnutls a110", "duplicate_extension", "duplicate_extension", "duplicate_extension", record(22, 3, known)},
	} {
		for answer, want := range map[string]string{"": test.alone, string(serverHello): test.accepted, string(alert(50)): test.refused} {
			packets := [][]byte{up(0, syn, nil), down(0, syn|ack, nil), upAck(1, 1, ack, test.stream)}
			if answer != "" {
				packets = append(packets, ipv4(server, client, 6, tcpAck(serverPort, clientPort, 1, 1+len(test.stream), ack, []byte(answer))))
			}
			if answer != "" && want == "" {
				continue
			}
			hellos, _ := scan(capture.Options{}, packets...)
			if got := rows(hellos); got != want {
				t.Errorf("%s (%s), answer %x: got %q, want %q", test.name, test.servers, answer, got, want)
			}
		}
	}
}

// inQUIC is a datagram of a QUIC client, of the given size.
func inQUIC(size int, change func(*quicseal.Packet), frames ...[]byte) []byte {
	p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("original"), SCID: []byte("client"), Payload: join(frames...)}
	if change != nil {
		change(&p)
	}
	sealed := p.Seal()
	if n := size - len(sealed); n > 0 {
		p.Payload = append(p.Payload, make([]byte, n)...)
		sealed = p.Seal()
	}
	return sealed
}

func crypto(offset int, b []byte) []byte { return quicseal.AppendCrypto(nil, uint64(offset), b) }

func number(n uint64) func(*quicseal.Packet) { return func(p *quicseal.Packet) { p.Number = n } }

func TestQUICAsServersReadIt(t *testing.T) {
	const large, small = 1200, 400
	real, other := message(), decoyMessage()
	first := inQUIC(large, nil, crypto(0, real[:30]))
	rest := inQUIC(large, number(1), crypto(30, real[30:]))
	smallDecoy := inQUIC(small, number(7), crypto(0, other))
	closing := []byte{0x1c, 0, 0, 0}
	badFrame := []byte{0x08, 0, 0}
	changed := func(dcid, scid string, n uint64) func(*quicseal.Packet) {
		return func(p *quicseal.Packet) { p.DCID, p.SCID, p.Number = []byte(dcid), []byte(scid), n }
	}
	with := func(f func(*quicseal.Packet), n uint64) func(*quicseal.Packet) {
		return func(p *quicseal.Packet) { p.Number = n; f(p) }
	}
	greased := func(p *quicseal.Packet) { p.Greased = true }
	reserved := func(p *quicseal.Packet) { p.Reserved = 1 }
	original := func(p *quicseal.Packet) { p.KeyDCID, p.DCID = p.DCID, []byte("of the server") }
	type port = int
	on := func(p port, b []byte) []byte { return ipv4(client, server, 17, udp(p, 443, b)) }
	for _, test := range []struct {
		name, servers, want string
		packets             [][]byte
	}{
		{"in two", "ok", "80", [][]byte{fromClient(first), fromClient(rest)}},
		{"each twice", "ok", "80", [][]byte{fromClient(first), fromClient(first), fromClient(rest), fromClient(rest)}},
		{"small decoy before: dropped", "80", "81 (small_initial), 80 (small_initial)", [][]byte{fromClient(smallDecoy), fromClient(first), fromClient(rest)}},
		{"small decoy between: read by quic-go, dropped by others", "80 or none", "81 (small_initial) overlap 0, 80 (small_initial)", [][]byte{fromClient(first), fromClient(smallDecoy), fromClient(rest)}},
		{"small decoy after: the hello has been read", "80", "80", [][]byte{fromClient(first), fromClient(rest), fromClient(smallDecoy)}},
		{"small, and the same large", "80", "80 (small_initial)", [][]byte{fromClient(inQUIC(small, nil, crypto(0, real))), fromClient(inQUIC(large, nil, crypto(0, real)))}},
		{"a small part, and the same large", "80", "80", [][]byte{fromClient(inQUIC(small, nil, crypto(0, real[:30]))), fromClient(first), fromClient(rest)}},
		{"a small PING between", "80", "80", [][]byte{fromClient(first), fromClient(inQUIC(small, number(5), []byte{1}, make([]byte, 30))), fromClient(rest)}},
		{"small close before", "80", "80 (small_initial)", [][]byte{fromClient(inQUIC(small, number(5), closing, make([]byte, 30))), fromClient(first), fromClient(rest)}},
		{"small close between", "80 or none", "80 (small_initial)", [][]byte{fromClient(first), fromClient(inQUIC(small, number(5), closing, make([]byte, 30))), fromClient(rest)}},
		{"small bad frame between", "80 or none", "80 (small_initial)", [][]byte{fromClient(first), fromClient(inQUIC(small, number(5), badFrame, make([]byte, 30))), fromClient(rest)}},
		{"a far number in a small one", "80", "80 (small_initial)", [][]byte{fromClient(inQUIC(small, number(0xfffffff0), []byte{1}, make([]byte, 30))), fromClient(first), fromClient(rest)}},
		{"close between", "none", "80 (initial)", [][]byte{fromClient(first), fromClient(inQUIC(large, number(5), closing)), fromClient(rest)}},
		{"bad frame between", "none", "frame_type, 80 (initial)", [][]byte{fromClient(first), fromClient(inQUIC(large, number(5), badFrame)), fromClient(first), fromClient(rest)}},
		{"other bytes in a small one, and no end", "none", "- (small_initial)", [][]byte{fromClient(first), fromClient(inQUIC(small, number(3), crypto(0, other[:20])))}},
		{"reserved bits", "none", "81 (initial)", [][]byte{fromClient(inQUIC(large, reserved, crypto(0, other)))}},
		{"reserved bits in a small decoy", "80", "81 (small_initial), 80 (small_initial)", [][]byte{fromClient(inQUIC(small, with(reserved, 9), crypto(0, other))), fromClient(first), fromClient(rest)}},
		{"a number twice: the second is dropped", "80", "80", [][]byte{fromClient(inQUIC(large, nil, []byte{1})), fromClient(inQUIC(large, nil, crypto(0, other))), fromClient(inQUIC(large, number(1), crypto(0, real)))}},
		{"no fixed bit: read after RFC 9287 alone", "none", "80 (initial)", [][]byte{fromClient(inQUIC(large, greased, crypto(0, real)))}},
		{"decoy without the fixed bit", "80", "81 (initial), 80 (initial)", [][]byte{fromClient(inQUIC(large, with(greased, 6), crypto(0, other))), fromClient(first), fromClient(rest)}},
		{"decoy without the fixed bit between", "80", "81 (initial) overlap 0, 80 (initial)", [][]byte{fromClient(first), fromClient(inQUIC(large, with(greased, 6), crypto(0, other))), fromClient(rest)}},
		{"another source ID: dropped", "80", "80", [][]byte{fromClient(first), fromClient(inQUIC(large, changed("original", "other", 1), crypto(30, other[30:]))), fromClient(rest)}},
		{"another destination ID between", "80", "80", [][]byte{fromClient(first), fromClient(inQUIC(large, changed("another one", "client", 0), []byte{1})), fromClient(rest)}},
		{"another destination ID in the datagram: ignored", "80", "80", [][]byte{fromClient(join(inQUIC(0, nil, crypto(0, real[:30]), make([]byte, 900)), inQUIC(600, changed("another one", "client", 0), crypto(0, other)))), fromClient(rest)}},
		{"the server's ID with the keys of the first", "80", "80", [][]byte{fromClient(first), fromClient(inQUIC(large, with(original, 1), crypto(30, real[30:])))}},
		{"the rest from another port", "80", "80", [][]byte{on(1, first), on(2, rest)}},
		{"both sides of a NAT", "80", "80, 80", [][]byte{on(1, first), on(2, first), on(1, rest), on(2, rest)}},
		{"other bytes ahead: servers differ", "80 or 81", "81 (initial) overlap 0, 80 (initial) overlap 0", [][]byte{fromClient(inQUIC(large, nil, crypto(60, other[60:]))), fromClient(inQUIC(large, number(1), crypto(30, real[30:]))), fromClient(inQUIC(large, number(2), crypto(0, real[:30])))}},
		{"other bytes ahead of the whole", "80", "80 (initial) overlap 0", [][]byte{fromClient(inQUIC(large, nil, crypto(60, other[60:]))), fromClient(inQUIC(large, number(1), crypto(0, real)))}},
		{"a client that claims to be the server", "80", "81, 80", [][]byte{ipv4(server, client, 17, udp(443, clientPort, inQUIC(large, changed("whatever", "original", 0), crypto(0, other)))), fromClient(first), fromClient(rest)}},
	} {
		hellos, _ := scan(capture.Options{}, test.packets...)
		got := strings.Split(rows(hellos), ", ")
		want := strings.Split(test.want, ", ")
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s (%s): got %q, want %q", test.name, test.servers, got, want)
		}
	}
}

func TestDTLSAsServersReadIt(t *testing.T) {
	inDTLS := func(msg []byte) []byte { return join(msg[4:39], []byte{0}, msg[39:]) } // with an empty cookie
	real, other := inDTLS(message()), inDTLS(decoyMessage())
	longer := append(bytes.Clone(other), 0, 1, 0, 0)
	longer[len(other)-16-1] += 4
	record := dtlsRecord
	fragment := func(body []byte, seq, from, to int) []byte {
		return join([]byte{1, 0, 0, byte(len(body))}, be16(seq), []byte{0, 0, byte(from), 0, 0, byte(to - from)}, body[from:to])
	}
	part := func(body []byte, seq, from, to int) []byte { return record(22, 0, fragment(body, seq, from, to)) }
	whole := func(body []byte, seq int) []byte { return part(body, seq, 0, len(body)) }
	cookie := join(real[:35], []byte{1, 9}, real[36:])
	n := len(real)
	numbered := func(number int, record []byte) []byte {
		copy(record[7:], be32(number))
		return record
	}
	alert := record(21, 0, []byte{1, 90})
	for _, test := range []struct {
		name, servers, want string
		packets             [][]byte
	}{
		{"whole", "openssl ok, gnutls ok", "80", [][]byte{whole(real, 0)}},
		{"in two", "openssl ok, gnutls ok", "80", [][]byte{part(real, 0, 0, 40), part(real, 0, 40, n)}},
		{"in a record", "openssl ok, gnutls ok", "80", [][]byte{record(22, 0, join(fragment(real, 0, 0, 40), fragment(real, 0, 40, n)))}},
		{"seq 3 first", "openssl 80, gnutls 80", "81 (fragments), 80 (fragments)", [][]byte{whole(other, 3), whole(real, 0)}},
		{"a part with seq 3 first", "openssl 80, gnutls 80", "80", [][]byte{part(other, 3, 0, 40), whole(real, 0)}},
		{"seq 3 alone", "openssl none, gnutls ok", "80 (fragments)", [][]byte{whole(real, 3)}},
		{"seq 1 with a cookie", "openssl ok, gnutls ok", "80", [][]byte{whole(cookie, 1)}},
		{"after a HelloVerifyRequest", "openssl ok, gnutls ok", "80, 80", [][]byte{whole(real, 0), whole(cookie, 1), whole(real, 0)}},
		{"a part of another length, then the whole", "openssl 80, gnutls 80", "80 (fragments)", [][]byte{part(longer, 0, 0, 40), whole(real, 0)}},
		{"a part of another length, then in two", "openssl none, gnutls 80", "80 (fragments)", [][]byte{part(longer, 0, 0, 40), part(real, 0, 0, 40), part(real, 0, 40, n)}},
		{"other bytes first", "openssl 80", "80 (fragments) overlap 0", [][]byte{part(other, 0, 0, 50), part(real, 0, 0, 50), part(real, 0, 50, n)}},
		{"other bytes, then the whole", "openssl 80", "80 (fragments) overlap 0", [][]byte{part(other, 0, 0, 50), whole(real, 0)}},
		{"an alert in a datagram before", "openssl ok", "80", [][]byte{alert, whole(real, 0)}},
		{"an alert before, in the datagram", "openssl a10, gnutls none", "", [][]byte{join(alert, whole(real, 0))}},
		{"an unknown record before, in the datagram", "openssl a10, gnutls none", "", [][]byte{join(record(63, 0, []byte{1}), whole(real, 0))}},
		{"change_cipher_spec before, in the datagram", "openssl ok, gnutls none", "80 (fragments)", [][]byte{join(record(20, 0, []byte{1}), whole(real, 0))}},
		{"an encrypted record before, in the datagram", "openssl ok, gnutls ok", "80", [][]byte{join(record(22, 1, make([]byte, 20)), whole(real, 0))}},
		{"an empty record before, in the datagram", "openssl ok, gnutls none", "80", [][]byte{join(record(22, 0, nil), whole(real, 0))}},
		{"an alert between, before the rest", "openssl none", "- (fragments)", [][]byte{part(real, 0, 0, 40), join(alert, part(real, 0, 40, n))}},
		{"a message of another type first", "openssl 80", "80", [][]byte{record(22, 0, join([]byte{11}, fragment(other, 0, 0, 40)[1:])), whole(real, 0)}},
		{"a second handshake at once", "openssl 81, if the first is dropped", "81, 80 (fragments)", [][]byte{whole(other, 0), whole(real, 0)}},
		{"a second handshake in pieces", "openssl 81", "81, 80 (fragments)", [][]byte{whole(other, 0), part(real, 0, 40, n), part(real, 0, 0, 40)}},
		{"a second handshake later", "openssl ok", "81, 80", [][]byte{whole(other, 0), nil, whole(real, 0)}},
		{"a second handshake later, in pieces", "openssl ok", "81, 80", [][]byte{whole(other, 0), nil, part(real, 0, 40, n), part(real, 0, 0, 40)}},
		{"a second handshake after encrypted records", "openssl 81, if the first is dropped", "81, 80 (fragments)", [][]byte{whole(other, 0), record(22, 1, make([]byte, 20)), whole(real, 0)}},
		{"a part with a used number", "openssl 80", "80", [][]byte{numbered(1, part(real, 0, 0, 40)), numbered(1, part(other, 0, 40, n)), numbered(2, part(real, 0, 40, n))}},
		{"a part with a used number, among others", "openssl 80", "80", [][]byte{numbered(1, part(real, 0, 0, 40)), join(numbered(1, part(other, 0, 40, n)), numbered(2, part(real, 0, 40, n)))}},
		{"parts with used numbers after a hello", "openssl 81, 80 if it begins anew", "81, 80 (fragments)", [][]byte{numbered(1, whole(other, 0)), numbered(0, part(real, 0, 0, 40)), numbered(1, part(real, 0, 40, n))}},
		{"a part with a used number, and no end", "openssl none", "- (fragments)", [][]byte{numbered(1, part(real, 0, 0, 40)), numbered(1, part(real, 0, 40, n))}},
		{"a part with an old number", "openssl ok, others none", "80 (fragments)", [][]byte{numbered(40, part(real, 0, 0, 40)), numbered(8, part(real, 0, 40, n))}},
		{"a part with a number just new enough", "openssl ok", "80", [][]byte{numbered(40, part(real, 0, 0, 40)), numbered(9, part(real, 0, 40, n))}},
		{"a part twice", "openssl ok", "80", [][]byte{numbered(1, part(real, 0, 0, 40)), numbered(1, part(real, 0, 0, 40)), numbered(2, part(real, 0, 40, n))}},
		{"a whole hello with a used number", "openssl 81, 80 if no state is kept", "81, 80 (fragments)", [][]byte{numbered(1, whole(other, 0)), nil, numbered(1, part(real, 0, 0, 40)), numbered(1, whole(real, 0))}},
		{"a used number, later", "openssl ok", "81, 80", [][]byte{numbered(1, whole(other, 0)), nil, numbered(1, whole(real, 0))}},
		{"a fragment without data", "openssl a50, gnutls ok", "80 (fragments)", [][]byte{part(real, 0, 0, 0), whole(real, 0)}},
		{"an unknown record between", "openssl a10", "80 (fragments)", [][]byte{part(real, 0, 0, 40), record(99, 0, []byte{1}), part(real, 0, 40, n)}},
		{"session id of 33", "openssl a50, gnutls none", "session_id_too_long", [][]byte{whole(inDTLS(withSessionID(message(), 0)), 9)}},
	} {
		if test.name == "session id of 33" {
			body := join(real[:34], []byte{33}, make([]byte, 33), real[35:])
			test.packets = [][]byte{whole(body, 0)}
		}
		var packets [][]byte
		for _, b := range test.packets {
			if b != nil {
				b = fromClient(b)
			}
			packets = append(packets, b)
		}
		hellos := scanSlowly(packets)
		if got := rows(hellos); got != test.want {
			t.Errorf("%s (%s): got %q, want %q", test.name, test.servers, got, test.want)
		}
	}
}

// scanSlowly gives IP packets to a new Scanner, one a millisecond. An empty one is a pause of two
// seconds.
func scanSlowly(packets [][]byte) (hellos []capture.Hello) {
	s, at := capture.NewScanner(capture.Options{}), time.Unix(1, 0)
	keep := func(h *capture.Hello) bool {
		hellos = append(hellos, *h.Clone())
		return true
	}
	for _, p := range packets {
		if at = at.Add(time.Millisecond); p == nil {
			at = at.Add(2 * time.Second)
			continue
		}
		s.Scan(capture.Packet{Data: p, Link: capture.LinkTypeRaw, Time: at}, keep)
	}
	s.Flush(keep)
	return hellos
}

// TestPortOfMPLS checks that a server may use the port of MPLS in UDP.
func TestPortOfMPLS(t *testing.T) {
	on := func(b []byte) []byte { return ipv4(client, server, 17, udp(clientPort, 6635, b)) }
	version2 := func(p *quicseal.Packet) { p.Version = quicseal.V2 }
	label := []byte{0, 1, 1, 64}
	inside := ipv4(client, server, 17, udp(clientPort, 443, inQUIC(1200, nil, crypto(0, message()))))
	for name, test := range map[string]struct {
		packet []byte
		found  bool
	}{
		"QUIC":                   {on(inQUIC(1200, nil, crypto(0, message()))), true},
		"QUIC v2":                {on(inQUIC(1200, version2, crypto(0, message()))), true},
		"DTLS":                   {on(dtlsFragment(100, 0, 100)), true},
		"MPLS":                   {on(join(label, inside)), true},
		"two labels":             {on(join([]byte{0, 1, 0, 64}, label, inside)), true},
		"Ethernet":               {on(join(label, ethernet(0x0800, inside))), true},
		"a control word":         {on(join(label, make([]byte, 4), ethernet(0x0800, inside))), true},
		"no time to live":        {on(join([]byte{0, 1, 1, 0}, inside)), false},
		"labels without an end":  {on([]byte{0, 1, 0, 64, 0, 1, 0, 64, 0, 0, 0, 0, 0, 0}), false},
		"too short for Ethernet": {on(join(label, make([]byte, 13))), false},
		"an unknown EtherType":   {on(join(label, ethernet(0x1234, inside))), false},
		"a short IPv4 header":    {on(join(label, []byte{0x44}, inside[1:])), false},
		"a short IPv6 header":    {on(join(label, []byte{0x60}, make([]byte, 20))), false},
	} {
		if hellos, stats := scan(capture.Options{}, test.packet); (len(hellos) == 1) != test.found {
			t.Errorf("%s: %d hellos, %+v", name, len(hellos), stats)
		}
	}
}

// TestConsistentDatagramsAreSure checks that a hello in pieces that come in any order, more
// than once and overlap, but agree, is found once and without a doubt.
func TestConsistentDatagramsAreSure(t *testing.T) {
	msg := message()
	body := join(msg[4:39], []byte{0}, msg[39:])
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		var quic, dtls [][]byte
		piece := func(from, to int) {
			quic = append(quic, fromClient(inQUIC(1200, number(uint64(len(quic))), crypto(from, msg[from:min(to, len(msg))]))))
			if from >= len(body) {
				return
			}
			to = min(to, len(body))
			dtls = append(dtls, fromClient(dtlsRecord(22, 0,
				join([]byte{1, 0, 0, byte(len(body)), 0, 0, 0, 0, byte(from), 0, 0, byte(to - from)}, body[from:to]))))
		}
		for at := 0; at < len(msg); {
			n := 1 + r.IntN(len(msg))
			piece(at, at+n)
			at += n
		}
		for range r.IntN(3) {
			from := r.IntN(len(msg) - 1)
			piece(from, from+1+r.IntN(20))
		}
		for name, packets := range map[string][][]byte{"QUIC": quic, "DTLS": dtls} {
			packets = append(packets, packets[:r.IntN(len(packets))]...)
			r.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
			hellos, _ := scan(capture.Options{}, packets...)
			if got := rows(hellos); got != "80" {
				t.Fatalf("%s, seed %d: %q", name, seed, got)
			}
		}
	}
}
