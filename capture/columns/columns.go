// Package columns writes ClientHellos as Parquet: a [Row] for each, in columns whose names
// and types do not change.
//
//	w, err := columns.NewWriter(file)
//	if err != nil {
//		return err
//	}
//	for hello := range reader.Hellos() {
//		row := columns.Of("capture.pcap", hello)
//		if err := w.Write(&row); err != nil {
//			return err
//		}
//	}
//	return w.Close()
//
// docs/parquet.md describes the columns. As long as [Schema] has the same value, none is
// removed or renamed, and none changes its type or its meaning; new ones may be added at the
// end. Read a file by the names of its columns.
package columns

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Schema is the version of the columns. A file has it in its metadata, as the value of
// SchemaKey.
const (
	Schema    = "tlsflags.hellos/1"
	SchemaKey = "tlsflags.schema"
)

// MaxRowGroup is how many bytes a row group has at most, before compression. A Writer holds
// one in memory.
const MaxRowGroup = 16 << 20

// A Column is a field of Row.
type Column struct {
	Name  string
	Key   string // the key of tlsflags inspect's JSON with the same value, or ""
	field reflect.StructField
}

// All returns the columns in the order of Row.
func All() []Column {
	var list []Column
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Row]()) {
		name, _, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		list = append(list, Column{name, f.Tag.Get("key"), f})
	}
	return list
}

// Type returns the type of the column, such as "timestamp", "uint16" or "text[]".
func (c Column) Type() string {
	t, list := c.field.Type, ""
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		t, list = t.Elem(), "[]"
	}
	switch t.Kind() {
	case reflect.Struct:
		return "timestamp"
	case reflect.Slice:
		return "blob"
	case reflect.String:
		return "text" + list
	case reflect.Bool:
		return "boolean"
	}
	return t.Kind().String() + list
}

// A Writer writes rows to a file. Its memory is one row group and what compresses it.
type Writer struct {
	w      *parquet.GenericWriter[any]
	schema *parquet.Schema
	fields [][]int // of Row, in the order of the columns
	values reflect.Value
	row    parquet.Row
	size   int // of the row group, in bytes
}

// NewWriter returns a Writer of the columns with these names, in their order; without names,
// of all columns. It fails if there is no such column, or if one is named twice.
func NewWriter(w io.Writer, names ...string) (*Writer, error) {
	all := All()
	chosen := all
	if len(names) > 0 {
		chosen = nil
	}
	for i, name := range names {
		at := slices.IndexFunc(all, func(c Column) bool { return c.Name == name })
		switch {
		case at < 0:
			return nil, fmt.Errorf("there is no column %q", name)
		case slices.Contains(names[:i], name):
			return nil, fmt.Errorf("the column %q is named twice", name)
		}
		chosen = append(chosen, all[at])
	}
	var fields []reflect.StructField
	out := &Writer{}
	for _, c := range chosen {
		fields = append(fields, reflect.StructField{Name: c.field.Name, Type: c.field.Type, Tag: c.field.Tag})
		out.fields = append(out.fields, c.field.Index)
	}
	out.values = reflect.New(reflect.StructOf(fields))
	out.schema = parquet.SchemaOf(out.values.Interface())
	out.w = parquet.NewGenericWriter[any](w, out.schema, parquet.Compression(&parquet.Zstd),
		parquet.KeyValueMetadata(SchemaKey, Schema))
	return out, nil
}

// Write adds a row. It copies what it keeps of it.
func (w *Writer) Write(r *Row) error {
	from, to := reflect.ValueOf(r).Elem(), w.values.Elem()
	for i, index := range w.fields {
		to.Field(i).Set(from.FieldByIndex(index))
	}
	w.row = w.schema.Deconstruct(w.row[:0], w.values.Interface())
	size := 0
	for _, v := range w.row {
		size += sizeOf(v)
	}
	if w.size > 0 && w.size+size > MaxRowGroup {
		if err := w.w.Flush(); err != nil {
			return err
		}
		w.size = 0
	}
	w.size += size
	_, err := w.w.WriteRows([]parquet.Row{w.row})
	return err
}

// sizeOf returns how many bytes a value takes in a page, at most, with its levels.
func sizeOf(v parquet.Value) int {
	const fixed, levels = 8, 2
	if v.Kind() == parquet.ByteArray && !v.IsNull() {
		return len(v.ByteArray()) + 4 + levels
	}
	return fixed + levels
}

// Close writes the rest and the end of the file. It does not close the file.
func (w *Writer) Close() error { return w.w.Close() }
