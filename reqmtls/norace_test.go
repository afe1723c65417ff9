//go:build !race

package reqmtls

const RaceEnabled = false
