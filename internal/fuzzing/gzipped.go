package fuzzing

import (
	"bytes"
	"compress/gzip"

	"github.com/tlsflags/tlsflags/corpus"
)

// GzippedCaptures yields the short captures of the corpus, compressed by gzip.
func GzippedCaptures(yield func([]byte) bool) {
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
