package cli

import (
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// fieldList is the value of --fields: paths of the JSON.
type fieldList []paths.Path

func (l *fieldList) Type() string   { return "NAME,..." }
func (l *fieldList) String() string { return "" }

func (l *fieldList) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		p, err := lineType().Find(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		*l = append(*l, p)
	}
	return nil
}

// match adds the bytes of the message to the fields if they are asked for, or the other way
// round.
func (l *fieldList) match(bytes *bool) {
	const key = "message"
	has := slices.ContainsFunc(*l, func(p paths.Path) bool { return p.String() == key })
	if *bytes && *l != nil && !has {
		p, err := lineType().Find(key)
		if err != nil {
			panic(err) // it is one of line
		}
		*l = append(*l, p)
	}
	*bytes = *bytes || has
}

// check returns an error for a field that has no place in a cell.
func (l fieldList) check(format string) error {
	if format == parquetFormat {
		return l.checkColumns()
	}
	for _, p := range l {
		switch t := p.Type(); {
		case format != "text" && format != "csv" || fitsCell(t):
		case t.Kind == paths.List:
			return usageError("--fields: %s is a list of objects; use --format jsonl", p)
		default:
			return usageError("--fields: %s is an object; name its keys, or use --format jsonl", p)
		}
	}
	return nil
}

// parts returns what of a hello the fields need.
func (l fieldList) parts() parts {
	var all parts
	for _, p := range l {
		part, ok := partsOfFields[p.String()]
		if !ok && (p[0].Name == "client_hello" || p[0].Name == "partial") {
			part = allParts
		}
		all |= part
	}
	return all
}

var partsOfFields = map[string]parts{
	"ja4":                             partJA4,
	"client_hello.length":             0,
	"client_hello.legacy_version":     0,
	"client_hello.server_name":        0,
	"client_hello.supported_versions": 0,
	"client_hello.random":             partRandom,
	"client_hello.session_id":         partRandom,
	"client_hello.cipher_suites":      partSuites,
	"client_hello.alpn":               partALPN,
	"client_hello.extensions":         partExtensions,
	"client_hello.ech":                partECH,
}

// fitsCell reports whether values fit a cell: of a code point it has the number or the name,
// and of another object the code.
func fitsCell(t *paths.Type) bool {
	if t.Kind == paths.List {
		t = t.Elem
	}
	return t.Kind != paths.Object || t.IsPoint() || t.Field("code") != nil
}

// cells are how values look in csv or text.
type cells struct {
	separator string // of a list
	names     bool   // of code points, if they have one
}

var (
	csvCells  = cells{" ", false}
	textCells = cells{",", true}
)

// of returns the cell of a value, "" if it is absent.
func (c cells) of(v reflect.Value, t *paths.Type) string {
	if !v.IsValid() {
		return ""
	}
	switch t.Kind {
	case paths.Text, paths.Moment:
		return printable(v.String())
	case paths.Truth:
		return strconv.FormatBool(v.Bool())
	case paths.List:
		list := make([]string, v.Len())
		for i := range list {
			cell := c.of(v.Index(i), t.Elem)
			list[i] = strings.ReplaceAll(cell, c.separator, `\x`+strconv.FormatInt(int64(c.separator[0]), 16))
		}
		return strings.Join(list, c.separator)
	case paths.Object:
		return c.ofObject(v, t)
	}
	return strconv.Itoa(paths.Plain(v, t).(int))
}

func (c cells) ofObject(v reflect.Value, t *paths.Type) string {
	key := t.Field("code")
	if t.IsPoint() {
		key = t.Field("value")
		if name := t.Field("name"); c.names && name.In(v).IsValid() {
			key = name
		}
	}
	return c.of(key.In(v), key.Type)
}

// fieldsCSV writes a header and the fields of each hello.
type fieldsCSV struct {
	w      io.Writer
	fields fieldList
	cells  []func([]byte, *line) []byte // of the fields
	b      []byte
	headed bool
}

func newFieldsCSV(w io.Writer, fields fieldList) *fieldsCSV {
	p := &fieldsCSV{w: w, fields: fields}
	for _, f := range fields {
		cell := func(b []byte, l *line) []byte {
			return append(b, noFormula(csvCells.of(f.In(reflect.ValueOf(l).Elem()), f.Type()))...)
		}
		if i := slices.IndexFunc(csvColumns, isColumn(f.String())); i >= 0 {
			cell = csvColumns[i].append // the same, in less time
		}
		p.cells = append(p.cells, cell)
	}
	return p
}

// isColumn returns whether a column of csv has what a key of the JSON has.
func isColumn(key string) func(csvColumn) bool {
	inHello, ok := strings.CutPrefix(key, "client_hello.")
	return func(c csvColumn) bool { return c.name == inHello && ok == c.ofHello }
}

func (p *fieldsCSV) print(l *line) error {
	p.header()
	p.b = p.b[:0]
	for _, cell := range p.cells {
		start := len(p.b)
		p.b = append(quoteCell(cell(p.b, l), start), ',')
	}
	if p.b[len(p.b)-1] = '\n'; len(p.b) == 1 { // readers pass over empty lines
		p.b = append(p.b[:0], "\"\"\n"...)
	}
	_, err := p.w.Write(p.b)
	return err
}

func (p *fieldsCSV) header() {
	if p.headed {
		return
	}
	p.headed = true
	var names []string
	for _, f := range p.fields {
		names = append(names, f.String())
	}
	_, _ = io.WriteString(p.w, strings.Join(names, ",")+"\n") // the next Write has the error
}

func (p *fieldsCSV) close() error {
	p.header()
	return nil
}

// projection is a tree of the fields of an object; nil is all of them.
type projection []projected

type projected struct {
	field  paths.Field
	inside projection
}

// add adds a path. The order of the keys is the one in which they are first named.
func (p projection) add(path paths.Path) projection {
	i := slices.IndexFunc(p, func(x projected) bool { return x.field.Name == path[0].Name })
	switch {
	case i < 0 && len(path) == 1:
		return append(p, projected{path[0], nil})
	case i < 0:
		return append(p, projected{path[0], projection(nil).add(path[1:])})
	case len(path) == 1:
		p[i].inside = nil
	case p[i].inside != nil:
		p[i].inside = p[i].inside.add(path[1:])
	}
	return p
}

// append appends an object with the fields that were named.
func (p projection) append(b []byte, object reflect.Value) []byte {
	b = append(b, '{')
	start := len(b)
	for i := range p {
		f := &p[i].field
		v := f.In(object)
		if !v.IsValid() && f.OmitEmpty {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(appendString(b, f.Name), ':')
		if p[i].inside != nil && v.IsValid() {
			b = p[i].inside.append(b, v)
		} else {
			b = appendAny(b, v, f.Type)
		}
	}
	return append(b, '}')
}

// appendAny appends any value as JSON, as appendLine does.
func appendAny(b []byte, v reflect.Value, t *paths.Type) []byte {
	if !v.IsValid() {
		return append(b, "null"...)
	}
	switch t.Kind {
	case paths.Text, paths.Moment:
		return appendString(b, v.String())
	case paths.Truth:
		return strconv.AppendBool(b, v.Bool())
	case paths.Number:
		return appendInt(b, paths.Plain(v, t).(int))
	case paths.List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendAny(b, v.Index(i), t.Elem)
		}
		return append(b, ']')
	}
	var whole projection
	for _, f := range t.Fields {
		whole = append(whole, projected{f, nil})
	}
	return whole.append(b, v)
}
