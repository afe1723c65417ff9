package capture_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// The client's segments of a recorded connection, put together, are the records that
// begin with its hello.
func TestSegments(t *testing.T) {
	e, ok := corpus.Lookup("captures/tcp-hrr-openssl.pcapng")
	if !ok {
		t.Fatal("the capture is missing")
	}
	r, err := capture.Open(bytes.NewReader(e.Data()), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var client netip.AddrPort
	var next uint32
	var stream []byte
	fins := 0
	for seg := range r.Segments() {
		if seg.SYN && !client.IsValid() {
			client, next = seg.Src, seg.Seq+1
		}
		if seg.FIN {
			fins++
		}
		if seg.Src == client && seg.Seq == next && !seg.SYN {
			stream = append(stream, seg.Payload...)
			next += uint32(len(seg.Payload))
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if len(stream) < 11 || stream[0] != 22 || stream[5] != 1 {
		t.Errorf("the client's stream begins with % x", stream[:min(len(stream), 11)])
	}
	if fins == 0 {
		t.Error("no segment has FIN")
	}
	if stats := r.Stats(); stats.Packets == 0 || stats.Hellos != 0 {
		t.Errorf("%+v", stats)
	}
	for range r.Segments() {
		t.Fatal("the capture is not at its end")
	}
}
