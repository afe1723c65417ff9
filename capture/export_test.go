package capture

// ProloguePart is prologuePart for tests outside the package.
func ProloguePart(b []byte) (n int, follows bool) {
	n, p := prologuePart(b)
	return n, p == tlsFollows
}
