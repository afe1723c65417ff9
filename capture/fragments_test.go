package capture_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

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
		"overlapping":             {[][]byte{v4(1, 0, 40), v4(1, 16, 48), v4(1, 32, 999)}, nil},
		"overlapping, once more":  {[][]byte{v4(1, 0, 40), v4(1, 16, 48), v4(1, 0, 40), v4(1, 40, 999)}, []int{3, 4}},
		"overlapping, IPv6":       {[][]byte{v6(7, 0, 40), v6(7, 16, 48), v6(7, 32, 999)}, nil},
		"one inside another":      {[][]byte{v4(1, 0, 40), v4(1, 16, 32), v4(1, 40, 999)}, []int{1, 3}},
		"one inside two":          {[][]byte{v4(1, 0, 24), v4(1, 24, 48), v4(1, 16, 32), v4(1, 48, 999)}, []int{1, 2, 4}},
		"around another":          {[][]byte{v4(1, 16, 32), v4(1, 0, 40), v4(1, 40, 999)}, nil},
		"an empty one between":    {[][]byte{v4(1, 0, 24), v4(1, 24, 24), v4(1, 24, 999)}, nil},
		"less than 8 bytes":       {[][]byte{v4(1, 24, 999), v4(1, 8, 15), v4(1, 0, 24)}, nil},
		"beyond 65,535 bytes":     {[][]byte{v4(1, 0, 24), ipv4Fragment(client, server, 6, 1, 1<<16-8, true, make([]byte, 16)), v4(1, 24, 999)}, nil},
		"cut to a multiple of 8":  {[][]byte{v4(1, 0, 47), v4(1, 40, 999)}, []int{1, 2}},
		"no multiple of 8, IPv6":  {[][]byte{v6(7, 0, 47), v6(7, 40, 999), v6(7, 0, 40)}, []int{3, 2}},
		"another end":             {[][]byte{v4(1, 48, 999), ipv4Fragment(client, server, 6, 1, 48, false, whole[48:len(whole)-1]), v4(1, 0, 48)}, nil},
		"interleaved":             {[][]byte{v4(1, 0, 24), v4(2, 0, 24), v4(2, 24, 999), v4(1, 24, 999)}, []int{2, 3}},
		"IPv6":                    {[][]byte{v6(7, 32, 999), v6(7, 0, 32)}, []int{2, 1}},
		"without a header, IPv6":  {[][]byte{v6(7, 0, 16), v6(7, 16, 999)}, nil},
		"without a header":        {[][]byte{v4(1, 0, 16), v4(1, 16, 999)}, []int{1, 2}},
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
		ipv4(client, server, 4, ipv4Fragment(client, server, 6, 1, 64, false, whole[64:])),
	}
}

// TestFragmentsOfAnotherTime checks that fragments which are older than a host waits for are
// not joined to new ones.
func TestFragmentsOfAnotherTime(t *testing.T) {
	whole := tcp(clientPort, serverPort, 1, ack, hello())
	first := func(b []byte) []byte { return ipv4Fragment(client, server, 6, 1, 0, true, b[:40]) }
	rest := ipv4Fragment(client, server, 6, 1, 40, false, whole[40:])
	for after, want := range map[time.Duration]int{30 * time.Second: 1, 31 * time.Second: 0} {
		s, found := capture.NewScanner(capture.Options{}), 0
		for i, p := range [][]byte{first(whole), rest} {
			packet := raw(p)
			packet.Time = packet.Time.Add(time.Duration(i) * after)
			s.Scan(packet, func(*capture.Hello) bool { found++; return true })
		}
		if found != want {
			t.Errorf("after %v: %d hellos, want %d", after, found, want)
		}
	}
}

// TestChecksumsOfFragments checks that a fragment with a wrong header checksum is dropped if
// another one of its packet has a right one.
func TestChecksumsOfFragments(t *testing.T) {
	whole := tcp(clientPort, serverPort, 1, ack, hello())
	part := func(b []byte, from, to int) []byte {
		return ipv4Fragment(client, server, 6, 1, from, to < len(whole), b[from:min(to, len(whole))])
	}
	decoy := bytes.Clone(whole)
	decoy[50] ^= 1
	for name, packets := range map[string][][]byte{
		"right, wrong": {headerSummed(part(whole, 0, 40)), headerDamaged(part(decoy, 40, 999)), headerSummed(part(whole, 40, 999))},
		"wrong, right": {headerDamaged(part(decoy, 40, 999)), headerSummed(part(whole, 40, 999)), headerSummed(part(whole, 0, 40))},
		"no evidence":  {part(whole, 0, 40), headerDamaged(part(whole, 40, 999))},
	} {
		hellos, stats := scan(capture.Options{}, packets...)
		if len(hellos) != 1 || !bytes.Equal(hellos[0].Message, message()) {
			t.Errorf("%s: got %+v, %+v", name, hellos, stats)
		}
	}
}
