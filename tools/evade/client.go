package main

import (
	"encoding/binary"
	"slices"
	"time"
)

// A client is one connection to the kernel, packet by packet, and the capture of it. The
// lock of the TUN device is for the fields below it.
type client struct {
	tun    *tun
	script *script
	ends   ends
	iss    uint32 // initial sequence number
	id     uint32 // of IP packets
	stamp  uint32 // value of the next timestamp

	capture  []byte
	stopped  bool
	irs      uint32 // the server's initial sequence number
	next     uint32 // of the server's bytes
	acked    uint32 // by the server
	echo     uint32 // the server's timestamp
	open     bool
	answered bool // with data
	closed   bool // with RST or FIN

	connections int // of which the server has acknowledged data
	counted     bool
}

func newClient(t *tun, s *script, e ends, iss uint32) *client {
	c := &client{tun: t, script: s, ends: e, iss: iss, id: iss >> 3, stamp: 1 << 20, capture: captureHeader()}
	t.add(c)
	return c
}

// record adds a packet to the capture, as the script's view of the traffic has it.
func (c *client) record(b []byte) {
	if !c.stopped {
		c.capture = appendRecord(c.capture, time.Now(), c.script.view.edit(b, c.ends))
	}
}

// receive reads a packet of the kernel.
func (c *client) receive(b []byte, r reply) {
	if !c.stopped && !c.script.view.oneWay {
		c.capture = appendRecord(c.capture, time.Now(), b)
	}
	if r.datagram {
		c.answered = true
		return
	}
	if r.flags&syn != 0 {
		c.irs, c.next, c.acked, c.open, c.counted = r.seq, r.seq+1, r.ack, true, false
		return
	}
	if stamp, ok := replyStamp(b); ok {
		c.echo = stamp
	}
	if r.flags&ack != 0 && int32(r.ack-c.acked) > 0 {
		c.acked = r.ack
		if !c.counted {
			c.connections, c.counted = c.connections+1, true
		}
	}
	if len(r.data) > 0 && r.seq == c.next {
		c.next += uint32(len(r.data))
		c.answered = true
	}
	c.closed = c.closed || r.flags&fin != 0 || r.flags&rst != 0 && r.seq == c.next
}

// replyStamp returns the timestamp of a packet of the kernel, whose SYN has it after MSS
// and SACK permitted, and whose other segments after two NOPs.
func replyStamp(b []byte) (uint32, bool) {
	at := 20
	if b[0]>>4 == 6 {
		at = 40
	}
	segment := b[at:]
	for i := 20; i+10 <= min(int(segment[12]>>4)*4, len(segment)); {
		switch {
		case segment[i] == 8:
			return binary.BigEndian.Uint32(segment[i+2:]), true
		case segment[i] <= 1 || segment[i+1] < 2:
			i++
		default:
			i += int(segment[i+1])
		}
	}
	return 0, false
}

// timestamps returns the option of RFC 7323, Section 3.2.
func timestamps(value, echo uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte{8, 10}, value)
	return binary.BigEndian.AppendUint32(b, echo)
}

// send sends a packet of the connection.
func (c *client) send(p packet) error {
	if p.do != nil {
		p.do(c)
		return nil
	}
	c.tun.mu.Lock()
	next, echo := c.next, c.echo
	c.tun.mu.Unlock()
	var options []byte
	if c.script.stamps && !p.noTime {
		c.stamp++
		value := c.stamp
		if p.old {
			value -= 1 << 19
		}
		if p.future {
			value += 1 << 29
		}
		if p.echo != 0 {
			echo = p.echo
		}
		options = timestamps(value, echo)
	}
	c.id++
	segment := p.tcp(c.ends, c.iss+1+uint32(p.off), next, options)
	for _, b := range p.ip(c.ends, c.id, protoTCP, segment) {
		if err := c.tun.send(c, b, p.lost); err != nil {
			return err
		}
	}
	return nil
}

// connect makes a connection, whose SYN may be odd.
func (c *client) connect(p packet) error {
	c.tun.mu.Lock()
	c.next, c.open, c.closed, c.acked, c.echo = 0, false, false, c.iss, 0
	c.tun.mu.Unlock()
	p.off, p.flags, p.noFlags = -1, p.flags|syn, true
	p.options = slices.Concat([]byte{2, 4, 5, 0xb4, 3, 3, 2}, p.options)
	if err := c.send(p); err != nil {
		return err
	}
	c.until(100*time.Millisecond, func() bool { return c.open })
	if c.script.noFinalACK {
		return nil // the first segment with data is the third of the handshake, too
	}
	return c.send(packet{off: int(c.seen() - c.iss - 1), noFlags: true, flags: ack})
}

// seen returns what the server has acknowledged.
func (c *client) seen() uint32 {
	c.tun.mu.Lock()
	defer c.tun.mu.Unlock()
	return c.acked
}

// until waits for a condition, for a time.
func (c *client) until(limit time.Duration, done func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		c.tun.mu.Lock()
		is := done()
		c.tun.mu.Unlock()
		if is || time.Now().After(end) {
			return is
		}
	}
}

// run plays the script, sends again what did not arrive, as every client does, and waits
// for the server's answer.
func (c *client) run(wait time.Duration) error {
	if err := c.connect(c.script.syn); err != nil {
		return err
	}
	for _, p := range c.script.packets {
		if err := c.send(p); err != nil {
			return err
		}
	}
	stream := c.script.stream
	for tries := 0; tries < 5 && !c.script.givesUp && !c.ended(); tries++ {
		before := c.seen()
		at := int(int32(before - c.iss - 1))
		if at < 0 || at >= len(stream) {
			break
		}
		if err := c.send(c.script.segment(at, min(at+maxSegment, len(stream)))); err != nil {
			return err
		}
		if c.until(20*time.Millisecond, func() bool { return c.acked != before }) {
			tries = 0
		}
	}
	c.until(wait, func() bool { return c.answered || c.closed })
	return nil
}

func (c *client) ended() bool {
	c.tun.mu.Lock()
	defer c.tun.mu.Unlock()
	return c.closed || c.answered
}

// stop ends the capture, and then the connection.
func (c *client) stop() error {
	c.tun.mu.Lock()
	c.stopped = true
	c.tun.mu.Unlock()
	err := c.send(packet{off: int(c.seen() - c.iss - 1), noFlags: true, flags: rst})
	c.tun.remove(c)
	return err
}
