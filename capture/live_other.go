//go:build !linux

package capture

import (
	"context"
	"fmt"
	"runtime"
	"strings"
)

// Live captures on network interfaces, which works on Linux only. Elsewhere it fails.
func Live(_ context.Context, names []string, _ Options) (*Reader, error) {
	return nil, fmt.Errorf("cannot capture on %s: live capture works on Linux only, not on %s; record a file with tcpdump or Wireshark", strings.Join(names, ", "), runtime.GOOS)
}
