package cli

import (
	"io"
	"reflect"
)

// outputFormats are the values of --format of inspect that are text.
var outputFormats = []string{"text", "jsonl", "json", "csv"}

// printer writes lines in one format. Close writes what the format ends with; an error of
// the output may come with its next flush.
type printer interface {
	print(*line) error
	close() error
}

// newPrinter returns a printer of whole rows or, if there are any, of the fields.
func newPrinter(format string, w io.Writer, style textStyle, fields fieldList) printer {
	object := appendLine
	if fields != nil {
		var p projection
		for _, f := range fields {
			p = p.add(f)
		}
		object = func(b []byte, l *line) []byte { return p.append(b, reflect.ValueOf(l).Elem()) }
	}
	switch {
	case format == parquetFormat:
		return newParquetPrinter(w, fields)
	case format == "jsonl":
		return &jsonlPrinter{w: w, append: object}
	case format == "json":
		return &jsonPrinter{w: w, append: object}
	case format == "csv" && fields != nil:
		return newFieldsCSV(w, fields)
	case format == "csv":
		return &csvPrinter{w: w}
	case fields != nil:
		return &fieldsText{w: w, fields: fields, style: style}
	}
	return newTextPrinter(w, style)
}

// partsOf returns what of a hello a format shows.
func partsOf(format string, fields fieldList) parts {
	switch {
	case format == parquetFormat: // which reads the hello itself
		return 0
	case fields != nil:
		return fields.parts()
	case format == "text":
		return textParts
	case format == "csv":
		return csvParts
	}
	return allParts
}

// print makes the printer, which may write to several files.
func (in *inspection) print(args []string, to *resultFiles) {
	out := in.cmd.OutOrStdout()
	style := textStyle{painter: useColor(in.color.value, out), width: widthOf(in.cmd, out), sources: in.severalSources(args), only: in.only}
	fresh := func() printer {
		p := newPrinter(in.format.value, in.out, style, in.fields)
		if c, ok := p.(*csvPrinter); ok {
			c.bytes = in.bytes
		}
		return p
	}
	if to != nil && to.rotate.on() {
		in.printer = &rotatingPrinter{files: to, fresh: fresh, out: in.out}
	} else {
		in.printer = fresh()
	}
}
