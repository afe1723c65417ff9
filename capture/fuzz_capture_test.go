package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

// foundHello is what is compared of a Hello.
type foundHello struct {
	Transport Transport
	Frames    []int
	Message   []byte
	Code      string
	Offset    int
	Index     int
	ParseErr  string

	Doubt  bool
	Framed bool // it came in frames of a TCP stream, whose flow is not counted
}

func newFoundHello(h *Hello) foundHello {
	f := foundHello{h.Transport, slices.Clone(h.Frames), bytes.Clone(h.Message), h.Code.Name(), h.Offset, h.Index, "", h.Ambiguous != 0, slices.Contains(h.Path, "tcp") && h.Path[len(h.Path)-1] != "tcp"}
	if _, _, err := h.Parse(); err != nil {
		f.ParseErr = err.Error()
	}
	return f
}

// readCapture returns what is found in a capture, and the counts. Rows that are only a doubt are
// left out.
func readCapture(r io.Reader, o Options) ([]foundHello, Stats, error) {
	reader, err := Open(r, o)
	if err != nil {
		return nil, Stats{}, err
	}
	var found []foundHello
	for h := range reader.Hellos() {
		if h.Found() {
			found = append(found, newFoundHello(h))
		}
	}
	return found, reader.Stats(), reader.Err()
}

// CheckCapture holds package capture to what can be said of any file: it reads the same
// from a slow source unless it is damaged, frames exist, the counts fit, and a tight limit only
// loses hellos, but for those of flows that were evicted before they were decided, and those
// that come again later.
func CheckCapture(file []byte) error {
	found, stats, err := readCapture(bytes.NewReader(file), Options{})
	again, stats2, err2 := readCapture(iotest.OneByteReader(bytes.NewReader(file)), Options{})
	// Where a file is damaged, it matters how much of it is there to look at.
	if damaged := stats.Damaged+stats2.Damaged > 0; damaged {
	} else if diff := cmp.Diff(found, again); diff != "" || stats != stats2 || (err == nil) != (err2 == nil) {
		return fmt.Errorf("read at once (-, %v) and byte by byte (+, %v):\n%s", err, err2, diff)
	}
	if errors.Is(err, ErrFormat) && (len(found) > 0 || stats.Packets > 0) {
		return errors.New("hellos in what is no capture")
	}
	refused := 0
	for i, h := range found {
		if h.Code != "" {
			refused++
		} else if len(h.Message) < 4 || len(h.Frames) == 0 {
			return fmt.Errorf("hello %d: %d bytes in %d frames", i, len(h.Message), len(h.Frames))
		}
		for _, frame := range h.Frames {
			if frame < 1 || frame > stats.Packets {
				return fmt.Errorf("hello %d: frame %d of %d", i, frame, stats.Packets)
			}
		}
	}
	if stats.Refused != refused || stats.Hellos != len(found)-refused {
		return fmt.Errorf("%d hellos and %d refused were found, the counts are %+v", len(found)-refused, refused, stats)
	}
	few, tight, _ := readCapture(bytes.NewReader(file), Options{MaxFlows: 1, MaxMemory: 4096})
	few = slices.DeleteFunc(few, func(h foundHello) bool { return h.Doubt || h.Framed })
	few = slices.CompactFunc(few, func(a, b foundHello) bool { return bytes.Equal(a.Message, b.Message) })
	if stats.Flows == 1 && tight.Evicted == 0 && len(few) > len(found) {
		return fmt.Errorf("%d hellos with a tight limit, %d without", len(few), len(found))
	}
	return nil
}

func captureSeeds(yield func([]byte) bool) {
	fuzzing.Chain(recordedCaptures, fuzzing.GzippedCaptures, packetSeeds)(yield)
}

func recordedCaptures(yield func([]byte) bool) {
	const large = 40_000 // what takes longer to read than it is worth
	for e := range corpus.OfKind(corpus.Captures) {
		data := e.Data()
		if len(data) <= large && !yield(data) {
			return
		}
	}
}
