package capture

import (
	"math/rand/v2"
	"testing"
)

// TestFlowMap compares with a map, with hashes that meet in few slots, too.
func TestFlowMap(t *testing.T) {
	for _, bits := range []uint64{1<<64 - 1, 7, 1<<63 | 3} {
		var m flowMap
		want := map[flowKey]*flow{}
		random := rand.New(rand.NewPCG(1, bits))
		for range 20_000 {
			key := flowKey{id: random.Uint64N(1000)}
			hash := m.hash(&key) & bits
			f := m.find(&key, hash)
			if f != want[key] {
				t.Fatalf("%d: got %p, want %p", key.id, f, want[key])
			}
			if f == nil {
				f = &flow{key: key, hash: hash}
				m.add(f)
				want[key] = f
			} else if random.IntN(3) > 0 {
				m.remove(f)
				delete(want, key)
			}
			if m.n != len(want) {
				t.Fatalf("%d flows, want %d", m.n, len(want))
			}
		}
		for f := range m.all() {
			if want[f.key] != f {
				t.Errorf("%d is there and should not", f.key.id)
			}
			delete(want, f.key)
		}
		if len(want) > 0 {
			t.Errorf("%d flows are missing", len(want))
		}
		for range m.all() {
			break
		}
	}
}
