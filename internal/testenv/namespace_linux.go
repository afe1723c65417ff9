package testenv

import (
	"errors"
	"fmt"
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
	return namespace(t, "network", syscall.CLONE_NEWNET, loopbackUp)
}

// Disk runs a test, as Network does, with an empty file system of the given size at dir.
func Disk(t *testing.T, dir string, bytes int) bool {
	t.Helper()
	return namespace(t, "mount", syscall.CLONE_NEWNS, func() error {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			return err
		}
		return syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes))
	})
}

// namespace runs a test in a namespace of its own, after prepare.
func namespace(t *testing.T, kind string, flag uintptr, prepare func() error) bool {
	t.Helper()
	inside := "TEST_NAMESPACE_" + kind
	if os.Getenv(inside) != "" {
		if err := prepare(); err != nil {
			t.Fatalf("preparing the %s namespace: %v", kind, err)
		}
		return true
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.count=1", "-test.timeout=1m")
	c.Env = append(os.Environ(), inside+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flag, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("in a %s namespace: %v\n%s", kind, err, out)
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOEXEC):
		t.Skipf("an emulated kernel has no %s namespaces: %v", kind, err)
	case err != nil:
		Skip(t, "no "+kind+" namespace, which root has: "+err.Error())
	default:
		t.Logf("in a %s namespace: %s", kind, out)
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
