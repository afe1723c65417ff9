// Package filter compiles capture filters to BPF. It reads the part of the language of
// tcpdump (pcap-filter(7)) that chooses hosts, ports, protocols and VLANs:
//
//	[ip|ip6|arp] [src|dst] host ADDRESS
//	[ip|ip6|arp] [src|dst] net PREFIX
//	[tcp|udp] [src|dst] port NUMBER
//	[tcp|udp] [src|dst] portrange FIRST-LAST
//	[ip|ip6] proto NUMBER
//	ip, ip6, arp, tcp, udp, icmp
//	vlan [NUMBER]
//
// An expression joins them with and (&&), or (||), not (!) and brackets. As in tcpdump, not
// has the highest precedence; and and or have the same one, from left to right. A direction may
// also be "src or dst", which is the default, or "src and dst"; after a direction, host may be
// left out. Words that would come again may be left out: "port 80 or 443", "port (80 or 443)".
//
// After vlan, the rest of the expression is about what is inside that tag, so that
// "vlan 7 and vlan 9 and host 192.0.2.1" looks into two tags. Before it, tests of tagged
// packets are false. Port tests are false for fragments but the first one. A packet that is
// too short for a test does not match.
package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Pass is how many bytes of a packet a program passes: all.
const Pass = 256 << 10

// Filter is a condition on packets. It comes from [Parse].
type Filter struct {
	text string
	root *node
}

// String returns the expression.
func (f *Filter) String() string { return f.text }

// SyntaxError says what is wrong with an expression.
type SyntaxError struct {
	Column int // in bytes, from 1
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

// Program compiles f for packets of a link type, by its number in pcap files. It fails for a
// link type that it does not know. The program returns 0 or [Pass], and ends with the
// instruction that returns Pass; another program may take the place of that.
func (f *Filter) Program(link uint16) ([]bpf.Instruction, error) {
	return f.program(link, false)
}

// LiveProgram is Program for the kernel of Linux, which has taken the outermost VLAN tag out
// of most packets.
func (f *Filter) LiveProgram(link uint16) ([]bpf.Instruction, error) {
	return f.program(link, true)
}

func (f *Filter) program(link uint16, live bool) ([]bpf.Instruction, error) {
	l, ok := layouts[link]
	if !ok {
		return nil, fmt.Errorf("filters do not know link type %d", link)
	}
	c := &code{layout: l}
	pass := c.add(bpf.RetConstant{Val: Pass})
	drop := c.add(bpf.RetConstant{Val: 0})
	entry := c.compile(f.root, pass, drop)
	if live && l.tags {
		c.tagTaken = true
		taken := c.compile(f.root, pass, drop)
		entry = c.test(bpf.JumpEqual, 0, entry, taken, bpf.LoadExtension{Num: bpf.ExtVLANTagPresent})
	}
	return c.from(entry), nil
}
