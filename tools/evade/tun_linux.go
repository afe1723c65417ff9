package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// The addresses of the two ends of the TUN device. The kernel is the server.
var (
	server4 = netip.MustParseAddr("10.9.0.1")
	client4 = netip.MustParseAddr("10.9.0.2")
	server6 = netip.MustParseAddr("fd09::1")
	client6 = netip.MustParseAddr("fd09::2")
)

// inside tells the program, started again, that it has a network namespace of its own.
const inside = "EVADE_NAMESPACE"

// enterNamespace starts the program again in a network namespace of its own, and returns
// how that ended. In there it returns nil, true.
func enterNamespace() (error, bool) {
	if os.Getenv(inside) != "" {
		return nil, true
	}
	program, err := os.Executable()
	if err != nil {
		return err, false
	}
	again := exec.Command(program, os.Args[1:]...)
	again.Env = append(os.Environ(), inside+"=1")
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return again.Run(), false
}

// A tun is a TUN device. What the clients send goes to the kernel, and what the kernel
// sends to the clients.
type tun struct {
	fd      int
	mu      sync.Mutex
	clients map[uint16]*client // by port
}

// openTUN makes the device and gives it addresses.
func openTUN() (*tun, error) {
	const (
		setFlags = 0x400454ca // TUNSETIFF
		rawIP    = 0x1001     // IFF_TUN | IFF_NO_PI
		name     = "tun0"
	)
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	var request [40]byte
	copy(request[:], name)
	binary.NativeEndian.PutUint16(request[16:], rawIP)
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), setFlags, uintptr(unsafe.Pointer(&request))); e != 0 {
		return nil, fmt.Errorf("making a TUN device: %w", e)
	}
	for _, args := range []string{
		"link set lo up",
		"addr add " + server4.String() + "/24 dev " + name,
		"addr add " + server6.String() + "/64 dev " + name + " nodad",
		"link set " + name + " up",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	// A server that takes data in a SYN without a cookie, if its socket asks for that.
	// Every reply to a segment that is out of its window is sent: nothing is left to time.
	for name, value := range map[string]string{
		"ipv4/tcp_fastopen":            "515", // 0x203
		"ipv4/tcp_invalid_ratelimit":   "0",
		"ipv4/tcp_challenge_ack_limit": "2147483647",
		"ipv4/tcp_max_syn_backlog":     "4096",
	} {
		if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
			return nil, err
		}
	}
	t := &tun{fd: fd, clients: make(map[uint16]*client)}
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
	for {
		n, err := syscall.Read(t.fd, buf[:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
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
	// The kernel refuses what is no IP packet at all.
	if _, err := syscall.Write(t.fd, b); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("writing to the TUN device: %w", err)
	}
	t.drain()
	return nil
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
