package testenv

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"unsafe"
)

// Network runs a test in a network namespace of its own, in which lo is up and nobody else
// sends. It starts the test binary again for this test alone, and returns true in that
// process. Otherwise it reports how that went, and returns false. The test is skipped if
// the user may not have such a namespace.
func Network(t *testing.T) bool {
	t.Helper()
	const inside = "TEST_NETWORK_NAMESPACE"
	if os.Getenv(inside) != "" {
		if err := loopbackUp(); err != nil {
			t.Fatal("bringing lo up: ", err)
		}
		return true
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.count=1", "-test.timeout=1m")
	c.Env = append(os.Environ(), inside+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("in a network namespace: %v\n%s", err, out)
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOEXEC):
		t.Skip("an emulated kernel has no network namespaces: ", err)
	case err != nil:
		Skip(t, "no network namespace, which root has: "+err.Error())
	default:
		t.Logf("in a network namespace: %s", out)
	}
	return false
}

// loopbackUp brings lo up, as "ip link set lo up" does.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := struct { // struct ifreq
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
