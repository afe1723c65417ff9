package cli

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"time"
)

// texts makes many short strings with few allocations: each is a part of a longer one.
type texts struct {
	b       strings.Builder
	scratch []byte
}

// textsSize is how many bytes are allocated at a time. A string that is kept keeps as many.
const textsSize = 32 << 10

func (t *texts) of(b []byte) string {
	if t.b.Cap()-t.b.Len() < len(b) {
		t.b.Reset() // which leaves the strings made so far as they are
		t.b.Grow(max(textsSize, len(b)))
	}
	start := t.b.Len()
	t.b.Write(b)
	return t.b.String()[start:]
}

// hex returns b in hexadecimal.
func (t *texts) hex(b []byte) string {
	t.scratch = hex.AppendEncode(t.scratch[:0], b)
	return t.of(t.scratch)
}

// time returns a value of the "time" key, "" for the zero Time and for one that RFC 3339,
// Section 1 has no way to write: a capture can say any year.
func (t *texts) time(at time.Time) optional {
	if !hasTime(at) {
		return ""
	}
	t.scratch = at.UTC().AppendFormat(t.scratch[:0], time.RFC3339Nano)
	return optional(t.of(t.scratch))
}

// address returns an address with its port, and without, or "".
func (t *texts) address(a netip.AddrPort) (whole, ip optional) {
	if !a.IsValid() {
		return "", ""
	}
	t.scratch = a.AppendTo(t.scratch[:0])
	whole = optional(t.of(t.scratch))
	ip = whole[:strings.LastIndexByte(string(whole), ':')]
	if a.Addr().Is6() {
		ip = ip[1 : len(ip)-1] // of [::1]
	}
	return whole, ip
}
