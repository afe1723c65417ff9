package capture_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// readWith returns the rows and the counts of a capture.
func readWith(t *testing.T, data []byte, o capture.Options) (rows []capture.Hello, stats capture.Stats, failure string) {
	t.Helper()
	r, err := capture.Open(bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	for h := range r.Hellos() {
		rows = append(rows, *h.Clone())
	}
	return rows, r.Stats(), fmt.Sprint(r.Err())
}

// checkWorkers checks that several workers find the same as one.
func checkWorkers(t *testing.T, data []byte, o capture.Options) {
	t.Helper()
	rows, stats, failure := readWith(t, data, o)
	for _, o.Workers = range []int{2, 3, 7} {
		got, gotStats, gotFailure := readWith(t, data, o)
		if diff := cmp.Diff(rows, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(capture.Hello{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Errorf("%d workers: (-one +several)\n%.2000s", o.Workers, diff)
		}
		if diff := cmp.Diff(stats, gotStats); diff != "" || failure != gotFailure {
			t.Errorf("%d workers: %s, not %s; (-one +several)\n%s", o.Workers, gotFailure, failure, diff)
		}
	}
}

func TestWorkersCorpus(t *testing.T) {
	for e := range corpus.OfKind(corpus.Captures) {
		t.Run(e.File, func(t *testing.T) { checkWorkers(t, e.Data(), capture.Options{}) })
	}
}
