package capture

import (
	"slices"
	"testing"
)

// TestContains checks which segments may be of the connection that a SYN may have begun.
func TestContains(t *testing.T) {
	h := &half{start: 1000, next: 1100}
	for name, row := range map[string]struct {
		seq  uint32
		n    int
		want bool
	}{
		"at its start":      {1000, 1, true},
		"before its start":  {999, 1, false},
		"no bytes":          {1000, 0, false},
		"in the window":     {1100 + window, 1, true},
		"beyond the window": {1100 + window + 1, 1, false},
		"far before it":     {1 << 31, 1, false},
	} {
		if got := h.contains(&segment{seq: row.seq, payload: make([]byte, row.n)}); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestWindowScale checks how far the window of the other end reaches (RFC 7323, Section 2.2).
func TestWindowScale(t *testing.T) {
	for name, row := range map[string]struct {
		h, other half
		flags    uint8
		want     uint32
	}{
		"no scale":                 {half{synSeen: true}, half{synSeen: true, scaled: true}, tcpACK, 110},
		"scaled by both":           {half{synSeen: true, scaled: true, scale: 2}, half{synSeen: true, scaled: true, scale: 7}, tcpACK, 140},
		"scaled, the other is not": {half{synSeen: true, scaled: true, scale: 2}, half{synSeen: true}, tcpACK, 110},
		"the other is not known":   {half{synSeen: true, scaled: true, scale: 2}, half{}, tcpACK, 140},
		"in a SYN":                 {half{synSeen: true, scaled: true, scale: 2}, half{synSeen: true, scaled: true}, tcpACK | tcpSYN, 110},
		"this end is not known":    {half{}, half{synSeen: true, scaled: true}, tcpACK, 100 + 1<<28},
		"no ACK":                   {half{synSeen: true}, half{synSeen: true}, 0, 0},
	} {
		row.h.acknowledge(&row.other, &segment{ack: 100, window: 10, flags: row.flags})
		if row.other.edge != row.want {
			t.Errorf("%s: up to %d, want %d", name, row.other.edge, row.want)
		}
	}
}

func TestPostgreSQL(t *testing.T) {
	const ssl, gss = "\x00\x00\x00\x08\x04\xd2\x16\x2f", "\x00\x00\x00\x08\x04\xd2\x16\x30"
	for text, want := range map[string]progress{
		ssl: tlsFollows, ssl[:7]: inPrologue, gss[:7]: inPrologue, gss + ssl: tlsFollows,
		ssl[:7] + "\x2e": noPrologue, ssl[:7] + "\x31": noPrologue, "\x00\x00\x00\x09": noPrologue,
	} {
		if _, got := postgreSQL([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestIsMPLS has what may follow the labels.
func TestIsMPLS(t *testing.T) {
	ipv4 := func(first, length byte) []byte { return slices.Concat([]byte{first, 0, 0, length}, make([]byte, 16)) }
	last, more := []byte{0, 1, 1, 64}, []byte{0, 1, 0, 64}
	for name, row := range map[string]struct {
		b    []byte
		want bool
	}{
		"IPv4":                         {slices.Concat(last, ipv4(0x45, 20)), true},
		"IPv4 after two labels":        {slices.Concat(more, last, ipv4(0x45, 20)), true},
		"IPv4 without a length":        {slices.Concat(last, ipv4(0x45, 0)), true},
		"IPv4 of 19 bytes":             {slices.Concat(last, ipv4(0x45, 19)), false},
		"IPv4 with a header of 16":     {slices.Concat(last, ipv4(0x44, 20)), false},
		"IPv6":                         {slices.Concat(last, []byte{0x60}, make([]byte, 39)), true},
		"IPv6 cut":                     {slices.Concat(last, []byte{0x60}, make([]byte, 38)), false},
		"no last label":                {more, false},
		"nothing":                      {nil, false},
		"less than an Ethernet header": {slices.Concat(last, make([]byte, 13)), false},
	} {
		if got := isMPLS(row.b); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
