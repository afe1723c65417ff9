package fuzz

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/cli"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// foundHello is what is compared of a capture.Hello.
type foundHello struct {
	Transport capture.Transport
	Frames    []int
	Message   []byte
	Code      string
	Offset    int
	Index     int
	ParseErr  string
}

func newFoundHello(h *capture.Hello) foundHello {
	f := foundHello{h.Transport, slices.Clone(h.Frames), bytes.Clone(h.Message), h.Code.Name(), h.Offset, h.Index, ""}
	if _, _, err := h.Parse(); err != nil {
		f.ParseErr = err.Error()
	}
	return f
}

// readCapture returns what is found in a capture, and the counts.
func readCapture(r io.Reader, o capture.Options) ([]foundHello, capture.Stats, error) {
	reader, err := capture.Open(r, o)
	if err != nil {
		return nil, capture.Stats{}, err
	}
	var found []foundHello
	for h := range reader.Hellos() {
		found = append(found, newFoundHello(h))
	}
	return found, reader.Stats(), reader.Err()
}

// CheckCapture holds package capture to what can be said of any file: it reads the same
// from a slow source, frames exist, the counts fit, and a tight limit only loses hellos.
func CheckCapture(file []byte) error {
	found, stats, err := readCapture(bytes.NewReader(file), capture.Options{})
	again, stats2, err2 := readCapture(iotest.OneByteReader(bytes.NewReader(file)), capture.Options{})
	if diff := cmp.Diff(found, again); diff != "" || stats != stats2 || (err == nil) != (err2 == nil) {
		return fmt.Errorf("read at once (-, %v) and byte by byte (+, %v):\n%s", err, err2, diff)
	}
	if errors.Is(err, capture.ErrFormat) && (len(found) > 0 || stats.Packets > 0) {
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
	if few, _, _ := readCapture(bytes.NewReader(file), capture.Options{MaxFlows: 1, MaxMemory: 4096}); stats.Flows == 1 && len(few) > len(found) {
		return fmt.Errorf("%d hellos with a tight limit, %d without", len(few), len(found))
	}
	return nil
}

func captureSeeds(yield func([]byte) bool) { chain(recordedCaptures, packetSeeds)(yield) }

func recordedCaptures(yield func([]byte) bool) {
	const large = 40_000 // what takes longer to read than it is worth
	for e := range corpus.OfKind(corpus.Captures) {
		data := e.Data()
		if len(data) <= large && !yield(data) {
			return
		}
	}
	for e := range corpus.OfKind(corpus.Captures) {
		if data := e.Data(); len(data) < 3000 {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Write(data) // a Buffer takes everything
			w.Close()
			if !yield(b.Bytes()) {
				return
			}
		}
	}
}

// CheckInspect runs tlsflags inspect on what stands on standard input. Any input is fine
// or unreadable, the answer is well formed, and the same for the same input.
func CheckInspect(file []byte, choice byte) error {
	format := []string{"text", "jsonl", "json", "csv"}[choice%4]
	args := []string{"inspect", "--format", format}
	for bit, option := range []string{"--stats", "--strict", "--redact", "--quiet"} {
		if choice>>(4+bit)&1 != 0 {
			args = append(args, option)
		}
	}
	args = append(args, "-")
	var out, complaints bytes.Buffer
	exit := cli.Run(context.Background(), args, bytes.NewReader(file), &out, &complaints)
	switch {
	case exit == int(cli.ExitDone), exit == int(cli.ExitInput) && complaints.Len() > 0:
	case exit == int(cli.ExitRefused) && slices.Contains(args, "--strict"):
	default:
		return fmt.Errorf("%q: exit code %d, %q", args, exit, complaints.String())
	}
	for _, c := range append(out.Bytes(), complaints.Bytes()...) {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return fmt.Errorf("%q: control character %#x in the output", args, c)
		}
	}
	if format == "jsonl" || format == "json" {
		decoder := json.NewDecoder(&out)
		for {
			var v any
			if err := decoder.Decode(&v); err == io.EOF {
				break
			} else if err != nil {
				return fmt.Errorf("%q: %w", args, err)
			}
		}
	}
	return nil
}

func checkInspectInput(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return CheckInspect(data[1:], data[0])
}

func inspectSeeds(yield func([]byte) bool) {
	choice := byte(0)
	chain(captureSeeds, messages,
		each(messages, func(msg []byte) []byte { return assembletest.InRecords(msg, nil) }),
		each(messages, func(msg []byte) []byte { return fmt.Appendf(nil, "%x\n", msg) }),
		generated(12, 8, false),
	)(func(file []byte) bool {
		choice += 37
		return yield(append([]byte{choice}, file...))
	})
}
