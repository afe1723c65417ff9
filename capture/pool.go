package capture

// poolSize is how many values a pool keeps. It evens out the ups and downs of busy
// traffic; the garbage collector frees what a burst needs beyond it.
const poolSize = 256

// pool keeps values for reuse. get returns them as they were put in.
type pool[T any] struct{ values []*T }

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
	if len(p.values) < poolSize { //mutation:equivalent one value more or less
		p.values = append(p.values, v)
	}
}
