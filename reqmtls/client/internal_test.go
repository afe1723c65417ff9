package client

import (
	"fmt"
	"testing"
)

// TestHostsAreForgotten checks that a Transport remembers a bounded number of servers,
// among them those in use and the latest one.
func TestHostsAreForgotten(t *testing.T) {
	c, err := New(Config{NoRequestMTLS: true})
	if err != nil {
		t.Fatal(err)
	}
	transport := c.Transport()
	failed := transport.acquire("failed")
	transport.release("failed", failed)
	if n := len(transport.hosts); n != 0 {
		t.Errorf("%d hosts after one about which nothing is known", n)
	}

	inUse := transport.acquire("in use")
	for i := range 3 * maxHosts {
		addr := fmt.Sprint(i)
		h := transport.acquire(addr)
		h.protocol = protocolHTTP2
		transport.release(addr, h)
		if transport.hosts[addr] != h {
			t.Fatalf("host %d is not remembered", i)
		}
	}
	if n := len(transport.hosts); n > maxHosts {
		t.Errorf("%d hosts after many, one after the other", n)
	}
	if transport.hosts["in use"] != inUse {
		t.Error("a host in use was forgotten")
	}

	var held []*host
	for i := range 2 * maxHosts {
		h := transport.acquire(fmt.Sprint(i))
		h.protocol = protocolHTTP2
		held = append(held, h)
	}
	for i, h := range held {
		transport.release(fmt.Sprint(i), h)
	}
	if n := len(transport.hosts); n > maxHosts {
		t.Errorf("%d hosts after many at once", n)
	}
}
