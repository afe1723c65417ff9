//go:build realclients && unix

package demo_test

import (
	"os/exec"
	"syscall"
)

// endGroup makes the end of cmd's context end the processes that it starts as well.
func endGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
