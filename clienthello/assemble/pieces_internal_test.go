package assemble

import "testing"

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
