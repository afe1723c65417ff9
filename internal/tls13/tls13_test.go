package tls13_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/testca"
	"github.com/tlsflags/tlsflags/internal/tls13"
)

// chunk is what one side wrote at once.
type chunk struct {
	from handshake.Sender
	data []byte
}

// recording notes what both sides write, in the order in which they do.
type recording struct {
	mu     sync.Mutex
	chunks []chunk
}

// recordedConn is one end of a connection.
type recordedConn struct {
	net.Conn
	r    *recording
	from handshake.Sender
}

func (c *recordedConn) Write(b []byte) (int, error) {
	c.r.mu.Lock()
	c.r.chunks = append(c.r.chunks, chunk{c.from, bytes.Clone(b)})
	c.r.mu.Unlock()
	return c.Conn.Write(b)
}

// runHandshake has crypto/tls serve a client of uTLS that offers one cipher suite, and
// returns what they wrote and the server's key log.
func runHandshake(t *testing.T, suite uint16, server *tls.Config) (*recording, string) {
	t.Helper()
	ca, err := testca.New("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := ca.Client("client")
	if err != nil {
		t.Fatal(err)
	}
	var keyLog bytes.Buffer
	server.Certificates = []tls.Certificate{certificate}
	server.KeyLogWriter = &keyLog
	server.NextProtos = []string{"h2"}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := new(recording)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, r, server) }()

	plain, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	client := utls.UClient(&recordedConn{plain, r, handshake.FromClient}, &utls.Config{
		ServerName: "localhost", InsecureSkipVerify: true,
		Certificates: []utls.Certificate{{Certificate: identity.Certificate, PrivateKey: identity.PrivateKey}},
	}, utls.HelloCustom)
	spec, err := utls.UTLSIdToSpec(utls.HelloFirefox_105)
	if err != nil {
		t.Fatal(err)
	}
	spec.CipherSuites = []uint16{suite}
	if err := client.ApplyPreset(&spec); err != nil {
		t.Fatal(err)
	}
	if err := client.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(client); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return r, keyLog.String()
}

func serve(ctx context.Context, listener net.Listener, r *recording, config *tls.Config) error {
	plain, err := listener.Accept()
	if err != nil {
		return err
	}
	defer plain.Close()
	conn := tls.Server(&recordedConn{plain, r, handshake.FromServer}, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return err
	}
	return conn.Close()
}

// read returns the messages of a recording.
func read(t *testing.T, chunks []chunk, keyLog string) (messages [2][][]byte, err error) {
	t.Helper()
	log, err := tls13.ReadKeyLog(strings.NewReader(keyLog))
	if err != nil {
		t.Fatal(err)
	}
	c := tls13.NewConversation(log.Lookup, func(s handshake.Sender, msg []byte) {
		messages[s] = append(messages[s], bytes.Clone(msg))
	})
	for _, chunk := range chunks {
		c.Feed(chunk.from, chunk.data)
	}
	return messages, c.Err()
}

// names walks each message with the parsers of package extension and names it.
func names(t *testing.T, messages [][]byte) string {
	t.Helper()
	var list []string
	for _, msg := range messages {
		switch msg[0] {
		case 1:
			list = append(list, "CH")
			continue
		case 15, 20:
			list = append(list, map[byte]string{15: "CV", 20: "FIN"}[msg[0]])
			continue
		}
		m, n, err := handshake.Parse(msg)
		if err != nil || n != len(msg) {
			t.Errorf("a message of type %d of crypto/tls: %v at %d of %d", msg[0], err, n, len(msg))
		}
		list = append(list, extension.MessagesOf(m.Kind()).String())
	}
	return strings.Join(list, " ")
}

// TestMessagesOfCryptoTLS walks the messages of crypto/tls, decrypted, with every cipher
// suite of TLS 1.3.
func TestMessagesOfCryptoTLS(t *testing.T) {
	for _, suite := range []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256} {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			r, keyLog := runHandshake(t, suite, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
			messages, err := read(t, r.chunks, keyLog)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := names(t, messages[handshake.FromServer]), "SH EE CR CT CV FIN NST"; got != want {
				t.Errorf("the server sent %s, want %s", got, want)
			}
			if got, want := names(t, messages[handshake.FromClient]), "CH CT CV FIN"; got != want {
				t.Errorf("the client sent %s, want %s", got, want)
			}
			checkServer(t, messages[handshake.FromServer])
		})
	}
}

// checkServer looks into what crypto/tls is known to send.
func checkServer(t *testing.T, messages [][]byte) {
	t.Helper()
	parse := func(i int) handshake.Message {
		m, _, err := handshake.Parse(messages[i])
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := parse(0); m.Version() != tls.VersionTLS13 {
		t.Errorf("ServerHello selects %#x", m.Version())
	}
	if e, ok := parse(1).Extensions().Lookup(extension.ALPN); !ok || string(e.Data) != "\x00\x03\x02h2" {
		t.Errorf("ALPN in EncryptedExtensions: %x, %t", e.Data, ok)
	}
	if _, ok := parse(2).Extensions().Lookup(extension.SignatureAlgorithms); !ok {
		t.Error("CertificateRequest has no signature_algorithms")
	}
	n := 0
	for range parse(3).Entries() {
		n++
	}
	if n == 0 {
		t.Error("Certificate has no entry")
	}
}

func TestConversationHelloRetryRequest(t *testing.T) {
	// Firefox sends shares of x25519 and P-256.
	r, keyLog := runHandshake(t, tls.TLS_AES_128_GCM_SHA256, &tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP384}})
	messages, err := read(t, r.chunks, keyLog)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, messages[handshake.FromServer]), "HRR SH EE CT CV FIN NST"; got != want {
		t.Errorf("the server sent %s, want %s", got, want)
	}
	if got, want := names(t, messages[handshake.FromClient]), "CH CH FIN"; got != want {
		t.Errorf("the client sent %s, want %s", got, want)
	}
}

// Any cut of the streams, and the server ahead of the client, give the same messages.
func TestConversationCuts(t *testing.T) {
	r, keyLog := runHandshake(t, tls.TLS_AES_128_GCM_SHA256, &tls.Config{ClientAuth: tls.RequestClientCert})
	want, err := read(t, r.chunks, keyLog)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var cut []chunk
		for _, c := range r.chunks {
			for len(c.data) > 0 {
				n := 1 + rng.IntN(len(c.data))
				cut = append(cut, chunk{c.from, c.data[:n]})
				c.data = c.data[n:]
			}
		}
		got, err := read(t, cut, keyLog)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v, messages (-whole +cut):\n%s", err, diff)
		}
	}
	first := r.chunks[0]
	ahead := slices.Clone(r.chunks[1:])
	slices.SortStableFunc(ahead, func(a, b chunk) int { return int(a.from) - int(b.from) })
	if ahead[0].from != handshake.FromServer {
		t.Fatal("the test does not put the server first")
	}
	got, err := read(t, append([]chunk{first}, ahead...), keyLog)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%v, messages (-in turn +server first):\n%s", err, diff)
	}
}

func TestConversationEnds(t *testing.T) {
	r, keyLog := runHandshake(t, tls.TLS_AES_128_GCM_SHA256, &tls.Config{})
	random := r.chunks[0].data[5+4+2:][:32]
	flight := r.chunks[1].data
	serverHello := flight[:5+(int(flight[3])<<8|int(flight[4]))]
	tests := []struct {
		name   string
		chunks []chunk
		keyLog string
		want   error
	}{
		{"without secrets", r.chunks, "", tls13.ErrNoSecrets},
		{"with secrets of another connection", r.chunks, replaceSecrets(keyLog), tls13.ErrDecrypt},
		{"with no TLS", []chunk{{handshake.FromClient, []byte("GET / HTTP/1.1\r\n\r\n")}}, keyLog, tls13.ErrFormat},
		{"in the middle", []chunk{{handshake.FromClient, append([]byte{22, 3, 3, 0xff, 0xff}, random...)}}, keyLog, tls13.ErrFormat},
		{"with a message that is too large", []chunk{{handshake.FromClient, []byte{22, 3, 1, 0, 4, 1, 0xff, 0, 0}}}, keyLog, tls13.ErrTooLarge},
		{"with a hello that is too short", []chunk{{handshake.FromClient, []byte{22, 3, 1, 0, 5, 1, 0, 0, 1, 0}}}, keyLog, tls13.ErrFormat},
		{"with a second ServerHello", []chunk{r.chunks[0], {handshake.FromServer, bytes.Repeat(serverHello, 2)}}, keyLog, tls13.ErrFormat},
		{"with TLS 1.2", []chunk{r.chunks[0], {handshake.FromServer, tls12ServerHello()}}, keyLog, tls13.ErrNotTLS13},
		{"with too much early data", []chunk{r.chunks[0], {handshake.FromClient, earlyData(5)}}, keyLog, tls13.ErrTooLarge},
		{"with an alert", []chunk{r.chunks[0], {handshake.FromServer, []byte{21, 3, 3, 0, 2, 2, 40}}}, keyLog, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := read(t, tt.chunks, tt.keyLog); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

// Early data stands before the client's handshake records, under other keys.
func TestConversationEarlyData(t *testing.T) {
	r, keyLog := runHandshake(t, tls.TLS_AES_128_GCM_SHA256, &tls.Config{})
	chunks := slices.Insert(slices.Clone(r.chunks), 1, chunk{handshake.FromClient, earlyData(1)})
	messages, err := read(t, chunks, keyLog)
	if got := names(t, messages[handshake.FromClient]); got != "CH FIN" || err != nil {
		t.Errorf("the client sent %s, %v", got, err)
	}
}

func earlyData(records int) []byte {
	return bytes.Repeat(append([]byte{23, 3, 3, 0x40, 0}, make([]byte, 1<<14)...), records)
}

func tls12ServerHello() []byte {
	msg := append([]byte{2, 0, 0, 38, 3, 3}, make([]byte, 36)...)
	return append([]byte{22, 3, 3, 0, byte(len(msg))}, msg...)
}

// replaceSecrets keeps the randoms and sets all secrets to zero.
func replaceSecrets(keyLog string) string {
	var b strings.Builder
	for line := range strings.Lines(keyLog) {
		f := strings.Fields(line)
		fmt.Fprintln(&b, f[0], f[1], strings.Repeat("0", len(f[2])))
	}
	return b.String()
}

func TestReadKeyLog(t *testing.T) {
	random := strings.Repeat("ab", 32)
	text := "# comment\n" +
		"CLIENT_RANDOM " + random + " 00\n" +
		"CLIENT_HANDSHAKE_TRAFFIC_SECRET " + random + " 0102\r\n" +
		"SERVER_HANDSHAKE_TRAFFIC_SECRET " + strings.ToUpper(random) + " 03\n" +
		"SERVER_TRAFFIC_SECRET_0 " + random + " 04\n" +
		"SERVER_TRAFFIC_SECRET_0 abcd 04\nSERVER_TRAFFIC_SECRET_0 " + random + " 0\nSERVER_TRA"
	want := tls13.KeyLog{[32]byte(bytes.Repeat([]byte{0xab}, 32)): {
		ClientHandshake: []byte{1, 2}, ServerHandshake: []byte{3}, ServerTraffic: []byte{4},
	}}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		got, err := tls13.ReadKeyLog(bytes.NewReader(pcapng(order, text)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v pcapng: %v (-want +got):\n%s", order, err, diff)
		}
	}
	got, err := tls13.ReadKeyLog(strings.NewReader(text))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	whole := pcapng(binary.LittleEndian, text)
	boundaries := map[int]bool{}
	for i := 0; i <= len(whole); i += int(binary.LittleEndian.Uint32(whole[i+4:])) {
		if boundaries[i] = true; i == len(whole) {
			break
		}
	}
	for n := 4; n < len(whole); n++ {
		if _, err := tls13.ReadKeyLog(bytes.NewReader(whole[:n])); (err == nil) != boundaries[n] {
			t.Errorf("the first %d bytes of a pcapng capture: %v", n, err)
		}
	}
	if _, err := tls13.ReadKeyLog(strings.NewReader(strings.Repeat("x", 5000))); err == nil {
		t.Error("a line of 5000 bytes is accepted")
	}
}

// pcapng returns a capture with a section header, the secrets, secrets of another type
// and an unknown block.
func pcapng(order binary.AppendByteOrder, secrets string) []byte {
	block := func(kind uint32, body []byte) []byte {
		body = append(body, make([]byte, (4-len(body)%4)%4)...)
		b := order.AppendUint32(nil, kind)
		b = order.AppendUint32(b, uint32(12+len(body)))
		b = append(b, body...)
		return order.AppendUint32(b, uint32(12+len(body)))
	}
	section := order.AppendUint32(nil, 0x1a2b3c4d)
	section = append(section, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	header := func(kind uint32) []byte {
		return append(order.AppendUint32(order.AppendUint32(nil, kind), uint32(len(secrets))), secrets...)
	}
	return slices.Concat(block(0x0a0d0d0a, section), block(0x0a, header(0x544c534b)), block(0x0a, header(1)), block(0x0bad, make([]byte, 8)))
}

func TestStream(t *testing.T) {
	text := "the quick brown fox jumps over the lazy dog"
	for _, isn := range []uint32{0, 1 << 31, ^uint32(0) - 9} {
		rng := rand.New(rand.NewPCG(3, uint64(isn)))
		for range 200 {
			var s tls13.Stream
			s.Begin(isn)
			var segments [][2]int
			for i := 0; i < len(text); {
				n := 1 + rng.IntN(len(text)-i)
				segments = append(segments, [2]int{i, i + n}, [2]int{max(i-3, 0), i + n})
				i += n
			}
			rng.Shuffle(len(segments), func(i, j int) { segments[i], segments[j] = segments[j], segments[i] })
			var got []byte
			for _, seg := range segments {
				s.Add(isn+uint32(seg[0]), []byte(text[seg[0]:seg[1]]), func(b []byte) { got = append(got, b...) })
			}
			if string(got) != text {
				t.Fatalf("isn %d: got %q", isn, got)
			}
		}
	}
}

func TestStreamLimits(t *testing.T) {
	var s tls13.Stream
	s.Begin(0)
	delivered := 0
	deliver := func(b []byte) { delivered += len(b) }
	s.Add(1<<31, []byte("far behind"), deliver)
	for i := range uint32(100_000) {
		s.Add(2*i+2, []byte{1}, deliver)
	}
	if delivered != 0 {
		t.Errorf("%d bytes delivered out of order", delivered)
	}
	for i := range uint32(10_000) {
		s.Add(2*i, []byte{1, 1}, deliver)
	}
	if delivered != 20_000+1 && delivered != 20_000 {
		t.Errorf("%d bytes delivered", delivered)
	}
}
