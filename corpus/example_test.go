package corpus_test

import (
	"fmt"

	"github.com/tlsflags/tlsflags/corpus"
)

func ExampleOfKind() {
	for e := range corpus.OfKind(corpus.Records) {
		data := e.Data()
		// Record header: type(1), legacy_record_version(2), length(2).
		fmt.Printf("%s from %s: record type %d, %d bytes\n", e.File, e.Clients[0].Name, data[0], len(data))
		break
	}
	// Output:
	// records/chromium-156-a.bin from Chromium: record type 22, 1949 bytes
}

func ExampleLookup() {
	e, ok := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	if !ok {
		return
	}
	for _, ext := range e.Hellos[0].TLSFlags {
		fmt.Printf("extension %d: %s\n", ext.Type, ext.Data)
	}
	// Output:
	// extension 62: 0b0000000000000000000001
}
