package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"
)

// inside tells the program, started again, that it has a network namespace of its own.
const inside = "EVADE_NAMESPACE"

// enterNamespace starts the program again in a network namespace of its own, and returns
// how that ended. In there it returns true.
func enterNamespace() (in bool, err error) {
	if os.Getenv(inside) != "" {
		return true, nil
	}
	program, err := os.Executable()
	if err != nil {
		return false, err
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
	return false, again.Run()
}

// device is a TUN device.
type device int

// openDevice makes the device and gives it addresses.
func openDevice() (device, error) {
	const (
		setFlags = 0x400454ca // TUNSETIFF
		rawIP    = 0x1001     // IFF_TUN | IFF_NO_PI
		name     = "tun0"
	)
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("/dev/net/tun: %w", err)
	}
	var request [40]byte
	copy(request[:], name)
	binary.NativeEndian.PutUint16(request[16:], rawIP)
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), setFlags, uintptr(unsafe.Pointer(&request))); e != 0 {
		return 0, fmt.Errorf("making a TUN device: %w", e)
	}
	for _, args := range []string{
		"link set lo up",
		"addr add " + server4.String() + "/24 dev " + name,
		"addr add " + server6.String() + "/64 dev " + name + " nodad",
		"link set " + name + " up",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return 0, fmt.Errorf("ip %s: %w: %s", args, err, out)
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
			return 0, err
		}
	}
	return device(fd), nil
}

// read returns 0 if nothing is there.
func (d device) read(b []byte) int {
	for {
		n, err := syscall.Read(int(d), b)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0)
		}
	}
}

// write gives a packet to the kernel, which refuses what is no IP packet at all.
func (d device) write(b []byte) error {
	if _, err := syscall.Write(int(d), b); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("writing to the TUN device: %w", err)
	}
	return nil
}

// fastOpen makes a socket take data in a SYN (RFC 7413).
func fastOpen(socket uintptr) error {
	const tcpFastOpen = 23
	return syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, tcpFastOpen, 1024)
}

// withParent makes a process end when this one does.
func withParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
