package cli

import (
	"encoding/csv"
	"io"
)

// outputFormats are the values of --format of inspect.
var outputFormats = []string{"text", "jsonl", "json", "csv"}

// printer writes lines in one format. Close writes what the format ends with; an error
// comes with the next flush of the output.
type printer interface {
	print(*line) error
	close()
}

func newPrinter(format string, w io.Writer, style textStyle) printer {
	switch format {
	case "jsonl":
		return &jsonlPrinter{w: w}
	case "json":
		return &jsonPrinter{w: w}
	case "csv":
		return &csvPrinter{w: csv.NewWriter(w)}
	}
	return newTextPrinter(w, style)
}

// partsOf returns what of a hello a format shows.
func partsOf(format string) parts {
	switch format {
	case "text":
		return textParts
	case "csv":
		return csvParts
	}
	return allParts
}
