package capture_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// initialNumbered is a datagram of the client with an Initial packet that has a number, and frames.
func initialNumbered(dcid string, number uint64, frames ...[]byte) []byte {
	p := quicseal.Packet{Version: quicseal.V1, DCID: []byte(dcid), SCID: []byte("client's"), Number: number, Payload: slices.Concat(frames...)}
	p.Payload = append(p.Payload, make([]byte, 1200)...)
	return fromClient(p.Seal())
}

// smallInitial is a datagram under 1,200 bytes with a PING.
func smallInitial(number uint64) []byte {
	p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("original"), SCID: []byte("client's"), Number: number, Payload: []byte{1, 0, 0, 0}}
	return fromClient(p.Seal())
}

// TestQUICAsServers checks what is said of packets that quic-go takes and others may not, or
// the other way round.
func TestQUICAsServers(t *testing.T) {
	msg := message()
	other := slices.Clone(msg)
	other[len(other)-1] ^= 1 // with the same random
	first, rest := quicseal.AppendCrypto(nil, 0, msg[:40]), quicseal.AppendCrypto(nil, 40, msg[40:])
	begins := slices.Clone(msg)
	begins[20] ^= 1
	begin, end := quicseal.AppendCrypto(nil, 0, begins[:60]), quicseal.AppendCrypto(nil, 60, msg[60:])
	answer := fromServer(quicseal.Packet{Version: quicseal.V1, DCID: []byte("client's"), SCID: []byte("server"), KeyDCID: []byte("original"), Server: true, Payload: make([]byte, 50)}.Seal())
	sent := func(port int, p []byte) []byte { // with a checksum
		p = slices.Clone(p)
		binary.BigEndian.PutUint16(p[20:], uint16(port))
		return summed(p)
	}
	whole, decoy := quicseal.AppendCrypto(nil, 0, msg), quicseal.AppendCrypto(nil, 0, other)
	near := func(p []byte) []byte { // with a small hop limit
		p = slices.Clone(p)
		p[8] = 2
		return p
	}
	short := func(p []byte) []byte { // in a datagram under 1,200 bytes
		q := quicseal.Packet{Version: quicseal.V1, DCID: []byte("another!"), SCID: []byte("client's"), Payload: p}
		return fromClient(q.Seal())
	}
	acks := func(largest byte) []byte { return []byte{2, largest, 0, 0, 0} }
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"a number far ahead":                             {[][]byte{initialNumbered("original", 0x7ffffff0), initialNumbered("original", 0, first), initialNumbered("original", 1, rest)}, "[1 initial]"},
		"a number far ahead, small":                      {[][]byte{initialNumbered("original", 0, first), smallInitial(0xfffffff0), initialNumbered("original", 1, rest)}, "[1 small_initial]"},
		"a number far ahead, small, first":               {[][]byte{smallInitial(0xfffffff0), initialNumbered("original", 0, first), initialNumbered("original", 1, rest)}, "[1 small_initial]"},
		"another connection with the same random":        {[][]byte{initialNumbered("decoy's!", 0, quicseal.AppendCrypto(nil, 0, other)), initialNumbered("original", 0, first), initialNumbered("original", 1, rest)}, "[1  1 ]"},
		"an ACK of what was not sent":                    {[][]byte{initialNumbered("original", 0, first), initialNumbered("original", 1, acks(0)), initialNumbered("original", 2, rest)}, "[1 initial]"},
		"an ACK of what was sent":                        {[][]byte{initialNumbered("original", 0, first), answer, initialNumbered("original", 1, acks(0)), initialNumbered("original", 2, rest)}, "[1 ]"},
		"an ACK of more than was sent":                   {[][]byte{initialNumbered("original", 0, first), answer, initialNumbered("original", 1, acks(1)), initialNumbered("original", 2, rest)}, "[1 initial]"},
		"an ACK in the packet that completes":            {[][]byte{initialNumbered("original", 0, first), initialNumbered("original", 1, acks(0), rest)}, "[1 initial]"},
		"an ACK after the hello":                         {[][]byte{initialNumbered("original", 0, first, rest), initialNumbered("original", 1, acks(9))}, "[1 ]"},
		"another connection ID after an end":             {[][]byte{initialNumbered("original", 0, first, []byte{0x1e}), initialNumbered("another", 1, []byte{1}), initialNumbered("original", 2, first, rest)}, "[0  1 initial]"},
		"a wrong checksum from another port":             {[][]byte{sent(1, initialNumbered("original", 0, first)), damaged(sent(2, initialNumbered("original", 1, quicseal.AppendCrypto(nil, 40, other[40:])))), sent(2, initialNumbered("original", 1, rest))}, "[1 ]"},
		"another hello, and no answer between":           {[][]byte{initialNumbered("original", 0, decoy), initialNumbered("original", 1, first), initialNumbered("original", 2, rest)}, "[1  1 overlap]"},
		"another hello after the answer":                 {[][]byte{initialNumbered("original", 0, decoy), answer, initialNumbered("original", 1, whole)}, "[1 ]"},
		"another hello, with another hop limit":          {[][]byte{near(initialNumbered("original", 0, decoy)), answer, initialNumbered("original", 1, whole)}, "[1  1 overlap]"},
		"pieces of another hello, and of this one":       {[][]byte{near(initialNumbered("original", 0, begin)), near(initialNumbered("original", 1, end)), initialNumbered("original", 2, first), near(initialNumbered("original", 0, begin)), initialNumbered("original", 3, rest)}, "[1  0 overlap]"},
		"pieces of another hello in its place":           {[][]byte{initialNumbered("original", 0, first, rest), initialNumbered("another!", 0, rest), initialNumbered("another!", 1, quicseal.AppendCrypto(nil, 40, other[40:])), initialNumbered("another!", 2, first)}, "[1  1 initial 1 initial]"},
		"the same hello again":                           {[][]byte{initialNumbered("original", 0, first, rest), initialNumbered("original", 1, whole), near(initialNumbered("original", 2, whole))}, "[1 ]"},
		"the same hello again to another connection ID":  {[][]byte{initialNumbered("original", 0, whole), initialNumbered("another!", 0, whole), initialNumbered("another!", 1, whole)}, "[1 ]"},
		"another hello after that":                       {[][]byte{initialNumbered("original", 0, decoy), initialNumbered("another!", 0, decoy), initialNumbered("another!", 1, whole)}, "[1  1 overlap]"},
		"another hello after that, which was small":      {[][]byte{initialNumbered("original", 0, decoy), answer, short(decoy), initialNumbered("another!", 1, whole)}, "[1  1 small_initial]"},
		"a frame that is refused, and no answer between": {[][]byte{initialNumbered("original", 0, whole), initialNumbered("original", 1, []byte{0x1e})}, "[1  0 overlap]"},
		"an ACK, and no hello":                           {[][]byte{initialNumbered("original", 0, first), initialNumbered("original", 1, acks(9))}, "[0 initial]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestDTLSAfterAnEnd checks what is said of hellos after what ends a handshake.
func TestDTLSAfterAnEnd(t *testing.T) {
	record := func(kind byte, data ...byte) []byte {
		return dtlsRecord(kind, 0, data)
	}
	whole, first, rest := fromClient(dtlsFragment(100, 0, 100)), fromClient(dtlsFragment(100, 0, 40)), fromClient(dtlsFragment(100, 40, 60))
	encrypted := record(23, 1, 2)
	encrypted[4] = 1
	cut := record(23, 1, 2, 3)
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"the server's fatal alert":     {[][]byte{first, fromServer(record(21, 2, 10)), rest}, "[1 fragments]"},
		"a warning of the server":      {[][]byte{first, fromServer(record(21, 1, 90)), rest}, "[1 ]"},
		"the alert to another client":  {[][]byte{first, ipv4(server, client, 17, udp(443, clientPort+1, record(21, 2, 10))), rest}, "[1 ]"},
		"the alert before all":         {[][]byte{fromServer(record(21, 2, 10)), whole}, "[1 ]"},
		"the alert after the hello":    {[][]byte{whole, fromServer(record(21, 2, 10))}, "[1 ]"},
		"application data between":     {[][]byte{first, fromClient(record(23, 1, 2)), rest}, "[1 fragments]"},
		"an alert between":             {[][]byte{first, fromClient(record(21, 1, 90)), rest}, "[1 fragments]"},
		"a record without data":        {[][]byte{first, fromClient(record(22)), rest}, "[1 fragments]"},
		"the second record, after CCS": {[][]byte{first, fromClient(join(record(20, 1), record(23, 1))), rest}, "[1 fragments]"},
		"encrypted data between":       {[][]byte{first, fromClient(encrypted), rest}, "[1 ]"},
		"a record that is cut":         {[][]byte{first, fromClient(cut[:len(cut)-1]), rest}, "[1 ]"},
		"application data before":      {[][]byte{fromClient(record(23, 1, 2)), first, rest}, "[1 ]"},
		"a change_cipher_spec first":   {[][]byte{fromClient(record(20, 1)), first, rest}, "[1 ]"},
		"a malformed one first":        {[][]byte{fromClient(record(20, 1, 1)), first, rest}, "[1 fragments]"},
		"a malformed one alone":        {[][]byte{fromClient(record(20, 1, 1))}, "[]"},
		"application data after":       {[][]byte{first, rest, fromClient(record(23, 1, 2))}, "[1 ]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestOffloadedDatagrams checks what is said where the checksums of some datagrams are left to
// the network card, and those of others are wrong.
func TestOffloadedDatagrams(t *testing.T) {
	sum := func(p []byte, right bool) []byte {
		datagram, pseudo := transport(p)
		binary.BigEndian.PutUint16(datagram[6:], ^internetSum(pseudo))
		if !right {
			datagram[6] ^= 0x55
		}
		return p
	}
	partial := func(p []byte) []byte { return sum(slices.Clone(p), true) }
	wrong := func(p []byte) []byte { return sum(slices.Clone(p), false) }
	whole, first, rest := fromClient(dtlsFragment(100, 0, 100)), fromClient(dtlsFragment(100, 0, 40)), fromClient(dtlsFragment(100, 40, 60))
	other := slices.Clone(whole)
	other[len(other)-1] ^= 1
	noLength := func(p []byte) []byte {
		p = partial(p)
		p[2], p[3] = 0, 0
		return headerSummed(p)
	}
	fatal := fromServer(dtlsRecord(21, 0, []byte{2, 10}))
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"all are offloaded":          {[][]byte{partial(first), partial(rest)}, "[1 ]"},
		"all are wrong":              {[][]byte{wrong(first), wrong(rest)}, "[1 ]"},
		"wrong, then offloaded":      {[][]byte{wrong(other), partial(whole)}, "[1  0 checksum 1 checksum]"},
		"wrong, then a part":         {[][]byte{wrong(other), partial(first)}, "[1  0 checksum]"},
		"wrong parts, and offloaded": {[][]byte{wrong(first), partial(whole)}, "[1 checksum]"},
		"no length, and an alert":    {[][]byte{noLength(first), noLength(rest), partial(fromClient(dtlsFragment(4000, 0, 40))), fatal}, "[1  0 fragments]"},
		"lengths, and an alert":      {[][]byte{partial(first), partial(rest), partial(fromClient(dtlsFragment(4000, 0, 40))), fatal}, "[1 ]"},
		"offloaded, and wrong parts": {[][]byte{partial(first), wrong(rest)}, "[1 checksum]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestWrongHeaderChecksums checks that a hello is in doubt whose IP header alone has a wrong
// checksum, if those after it have right ones.
func TestWrongHeaderChecksums(t *testing.T) {
	quic, decoy := quicseal.AppendCrypto(nil, 0, message()), quicseal.AppendCrypto(nil, 0, messageWith(2))
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"QUIC":              {[][]byte{headerDamaged(initialNumbered("original", 0, decoy)), headerSummed(initialNumbered("original", 1, quic))}, "[1  0 checksum 1 checksum]"},
		"DTLS":              {[][]byte{headerDamaged(fromClient(dtlsFragment(100, 0, 100))), headerSummed(fromClient(dtlsFragment(200, 0, 200)))}, "[1  0 checksum 1 checksum]"},
		"all of them":       {[][]byte{headerDamaged(fromClient(dtlsFragment(100, 0, 40))), headerDamaged(fromClient(dtlsFragment(100, 40, 60)))}, "[1 ]"},
		"after a right one": {[][]byte{headerSummed(fromClient(dtlsFragment(100, 0, 100))), headerDamaged(fromClient(dtlsFragment(200, 0, 200)))}, "[1 ]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestDTLSFragmentsAfterTheHello checks that fragments which are not whole are a doubt if they
// differ from the hello before them, which was in several, or if that may not have arrived.
func TestDTLSFragmentsAfterTheHello(t *testing.T) {
	first, rest, whole := fromClient(dtlsFragment(100, 0, 40)), fromClient(dtlsFragment(100, 40, 60)), fromClient(dtlsFragment(100, 0, 100))
	differs := slices.Clone(rest)
	differs[len(differs)-1] ^= 1
	near := slices.Clone(rest) // with a small hop limit
	near[8] = 2
	alert := fromServer(dtlsRecord(21, 0, []byte{2, 10}))
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"two hop limits, refused":    {[][]byte{first, near, rest, alert}, "[1  0 fragments]"},
		"two hop limits":             {[][]byte{first, near, rest}, "[1 ]"},
		"they are the same, refused": {[][]byte{first, rest, rest, alert}, "[1 ]"},
		"they differ":                {[][]byte{first, rest, differs}, "[1  0 fragments]"},
		"after a part, and a whole":  {[][]byte{first, whole, differs}, "[1  0 fragments]"},
		"they are the same":          {[][]byte{first, rest, rest}, "[1 ]"},
		"the hello was in one alone": {[][]byte{whole, differs}, "[1 ]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestDTLSAnotherWay checks that a second hello is in doubt if some of the client's packets have
// another hop limit, also much later; and that one in whose place other bytes came does not
// pass for a repetition of the first.
func TestDTLSAnotherWay(t *testing.T) {
	first, rest, whole := fromClient(dtlsFragment(100, 0, 40)), fromClient(dtlsFragment(100, 40, 60)), fromClient(dtlsFragment(100, 0, 100))
	differs := slices.Clone(rest)
	differs[len(differs)-1] ^= 1
	other := slices.Clone(whole)
	other[len(other)-1] ^= 1
	near := func(p []byte) []byte { // with a small hop limit
		p = slices.Clone(p)
		p[8] = 2
		return p
	}
	warning := dtlsRecord(21, 0, []byte{1, 90})
	unread := fromClient(join(warning, dtlsFragment(100, 0, 100)))
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"other bytes between":         {[][]byte{near(whole), differs, near(rest), near(first)}, "[1  1 fragments]"},
		"the same bytes":              {[][]byte{near(whole), rest, near(rest), near(first)}, "[1 ]"},
		"another one at once":         {[][]byte{whole, other}, "[1  1 fragments]"},
		"another one later, as well":  {[][]byte{whole, nil, other}, "[1  1 ]"},
		"another one later and afar":  {[][]byte{near(whole), nil, other}, "[1  1 fragments]"},
		"the same one later and afar": {[][]byte{near(whole), nil, whole}, "[1 ]"},
		"a hello behind an alert":     {[][]byte{near(whole), unread, unread}, "[1  0 fragments]"},
		"an alert alone":              {[][]byte{near(whole), fromClient(warning)}, "[1 ]"},
		"behind an alert, one way":    {[][]byte{whole, unread}, "[1 ]"},
	} {
		if got := doubtsOf(scanSlowly(row.packets)); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// TestDTLSAfterAnAnswer checks that a server which has answered a hello, or may have ended the
// handshake, reads no further one for sure.
func TestDTLSAfterAnAnswer(t *testing.T) {
	handshake := func(kind byte, random ...byte) []byte {
		return fromServer(dtlsRecord(22, 0, join([]byte{kind, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 38, 0xfe, 0xfd}, random, make([]byte, 36-len(random)))))
	}
	message := func(seq byte) []byte {
		b := dtlsFragment(100, 0, 100)
		b[13+5] = seq
		b[13+12+2] = 9 + seq // another random
		return fromClient(b)
	}
	other := func(p []byte) []byte { // in a record of another version
		p = slices.Clone(p)
		p[28+1], p[28+2] = 1, 0
		return p
	}
	whole, second := message(0), message(1)
	first, rest := fromClient(dtlsFragment(100, 0, 40)), fromClient(dtlsFragment(100, 40, 60))
	beyond := slices.Clone(first)
	beyond[28+13+3] = 20 // the length of the message
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"a ServerHello":                      {[][]byte{whole, handshake(2), second}, "[1  1 fragments]"},
		"a HelloRetryRequest":                {[][]byte{whole, handshake(2, 0xcf, 0x21, 0xad, 0x74), second}, "[1  1 ]"},
		"a HelloVerifyRequest":               {[][]byte{whole, handshake(3), second}, "[1  1 ]"},
		"both":                               {[][]byte{whole, handshake(2), handshake(3), second}, "[1  1 ]"},
		"a Certificate":                      {[][]byte{whole, handshake(11), second}, "[1  1 ]"},
		"a third hello":                      {[][]byte{whole, handshake(3), second, message(2)}, "[1  1  1 fragments]"},
		"a record of another version":        {[][]byte{first, other(rest)}, "[1 fragments]"},
		"change_cipher_spec":                 {[][]byte{first, fromClient(dtlsRecord(20, 0, []byte{1})), rest}, "[1 ]"},
		"change_cipher_spec of two bytes":    {[][]byte{first, fromClient(dtlsRecord(20, 0, []byte{1, 1})), rest}, "[1 fragments]"},
		"a refused fragment":                 {[][]byte{beyond, first, rest}, "[0  1 fragments]"},
		"the number of a record, much later": {[][]byte{whole, nil, numberedAs(whole, second)}, "[1  1 fragments]"},
	} {
		if got := doubtsOf(scanSlowly(row.packets)); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// numberedAs gives the record in packet p the number of that in another packet.
func numberedAs(other, p []byte) []byte {
	const at = 28 + 5
	return slices.Concat(p[:at], other[at:at+6], p[at+6:])
}

// TestDTLSReplays checks that the first of two records with a number counts, but only if it
// came to the server.
func TestDTLSReplays(t *testing.T) {
	first, rest := fromClient(dtlsFragment(100, 0, 40)), fromClient(dtlsFragment(100, 40, 60))
	replay := slices.Clone(rest)
	replay[len(replay)-1] ^= 1
	copy(replay[28+5:28+11], first[28+5:28+11]) // epoch and number
	near := slices.Clone(first)                 // with a small hop limit
	near[8] = 2
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"one hop limit":  {[][]byte{first, replay, rest}, "[1 ]"},
		"two hop limits": {[][]byte{near, replay, rest}, "[1 fragments 0 fragments]"},
	} {
		if got := rowsOf(row.packets); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// rowsOf gives, for each row, 1 if it has a message, and the reasons for doubt.
func rowsOf(packets [][]byte) string {
	hellos, _ := scan(capture.Options{}, packets...)
	return doubtsOf(hellos)
}

// doubtsOf is rowsOf for hellos that were found.
func doubtsOf(hellos []capture.Hello) string {
	var rows []string
	for _, h := range hellos {
		whole := 0
		if len(h.Message) > 0 && h.Code == 0 {
			whole = 1
		}
		rows = append(rows, fmt.Sprint(whole, " ", h.Ambiguous))
	}
	return fmt.Sprint(rows)
}
