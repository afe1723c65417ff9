package capture_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// found is what is compared of a hello.
type found struct {
	Transport, Src, Dst, Random, ServerName string
	Frame                                   int // that completes it
}

func find(t *testing.T, data []byte) []found {
	t.Helper()
	r, err := capture.Open(bytes.NewReader(data), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []found
	for h := range r.Hellos() {
		hello, at, err := h.Parse()
		if err != nil {
			t.Errorf("frames %v: byte %d: %v", h.Frames, at, err)
			continue
		}
		name, err := hello.ServerName()
		if err != nil && len(name) > 0 {
			t.Errorf("frames %v: server_name: %v", h.Frames, err)
		}
		all = append(all, found{
			string(h.Transport), h.Src.String(), h.Dst.String(), hex.EncodeToString(hello.Random()), string(name),
			h.Frames[len(h.Frames)-1],
		})
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	return all
}

func TestFindsWhatTheManifestLists(t *testing.T) {
	for e := range corpus.OfKind(corpus.Captures) {
		t.Run(e.File, func(t *testing.T) {
			var want []found
			for _, h := range e.Hellos {
				want = append(want, found{h.Transport, h.Src, h.Dst, h.Random, h.ServerName, h.Frame})
			}
			if diff := cmp.Diff(want, find(t, e.Data())); diff != "" {
				t.Errorf("hellos (-want +got):\n%s", diff)
			}
		})
	}
}
