//go:build race

package reqmtls

const raceEnabled = true
