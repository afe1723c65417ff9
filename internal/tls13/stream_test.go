package tls13_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tlsflags/tlsflags/internal/tls13"
)

func TestStream(t *testing.T) {
	text := "the quick brown fox jumps over the lazy dog"
	for _, isn := range []uint32{0, 1 << 31, ^uint32(0) - 9} {
		rng := rand.New(rand.NewPCG(3, uint64(isn)))
		for range 200 {
			var s tls13.Stream
			s.Begin(isn)
			var segments [][2]int
			for i := 0; i < len(text); {
				n := 1 + rng.IntN(len(text)-i)
				segments = append(segments, [2]int{i, i + n}, [2]int{max(i-3, 0), i + n})
				i += n
			}
			rng.Shuffle(len(segments), func(i, j int) { segments[i], segments[j] = segments[j], segments[i] })
			var got []byte
			for _, seg := range segments {
				s.Add(isn+uint32(seg[0]), []byte(text[seg[0]:seg[1]]), func(b []byte) { got = append(got, b...) })
			}
			if string(got) != text {
				t.Fatalf("isn %d: got %q", isn, got)
			}
		}
	}
}

func TestStreamLimits(t *testing.T) {
	var s tls13.Stream
	s.Begin(0)
	delivered := 0
	deliver := func(b []byte) { delivered += len(b) }
	s.Add(1<<31, []byte("far behind"), deliver)
	for i := range uint32(100_000) {
		s.Add(2*i+2, []byte{1}, deliver)
	}
	if delivered != 0 {
		t.Errorf("%d bytes delivered out of order", delivered)
	}
	for i := range uint32(10_000) {
		s.Add(2*i, []byte{1, 1}, deliver)
	}
	if delivered != 20_000+1 && delivered != 20_000 {
		t.Errorf("%d bytes delivered", delivered)
	}
}
