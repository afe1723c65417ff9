package tls13

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
)

// Secrets are the traffic secrets of one connection (RFC 9846, Section 7.1); nil for one
// that the log does not have.
type Secrets struct {
	ClientHandshake []byte // client_handshake_traffic_secret
	ServerHandshake []byte // server_handshake_traffic_secret
	ServerTraffic   []byte // server_application_traffic_secret_0
}

func (s Secrets) handshake(from extension.Sender) []byte {
	if from == extension.FromClient {
		return s.ClientHandshake
	}
	return s.ServerHandshake
}

// KeyLog holds the secrets of connections by the random of their ClientHello.
type KeyLog map[[randomLen]byte]Secrets

// Lookup returns the secrets of the connection with that random.
func (k KeyLog) Lookup(random [randomLen]byte) (Secrets, bool) {
	s, ok := k[random]
	return s, ok
}

// ReadKeyLog reads a log as crypto/tls (KeyLogWriter) and browsers (SSLKEYLOGFILE) write
// it, of the format of RFC 9850: label, client random and secret in a line, the latter
// two in hexadecimal. Lines of other labels, and those that are cut short because the log
// is still being written, are passed over. With an error it returns what it has read before
// the fault.
func ReadKeyLog(r io.Reader) (KeyLog, error) {
	log := make(KeyLog)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, maxLine), maxLine)
	for lines.Scan() {
		log.line(lines.Text())
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return log, errors.New("not a key log: a line of more than 4096 bytes")
	}
	return log, lines.Err()
}

// maxLine is more than the longest line takes.
const maxLine = 4 << 10

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
