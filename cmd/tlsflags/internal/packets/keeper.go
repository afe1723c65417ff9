// Package packets keeps the packets around chosen ClientHellos, and writes them to pcapng files.
package packets

import (
	"slices"

	"github.com/tlsflags/tlsflags/capture"
)

// Around is how many packets of a connection are kept before a hello, and how many after it, in
// both directions together: enough for a handshake with a long chain of certificates.
const Around = 64

// Keeper chooses the packets around hellos: those from the beginning of the connection on, at
// most Around, those of the hello, and the next Around. It remembers the latest packets of each
// connection by their number, for the connections that were active last.
type Keeper struct {
	keep  func(frame int)
	flows recent[uint64, *flow]
	kept  recent[int, struct{}] // not to be kept again

	// Cut is how many connections may lack their beginning, because too many others were
	// active before the hello.
	Cut int
}

// flow is what is remembered of a connection.
type flow struct {
	frames []int // the latest that were not kept
	syn    bool  // nothing but SYN so far
	whole  bool  // nothing before frames was forgotten that would be kept
	left   int   // parts that are still to be kept
}

// The memory of a Keeper, in connections and in packets. Up to twice as many are remembered.
const (
	maxFlows = 1 << 15
	maxKept  = 1 << 18
)

// NewKeeper returns a Keeper that calls keep for each packet that is to be kept, once. The
// packets of one call of Add or Select come in their order.
func NewKeeper(keep func(frame int)) *Keeper {
	return &Keeper{keep: keep, flows: recent[uint64, *flow]{limit: maxFlows}, kept: recent[int, struct{}]{limit: maxKept}}
}

// Add takes what the next packet completes.
func (k *Keeper) Add(parts []capture.FlowPart) {
	for _, part := range parts {
		f, ok := k.flows.get(part.Flow)
		if !ok {
			f = &flow{whole: k.flows.forgot == 0}
			k.flows.put(part.Flow, f)
		}
		switch {
		case !part.SYN:
			f.syn = false
		case !f.syn: // another connection
			*f = flow{syn: true, whole: true}
		}
		if f.left > 0 {
			f.left--
			k.keepAll(part.Frames)
			continue
		}
		// As many after a hello that is found late as before it.
		if f.frames = append(f.frames, part.Frames...); len(f.frames) > 2*Around {
			f.frames = slices.Delete(f.frames, 0, len(f.frames)-2*Around)
			f.whole = true
		}
	}
}

// Select keeps what is around a hello, and the packets of the connection that follow.
func (k *Keeper) Select(h *capture.Hello) {
	if len(h.Frames) == 0 {
		return
	}
	first, last := slices.Min(h.Frames), slices.Max(h.Frames)
	frames := slices.Clone(h.Frames)
	if f, ok := k.flows.get(h.Flow); ok {
		slices.Sort(f.frames) // fragments come late
		begin, _ := slices.BinarySearch(f.frames, first)
		end, _ := slices.BinarySearch(f.frames, last+1)
		if begin < Around && !f.whole {
			k.Cut++
		}
		after := f.frames[end:min(end+Around, len(f.frames))]
		frames = append(append(frames, f.frames[max(begin-Around, 0):end]...), after...)
		f.frames, f.left, f.whole = f.frames[:0], max(f.left, Around-len(after)), true
	} else if k.flows.forgot > 0 {
		k.Cut++
	}
	slices.Sort(frames)
	k.keepAll(frames)
}

func (k *Keeper) keepAll(frames []int) {
	for _, frame := range frames {
		if _, ok := k.kept.get(frame); !ok {
			k.kept.put(frame, struct{}{})
			k.keep(frame)
		}
	}
}

// recent is a map that remembers between limit and twice as many of the keys that were used
// last.
type recent[K comparable, V any] struct {
	limit      int
	young, old map[K]V
	forgot     int
}

func (r *recent[K, V]) get(key K) (V, bool) {
	v, ok := r.young[key]
	if ok {
		return v, true
	}
	if v, ok = r.old[key]; ok {
		delete(r.old, key)
		r.put(key, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(key K, v V) {
	if r.young == nil || len(r.young) >= r.limit {
		r.forgot += len(r.old)
		r.young, r.old = make(map[K]V), r.young
	}
	r.young[key] = v
}
