//go:build !gofuzz_libfuzzer

package fuzz

// LibFuzzer says that go-118-fuzz-build made this program. It calls a fuzz function
// anew for every input, and brings its own seeds.
const LibFuzzer = false
