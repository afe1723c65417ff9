package capture

import (
	"iter"
)

// flowMap finds flows by their keys. Its slots have a hash and the flow; the key is in the
// flow, so that it takes little memory, and few cache lines are touched: with many flows,
// that is what a packet costs.
type flowMap struct {
	slots  []flowSlot // by hash, or in the next slot that was free; their number is a power of two
	n      int
	hasher *hasher
}

type flowSlot struct {
	hash uint64
	flow *flow // nil if the slot is free
}

// hash returns the hash of a key.
func (m *flowMap) hash(key *flowKey) uint64 {
	if m.slots == nil {
		m.slots, m.hasher = make([]flowSlot, 1<<8), newHasher()
	}
	return m.hasher.key(key)
}

// get returns the flow with a key, or nil.
func (m *flowMap) get(key flowKey) *flow { return m.find(&key, m.hash(&key)) }

// find is get for a key and its hash.
func (m *flowMap) find(key *flowKey, hash uint64) *flow {
	for i := hash; ; i++ {
		slot := &m.slots[i&uint64(len(m.slots)-1)]
		if slot.flow == nil || slot.hash == hash && slot.flow.key == *key {
			return slot.flow
		}
	}
}

// add adds a flow whose key is not there; f.hash is the hash of its key.
func (m *flowMap) add(f *flow) {
	if m.n++; m.n > len(m.slots)/3*2 {
		old := m.slots
		m.slots = make([]flowSlot, 2*len(old))
		clear(m.slots) //mutation:equivalent they are zero; see table.create
		for _, slot := range old {
			if slot.flow != nil {
				m.put(slot)
			}
		}
	}
	m.put(flowSlot{f.hash, f})
}

func (m *flowMap) put(slot flowSlot) {
	for i := slot.hash; ; i++ {
		if at := &m.slots[i&uint64(len(m.slots)-1)]; at.flow == nil {
			*at = slot
			return
		}
	}
}

// remove removes a flow. Those after it move up, so that no search ends too early.
func (m *flowMap) remove(f *flow) {
	mask := uint64(len(m.slots) - 1)
	at := f.hash & mask
	for m.slots[at].flow != f {
		at = (at + 1) & mask
	}
	m.n--
	for i := at; ; {
		i = (i + 1) & mask
		slot := m.slots[i]
		if slot.flow == nil {
			m.slots[at] = flowSlot{}
			return
		}
		if (i-slot.hash)&mask >= (i-at)&mask { // its first place is not after at
			m.slots[at], at = slot, i
		}
	}
}

// all returns the flows, none of which may be added or removed meanwhile.
func (m *flowMap) all() iter.Seq[*flow] {
	return func(yield func(*flow) bool) {
		for _, slot := range m.slots {
			if slot.flow != nil && !yield(slot.flow) {
				return
			}
		}
	}
}
