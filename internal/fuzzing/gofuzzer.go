//go:build !gofuzz

package fuzzing

const libFuzzer = false
