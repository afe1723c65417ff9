package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/examples/internal/try"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

var measure = flag.Bool("measure", false, "count what the router does in system calls and in CPU time")

// The environment of a child: the mode is "router", or "plain" for the same proxy without
// peeking.
const (
	childMode    = "ROUTER_TEST_CHILD"
	childBackend = "ROUTER_TEST_BACKEND"
)

// child is a proxy that ends when its standard input does. It prints its address.
func child() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	backend := os.Getenv(childBackend)
	if os.Getenv(childMode) == "router" {
		go serve(peek.NewListener(l, peek.Options{}), func(peek.Hello) string { return backend })
	} else {
		go servePlain(l, backend)
	}
	io.Copy(io.Discard, os.Stdin)
}

func servePlain(l net.Listener, address string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			backend, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			defer backend.Close()
			var both sync.WaitGroup
			both.Go(func() { pipe(backend, client) })
			both.Go(func() { pipe(client, backend) })
			both.Wait()
		}()
	}
}

// TestSplice checks that nearly all bytes of both directions go through splice, each twice:
// from one socket to a pipe, and from there to the other one.
func TestSplice(t *testing.T) {
	if !*measure {
		t.Skip("make test-router does this")
	}
	strace := testenv.Program(t, "strace", "strace")
	trace := filepath.Join(t.TempDir(), "trace")
	const size = 16 << 20
	proxied(t, size, 1, "router", strace, "-f", "-e", "trace=splice", "-o", trace)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	spliced := 0
	for _, m := range regexp.MustCompile(`(?m)splice.* = (\d+)$`).FindAllSubmatch(text, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		spliced += n
	}
	if want := 2 * 2 * (size - 64<<10); spliced < want {
		t.Errorf("splice moves %d bytes, want at least %d", spliced, want)
	}
}

// TestCPU compares the CPU time for some gigabytes with that of a proxy that does not peek.
func TestCPU(t *testing.T) {
	if !*measure {
		t.Skip("make test-router does this")
	}
	const rounds, connections, size = 7, 4, 4 << 30
	times := make(map[string][]time.Duration)
	for range rounds {
		for _, mode := range []string{"plain", "router"} {
			state := proxied(t, size/2/connections, connections, mode)
			times[mode] = append(times[mode], state.UserTime()+state.SystemTime())
		}
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return d[len(d)/2].Seconds()
	}
	plain, router := median(times["plain"]), median(times["router"])
	t.Logf("CPU time for %d GiB: %.3f s without peeking, %.3f s with it: %.3f times", size>>30, plain, router, router/plain)
	if router > 1.05*plain {
		t.Errorf("the router takes more than 1.05 times the CPU time: %v, without peeking %v", times["router"], times["plain"])
	}
}

// proxied starts a child, under a wrapper if one is given, and sends size bytes in each
// direction of some connections. It returns how the child ended.
func proxied(t *testing.T, size int64, connections int, mode string, wrapper ...string) *os.ProcessState {
	t.Helper()
	hello := helloOf(t, site)
	backend, listener := try.Listen(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	if len(wrapper) > 0 {
		cmd = exec.CommandContext(t.Context(), wrapper[0], append(wrapper[1:], os.Args[0])...)
	}
	cmd.Env = append(os.Environ(), childMode+"="+mode, childBackend+"="+backend)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range connections {
		client := dialTCP(t, strings.TrimSpace(addr))
		if _, err := client.Write(hello); err != nil {
			t.Fatal(err)
		}
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for _, conn := range []*net.TCPConn{client, server.(*net.TCPConn)} {
			wg.Go(func() { send(t, conn, size) })
			wg.Go(func() { receive(t, conn, size) })
		}
	}
	wg.Wait()
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState
}

func send(t *testing.T, conn *net.TCPConn, size int64) {
	for b := make([]byte, 64<<10); size > 0; size -= int64(len(b)) {
		if _, err := conn.Write(b); err != nil {
			t.Error(err)
			return
		}
	}
	conn.CloseWrite()
}

// receive reads at least size bytes; a hello may come before them.
func receive(t *testing.T, conn *net.TCPConn, size int64) {
	b, n := make([]byte, 64<<10), int64(0)
	for {
		got, err := conn.Read(b)
		n += int64(got)
		if err != nil {
			if n < size || err != io.EOF {
				t.Errorf("%d bytes arrive of %d, %v", n, size, err)
			}
			return
		}
	}
}
