package fuzz

import (
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/extension"
)

// 16,383 empty extensions, all different, are what a block of 65,535 bytes holds at most.
// A search for every one of them takes some hundred times as long as the limit.
func TestListTakesLinearTime(t *testing.T) {
	var block []byte
	for i := range 16383 {
		block = append(block, byte(i>>8), byte(i), 0, 0)
	}
	best := time.Hour
	for range 5 {
		start := time.Now()
		if _, _, err := extension.ParseList(extension.EncryptedExtensions, block, 0); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	if limit := 20 * time.Millisecond; best > limit {
		t.Errorf("%v, want less than %v", best, limit)
	}
}
