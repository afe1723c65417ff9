//go:build !linux

package bench

import "os"

// residentMemory is told in other units, or not at all, by other systems.
func residentMemory(*os.ProcessState) int64 { return 0 }
