package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	// heapFloor is how large the heap of inspect may become before garbage is collected, in
	// bytes.
	heapFloor = 32 << 20
	// garbagePercent is the GOGC of inspect above that. It takes no more time here than the
	// usual 100, since rows leave next to no garbage.
	garbagePercent = 70
)

// collectRarely makes the garbage collector run when the heap has grown to heapFloor, and by
// garbagePercent if it is larger than that. With a small heap it would run often, and go over all
// that package capture holds each time. The function that it returns restores what was before.
func collectRarely() (end func()) {
	const least = 4 << 20 // the heap at which the collector runs first, with a GOGC of 100
	var mu sync.Mutex
	ended := false
	before := debug.SetGCPercent(100 * heapFloor / least)
	var adjust func(*[16]byte)
	adjust = func(*[16]byte) { // after each collection
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			debug.SetGCPercent(growth(heap()))
			runtime.SetFinalizer(new([16]byte), adjust)
		}
	}
	runtime.SetFinalizer(new([16]byte), adjust)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		debug.SetGCPercent(before)
	}
}

// growth returns the GOGC with which the collector runs next at heapFloor, or garbagePercent if
// the heap is too large for that. live is what the last collection left, in bytes, and roots
// what counts besides.
func growth(live, roots int64) int {
	return max(garbagePercent, int(100*(heapFloor-live)/max(live+roots, 1<<20)))
}

// heap returns what growth needs.
func heap() (live, roots int64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64() + samples[2].Value.Uint64())
}
