package capture_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// dialogues are what a client (>) and a server (<) say before TLS, each in a segment of its own,
// and the protocol that is named for it.
var dialogues = map[string]struct {
	said     []string
	protocol string
}{
	"SMTP":           {[]string{"<220 mail.example\r\n", ">EHLO x\r\n", "<250-x\r\n250 STARTTLS\r\n", ">STARTTLS\r\n", "<220 go\r\n"}, "smtp"},
	"SMTP, XCLIENT":  {[]string{"<220 x\r\n", ">XCLIENT ADDR=192.0.2.9\r\n", "<220 x\r\n", ">EHLO x\r\n", "<250 STARTTLS\r\n", ">STARTTLS\r\n", "<220 go\r\n"}, "smtp"},
	"SMTP, 20 lines": {append(slices.Repeat([]string{">NOOP\r\n", "<250 ok\r\n"}, 20), ">STARTTLS\r\n", "<220 go\r\n"), ""},
	"LMTP":           {[]string{"<220 x\r\n", ">LHLO x\r\n", "<250 STARTTLS\r\n", ">STARTTLS\r\n", "<220 go\r\n"}, "lmtp"},
	"IMAP":           {[]string{"<* OK ready\r\n", ">a CAPABILITY\r\n", "<* CAPABILITY STARTTLS\r\na OK\r\n", ">b STARTTLS\r\n", "<b OK\r\n"}, "imap"},
	"POP3":           {[]string{"<+OK\r\n", ">CAPA\r\n", "<+OK\r\nSTLS\r\n.\r\n", ">STLS\r\n", "<+OK\r\n"}, "pop3"},
	"FTP":            {[]string{"<220 x\r\n", ">FEAT\r\n", "<211 end\r\n", ">AUTH TLS\r\n", "<234 ok\r\n"}, "ftp"},
	"FTP, USER":      {[]string{"<220 x\r\n", ">USER a\r\n", "<331 x\r\n", ">AUTH TLS\r\n", "<234 ok\r\n"}, ""},
	"NNTP":           {[]string{"<200 x\r\n", ">CAPABILITIES\r\n", "<101 x\r\nSTARTTLS\r\n.\r\n", ">STARTTLS\r\n", "<382 go\r\n"}, "nntp"},
	"ManageSieve":    {[]string{"<\"STARTTLS\"\r\nOK\r\n", ">STARTTLS\r\n", "<OK\r\n"}, ""},
	"XMPP":           {[]string{">" + xmppStart, "<<stream:features/>", "><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<<proceed/>"}, "xmpp"},
	"XMPP, a child":  {[]string{">" + xmppStart, "<<stream:features/>", "><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>", "<<proceed/>"}, "xmpp"},
	"LDAP":           {[]string{">\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", "<\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"}, "ldap"},
	"LDAP, long":     {[]string{">\x30\x84\x00\x00\x00\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", "<\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"}, "ldap"},
	"PostgreSQL":     {[]string{">\x00\x00\x00\x08\x04\xd2\x16\x30", "<N", ">\x00\x00\x00\x08\x04\xd2\x16\x2f", "<S"}, "postgresql"},
	"MySQL":          {[]string{"<J\x00\x00\x00\x0a8.0\x00" + strings.Repeat("x", 69), "> \x00\x00\x01\x85\xae\xff\x19" + strings.Repeat("\x00", 28)}, "mysql"},
	"RDP":            {[]string{">\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", "<\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x02\x1f\x08\x00\x01\x00\x00\x00"}, "rdp"},
	"SOCKS5":         {[]string{">\x05\x01\x00", "<\x05\x00", ">\x05\x01\x00\x01\xc6\x33\x64\x01\x01\xbb", "<\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"}, "socks5"},
	"SOCKS5, GSSAPI": {[]string{">\x05\x01\x01", "<\x05\x01", ">\x01\x01\x00\x03abc", "<\x01\x01\x00\x01x", ">\x05\x01\x00\x01\xc6\x33\x64\x01\x01\xbb", "<\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"}, "socks5"},
	"SOCKS4":         {[]string{">\x04\x01\x01\xbb\xc6\x33\x64\x01user\x00", "<\x00\x5a\x00\x00\x00\x00\x00\x00"}, "socks4"},
	"HTTP CONNECT":   {[]string{">" + connect, "<HTTP/1.1 200 OK\r\n\r\n"}, "http"},
	"HTTP, 6 kB":     {[]string{">CONNECT x:443 HTTP/1.1\r\nProxy-Authorization: Negotiate " + strings.Repeat("Y", 6000) + "\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\n"}, "http"},
	"HTTP, Upgrade":  {[]string{">OPTIONS * HTTP/1.1\r\nHost: x\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n", "<HTTP/1.1 101 Switching Protocols\r\n\r\n"}, "http"},
	"PROXY, SMTP":    {[]string{">" + proxy2, "<220 x\r\n", ">EHLO x\r\n", "<250 STARTTLS\r\n", ">STARTTLS\r\n", "<220 go\r\n"}, "smtp"},
	"Gnutella":       {[]string{">GNUTELLA CONNECT/0.6\r\nUpgrade: TLS/1.0\r\n\r\n", "<GNUTELLA/0.6 200 OK\r\n\r\n", ">GNUTELLA/0.6 200 OK\r\n\r\n"}, "gnutella"},
	"NoMachine":      {[]string{">NXD-6.0\n", "<NXD-6.0\n", ">\x01\x02NX-TLS\n"}, ""},
	"ADB":            {[]string{">CNXN\x01\x00\x00\x01\x00\x00\x10\x00" + strings.Repeat("\x00", 12), "<STLS" + strings.Repeat("\x00", 20), ">STLS" + strings.Repeat("\x00", 20)}, "adb"},
	"IRC":            {[]string{">CAP LS 302\r\n", "<:x CAP * LS :tls\r\n", ">STARTTLS\r\n", "<:x 670 * :go\r\n"}, "irc"},
	"NBD":            {[]string{"<NBDMAGICIHAVEOPT\x00\x03", ">\x00\x00\x00\x03", ">IHAVEOPT\x00\x00\x00\x05\x00\x00\x00\x00", "<\x00\x03\xe8\x89\x04\x55\x65\xa9\x00\x00\x00\x05\x00\x00\x00\x01\x00\x00\x00\x00"}, ""},
	"RELP":           {[]string{">1 open 42 relp_version=0\ncommands=starttls\n", "<1 rsp 6 200 OK\n", ">2 starttls 0\n", "<2 rsp 6 200 OK\n"}, ""},
	"VeNCrypt":       {[]string{"<RFB 003.008\n", ">RFB 003.008\n", "<\x01\x13", ">\x13", "<\x00\x02", ">\x00\x02", "<\x00\x01\x00\x00\x01\x04", ">\x00\x00\x01\x04", "<\x01"}, "vnc"},
	"AMQP":           {[]string{">AMQP\x02\x01\x00\x00", "<AMQP\x02\x01\x00\x00"}, "amqp"},
	"8 bytes":        {[]string{">unknown!", "<?"}, ""},
	"a byte":         {[]string{">\x16", "<?"}, ""},
}

const xmppStart = "<?xml version='1.0'?><stream:stream to='example.com' xmlns='jabber:client' version='1.0'>"

// A talk is the packets of a connection, as its ends send them.
type talk struct {
	packets [][]byte
	up, dn  int // sequence numbers of the next bytes
}

func newTalk() *talk {
	return &talk{packets: [][]byte{up(0, syn, nil), downAck(-1, 1, syn|ack, nil), upAck(1, 0, ack, nil)}, up: 1}
}

func (t *talk) client(b []byte) {
	t.packets = append(t.packets, upAck(t.up, t.dn, ack, b))
	t.up += len(b)
}

func (t *talk) server(b []byte) {
	t.packets = append(t.packets, downAck(t.dn, t.up, ack, b))
	t.dn += len(b)
}

func (t *talk) say(said []string) {
	for _, s := range said {
		if s[0] == '>' {
			t.client([]byte(s[1:]))
		} else {
			t.server([]byte(s[1:]))
		}
	}
}

// answers are what a server sends after a ClientHello.
var (
	serverHelloBytes = join([]byte{22, 3, 3, 0, 44, 2, 0, 0, 40, 3, 3}, make([]byte, 33), []byte{0x13, 1, 0, 0, 0})
	alertBytes       = []byte{21, 3, 3, 0, 2, 2, 40}
)

// TestLateHellos begins captures at each packet of each dialogue. The answer of the server
// decides whether what comes after it is a hello.
func TestLateHellos(t *testing.T) {
	for name, d := range dialogues {
		for answer, row := range map[string]struct {
			bytes string
			want  string // doubts of the row, or "none"
		}{
			"ServerHello": {string(serverHelloBytes), ""},
			"alert":       {string(alertBytes), ""},
			"HTTP":        {"HTTP/1.1 200 OK\r\n\r\n", "none"},
			"ClientHello": {string(records(messageWith(9), 1<<14)), "none"},
			"nothing":     {"", "unconfirmed"},
		} {
			for _, size := range []int{5, 30, 1 << 14} {
				talk := newTalk()
				talk.say(d.said)
				before := len(talk.packets)
				for part := range slices.Chunk(hello(), size) {
					talk.client(part)
				}
				if row.bytes != "" {
					talk.server([]byte(row.bytes))
				}
				for from := range before + 1 {
					where := fmt.Sprintf("%s, from packet %d, segments of %d, %s", name, from, size, answer)
					want := row.want // if it needs an answer
					if withoutSYN, ok := sure[name]; ok && (from == 0 || withoutSYN && !clientSpeaks(talk.packets[:from])) || !clientSpeaks(talk.packets[from:before]) {
						want = ""
					}
					hello := checkLate(t, where, talk.packets[from:], want)
					if hello != nil && from == 0 && hello.PrologueProtocol != d.protocol {
						t.Errorf("%s: the protocol is %q, want %q", where, hello.PrologueProtocol, d.protocol)
					}
				}
			}
		}
	}
}

// sure are the dialogues that are read by their grammar, and whether they are without a SYN.
var sure = map[string]bool{"SOCKS4": false, "SOCKS5": false, "SOCKS5, GSSAPI": false, "HTTP CONNECT": true, "MySQL": true, "AMQP": true}

// clientSpeaks reports whether packets have data of the client.
func clientSpeaks(packets [][]byte) bool {
	const headers = 40
	return slices.ContainsFunc(packets, func(p []byte) bool { return len(p) > headers && bytes.Equal(p[12:16], client.AsSlice()) })
}

// checkLate checks the doubts of the row of a late hello, and returns it.
func checkLate(t *testing.T, where string, packets [][]byte, want string) *capture.Hello {
	t.Helper()
	hellos, stats := scan(capture.Options{}, packets...)
	if stats.Refused > 0 || stats.Incomplete > 0 {
		t.Errorf("%s: %+v", where, stats)
	}
	hellos = slices.DeleteFunc(hellos, func(h capture.Hello) bool { return h.Src.Port() != clientPort })
	got := "none"
	if len(hellos) > 0 {
		got = hellos[0].Ambiguous.String()
	}
	if got != want || len(hellos) > 1 || len(hellos) == 1 && !bytes.Equal(hellos[0].Message, message()) {
		t.Errorf("%s: got %q in %+v, want %q", where, got, summarize(hellos), want)
	}
	if len(hellos) != 1 {
		return nil
	}
	return &hellos[0]
}

// TestLateHelloBeginsAConnection checks hellos after the end of a connection with the same
// ports, and far away from its bytes.
func TestLateHelloBeginsAConnection(t *testing.T) {
	one, two := hello(), records(messageWith(2), 1<<14)
	end := 1 + len(one)
	first := [][]byte{up(0, syn, nil), downAck(-1, 1, syn|ack, nil), upAck(1, 0, ack, one), downAck(0, end, ack, serverHelloBytes)}
	served := len(serverHelloBytes)
	done := upAck(end, served, fin|ack, nil)
	answer := func(seq, acked int) []byte { return downAck(seq, acked, ack, serverHelloBytes) }
	for name, row := range map[string]struct {
		packets [][]byte
		want    string // doubts of the second row
		flows   int
	}{
		"after a FIN":                     {[][]byte{done, upAck(9000000, 77, ack, two), answer(77, 9000000+len(two))}, "", 2},
		"after a FIN, near":               {[][]byte{done, upAck(end+500, 77, ack, two), answer(77, end+500+len(two))}, "", 2},
		"after a FIN, the same number":    {[][]byte{done, upAck(1, 77, ack, two), answer(77, end)}, "syn", 2},
		"after a FIN, retransmitted":      {[][]byte{done, upAck(1, 77, ack, one), answer(77, end)}, "none", 1},
		"after a FIN, no answer":          {[][]byte{done, upAck(9000000, 77, ack, two)}, "unconfirmed", 2},
		"after a FIN, and a RST":          {[][]byte{done, upAck(9000000, 77, ack, two), down(77, rst, nil)}, "none", 2},
		"after a RST":                     {[][]byte{upAck(end, served, rst|ack, nil), upAck(end+500, 77, ack, two), answer(77, end+500+len(two))}, "", 2},
		"after a RST of the server":       {[][]byte{downAck(served, end, rst|ack, nil), upAck(end+500, 77, ack, two), answer(77, end+500+len(two))}, "", 2},
		"far away":                        {[][]byte{upAck(9000000, 77, ack, two), answer(77, 9000000+len(two))}, "", 2},
		"far away, the other one goes on": {[][]byte{upAck(9000000, served, ack, two), downAck(served, end, ack, []byte{23, 3, 3, 0, 1, 0})}, "none", 2},
		"in the middle of TLS":            {[][]byte{upAck(end, served, ack, []byte{23, 3, 3, 0, 1, 0}), upAck(end+6, served, ack, two), answer(served, end+6+len(two))}, "none", 1},
	} {
		hellos, stats := scan(capture.Options{}, slices.Concat(first, row.packets)...)
		got := "none"
		if len(hellos) == 2 {
			got = hellos[1].Ambiguous.String()
		}
		if got != row.want || len(hellos) > 2 || hellos[0].Ambiguous != 0 || stats.Flows != row.flows || stats.Refused > 0 {
			t.Errorf("%s: got %q, %+v, %+v; want %q", name, got, summarize(hellos), stats, row.want)
		}
	}
}

// TestBytesAfterLateHello checks that whatever follows a late hello, the other end alone decides.
func TestBytesAfterLateHello(t *testing.T) {
	post, one, more := ">POST / HTTP/1.1\r\n\r\n", string(hello()), "and other bytes"
	for _, row := range []struct {
		said []string
		want string
	}{
		{[]string{post, ">" + one, ">" + more}, "unconfirmed"},
		{[]string{post, ">" + one + more}, "unconfirmed"},
		{[]string{">GET / HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\n", "<" + one, "<" + more}, "unconfirmed"},
		{[]string{post, ">" + one, ">" + more, "<" + string(serverHelloBytes)}, ""},
		{[]string{post, ">" + one, ">" + more, "<HTTP/1.1 200 OK\r\n\r\n"}, "none"},
	} {
		talk := newTalk()
		talk.say(row.said)
		hellos, stats := scan(capture.Options{}, talk.packets...)
		got := "none"
		if len(hellos) == 1 {
			got = hellos[0].Ambiguous.String()
		}
		if got != row.want || len(hellos) > 1 {
			t.Errorf("%q: got %q, %+v, %+v; want %q", row.said, got, summarize(hellos), stats, row.want)
		}
	}
}

// TestUploadsAreNoHellos checks that a hello inside other bytes is none, also if it begins with
// a segment, and that the connection goes on.
func TestUploadsAreNoHellos(t *testing.T) {
	post, more := ">POST / HTTP/1.1\r\n\r\n", "and other bytes"
	short := hello()[:40]
	for name, said := range map[string][]string{
		"answered":                       {post, ">" + string(hello()), "<HTTP/1.1 200 OK\r\n\r\n"},
		"answered in pieces":             {post, ">" + string(hello()), "<H", "<TTP/1.1 200 OK\r\n\r\n"},
		"answered with a record":         {post, ">" + string(hello()), "<\x16\x03\x03\x00\x10\x0b"},
		"two, answered":                  {post, ">" + string(hello()), ">" + string(hello()), "<HTTP/1.1 200 OK\r\n\r\n"},
		"not at the beginning":           {post, ">" + more + string(hello())},
		"not whole":                      {post, ">" + string(short), ">" + more, "<HTTP/1.1 200 OK\r\n\r\n"},
		"not whole at the end":           {post, ">" + string(short)},
		"malformed":                      {post, ">" + string(records(append(message()[:40:40], make([]byte, 27)...), 100))},
		"too large":                      {post, ">\x16\x03\x01\x40\x00\x01\xff\xff\xff\x03\x03"},
		"a record too large":             {post, ">\x16\x03\x01\x40\x01\x01\x00\x00\xff\x03\x03"},
		"a download, then a request":     {">GET / HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\n", "<" + string(hello()), ">GET / HTTP/1.1\r\n\r\n"},
		"bytes of another hello between": {post, ">" + string(short), ">" + string(hello()), "<HTTP/1.1 200 OK\r\n\r\n"},
	} {
		talk := newTalk()
		talk.say(said)
		hellos, stats := scan(capture.Options{}, talk.packets...)
		if len(hellos) > 0 || stats.Incomplete > 0 || stats.Evicted > 0 {
			t.Errorf("%s: got %+v, %+v", name, summarize(hellos), stats)
		}
		// What is in the segments after that is found all the same.
		talk.say([]string{">" + more, ">" + string(records(messageWith(2), 1<<14)), "<" + string(serverHelloBytes)})
		if hellos, _ := scan(capture.Options{}, talk.packets...); len(hellos) != 1 || hellos[0].Ambiguous != 0 {
			t.Errorf("%s, then a hello: got %+v", name, summarize(hellos))
		}
	}
}

// TestAnswersToLateHellos checks which bytes of the server count.
func TestAnswersToLateHellos(t *testing.T) {
	before := "GNUTELLA CONNECT/0.6\r\n\r\n"
	at := 1 + len(before)
	end := at + len(hello())
	start := [][]byte{up(0, syn, nil), downAck(-1, 1, syn|ack, nil), upAck(1, 0, ack, []byte(before)), downAck(0, at, ack, []byte("OK")), upAck(at, 2, ack, hello())}
	answer := serverHelloBytes
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"at once":                       {[][]byte{downAck(2, end, ack, answer)}, ""},
		"after an acknowledgement":      {[][]byte{downAck(2, end, ack, nil), downAck(2, end, ack, answer)}, ""},
		"a byte a time":                 {segmentsDown(2, end, answer, 1), ""},
		"HelloRetryRequest of a draft":  {[][]byte{downAck(2, end, ack, []byte{22, 3, 3, 0, 9, 6})}, ""},
		"a warning":                     {[][]byte{downAck(2, end, ack, []byte{21, 3, 1, 0, 2, 1, 112})}, ""},
		"no alert":                      {[][]byte{downAck(2, end, ack, []byte{21, 3, 1, 0, 2, 3, 112})}, "none"},
		"the last bytes again":          {[][]byte{downAck(0, end, ack, []byte("OK")), downAck(2, end, ack, answer)}, ""},
		"the last bytes with it":        {[][]byte{downAck(0, end, ack, append([]byte("OK"), answer...))}, ""},
		"sent before the hello arrived": {[][]byte{downAck(2, at, ack, []byte("more")), downAck(6, end, ack, answer)}, ""},
		"out of order":                  {[][]byte{downAck(12, end, ack, answer[10:]), downAck(2, end, ack, answer[:10])}, ""},
		"a part is missing":             {[][]byte{downAck(12, end, ack, answer[10:])}, "unconfirmed"},
		"too little":                    {[][]byte{downAck(2, end, ack, answer[:5])}, "unconfirmed"},
		"early data before it":          {[][]byte{upAck(end, 2, ack, []byte{23, 3, 3, 0, 1, 0}), downAck(2, end+6, ack, answer)}, ""},
		"a RST":                         {[][]byte{downAck(2, end, rst|ack, nil)}, "unconfirmed"},
	} {
		checkLate(t, name, slices.Concat(start, row.packets), row.want)
		part := [][]byte{upAck(at, 2, ack, hello()[:20]), upAck(at+20, 2, ack, hello()[20:])}
		checkLate(t, name+", in two segments", slices.Concat(start[:4], part, row.packets), row.want)
	}
	silent := slices.Concat(start[:3], [][]byte{upAck(at, 0, ack, hello())})
	checkLate(t, "the first bytes", append(silent, downAck(0, end, ack, answer)), "")
	checkLate(t, "the first bytes are an alert", append(silent, downAck(0, end, ack, []byte{21, 3, 3, 0, 2, 2, 10})), "unconfirmed")
}

// TestFramesOfLateHello checks that a late hello has its packets where the server's
// acknowledgements alone showed the beginning of the stream.
func TestFramesOfLateHello(t *testing.T) {
	hellos, _ := scan(capture.Options{}, downAck(-1, 1, syn|ack, nil), downAck(919, 738, fin|ack, nil), upAck(713, 920, ack, make([]byte, 24)), upAck(1, 0, ack, hello()))
	if len(hellos) != 1 || !slices.Equal(hellos[0].Frames, []int{4}) {
		t.Errorf("got %+v", summarize(hellos))
	}
}

// segmentsDown are the packets of a server's stream.
func segmentsDown(seq, acked int, stream []byte, size int) (packets [][]byte) {
	for part := range slices.Chunk(stream, size) {
		packets = append(packets, downAck(seq, acked, ack, part))
		seq += len(part)
	}
	return packets
}

// TestLateHellosWaitUpTo3s checks the limits of a late hello.
func TestLateHellosWaitUpTo3s(t *testing.T) {
	start := newTalk()
	start.say([]string{">unknown!"})
	for name, row := range map[string]struct {
		after time.Duration
		size  int // of segments
		want  string
	}{
		"an answer after 2.9 s":  {2900 * time.Millisecond, 1 << 14, ""},
		"an answer after 3 s":    {3 * time.Second, 1 << 14, "unconfirmed"},
		"256 segments":           {0, 16, ""},
		"more than 256 segments": {0, 15, "none"},
	} {
		talk := &talk{packets: slices.Clone(start.packets), up: start.up, dn: start.dn}
		long := records(longMessage(4000), 1<<14)
		for part := range slices.Chunk(long, row.size) {
			talk.client(part)
		}
		talk.server(serverHelloBytes)
		s := capture.NewScanner(capture.Options{})
		got := "none"
		keep := func(h *capture.Hello) bool {
			got = h.Ambiguous.String()
			return true
		}
		for i, p := range talk.packets {
			packet := raw(p)
			if i == len(talk.packets)-1 {
				packet.Time = packet.Time.Add(row.after)
			}
			s.Scan(packet, keep)
		}
		if s.Flush(keep); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

// longMessage is a ClientHello with an extension, of n bytes in all.
func longMessage(n int) []byte {
	const rest = 4 + 2 + 32 + 1 + 4 + 2 + 2 + 4
	data := make([]byte, n-rest)
	body := join([]byte{3, 3}, make([]byte, 33), []byte{0, 2, 0x13, 1, 1, 0}, be16(len(data)+4), []byte{0x1a, 0x1a}, be16(len(data)), data)
	return join([]byte{1, 0}, be16(len(body)), body)
}

// TestSecondHelloIsTheFirstCaptured checks a capture that begins with the change_cipher_spec
// before a second hello.
func TestSecondHelloIsTheFirstCaptured(t *testing.T) {
	changeCipherSpec := []byte{20, 3, 3, 0, 1, 1}
	for name, packets := range map[string][][]byte{
		"in one segment":             {upAck(1, 0, ack, join(changeCipherSpec, hello()))},
		"in two segments":            {upAck(1, 0, ack, changeCipherSpec), upAck(7, 0, ack, hello())},
		"the hello's parts reversed": {upAck(1, 0, ack, changeCipherSpec), upAck(40, 0, ack, hello()[33:]), upAck(7, 0, ack, hello()[:33])},
		"the server's first":         {downAck(0, 1, ack, []byte{22, 3, 3, 0, 9, 2}), upAck(1, 9, ack, join(changeCipherSpec, hello()))},
		"encrypted bytes after":      {upAck(1, 0, ack, join(changeCipherSpec, hello())), upAck(1+6+len(hello()), 0, ack, []byte{23, 3, 3, 0, 1, 0})},
	} {
		hellos, _ := scan(capture.Options{}, packets...)
		if len(hellos) != 1 || hellos[0].Ambiguous != 0 || hellos[0].FlagsChanged || hellos[0].Prologue != 0 {
			t.Errorf("%s: got %+v", name, hellos)
		} else if hellos[0].Index != 2 {
			t.Errorf("%s: hello %d, want 2", name, hellos[0].Index)
		}
	}
	// An encrypted message after it is none.
	for _, b := range [][]byte{{22, 3, 3, 0, 40, 1, 0xed, 0x75, 0, 7}, {22, 3, 3, 0, 40, 0, 0, 0, 0, 1}} {
		hellos, stats := scan(capture.Options{}, upAck(1, 0, ack, join(changeCipherSpec, b)))
		if len(hellos) > 0 || stats.Incomplete > 0 {
			t.Errorf("%x: got %+v", b, hellos)
		}
	}
}

// TestEncryptedFinishedIsNoHello checks that a message which begins as a hello does is not
// refused after change_cipher_spec.
func TestEncryptedFinishedIsNoHello(t *testing.T) {
	finished := join([]byte{20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 40, 1, 0xed, 0x75, 0}, make([]byte, 36))
	hellos, stats := scan(capture.Options{}, up(0, syn, nil), up(1, ack, hello()), down(0, ack, serverHelloBytes), up(1+len(hello()), ack, finished))
	if len(hellos) != 1 || stats.Refused != 0 || stats.Incomplete != 0 {
		t.Errorf("got %+v, %+v", summarize(hellos), stats)
	}
}
