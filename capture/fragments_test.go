package capture_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

func TestFragments(t *testing.T) {
	whole := tcp(clientPort, serverPort, 1, ack, hello())
	v4 := func(id, from, to int) []byte {
		return ipv4Fragment(client, server, 6, id, from, to < len(whole), whole[from:min(to, len(whole))])
	}
	v6 := func(id, from, to int) []byte {
		field, end := from, min(to, len(whole))
		if end < len(whole) {
			field |= 1
		}
		return ipv6(client6, server6, 44, join([]byte{6, 0}, be16(field), be32(id), whole[from:end]))
	}
	for name, row := range map[string]struct {
		packets [][]byte
		frames  []int
	}{
		"in order":                {[][]byte{v4(1, 0, 24), v4(1, 24, 48), v4(1, 48, 999)}, []int{1, 2, 3}},
		"reversed":                {[][]byte{v4(1, 48, 999), v4(1, 24, 48), v4(1, 0, 24)}, []int{3, 2, 1}},
		"twice":                   {[][]byte{v4(1, 0, 24), v4(1, 0, 24), v4(1, 24, 999), v4(1, 24, 999)}, []int{1, 3}},
		"overlapping":             {[][]byte{v4(1, 0, 40), v4(1, 16, 48), v4(1, 32, 999)}, []int{1, 2, 3}},
		"interleaved":             {[][]byte{v4(1, 0, 24), v4(2, 0, 24), v4(2, 24, 999), v4(1, 24, 999)}, []int{2, 3}},
		"IPv6":                    {[][]byte{v6(7, 32, 999), v6(7, 0, 32)}, []int{2, 1}},
		"one is missing":          {[][]byte{v4(1, 0, 24), v4(1, 48, 999)}, nil},
		"beyond the last":         {[][]byte{v4(1, 0, 24), v4(1, 48, 999), ipv4Fragment(client, server, 6, 1, 800, true, make([]byte, 24)), v4(1, 24, 48)}, nil},
		"beyond an IP packet":     {[][]byte{ipv4Fragment(client, server, 6, 1, 65528, false, make([]byte, 64))}, nil},
		"fragments of a fragment": {nested(whole), []int{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			hellos, stats := scan(capture.Options{}, row.packets...)
			switch {
			case row.frames == nil && len(hellos) == 0:
			case len(hellos) != 1 || !slices.Equal(hellos[0].Frames, row.frames) || hellos[0].Pieces.Segments != 1:
				t.Errorf("got %+v, %+v; want frames %v", hellos, stats, row.frames)
			}
			if stats.Fragments < len(row.packets) {
				t.Errorf("stats: %+v", stats)
			}
		})
	}
}

// nested sends a packet in two fragments, the first of them inside another packet that
// comes in two fragments.
func nested(whole []byte) [][]byte {
	inner := ipv4Fragment(client, server, 6, 1, 0, true, whole[:64])
	return [][]byte{
		ipv4Fragment(client, server, 4, 2, 0, true, inner[:40]),
		ipv4Fragment(client, server, 4, 2, 40, false, inner[40:]),
		ipv4Fragment(client, server, 6, 1, 64, false, whole[64:]),
	}
}
