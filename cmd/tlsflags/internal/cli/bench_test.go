package cli

import (
	"io"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

func BenchmarkPrint(b *testing.B) {
	entry, _ := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	h := capture.Hello{Transport: capture.TCP, Index: 1, Frames: []int{4, 6}, Message: entry.Data()[5:]}
	for _, format := range outputFormats {
		b.Run(format, func(b *testing.B) {
			in := inspection{printer: newPrinter(format, io.Discard, textStyle{}, nil), parts: partsOf(format, nil)}
			b.ReportAllocs()
			for b.Loop() {
				if err := in.found("x.pcap", &h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
