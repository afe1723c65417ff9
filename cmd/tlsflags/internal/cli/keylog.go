package cli

import (
	"bufio"
	"bytes"
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
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
	"github.com/tlsflags/tlsflags/rules"
)

// openKeyLog reads the file of --keylog: a key log, or a pcapng capture with secrets in it.
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
	const magicLen = 6
	buffered := bufio.NewReader(in)
	in = buffered
	if magic, _ := buffered.Peek(magicLen); capture.IsCapture(magic) {
		in = capture.KeyLog(buffered)
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

// The limits on the flags that are kept of a capture. What is held of its connections
// has those of capture.Options.
const (
	maxSent = 64       // messages with flags, of each side of a connection
	maxKept = 16 << 20 // bytes of those of all connections
)

// conversationCost is about what a conversation takes in memory, without what it holds.
const conversationCost = 1 << 10 // bytes

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
	lost     bool           // messages before that may be missing
	reader   *tls13.Conversation
	losses   *losses
}

// describe adds what is known of the connection that begins with a hello to its line.
func (f followed) describe(l *line, hello clienthello.ClientHello) {
	c, ok := f[[32]byte(hello.Random())]
	if !ok || c.lost || c.reader.Err() != nil {
		return
	}
	l.ServerFlags = append([]sentFlags{}, c.sent[handshake.FromServer]...)
	l.ClientFlags = append([]sentFlags{}, c.sent[handshake.FromClient]...)
	l.Acknowledged = new(c.agreed)
}

// follow reads a capture to its end and follows the connections whose secrets log has.
func follow(r io.Reader, log tls13.KeyLog, o capture.Options) (followed, losses, error) {
	c, err := capture.Open(r, o)
	if err != nil {
		return nil, losses{}, err
	}
	found, lost := followCapture(c, log)
	return found, lost, nil
}

// followCapture follows the connections of a capture. inspect reports what is wrong with it.
func followCapture(c *capture.Reader, log tls13.KeyLog) (followed, losses) {
	f := &follower{log: log, found: make(followed)}
	c.Follow(func(_, _ netip.AddrPort) capture.Follower { return f.newConversation() })
	return f.found, f.losses
}

type follower struct {
	log    tls13.KeyLog
	found  followed
	losses losses
}

// Data takes the next bytes of the connection. The client of TLS speaks first.
func (c *conversation) Data(first bool, b []byte) (held int, more bool) {
	sender := handshake.FromServer
	if first {
		sender = handshake.FromClient
	}
	c.reader.Feed(sender, b)
	return conversationCost + c.reader.Held(), !c.reader.Done()
}

// Lost notes that the connection is not followed to its end.
func (c *conversation) Lost() {
	c.losses.connections++
	c.lost = !c.finished
}

// newConversation returns the reader of a connection. When it has seen a ClientHello whose
// secrets are known, it is in found.
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
	// An error of the file is reported when it is inspected.
	var lost losses
	in.followed, lost, _ = follow(interruptible{in.cmd.Context(), f}, in.keys, in.captureOptions())
	in.warnOfLosses(in.source(f.Name()), lost)
	_, err := f.Seek(0, io.SeekStart)
	return err
}

func (in *inspection) warnOfLosses(source string, lost losses) {
	if text := lost.String(); text != "" {
		in.warn(source, "--keylog: "+text+" to save memory")
	}
}
