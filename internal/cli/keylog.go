package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/tls13"
)

// openKeyLog reads the file of --keylog.
func openKeyLog(path string, stdin io.Reader) (tls13.KeyLog, error) {
	in := stdin
	if path != standardInput {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %s", path, reason(err))
		}
		defer f.Close()
		in = f
	}
	log, err := tls13.ReadKeyLog(in)
	switch {
	case len(log) > 0: // what was read before a fault is good
		return log, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return nil, fmt.Errorf("%s: no secrets of TLS 1.3 in it", path)
}

// The limits on what is followed of a capture. Connections without secrets are given up
// with their ClientHello.
const (
	maxFollowed     = 1 << 16  // connections at a time
	maxFollowedHeld = 16 << 20 // bytes of all of them
)

// followed are the connections of a capture that were followed, by the random of the
// ClientHello.
type followed map[[32]byte]*conversation

// conversation is a connection whose messages are judged as they come.
type conversation struct {
	exchange extension.Exchange
	sent     [2][]sentFlags // by extension.Sender
	hello    bool           // a ClientHello was seen
	agreed   bool           // a CertificateRequest acknowledges request_mtls
	reader   *tls13.Conversation
}

// describe adds what is known of the connection that begins with a hello to its line.
func (f followed) describe(l *line, hello clienthello.ClientHello) {
	if len(hello.Random()) != 32 {
		return
	}
	c, ok := f[[32]byte(hello.Random())]
	if !ok || c.reader.Err() != nil {
		return
	}
	l.ServerFlags = append([]sentFlags{}, c.sent[extension.FromServer]...)
	l.ClientFlags = append([]sentFlags{}, c.sent[extension.FromClient]...)
	l.Acknowledged = new(c.agreed)
}

// follow reads a capture to its end and follows the connections whose secrets log has.
func follow(r io.Reader, log tls13.KeyLog) (followed, error) {
	c, err := capture.Open(r, capture.Options{})
	if err != nil {
		return nil, err
	}
	f := follower{log: log, connections: make(map[connectionKey]*connection), found: make(followed)}
	for seg := range c.Segments() {
		f.add(seg)
	}
	return f.found, nil // a fault of the capture is told when it is inspected
}

type connectionKey struct{ lo, hi netip.AddrPort }

// connection is a TCP connection. A nil reader means that it is of no further interest.
type connection struct {
	streams [2]tls13.Stream // by direction
	client  int             // direction of the client
	reader  *tls13.Conversation
	held    int
}

type follower struct {
	log         tls13.KeyLog
	connections map[connectionKey]*connection
	found       followed
	held        int
}

func (f *follower) add(seg capture.Segment) {
	key, direction := connectionKey{seg.Src, seg.Dst}, 0
	if seg.Src.Compare(seg.Dst) > 0 {
		key, direction = connectionKey{seg.Dst, seg.Src}, 1
	}
	c := f.connections[key]
	if c == nil || c.reader == nil && seg.SYN {
		if c == nil && len(f.connections) >= maxFollowed || !seg.SYN && len(seg.Payload) == 0 {
			return
		}
		c = &connection{client: -1, reader: f.newConversation()}
		f.connections[key] = c
	}
	if c.reader == nil {
		return
	}
	if seg.SYN {
		c.streams[direction].Begin(seg.Seq + 1)
		seg.Seq++
	}
	if len(seg.Payload) > 0 {
		if c.client < 0 {
			c.client = direction // the client of TLS speaks first
		}
		sender := extension.FromServer
		if direction == c.client {
			sender = extension.FromClient
		}
		c.streams[direction].Add(seg.Seq, seg.Payload, func(b []byte) { c.reader.Feed(sender, b) })
	}
	f.account(c)
	switch {
	case c.reader.Done() || f.held > maxFollowedHeld:
		f.giveUp(c)
	case seg.RST:
		f.giveUp(c)
		delete(f.connections, key)
	}
}

// account counts what a connection holds.
func (f *follower) account(c *connection) {
	held := c.reader.Held() + c.streams[0].Held() + c.streams[1].Held()
	f.held += held - c.held
	c.held = held
}

// giveUp frees what a connection holds.
func (f *follower) giveUp(c *connection) {
	f.held -= c.held
	*c = connection{}
}

// newConversation returns what reads a connection, and files it under the random of its
// ClientHello when there is one.
func (f *follower) newConversation() *tls13.Conversation {
	c := new(conversation)
	lookup := func(random [32]byte) (tls13.Secrets, bool) {
		secrets, ok := f.log.Lookup(random)
		if ok {
			f.found[random] = c
		}
		return secrets, ok
	}
	c.reader = tls13.NewConversation(lookup, func(s extension.Sender, msg []byte) { c.message(s, bytes.Clone(msg)) })
	return c.reader
}

// message judges a message.
func (c *conversation) message(s extension.Sender, msg []byte) {
	if s == extension.FromClient && msg[0] == 1 {
		hello, _, err := clienthello.Parse(msg)
		if err != nil {
			return
		}
		c.clientHello(hello)
		return
	}
	m, _, err := extension.ParseMessage(msg)
	if err != nil {
		return // of another type, or malformed
	}
	for block := range m.Blocks() {
		c.note(s, m.Message(), block, c.exchange.Judge(m.Message(), s, block))
	}
	if m.Message() == extension.CertificateRequest && s == extension.FromServer {
		c.exchange.Request = m.Extensions()
		flags, v := c.exchange.Agreed(m.Message(), s, m.Extensions())
		c.agreed = v.OK() && flags.Has(extension.RequestMTLS)
	}
}

func (c *conversation) clientHello(hello clienthello.ClientHello) {
	block := hello.Extensions()
	if !c.hello {
		c.hello = true
		c.exchange.Hello = block
		c.note(extension.FromClient, extension.ClientHello, block, c.exchange.Judge(extension.ClientHello, extension.FromClient, block))
		return
	}
	c.note(extension.FromClient, extension.ClientHello, block, c.exchange.JudgeSecondHello(block))
}

// note keeps the flags of a message, if it has any, and what the rules say.
func (c *conversation) note(s extension.Sender, m extension.Message, block extension.List, v extension.Verdict) {
	info := describeFlags(block)
	if info == nil {
		return
	}
	sent := sentFlags{Message: m.String(), flagsInfo: *info}
	if !v.OK() {
		sent.Verdict = describeVerdict(v)
	}
	c.sent[s] = append(c.sent[s], sent)
}

// followFile follows the connections of a file before it is inspected, if there is a key
// log and the file is a capture.
func (in *inspection) followFile(f *os.File) error {
	if in.keys == nil {
		return nil
	}
	// What is wrong with the file is told when it is inspected.
	in.followed, _ = follow(f, in.keys)
	_, err := f.Seek(0, io.SeekStart)
	return err
}
