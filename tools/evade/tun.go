package main

import (
	"net/netip"
	"sync"
	"time"
)

// The addresses of the two ends of the TUN device. The kernel is the server.
var (
	server4 = netip.MustParseAddr("10.9.0.1")
	client4 = netip.MustParseAddr("10.9.0.2")
	server6 = netip.MustParseAddr("fd09::1")
	client6 = netip.MustParseAddr("fd09::2")
)

// A tun is between the clients and the kernel.
type tun struct {
	device  device
	mu      sync.Mutex
	clients map[uint16]*client // by port
}

func openTUN() (*tun, error) {
	d, err := openDevice()
	if err != nil {
		return nil, err
	}
	t := &tun{device: d, clients: make(map[uint16]*client)}
	go t.poll()
	return t, nil
}

// poll reads what the kernel sends by itself.
func (t *tun) poll() {
	for {
		time.Sleep(time.Millisecond)
		t.mu.Lock()
		t.drain()
		t.mu.Unlock()
	}
}

// drain reads what the kernel has sent. The caller holds t.mu.
func (t *tun) drain() {
	var buf [1 << 16]byte
	for n := t.device.read(buf[:]); n > 0; n = t.device.read(buf[:]) {
		if r, ok := readReply(buf[:n]); ok && t.clients[r.port] != nil {
			t.clients[r.port].receive(buf[:n:n], r)
		}
	}
}

// send gives a packet to the kernel, which answers before the write returns if it answers
// at once: so the capture has both in the order in which they were read. A lost packet is
// in the capture only.
func (t *tun) send(c *client, b []byte, lost bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drain()
	c.record(b)
	if lost {
		return nil
	}
	err := t.device.write(b)
	t.drain()
	return err
}

// add makes the packets to a port those of c.
func (t *tun) add(c *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients[c.ends.clientPort] = c
}

func (t *tun) remove(c *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.clients, c.ends.clientPort)
}
