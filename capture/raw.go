package capture

import "slices"

// maxRaw is how many bytes of a stream are kept to compare others with them.
const maxRaw = 192 << 10

// rawSizes are the sizes in which memory for a stream begins: most segments and hellos take
// one of them.
var rawSizes = [...]int{512, 1 << 10, 2 << 10}

// rawPool has memory of rawSizes for reuse.
type rawPool [len(rawSizes)][][]byte

// keepRaw keeps bytes of a stream to compare others with them. It reports whether f is
// still there.
func (s *Scanner) keepRaw(f *flow, h *half, b []byte) bool {
	st := h.stream
	if st.rawEnd() != h.next || len(st.raw)+len(b) > maxRaw {
		st.raw, st.rawAt, st.holes = st.raw[:0], h.next, 0
	}
	if n := len(st.raw) + len(b); n > cap(st.raw) && !s.growRaw(f, st, n) {
		return false
	}
	st.raw = append(st.raw, b...)
	return true
}

// rawEnd returns the sequence number after the bytes that are kept.
func (st *stream) rawEnd() uint32 { return st.rawAt + uint32(len(st.raw)) }

// growRaw makes room for n bytes. It reports whether f is still there.
func (s *Scanner) growRaw(f *flow, st *stream, n int) bool {
	t := &s.flows
	var grown []byte
	size := max(n, 2*cap(st.raw))
	if i, _ := slices.BinarySearch(rawSizes[:], n); i < len(rawSizes) {
		size = rawSizes[i]
		if free := t.raws[i]; len(free) > 0 {
			grown = free[len(free)-1]
			t.raws[i] = free[:len(free)-1]
		}
	}
	if grown == nil {
		grown = make([]byte, 0, size)
	}
	if !t.charge(f, &st.charged, cap(grown)) {
		return false
	}
	old := st.raw
	grown = append(grown[:0], old...)
	t.freeRaw(st)
	st.raw = grown
	return true
}

// freeRaw takes back the bytes that are kept of a stream.
func (t *table) freeRaw(st *stream) {
	t.refund(&st.charged, cap(st.raw))
	if i := slices.Index(rawSizes[:], cap(st.raw)); i >= 0 && len(t.raws[i]) < max(t.rawMost, poolSize) { //mutation:equivalent it spares allocations
		t.raws[i] = append(t.raws[i], st.raw[:0])
	}
	st.raw = nil
}
