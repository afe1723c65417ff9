package columns_test

import (
	"bytes"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"github.com/tlsflags/tlsflags/capture/columns"
)

// randomRow returns a row with any values that a row can have.
func randomRow(r *rand.Rand) columns.Row {
	var row columns.Row
	v := reflect.ValueOf(&row).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Type() == reflect.TypeFor[time.Time]() {
			if r.Intn(4) > 0 {
				f.Set(reflect.ValueOf(time.UnixMicro(r.Int63n(4e15) - 2e15).UTC()))
			}
			continue
		}
		value, _ := quick.Value(f.Type(), r)
		f.Set(value)
	}
	return row
}

func write(t *testing.T, rows []columns.Row, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := columns.NewWriter(&b, names...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, file []byte) []columns.Row {
	t.Helper()
	rows, err := parquet.Read[columns.Row](bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// same compares rows. In a list, nil and empty are the same; in a blob they are not.
var same = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().Type().Kind() == reflect.Slice && p.Last().Type().Elem().Kind() != reflect.Uint8
}, cmpopts.EquateEmpty())

// TestRoundTrip writes random rows and reads them.
func TestRoundTrip(t *testing.T) {
	for seed := range int64(50) {
		r := rand.New(rand.NewSource(seed))
		rows := make([]columns.Row, r.Intn(20))
		for i := range rows {
			rows[i] = randomRow(r)
		}
		got := read(t, write(t, rows))
		if diff := cmp.Diff(rows, got, same); diff != "" {
			t.Fatalf("seed %d: -want +got\n%s", seed, diff)
		}
	}
}

// TestRowGroups checks the size of the row groups of many rows, and that all are there.
func TestRowGroups(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	rows := make([]columns.Row, 30_000)
	for i := range rows {
		rows[i] = columns.Row{Source: "a", ServerName: string(rune('a' + i%26)), Message: make([]byte, 1200)}
		r.Read(rows[i].Message)
	}
	b := write(t, rows)
	file, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, group := range file.Metadata().RowGroups {
		if group.TotalByteSize > columns.MaxRowGroup {
			t.Errorf("a row group of %d bytes, more than %d", group.TotalByteSize, columns.MaxRowGroup)
		}
		total += group.NumRows
	}
	if n := len(file.RowGroups()); n < 4 || n > 8 || total != int64(len(rows)) {
		t.Errorf("%d row groups of %d rows", n, total)
	}
	for i, got := range read(t, b) {
		if !bytes.Equal(got.Message, rows[i].Message) || got.ServerName != rows[i].ServerName {
			t.Fatalf("row %d differs", i)
		}
	}
	if v, ok := file.Lookup(columns.SchemaKey); !ok || v != columns.Schema {
		t.Errorf("the metadata has schema %q", v)
	}
}

// TestChosenColumns writes some of the columns, in their order.
func TestChosenColumns(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	rows := []columns.Row{randomRow(r), randomRow(r)}
	b := write(t, rows, "ja4", "time", "flags")
	file, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range file.Schema().Columns() {
		names = append(names, path[0])
	}
	if !slices.Equal(names, []string{"ja4", "time", "flags"}) {
		t.Errorf("columns %q", names)
	}
	for i, got := range read(t, b) {
		want := rows[i]
		if got.JA4 != want.JA4 || got.Time != want.Time || !slices.Equal(got.Flags, want.Flags) || got.Message != nil {
			t.Errorf("row %d is %+v, want %+v", i, got, want)
		}
	}
	for _, names := range [][]string{{"nothing"}, {"ja4", "ja4"}} {
		if _, err := columns.NewWriter(&bytes.Buffer{}, names...); err == nil {
			t.Errorf("NewWriter accepts %q", names)
		}
	}
}
