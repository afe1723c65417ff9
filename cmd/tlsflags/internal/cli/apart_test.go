package cli

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// showRecords shows the recorded hellos again and again, with a number of workers.
func showRecords(format string, workers int, w io.Writer) (*inspection, error) {
	const n = 1000
	in := &inspection{printer: newPrinter(format, w, textStyle{sources: true}, nil), parts: partsOf(format, nil)}
	if in.workers = workers; in.mayFormatApart() {
		in.groups = newGroups(in, "x.pcap", in.printer.(apartPrinter))
	}
	var records [][]byte
	for e := range corpus.OfKind(corpus.Records) {
		records = append(records, e.Data()[5:])
	}
	var err error
	for i := 0; i < n && err == nil; i++ {
		// The hello is valid until the next one.
		h := capture.Hello{Transport: capture.TCP, Index: 1 + i%2, Frames: []int{i, i + 1}, Message: bytes.Clone(records[i%len(records)])}
		err = in.found("x.pcap", &h)
		clear(h.Message)
		clear(h.Frames)
	}
	if in.groups != nil {
		err = in.groups.end(err)
	}
	if err == nil {
		err = in.printer.close()
	}
	return in, err
}

// TestGroups checks that rows which several goroutines format are those of one, in their order.
func TestGroups(t *testing.T) {
	for _, format := range outputFormats {
		var want, got bytes.Buffer
		one, err := showRecords(format, 1, &want)
		several, errSeveral := showRecords(format, 3, &got)
		if err != nil || errSeveral != nil {
			t.Fatal(err, errSeveral)
		}
		if apart := several.groups != nil; apart == (format == "text") || got.String() != want.String() {
			t.Errorf("%s: %s", format, firstDifference(got.String(), want.String()))
		}
		if several.summary.helloCounts != one.summary.helloCounts {
			t.Errorf("%s: counts %+v, not %+v", format, several.summary.helloCounts, one.summary.helloCounts)
		}
	}
}

// TestGroupsEnd checks that an error of the output ends the goroutines that format rows.
func TestGroupsEnd(t *testing.T) {
	in, err := showRecords("jsonl", 3, &fullDisk{100_000})
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
	in.groups.all.Wait() // they have ended
}
