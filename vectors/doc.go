// Package vectors embeds test vectors for the TLS Flags extension and for what carries
// it: bytes in, verdict out. They are JSON files for implementations in any language;
// this package loads them for those in Go.
//
//	file, err := vectors.Load(vectors.TLSFlags)
//	if err != nil {
//		log.Fatal(err)
//	}
//	for group, test := range file.All() {
//		// group.Entry says what test.Input is.
//	}
//
// README.md beside the files says what a test means, and how versions are counted. The
// files are in the public domain (CC0-1.0).
package vectors

//go:generate go run ./internal/generate
