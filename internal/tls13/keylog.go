package tls13

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/tlsflags/tlsflags/handshake"
)

// Secrets are the traffic secrets of one connection (RFC 9846, Section 7.1); nil for one
// that the log does not have.
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
// is still being written, are passed over. A pcapng capture is read for its Decryption
// Secrets Blocks instead. With an error it returns what it has read before the fault.
func ReadKeyLog(r io.Reader) (KeyLog, error) {
	log := make(KeyLog)
	buffered := bufio.NewReader(r)
	magic, err := buffered.Peek(4)
	if err == nil && binary.BigEndian.Uint32(magic) == blockSection {
		return log, log.readPcapng(buffered)
	}
	return log, log.read(buffered)
}

// maxLine is more than the longest line takes.
const maxLine = 4 << 10

func (k KeyLog) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, maxLine), maxLine)
	for lines.Scan() {
		k.line(lines.Text())
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return errors.New("not a key log: a line of more than 4096 bytes")
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

// Block types and the type of secrets of pcapng.
const (
	blockSection   = 0x0a0d0d0a
	blockSecrets   = 0x0000000a
	secretsTLS     = 0x544c534b // "TLSK"
	byteOrderMagic = 0x1a2b3c4d
	maxSecrets     = 16 << 20
)

var errPcapng = errors.New("a damaged pcapng capture")

// readPcapng reads the blocks of a pcapng capture (draft-ietf-opsawg-pcapng, Section 3.1)
// and what the Decryption Secrets Blocks among them hold.
func (k KeyLog) readPcapng(r io.Reader) error {
	var order binary.ByteOrder = binary.LittleEndian
	for {
		// uint32 block_type; uint32 block_total_length; ...; uint32 block_total_length;
		var head [12]byte
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return errPcapng
		}
		kind := order.Uint32(head[0:])
		if kind == blockSection { // the same in both byte orders
			if order = byteOrder(head[8:]); order == nil {
				return errPcapng
			}
		}
		length := int64(order.Uint32(head[4:]))
		if length < 12 || length%4 != 0 {
			return errPcapng
		}
		rest := &io.LimitedReader{R: r, N: length - 12}
		if kind == blockSecrets && order.Uint32(head[8:]) == secretsTLS {
			if err := k.secretsBlock(rest, order); err != nil {
				return err
			}
		}
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return err
		}
		if rest.N > 0 {
			return errPcapng
		}
	}
}

func byteOrder(magic []byte) binary.ByteOrder {
	switch uint32(byteOrderMagic) {
	case binary.LittleEndian.Uint32(magic):
		return binary.LittleEndian
	case binary.BigEndian.Uint32(magic):
		return binary.BigEndian
	}
	return nil
}

// secretsBlock reads a block behind its secrets_type.
func (k KeyLog) secretsBlock(r io.Reader, order binary.ByteOrder) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return errPcapng
	}
	n := int64(order.Uint32(length[:]))
	if n > maxSecrets {
		return errPcapng
	}
	data, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil || int64(len(data)) < n {
		return errPcapng
	}
	return k.read(bytes.NewReader(data))
}
