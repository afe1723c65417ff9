package tls13

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/tlsflags/tlsflags/handshake"
)

// Secrets are the traffic secrets of one connection (RFC 9846, Section 7.1). One that the
// log does not have is nil.
type Secrets struct {
	ClientHandshake []byte // client_handshake_traffic_secret
	ServerHandshake []byte // server_handshake_traffic_secret
	ServerTraffic   []byte // server_application_traffic_secret_0
}

func (s Secrets) handshake(from handshake.Sender) []byte {
	if from == handshake.FromClient {
		return s.ClientHandshake
	}
	return s.ServerHandshake
}

// KeyLog is the secrets of connections, by the random of their ClientHello.
type KeyLog map[[randomLen]byte]Secrets

// Lookup returns the secrets of the connection with this random.
func (k KeyLog) Lookup(random [randomLen]byte) (Secrets, bool) {
	s, ok := k[random]
	return s, ok
}

// ReadKeyLog reads a log as [KeyLog.Add] does. On error it returns what it has read until
// then.
func ReadKeyLog(r io.Reader) (KeyLog, error) {
	log := make(KeyLog)
	return log, log.Add(r)
}

// maxLine is the limit on the length of a line, with its newline. The longest line that is
// used has 194 bytes.
const maxLine = 4 << 10

// Add adds the secrets of a log as crypto/tls (KeyLogWriter) and browsers (SSLKEYLOGFILE)
// write it, in the format of RFC 9850: label, client random and secret in a line, the last
// two in hexadecimal. Lines with other labels and incomplete lines, such as the last one of
// a log that is still being written, are ignored. A line longer than 4 kB is an error.
func (k KeyLog) Add(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		k.line(lines.Text())
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return errors.New("not a key log: a line is longer than 4096 bytes")
	}
	return lines.Err()
}

func (k KeyLog) line(line string) {
	f := strings.Fields(line)
	if len(f) != 3 {
		return
	}
	random, err := hex.DecodeString(f[1])
	if err != nil || len(random) != randomLen {
		return
	}
	secret, err := hex.DecodeString(f[2])
	if err != nil {
		return
	}
	key := [randomLen]byte(random)
	s := k[key]
	switch f[0] {
	case "CLIENT_HANDSHAKE_TRAFFIC_SECRET":
		s.ClientHandshake = secret
	case "SERVER_HANDSHAKE_TRAFFIC_SECRET":
		s.ServerHandshake = secret
	case "SERVER_TRAFFIC_SECRET_0":
		s.ServerTraffic = secret
	default:
		return
	}
	k[key] = s
}
