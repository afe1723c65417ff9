package bench

import (
	"os"
	"syscall"
)

// residentMemory returns how many bytes of a process were resident at most. Linux
// counts what its parent had when it was started, too.
func residentMemory(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) << 10
	}
	return 0
}
