package capture

// ProloguePart is prologuePart for tests outside the package.
func ProloguePart(b []byte) (n int, follows bool) {
	n, p := prologuePart(b)
	return n, p == tlsFollows
}

// Whole reports whether nothing of a budget is lent.
func (b *Budget) Whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flows == b.limits.MaxFlows && b.bytes == b.limits.MaxMemory && len(b.shares) == 0
}

// Doubts returns how many flows have one.
func (s *Scanner) Doubts() (n int) {
	for f := range s.flows.flows.all() {
		if f.doubt != nil {
			n++
		}
	}
	return n
}

// For floods.
var (
	InDiameter  = inDiameter
	InMultilink = inMultilink
)
