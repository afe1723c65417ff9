//go:build gofuzz

package fuzzing

// libFuzzer reports whether this is a program for libFuzzer, as OSS-Fuzz builds them. It
// calls Run for every input, and has its seeds in files.
const libFuzzer = true
