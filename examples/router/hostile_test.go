package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/examples/internal/try"
)

var crowd = flag.Int("crowd", 100, "how many hostile clients of each kind connect at a time")

// hostile are kinds of clients: what client i does with its connection before it waits for
// the end. hello is a whole record with a hello.
var hostile = map[string]func(ctx context.Context, c *net.TCPConn, hello []byte, i int){
	"silent": func(context.Context, *net.TCPConn, []byte, int) {},
	"half a hello, and no end": func(_ context.Context, c *net.TCPConn, hello []byte, i int) {
		c.Write(hello[:i%len(hello)])
	},
	"half a hello, half closed": func(_ context.Context, c *net.TCPConn, hello []byte, i int) {
		c.Write(hello[:i%len(hello)])
		c.CloseWrite()
	},
	"a byte a second": func(ctx context.Context, c *net.TCPConn, hello []byte, i int) {
		for i %= len(hello) - 1; i < len(hello)-1 && ctx.Err() == nil; i++ {
			if _, err := c.Write(hello[i : i+1]); err != nil {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	},
	"garbage": func(_ context.Context, c *net.TCPConn, _ []byte, i int) {
		c.Write(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 1<<10))
	},
	"a hello over the limit": func(_ context.Context, c *net.TCPConn, _ []byte, _ int) {
		c.Write(append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff}, make([]byte, 16<<10)...))
	},
	"the largest hello, all but a byte": func(_ context.Context, c *net.TCPConn, _ []byte, _ int) {
		c.Write(append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc}, make([]byte, 16<<10-5)...))
	},
	"records of one byte": func(_ context.Context, c *net.TCPConn, hello []byte, _ int) {
		var b []byte
		for _, octet := range hello[5 : len(hello)-1] {
			b = append(b, 22, 3, 1, 0, 1, octet)
		}
		c.Write(b)
	},
	"reset at each byte": func(_ context.Context, c *net.TCPConn, hello []byte, i int) {
		c.Write(hello[:i%(len(hello)+1)])
		c.SetLinger(0)
		c.Close()
	},
	"a first flight of 64 KiB": func(_ context.Context, c *net.TCPConn, hello []byte, _ int) {
		c.Write(append(hello[:len(hello):len(hello)], make([]byte, 64<<10)...))
	},
}

// TestHostile lets in crowds of hostile clients, and meanwhile honest ones. What the crowds
// took must be free afterwards.
func TestHostile(t *testing.T) {
	parties, hello := try.NewParties(t), helloOf(t, site)
	backend := startBackend(t, parties, "honest")
	addr := startRouter(t, func(peek.Hello) string { return backend })
	honest := func(t *testing.T) { ask(t, tls.Client(dialTCP(t, addr), clientConfig(parties))) }
	honest(t)
	for name, act := range hostile {
		t.Run(name, func(t *testing.T) {
			goroutines, files, memory := runtime.NumGoroutine(), openFiles(), inUse()
			ctx, release := context.WithCancel(context.Background())
			var connected, gone sync.WaitGroup
			connected.Add(*crowd)
			for i := range *crowd {
				gone.Go(func() { attack(ctx, addr, connected.Done, func(c *net.TCPConn) { act(ctx, c, hello, i) }) })
			}
			connected.Wait()
			for range 20 {
				honest(t)
			}
			// Each client has a goroutine and a socket here, too. The router holds up to
			// peek.DefaultTotal in hellos.
			got := inUse() - memory
			t.Logf("%d clients take %d KiB", *crowd, got>>10)
			if got > 64<<20 {
				t.Error("that is too much")
			}
			release()
			gone.Wait()
			for i := 0; runtime.NumGoroutine() > goroutines || openFiles() > files; i++ {
				if i == 1000 {
					t.Fatalf("%d goroutines and %d descriptors are left, there were %d and %d", runtime.NumGoroutine(), openFiles(), goroutines, files)
				}
				runtime.GC() // which closes the pipes that package net keeps for splice
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

// attack connects, acts, and waits until the router closes the connection or ctx is done.
func attack(ctx context.Context, addr string, connected func(), act func(*net.TCPConn)) {
	conn, err := net.Dial("tcp", addr)
	connected()
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	act(conn.(*net.TCPConn))
	for b := make([]byte, 512); err == nil; {
		_, err = conn.Read(b)
	}
}

// openFiles counts the descriptors of this process, if the system lists them.
func openFiles() int {
	files, _ := os.ReadDir("/proc/self/fd")
	return len(files)
}

// inUse returns how much memory the heap and the stacks take.
func inUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}
