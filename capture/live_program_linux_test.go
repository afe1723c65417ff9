package capture

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tlsflags/tlsflags/capture/filter"
)

// TestLiveProgram compares the filters for the kernel with testdata/live-programs.txt.
func TestLiveProgram(t *testing.T) {
	ethernet, loopback, tunnel := nic{index: 2, hardware: unix.ARPHRD_ETHER}, nic{index: 1, hardware: unix.ARPHRD_LOOPBACK}, nic{index: 7, hardware: unix.ARPHRD_NONE}
	var b strings.Builder
	for _, c := range []struct {
		name   string
		nics   []nic
		every  bool
		filter string
	}{
		{"Ethernet", []nic{ethernet}, false, ""},
		{"loopback", []nic{loopback}, false, ""},
		{"tunnel, filter", []nic{tunnel}, false, "port 443"},
		{"two", []nic{ethernet, loopback}, false, ""},
		{"three, filter", []nic{ethernet, loopback, tunnel}, false, "tcp and host 192.0.2.1"},
		{"every one", nil, true, ""},
		{"every one, filter", nil, true, "vlan 7"},
	} {
		nics := make(map[int]nic)
		for _, n := range c.nics {
			nics[n.index] = n
		}
		var f *filter.Filter
		if c.filter != "" {
			var err error
			if f, err = filter.Parse(c.filter); err != nil {
				t.Fatal(err)
			}
		}
		program, err := liveProgram(nics, c.every, f)
		fmt.Fprintf(&b, "%s, %v\n", c.name, err)
		for i, instruction := range program {
			fmt.Fprintf(&b, "\t%d\t%v\n", i, instruction)
		}
	}
	CompareFile(t, "live-programs.txt", b.String())
}
