package capture_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

// found is what is compared of a hello.
type found struct {
	Transport, Src, Dst, Random, ServerName string
	Frame                                   int // that completes it
	ALPN                                    []string
	Extensions                              []uint16 // their types, in order
	TLSFlags                                []corpus.Extension
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
		f := found{
			Transport: string(h.Transport), Src: h.Src.String(), Dst: h.Dst.String(),
			Random: hex.EncodeToString(hello.Random()), ServerName: string(name),
			Frame: h.Frames[len(h.Frames)-1],
		}
		alpn, err := hello.ALPN()
		if err != nil {
			t.Errorf("frames %v: application_layer_protocol_negotiation: %v", h.Frames, err)
		}
		for protocol := range alpn.All() {
			f.ALPN = append(f.ALPN, string(protocol))
		}
		for e := range hello.Extensions().All() {
			f.Extensions = append(f.Extensions, uint16(e.Type))
			if e.Type == extension.TLSFlags || e.Type == extension.TLSFlagsExperimental {
				f.TLSFlags = append(f.TLSFlags, corpus.Extension{Type: uint16(e.Type), Data: hex.EncodeToString(e.Data)})
			}
		}
		all = append(all, f)
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	return all
}

// TestFindsWhatTheManifestLists compares the hellos of each capture with those that tshark
// found in it: frames, names, protocols, extensions and flags.
func TestFindsWhatTheManifestLists(t *testing.T) {
	for e := range corpus.OfKind(corpus.Captures) {
		t.Run(e.File, func(t *testing.T) {
			var want []found
			for _, h := range e.Hellos {
				want = append(want, found{
					h.Transport, h.Src, h.Dst, h.Random, h.ServerName, h.Frame,
					h.ALPN, h.Extensions, h.TLSFlags,
				})
			}
			if diff := cmp.Diff(want, find(t, e.Data()), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("hellos (-want +got):\n%s", diff)
			}
		})
	}
}
