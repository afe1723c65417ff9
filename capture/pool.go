package capture

import "slices"

// poolSize is how many values a pool keeps, but for those of a sweep, which are soon needed
// again. It evens out the ups and downs of busy traffic; the garbage collector frees what a
// burst needs beyond it.
const poolSize = 256

// pool keeps values for reuse. get returns them as they were put in.
type pool[T any] struct {
	values []*T
	most   int // values, or 0 for poolSize
}

func (p *pool[T]) get() *T {
	n := len(p.values)
	if n == 0 {
		return new(T)
	}
	v := p.values[n-1]
	p.values = p.values[:n-1]
	return v
}

func (p *pool[T]) put(v *T) {
	if len(p.values) < max(p.most, poolSize) { //mutation:equivalent one value more or less
		p.values = append(p.values, v)
	}
}

// refill shrinks the pool to poolSize, and lets it keep most values from now on; 0 is for
// poolSize.
func (p *pool[T]) refill(most int) {
	if p.most = most; most > 0 && len(p.values) > poolSize {
		p.values = slices.Clone(p.values[:poolSize])
	}
}

// refillPools calls refill for all pools of the table.
func (t *table) refillPools(most int) {
	t.free.refill(most)
	t.streams.refill(most)
	t.pages.refill(most)
	t.quic.refill(most)
	t.dtls.refill(most)
	for i := range t.carried {
		t.carried[i].refill(most)
	}
	t.rawMost = most
	for i, free := range t.raws {
		if most > 0 && len(free) > poolSize {
			t.raws[i] = slices.Clone(free[:poolSize])
		}
	}
}
