//go:build race

package assemble_test

const raceEnabled = true
