package cli

import (
	"bytes"
	"container/list"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/tls13"
	"github.com/tlsflags/tlsflags/rules"
)

// openKeyLog reads the file of --keylog.
func openKeyLog(cmd *cobra.Command, path string) (tls13.KeyLog, error) {
	in := cmd.InOrStdin()
	if path != standardInput {
		f, err := openFile(cmd.Context(), path)
		if err != nil {
			return nil, fmt.Errorf("%s: %s", path, reason(err))
		}
		defer f.Close()
		in = interruptible{cmd.Context(), f}
	}
	log, err := tls13.ReadKeyLog(in)
	switch {
	case len(log) > 0: // what was read before a fault is good
		return log, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %s", path, reason(err))
	}
	return nil, fmt.Errorf("%s: no secrets of TLS 1.3 in it", path)
}

// The limits on what is followed of a capture. The connection that was silent for longest
// goes first; those of no further interest go before it.
const (
	maxFollowed     = 1 << 16  // connections at a time
	maxFollowedHeld = 16 << 20 // bytes of all of them
	maxSent         = 64       // messages with flags that are kept of each side
	maxKept         = 16 << 20 // bytes of those of all connections
)

// followed are the connections of a capture that were followed, by the random of the
// ClientHello.
type followed map[[32]byte]*conversation

// losses are what the limits cost.
type losses struct {
	connections int // not followed to their end
	messages    int // whose flags are not shown
	kept        int // bytes of those that are
}

func (l losses) String() string {
	var parts []string
	if l.connections > 0 {
		parts = append(parts, count(l.connections, "connection")+" not followed to the end")
	}
	if l.messages > 0 {
		parts = append(parts, "the flags of "+count(l.messages, "message")+" left out")
	}
	return strings.Join(parts, ", ")
}

// conversation is a connection whose messages are judged as they come.
type conversation struct {
	exchange rules.Handshake
	sent     [2][]sentFlags // by handshake.Sender
	hello    bool           // a ClientHello was seen
	agreed   bool           // a CertificateRequest acknowledges request_mtls
	finished bool           // the server's Finished was seen
	lost     bool           // it is not known what comes before that
	reader   *tls13.Conversation
	losses   *losses
}

// describe adds what is known of the connection that begins with a hello to its line.
func (f followed) describe(l *line, hello clienthello.ClientHello) {
	if len(hello.Random()) != 32 {
		return
	}
	c, ok := f[[32]byte(hello.Random())]
	if !ok || c.lost || c.reader.Err() != nil {
		return
	}
	l.ServerFlags = append([]sentFlags{}, c.sent[handshake.FromServer]...)
	l.ClientFlags = append([]sentFlags{}, c.sent[handshake.FromClient]...)
	l.Acknowledged = new(c.agreed)
}

// follow reads a capture to its end and follows the connections whose secrets log has.
func follow(r io.Reader, log tls13.KeyLog) (followed, losses, error) {
	c, err := capture.Open(r, capture.Options{})
	if err != nil {
		return nil, losses{}, err
	}
	f := newFollower(log)
	for seg := range c.Segments() {
		f.add(seg)
	}
	return f.found, f.losses, nil // a fault of the capture is told when it is inspected
}

type connectionKey struct{ lo, hi netip.AddrPort }

// connection is a TCP connection. Without a conversation it is of no further interest,
// and what comes of it is passed over.
type connection struct {
	key          connectionKey
	streams      [2]tls13.Stream // by direction
	ended        [2]bool         // with a FIN
	client       int             // direction of the client, -1: not known yet
	conversation *conversation
	held         int
}

type follower struct {
	log         tls13.KeyLog
	connections map[connectionKey]*list.Element
	order       *list.List // of *connection: the next to be dropped is at the back
	found       followed
	held        int
	losses      losses
}

func newFollower(log tls13.KeyLog) *follower {
	return &follower{log: log, connections: make(map[connectionKey]*list.Element), order: list.New(), found: make(followed)}
}

func (f *follower) add(seg capture.Segment) {
	key, direction := connectionKey{seg.Src, seg.Dst}, 0
	if seg.Src.Compare(seg.Dst) > 0 {
		key, direction = connectionKey{seg.Dst, seg.Src}, 1
	}
	element := f.connections[key]
	if element != nil && seg.SYN && element.Value.(*connection).conversation == nil {
		f.remove(element) // the ports are used again
		element = nil
	}
	if element == nil {
		if !seg.SYN && len(seg.Payload) == 0 {
			return
		}
		element = f.order.PushFront(&connection{key: key, client: -1, conversation: f.newConversation()})
		f.connections[key] = element
	}
	c := element.Value.(*connection)
	if c.conversation == nil {
		return
	}
	f.feed(c, direction, seg)
	c.ended[direction] = c.ended[direction] || seg.FIN
	switch {
	case seg.RST:
		f.remove(element)
	case c.conversation.reader.Done():
		f.held -= c.held
		*c = connection{key: key}
		f.order.MoveToBack(element)
	case c.ended[0] && c.ended[1]:
		f.order.MoveToBack(element) // a segment may still come late
	default:
		f.order.MoveToFront(element)
	}
	for f.held > maxFollowedHeld || len(f.connections) > maxFollowed {
		f.drop(f.order.Back())
	}
}

// feed gives a segment to the conversation.
func (f *follower) feed(c *connection, direction int, seg capture.Segment) {
	if seg.SYN {
		c.streams[direction].Begin(seg.Seq + 1)
		seg.Seq++
	}
	if len(seg.Payload) > 0 {
		if c.client < 0 {
			c.client = direction // the client of TLS speaks first
		}
		sender := handshake.FromServer
		if direction == c.client {
			sender = handshake.FromClient
		}
		c.streams[direction].Add(seg.Seq, seg.Payload, func(b []byte) { c.conversation.reader.Feed(sender, b) })
	}
	held := c.conversation.reader.Held() + c.streams[0].Held() + c.streams[1].Held()
	f.held += held - c.held
	c.held = held
}

// remove frees a connection.
func (f *follower) remove(element *list.Element) {
	c := f.order.Remove(element).(*connection)
	delete(f.connections, c.key)
	f.held -= c.held
}

// drop frees a connection to save memory. One of which only the SYN was seen begins anew
// with its ClientHello.
func (f *follower) drop(element *list.Element) {
	c := element.Value.(*connection)
	f.remove(element)
	if c.conversation != nil && c.client >= 0 && !(c.ended[0] && c.ended[1]) {
		f.losses.connections++
		c.conversation.lost = !c.conversation.finished
	}
}

// newConversation returns what reads a connection, and files it under the random of its
// ClientHello when there is one.
func (f *follower) newConversation() *conversation {
	c := &conversation{losses: &f.losses}
	lookup := func(random [32]byte) (tls13.Secrets, bool) {
		secrets, ok := f.log.Lookup(random)
		if ok {
			f.found[random] = c
		}
		return secrets, ok
	}
	c.reader = tls13.NewConversation(lookup, func(s handshake.Sender, msg []byte) { c.message(s, bytes.Clone(msg)) })
	return c
}

// message judges a message.
func (c *conversation) message(s handshake.Sender, msg []byte) {
	if s == handshake.FromClient && msg[0] == 1 {
		hello, _, err := clienthello.Parse(msg)
		if err != nil {
			return
		}
		c.clientHello(hello)
		return
	}
	const finished = 20 // RFC 9846, Section 4
	c.finished = c.finished || s == handshake.FromServer && msg[0] == finished
	m, _, err := handshake.Parse(msg)
	if err != nil {
		return // of another type, or malformed
	}
	for block := range m.Blocks() {
		c.note(s, m.Kind(), block, c.exchange.Check(m.Kind(), s, block))
	}
	if m.Kind() == extension.CertificateRequest && s == handshake.FromServer {
		c.exchange.Request = m.Extensions()
		flags, v := c.exchange.Agreed(m.Kind(), s, m.Extensions())
		c.agreed = v.OK() && flags.Has(extension.RequestMTLS)
	}
}

func (c *conversation) clientHello(hello clienthello.ClientHello) {
	block := hello.Extensions()
	if !c.hello {
		c.hello = true
		c.exchange.Hello = block
		c.note(handshake.FromClient, extension.ClientHello, block, c.exchange.Check(extension.ClientHello, handshake.FromClient, block))
		return
	}
	c.note(handshake.FromClient, extension.ClientHello, block, c.exchange.CheckSecondHello(block))
}

// note keeps the flags of a message, if it has any, and what the rules say, within the
// limits.
func (c *conversation) note(s handshake.Sender, m extension.MessageKind, block extension.List, v rules.Violation) {
	if _, ok := block.FlagsExtension(); !ok {
		return
	}
	if len(c.sent[s]) >= maxSent || c.losses.kept >= maxKept {
		c.losses.messages++
		return
	}
	info := describeFlags(block)
	c.losses.kept += sentSize(info)
	sent := sentFlags{Message: m.String(), flagsInfo: *info}
	if !v.OK() {
		sent.Verdict = describeVerdict(v)
	}
	c.sent[s] = append(c.sent[s], sent)
}

// sentSize is about what the flags of a message take in memory.
func sentSize(info *flagsInfo) int {
	const fixed, flag = 400, 24 // bytes
	return fixed + len(info.Data) + flag*len(info.Flags)
}

// followFile follows the connections of a file before it is inspected, if there is a key
// log and the file is a capture.
func (in *inspection) followFile(f *os.File) error {
	if in.keys == nil {
		return nil
	}
	// What is wrong with the file is told when it is inspected.
	var lost losses
	in.followed, lost, _ = follow(interruptible{in.cmd.Context(), f}, in.keys)
	if text := lost.String(); text != "" {
		in.warn(in.source(f.Name()), "--keylog: "+text+" to save memory")
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}
