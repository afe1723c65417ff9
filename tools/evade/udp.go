package main

import "time"

// runDatagrams sends datagrams, and waits until the server has read a hello and answered, or for
// a time.
func (c *client) runDatagrams(steps []step, build func(step) []byte, wait time.Duration, read func() int) error {
	for _, st := range steps {
		e := c.ends
		if st.otherPort {
			e.clientPort += otherPort
		}
		datagram := udp(e, build(st))
		if st.packet.badSum {
			datagram[6] ^= 0x55
		}
		c.id++
		for _, b := range st.packet.ip(e, c.id, protoUDP, datagram) {
			if err := c.tun.send(c, b, st.packet.lost); err != nil {
				return err
			}
		}
		// A server reads its datagrams in another goroutine or process than the one that
		// answers; what it sends between two of them is part of the capture.
		time.Sleep(2 * time.Millisecond)
	}
	c.until(wait, func() bool { return read() > 0 && c.answered })
	// A server may still be reading another hello; on a busy machine it takes its time.
	for last, same := -1, 0; same < 3; time.Sleep(60 * time.Millisecond) {
		n := read()
		if same++; n != last {
			last, same = n, 0
		}
	}
	c.tun.mu.Lock()
	c.stopped = true
	c.tun.mu.Unlock()
	c.tun.remove(c)
	return nil
}

// otherPort is how far the second port of a client is from its first.
const otherPort = 26000

const udpHeader = 8
