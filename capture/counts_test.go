package capture_test

import (
	"maps"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestCounts checks that the first 16 numbers are counted, and the rest is not.
func TestCounts(t *testing.T) {
	var c capture.Counts
	want := make(map[uint16]int)
	for i := range 40 {
		n := uint16(i % 20)
		c.Add(n, i+1)
		if n < 16 {
			want[n] += i + 1
		}
	}
	if got := maps.Collect(c.All()); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for range c.All() {
		break
	}
	for typ, want := range map[capture.EtherType]string{0x0806: "0x0806 (ARP)", 0x1234: "0x1234"} {
		if got := typ.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestUnknownNumbers checks that link types and EtherTypes that are not read are counted.
func TestUnknownNumbers(t *testing.T) {
	var s capture.Scanner
	for _, link := range []capture.LinkType{189, 147, 189} {
		s.Scan(capture.Packet{Link: link, Data: make([]byte, 20)}, nil)
	}
	for _, etherType := range []int{0x0806, 0x88cc, 0x0806} {
		s.Scan(capture.Packet{Link: capture.LinkTypeEthernet, Data: ethernet(etherType, nil)}, nil)
	}
	stats := s.Stats()
	if want := (capture.Counts{{189, 2}, {147, 1}}); stats.UnknownLinks != want || stats.UnknownLink != 3 {
		t.Errorf("link types: %+v", stats)
	}
	if want := (capture.Counts{{0x0806, 2}, {0x88cc, 1}}); stats.UnknownEtherTypes != want || stats.Other != 3 {
		t.Errorf("EtherTypes: %+v", stats)
	}
}
