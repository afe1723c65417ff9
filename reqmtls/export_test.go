package reqmtls

// HoldsBuffer reports whether c still has a buffer for its ClientHello. Nobody may be
// reading from it.
func (c *Conn) HoldsBuffer() bool { return c.recorder != nil }
