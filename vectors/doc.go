// Package vectors embeds test vectors for the TLS Flags extension and for the messages and
// protocols that carry it. Each vector is an input with the result that a parser must
// give. They are JSON files for implementations in any language; this package loads them
// for implementations in Go.
//
//	file, err := vectors.Load(vectors.TLSFlags)
//	if err != nil {
//		log.Fatal(err)
//	}
//	for _, test := range file.All() {
//		// test is a *FlagsTest: it has an Input and a Result.
//	}
//
// Each kind has a type for its tests. Those of all kinds are a Test; see the example of Kinds.
//
// README.md in the same folder explains the fields of a test and the version numbers. The
// files are in the public domain (CC0-1.0).
package vectors

//go:generate go run ./internal/generate
