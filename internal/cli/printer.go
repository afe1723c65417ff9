package cli

import (
	"encoding/csv"
	"io"
)

// formats are the values of --format.
var formats = []string{"text", "jsonl", "json", "csv"}

// printer writes lines in one format. Close writes what the format ends with.
type printer interface {
	print(*line) error
	close() error
}

// newPrinter returns nil for an unknown format.
func newPrinter(format string, w io.Writer, style textStyle) printer {
	switch format {
	case "text":
		return newTextPrinter(w, style)
	case "jsonl":
		return &jsonlPrinter{w: w}
	case "json":
		return &jsonPrinter{w: w}
	case "csv":
		return &csvPrinter{w: csv.NewWriter(w)}
	}
	return nil
}
