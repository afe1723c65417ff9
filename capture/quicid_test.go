package capture_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// TestQUICKeysOfAnotherID checks that packets which open with the keys of one connection, and
// whose destination connection ID is of another one, are no sure reading.
func TestQUICKeysOfAnotherID(t *testing.T) {
	msg := message()
	other := slices.Clone(msg)
	other[len(other)-1] ^= 1
	whole := quicseal.AppendCrypto(nil, 0, msg)
	first, rest := quicseal.AppendCrypto(nil, 0, other[:40]), quicseal.AppendCrypto(nil, 40, other[40:])
	ping := []byte{1}
	to := func(dcid, keys string, number uint64, frames ...[]byte) []byte {
		p := quicseal.Packet{Version: quicseal.V1, DCID: []byte(dcid), KeyDCID: []byte(keys), SCID: []byte("client's"), Number: number, Payload: slices.Concat(frames...)}
		return fromClient(p.PadTo(1200).Seal())
	}
	from := func(scid, keys string) []byte {
		p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("client's"), SCID: []byte(scid), KeyDCID: []byte(keys), Server: true, Payload: make([]byte, 50)}
		return fromServer(p.Seal())
	}
	begin, honest := to("original", "original", 0, ping), to("another!", "another!", 0, whole)
	decoy := [][]byte{to("another!", "original", 1, first), to("another!", "original", 2, rest)}
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"after the answer":                         {[][]byte{begin, from("server's", "original"), decoy[0], decoy[1], honest}, "[1 initial 1 ]"},
		"before the answer":                        {[][]byte{begin, decoy[0], decoy[1], from("server's", "original"), honest}, "[1  0 initial 1 ]"},
		"around the answer":                        {[][]byte{begin, decoy[0], from("server's", "original"), decoy[1], honest}, "[1 initial 1 ]"},
		"without an answer":                        {[][]byte{begin, decoy[0], decoy[1], honest}, "[1  0 initial 1 ]"},
		"without an answer, between":               {[][]byte{begin, decoy[0], to("another!", "another!", 0, ping), decoy[1], to("another!", "another!", 1, whole)}, "[1  0 initial]"},
		"two other connection IDs":                 {[][]byte{begin, decoy[0], to("a third!", "original", 2, rest)}, "[1 initial]"},
		"before the hello in the same connection":  {[][]byte{begin, from("server's", "original"), decoy[0], decoy[1], to("original", "original", 3, whole)}, "[1 initial 1 initial]"},
		"the answer of an earlier connection":      {[][]byte{begin, to("third ID", "third ID", 0, ping), from("another!", "original"), to("another!", "third ID", 1, whole), from("server's", "third ID")}, "[1  0 initial]"},
		"the same, and a hello after the answer":   {[][]byte{begin, to("third ID", "third ID", 0, ping), from("another!", "original"), to("another!", "third ID", 1, first, rest), from("server's", "third ID"), to("third ID", "third ID", 2, whole)}, "[1  0 initial 1 overlap,initial]"},
		"an answer that does not open":             {[][]byte{begin, from("another!", "original"), decoy[0], from("server's", "third ID"), decoy[1]}, "[1 ]"},
		"the server's ID":                          {[][]byte{begin, from("another!", "original"), decoy[0], decoy[1]}, "[1 ]"},
		"the server's ID, seen after it":           {[][]byte{begin, decoy[0], from("another!", "original"), decoy[1]}, "[1 ]"},
		"the server's ID, without an answer":       {[][]byte{begin, decoy[0], decoy[1]}, "[1 ]"},
		"another one, after the hello":             {[][]byte{to("original", "original", 0, whole), from("server's", "original"), to("another!", "original", 1, ping), to("server's", "original", 2, ping)}, "[1 ]"},
		"another one in a session without servers": {[][]byte{smallInitial(0), from("server's", "original"), to("another!", "original", 1, first), to("server's", "original", 2, rest)}, "[1 small_initial,initial]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}
