// Package tls13 reads the handshake messages of a TLS 1.3 connection over TCP, including
// the encrypted ones (EncryptedExtensions, CertificateRequest, Certificate,
// NewSessionTicket), given the secrets that an endpoint logged. It makes no connections
// and verifies nothing.
//
// [ReadKeyLog] reads the secrets. A [Conversation] takes the bytes of both directions,
// each in order, and returns the messages.
package tls13

import (
	"errors"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
)

const (
	recordChangeCipherSpec = 20
	recordHandshake        = 22
	recordApplicationData  = 23
	recordHeaderLen        = 5
	maxCiphertext          = 1<<14 + 256 // RFC 9846, Section 5.2

	typeClientHello    = 1
	typeServerHello    = 2
	typeFinished       = 20
	typeKeyUpdate      = 24
	handshakeHeaderLen = 4
	randomLen          = 32

	versionTLS13 = 0x0304
)

// The limits of a Conversation, for each direction.
const (
	// maxWaiting is how many bytes of 0-RTT data a client may send before the server
	// answers. Servers accept 16 kB or less.
	maxWaiting = 64 << 10
	// maxMessage is the length of the longest handshake message, with its header. Long
	// chains of certificates take 20 kB.
	maxMessage = 256 << 10
	// maxTail is how many records after the server's Finished are searched for tickets.
	maxTail = 64
)

// The errors of a Conversation.
var (
	ErrNoSecrets = errors.New("the key log has no secrets for this connection")
	ErrNotTLS13  = errors.New("the server did not choose TLS 1.3")
	ErrDecrypt   = errors.New("a record cannot be decrypted with the secrets of the key log")
	ErrFormat    = errors.New("this is not a TLS handshake, or it does not begin here")
	ErrTooLarge  = errors.New("more data than a handshake takes")
)

// Conversation reads one connection from its two byte streams, each in order. Of each it
// holds at most one handshake message and one record, or 64 kB of 0-RTT data. The limits
// on a connection are messages of 256 kB, 64 kB of 0-RTT data before the server answers,
// and 64 records after the server's Finished, in which it looks for tickets.
type Conversation struct {
	lookup  func(random [32]byte) (Secrets, bool)
	emit    func(s handshake.Sender, msg []byte)
	secrets Secrets
	suite   uint16
	sides   [2]side // by handshake.Sender
	err     error
}

// side is one direction.
type side struct {
	raw      []byte // records not yet read
	messages []byte // of handshake records, not yet whole
	keys     *Keys
	finished bool // its Finished was seen
	tail     int  // records after it
	done     bool // nothing more is looked for
}

// NewConversation returns a Conversation that calls lookup with the random of the
// ClientHello to get the secrets, and calls emit with each handshake message and its
// header. emit must not keep the message.
func NewConversation(lookup func(random [32]byte) (Secrets, bool), emit func(s handshake.Sender, msg []byte)) *Conversation {
	return &Conversation{lookup: lookup, emit: emit}
}

// Use sets the secrets of a connection whose ClientHello will not be fed.
func (c *Conversation) Use(s Secrets) { c.secrets = s }

// Feed takes the next bytes that s sent. The client's bytes after its ClientHello may be
// fed after the server's answer.
func (c *Conversation) Feed(s handshake.Sender, b []byte) {
	side := &c.sides[s]
	if c.Done() || side.done {
		return
	}
	side.raw = append(side.raw, b...)
	c.read(s)
	if s == handshake.FromServer {
		c.read(handshake.FromClient) // which may have waited for the cipher suite
	}
}

// Done reports whether nothing more is looked for, in both directions.
func (c *Conversation) Done() bool {
	return c.err != nil || c.sides[0].done && c.sides[1].done
}

// Held returns how many bytes the conversation holds.
func (c *Conversation) Held() int {
	n := 0
	for i := range c.sides {
		n += cap(c.sides[i].raw) + cap(c.sides[i].messages)
	}
	return n
}

// Err returns why the conversation cannot be read any further. It returns nil if it can,
// and if it was read to the end.
func (c *Conversation) Err() error { return c.err }

func (c *Conversation) fail(err error) {
	c.err = err
	c.sides = [2]side{}
}

// read takes whole records off the raw bytes.
func (c *Conversation) read(s handshake.Sender) {
	side := &c.sides[s]
	for !c.Done() && !side.done && len(side.raw) >= recordHeaderLen {
		end := recordHeaderLen + (int(side.raw[3])<<8 | int(side.raw[4]))
		if end > recordHeaderLen+maxCiphertext || side.raw[1] != 3 {
			c.fail(ErrFormat)
			return //mutation:equivalent fail has emptied side.raw
		}
		if len(side.raw) < end {
			return
		}
		if side.raw[0] == recordApplicationData && side.keys == nil && c.suite == 0 {
			if len(side.raw) > maxWaiting {
				c.fail(ErrTooLarge)
			}
			return
		}
		c.record(s, side.raw[:end])
		if !c.Done() {
			side.raw = side.raw[end:]
		}
	}
	if side.done {
		*side = done()
	}
}

// done is a side of which nothing more is wanted, and which holds nothing.
func done() side { return side{done: true} }

// record takes one record.
func (c *Conversation) record(s handshake.Sender, record []byte) {
	side := &c.sides[s]
	switch record[0] {
	case recordChangeCipherSpec:
		return
	case recordHandshake:
		if side.keys == nil {
			c.handshake(s, record[recordHeaderLen:])
			return
		}
		c.fail(ErrFormat)
		return
	case recordApplicationData:
	default: // an alert
		side.done = true
		return
	}
	if side.keys == nil {
		if side.keys = c.newKeys(c.secrets.handshake(s)); side.keys == nil {
			side.done = true
			return
		}
	}
	tail := side.finished
	kind, content, ok := side.keys.Open(record)
	switch {
	case !ok && s == handshake.FromClient && !side.finished && len(side.messages) == 0:
		// It is early data, with keys of its own.
	case !ok:
		c.fail(ErrDecrypt)
	case kind == recordHandshake:
		c.handshake(s, content)
	case kind != recordApplicationData:
		side.done = true
	}
	if tail {
		if side.tail++; side.tail >= maxTail {
			side.done = true
		}
	}
}

// newKeys returns nil if there is no secret.
func (c *Conversation) newKeys(secret []byte) *Keys {
	keys, err := NewKeys(c.suite, secret)
	if err != nil {
		return nil
	}
	return keys
}

// handshake takes the content of a handshake record.
func (c *Conversation) handshake(s handshake.Sender, content []byte) {
	side := &c.sides[s]
	side.messages = append(side.messages, content...)
	for !c.Done() && !side.done && len(side.messages) >= handshakeHeaderLen {
		m := side.messages
		end := handshakeHeaderLen + (int(m[1])<<16 | int(m[2])<<8 | int(m[3]))
		if end > maxMessage {
			c.fail(ErrTooLarge)
			return //mutation:equivalent m is shorter: its header came in the last record
		}
		if len(m) < end {
			return
		}
		c.message(s, m[:end:end])
		if !c.Done() {
			side.messages = m[end:]
		}
	}
}

// message takes one handshake message.
func (c *Conversation) message(s handshake.Sender, msg []byte) {
	side := &c.sides[s]
	switch {
	case msg[0] == typeClientHello && s == handshake.FromClient:
		c.clientHello(msg)
	case msg[0] == typeServerHello && s == handshake.FromServer:
		c.serverHello(msg)
	case msg[0] == typeKeyUpdate, msg[0] == typeFinished && s == handshake.FromClient:
		side.done = true
	case msg[0] == typeFinished:
		side.finished = true
		if side.keys = c.newKeys(c.secrets.ServerTraffic); side.keys == nil {
			side.done = true
		}
	}
	if c.err == nil {
		c.emit(s, msg)
	}
}

func (c *Conversation) clientHello(msg []byte) {
	const at = handshakeHeaderLen + 2
	if len(msg) < at+randomLen {
		c.fail(ErrFormat)
		return
	}
	var ok bool
	if c.secrets, ok = c.lookup([randomLen]byte(msg[at:])); !ok {
		c.fail(ErrNoSecrets)
	}
}

func (c *Conversation) serverHello(msg []byte) {
	m, _, err := handshake.ParseServerHello(msg)
	switch {
	case err != nil, c.suite != 0: // malformed, or the second one
		c.fail(ErrFormat)
	case m.Version() != versionTLS13:
		c.fail(ErrNotTLS13)
	case m.Kind() == extension.ServerHello:
		c.suite = m.CipherSuite()
	}
}
