package assemble

import (
	"bytes"
	"testing"
)

// TestFarPiecesWinner gives two copies of a place far from the beginning, and then what is
// before it.
func TestFarPiecesWinner(t *testing.T) {
	for wins, want := range map[winner]string{first: "abc", last: "aXY"} {
		p := pieces{most: 1 << 16}
		if !p.place(5000, []byte("abc"), wins) || p.place(5001, []byte("XY"), wins) {
			t.Error("the copies are taken for the same")
		}
		p.place(0, make([]byte, 5000), wins)
		if got := string(p.data[5000:p.end]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestSpares checks that pieces which take turns use each other's memory.
func TestSpares(t *testing.T) {
	var shared spares
	join := func() {
		p := pieces{spare: &shared}
		p.grows(1 << 17)
		for i := 15; i >= 0; i-- {
			p.place(100*i, bytes.Repeat([]byte{byte(i)}, 100), neither)
		}
		if b := p.prefixBytes(); len(b) != 1600 || b[0] != 0 || b[1599] != 15 {
			t.Fatalf("%d bytes", len(b))
		}
		if p.reset(); p.held() > farCost {
			t.Errorf("%d bytes are held after reset", p.held())
		}
	}
	join()
	n := len(shared.free)
	if join(); n == 0 || len(shared.free) != n {
		t.Errorf("%d buffers are spare after one message, %d after two", n, len(shared.free))
	}
}
