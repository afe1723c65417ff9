package cli

import (
	"io"
	"slices"

	"github.com/tlsflags/tlsflags/capture/columns"
)

// parquetFormat is the one value of --format that is not text.
const parquetFormat = "parquet"

// parquetPrinter writes one file of Parquet. Its memory is a row group.
type parquetPrinter struct {
	out   io.Writer
	names []string // of the columns; none: all
	w     *columns.Writer
}

func newParquetPrinter(w io.Writer, fields fieldList) *parquetPrinter {
	p := &parquetPrinter{out: w}
	for _, f := range fields {
		p.names = append(p.names, columnOf(f.String()))
	}
	return p
}

// columnOf returns the column of Parquet that has a key of the JSON, or "".
func columnOf(key string) string {
	for _, c := range columns.All() {
		if c.Key == key {
			return c.Name
		}
	}
	return ""
}

// checkColumns returns an error for a field that Parquet has no column for, or that is named
// twice.
func (l fieldList) checkColumns() error {
	var keys []string
	for _, p := range l {
		switch key := p.String(); {
		case columnOf(key) == "":
			return usageError("--fields: Parquet has no column for %s; use --format jsonl", key)
		case slices.Contains(keys, key):
			return usageError("--fields: %s is named twice, and Parquet has each column once", key)
		default:
			keys = append(keys, key)
		}
	}
	return nil
}

func (p *parquetPrinter) open() (err error) {
	if p.w == nil {
		p.w, err = columns.NewWriter(p.out, p.names...)
	}
	return err
}

func (p *parquetPrinter) print(l *line) error {
	if err := p.open(); err != nil {
		return err
	}
	row := columns.Of(l.Source, l.hello)
	row.Acknowledged = l.Acknowledged
	for _, f := range l.Faults[min(len(row.Faults), len(l.Faults)):] { // those of the flags
		row.Faults, row.FaultOffsets = append(row.Faults, f.Code), append(row.FaultOffsets, int32(f.Offset))
	}
	if l.redacted {
		row.SrcIP, row.SrcPort, row.DstIP, row.DstPort = "", nil, "", nil
		row.Random, row.SessionID, row.ServerName = nil, nil, ""
		row.QUICDCID, row.QUICSCID = nil, nil
		row.Message, row.Path = nil, l.Path
	}
	return p.w.Write(&row)
}

func (p *parquetPrinter) close() error {
	if err := p.open(); err != nil {
		return err
	}
	return p.w.Close()
}
