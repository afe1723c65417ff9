package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestCollectRarely checks that less is collected while the heap is small, and that the end
// restores what was before.
func TestCollectRarely(t *testing.T) {
	for _, tt := range []struct {
		live, roots int64
		want        int
	}{
		{0, 0, 3200}, {4 << 20, 4 << 20, 350}, {heapFloor, 0, garbagePercent}, {1 << 30, 1 << 20, garbagePercent},
	} {
		if got := growth(tt.live, tt.roots); got != tt.want {
			t.Errorf("%d and %d bytes: %d, want %d", tt.live, tt.roots, got, tt.want)
		}
	}
	runtime.GC()
	if live, roots := heap(); live <= 0 || roots <= 0 {
		t.Errorf("%d bytes, and %d besides", live, roots)
	}
	const before = 77
	defer debug.SetGCPercent(debug.SetGCPercent(before))
	end := collectRarely()
	runtime.GC()
	end()
	runtime.GC()
	if got := debug.SetGCPercent(before); got != before {
		t.Errorf("GOGC after the end: %d", got)
	}
}
