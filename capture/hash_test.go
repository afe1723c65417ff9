package capture

import (
	"math/rand/v2"
	"testing"
)

// TestHasher checks that each bit of a flow key and of a message, and the length of that,
// changes the hash, and about half of its bits.
func TestHasher(t *testing.T) {
	h := hasher{[4]uint64{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89}}
	seen := map[uint64]string{}
	note := func(hash uint64, what string) {
		t.Helper()
		if other, ok := seen[hash]; ok {
			t.Errorf("%s and %s have the same hash", what, other)
		}
		seen[hash] = what
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		key := flowKey{id: random.Uint64()}
		note(h.key(&key), "a key")
		for _, field := range []*byte{&key.lo.ip[0], &key.lo.ip[3], &key.lo.ip[15], &key.hi.ip[0], &key.hi.ip[3], &key.hi.ip[15]} {
			for bit := range 8 {
				*field ^= 1 << bit
				note(h.key(&key), "a key with another address")
				*field ^= 1 << bit
			}
		}
		for bit := range 16 {
			key.lo.port ^= 1 << bit
			note(h.key(&key), "a key with another lo.port")
			key.lo.port ^= 1 << bit
			key.hi.port ^= 1 << bit
			note(h.key(&key), "a key with another hi.port")
			key.hi.port ^= 1 << bit
		}
		key.kind |= kindUDP
		note(h.key(&key), "a key of another kind")
		key.lo, key.hi = endpoint{port: 1}, endpoint{port: 2}
		note(h.key(&key), "a key")
		key.lo, key.hi = key.hi, key.lo
		note(h.key(&key), "a key whose ends are exchanged")
	}
	clear(seen)
	message := make([]byte, 100)
	for i := range message {
		message[i] = byte(random.Uint32()) | 3 // no change of a bit makes it 0
	}
	for n := range len(message) {
		note(h.bytes(message[:n]), "a prefix")
		note(h.bytes(append(message[:n:n], 0)), "a prefix and 0")
		for bit := range 8 * n {
			message[bit/8] ^= 1 << (bit % 8)
			note(h.bytes(message[:n]), "a prefix with another bit")
			message[bit/8] ^= 1 << (bit % 8)
		}
	}
	if a, b := newHasher(), newHasher(); *a == *b {
		t.Error("two hashers have the same secret")
	}
}
