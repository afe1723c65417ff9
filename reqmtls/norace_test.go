//go:build !race

package reqmtls

const raceEnabled = false
