package vectors

import (
	_ "embed"
	"strings"
)

//go:embed released.tsv
var released string

// Withdrawn reports whether an id named a test of an earlier version and names none now.
// The reason is a sentence. Successor is the id of the test to use instead, or "".
func Withdrawn(id string) (reason, successor string, ok bool) {
	_, row, ok := strings.Cut(released, "\n"+id+"\t")
	if !ok {
		return "", "", false
	}
	row, _, _ = strings.Cut(row, "\n")
	cells := strings.Split(row, "\t") // hash, since, withdrawn, reason, successor
	return cells[3], cells[4], cells[2] != ""
}
