package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// TestShapes checks how many packets a shape has, that they can be decoded, and that a shape
// is written as the same bytes again.
func TestShapes(t *testing.T) {
	for _, row := range []struct {
		shape   string
		packets int
		layer   gopacket.LayerType
	}{
		{"bulk", 974, layers.LayerTypeTCP},
		{"short", 314, layers.LayerTypeTCP},
		{"quic", 120, layers.LayerTypeUDP},
	} {
		file := filepath.Join(t.TempDir(), row.shape)
		if err := run([]string{row.shape, "60", file}); err != nil {
			t.Fatal(err)
		}
		first, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := run([]string{row.shape, "60", file}); err != nil {
			t.Fatal(err)
		}
		if second, err := os.ReadFile(file); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: other bytes in the second run, %v", row.shape, err)
		}
		r, err := pcapgo.NewReader(bytes.NewReader(first))
		if err != nil {
			t.Fatal(err)
		}
		packets := 0
		for p := range gopacket.NewPacketSource(r, r.LinkType()).Packets() {
			if packets++; p.Layer(row.layer) == nil {
				t.Errorf("%s: no %v in packet %d", row.shape, row.layer, packets)
			}
		}
		if packets != row.packets {
			t.Errorf("%s: %d packets, want %d", row.shape, packets, row.packets)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"bulk", "1"}, {"long", "1", "f"}, {"bulk", "0", "f"}, {"bulk", "x", "f"}, {"bulk", "1", t.TempDir()}} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
