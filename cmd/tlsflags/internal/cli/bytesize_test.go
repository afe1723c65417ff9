package cli

import (
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

func TestByteSize(t *testing.T) {
	for s, want := range map[string]int{
		"1": 1, "1023": 1023, "64k": 64 << 10, "64M": 64 << 20, "64MiB": 64 << 20, "1G": 1 << 30, strconv.Itoa(math.MaxInt): math.MaxInt,
		"": 0, "0": 0, "-1": 0, "M": 0, "1.5M": 0, "64MB": 0, "64iB": 0, "M64": 0, "64m": 0, "9223372036854775808": 0, "99999999999G": 0,
	} {
		var n byteSize
		if err := n.Set(s); (err == nil) != (want > 0) || int(n) != want {
			t.Errorf("%q: %d, %v", s, n, err)
		}
		var again byteSize
		if err := again.Set(n.String()); want > 0 && (err != nil || again != n) {
			t.Errorf("%q: %q is %d, %v", s, n.String(), again, err)
		}
	}
}

// TestLimitOptions checks that the limits of inspect count.
func TestLimitOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.pcap")
	part := []tlsRecord{{byClient, append([]byte{22, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xec}, make([]byte, 12<<10)...)}}
	writeConnections(t, file, part, part)
	for option, dropped := range map[string]bool{
		"--max-memory=1M": false, "--max-memory=25k": true, "--max-flows=2": false, "--max-flows=1": true,
	} {
		_, stderr, code := run(t, "inspect", option, file)
		if regexp.MustCompile(`warning: .*\d evicted flow`).MatchString(stderr) != dropped || code != 0 {
			t.Errorf("%s: exit code %d, %s", option, code, stderr)
		}
	}
	for _, option := range []string{"--max-flows=0", "--max-memory=0", "--max-memory=1T"} {
		if _, stderr, code := run(t, "inspect", option, file); code != int(ExitUsage) {
			t.Errorf("%s: exit code %d, %s", option, code, stderr)
		}
	}
}
