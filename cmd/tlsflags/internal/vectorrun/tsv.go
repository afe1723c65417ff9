package vectorrun

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

func encodeTSV(q question) []byte {
	input := hex.EncodeToString(q.Input)
	if q.Pieces != nil {
		input = joinHex(q.Pieces)
	}
	memory := ""
	if q.Memory > 0 {
		memory = strconv.Itoa(q.Memory)
	}
	columns := []string{q.ID, q.Kind, string(q.Entry), input, memory, q.Sender, q.Message, joinHex(q.Before)}
	return []byte(strings.Join(columns, "\t") + "\n")
}

func joinHex(list []vectors.Bytes) string {
	var digits []string
	for _, b := range list {
		digits = append(digits, hex.EncodeToString(b))
	}
	return strings.Join(digits, ",")
}

// The columns of an answer after the id and the result.
const (
	columnCode = iota + 2
	columnOffset
	columnAlert
	columnFlagsExtension
	columnFlags
	columnOutcome
	columnJoined
	columnServerName
	columnALPN
	columnVersions
	columnSuites
	columnExtensions
	columnQUICError
	columnLegacyVersion
	columnSessionID
	columnCompression
	columns
)

func decodeTSV(line []byte) (Answer, error) {
	cells := strings.Split(strings.TrimRight(string(line), "\r\n"), "\t")
	if len(cells) < 2 {
		return Answer{}, fmt.Errorf("the answer %s has one column: it needs an id, a tab and a result", quote(line))
	}
	if len(cells) > columns {
		return Answer{}, fmt.Errorf("the answer has %d columns; it may have at most %d", len(cells), columns)
	}
	r := row{cells: slices.Concat(cells, make([]string, columns))}
	a := Answer{
		ID: cells[0], Result: vectors.Result(cells[1]),
		Code: r.text(columnCode), Outcome: vectors.Outcome(r.text(columnOutcome)),
		Offset: r.number(columnOffset, 31), Alert: r.number(columnAlert, 8), QUICError: r.number(columnQUICError, 16),
		Flags: r.numbers(columnFlags), Joined: r.bytes(columnJoined),
	}
	if typ := r.number(columnFlagsExtension, 16); typ != nil {
		a.FlagsExtension = new(uint16(*typ))
	}
	a.ClientHello = r.hello()
	return a, r.err
}

// A row is a line in TSV. A cell that is empty or "?" is a key that is missing.
type row struct {
	cells []string
	err   error // the first
}

func (r *row) text(column int) string {
	if r.cells[column] == "?" {
		return ""
	}
	return r.cells[column]
}

// list returns the members of a list; "-" has none.
func (r *row) list(column int) (members []string, ok bool) {
	switch s := r.text(column); s {
	case "":
		return nil, false
	case "-":
		return nil, true
	default:
		return strings.Split(s, ","), true
	}
}

func (r *row) wrong(column int, cell, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("column %d of the answer has %s, not %s", column+1, quote([]byte(cell)), want)
	}
}

func (r *row) parse(column int, cell string, bits int) int {
	n, err := strconv.ParseUint(cell, 10, bits)
	if err != nil {
		r.wrong(column, cell, fmt.Sprintf("a number from 0 to %d", 1<<bits-1))
	}
	return int(n)
}

func (r *row) number(column, bits int) *int {
	s := r.text(column)
	if s == "" {
		return nil
	}
	return new(r.parse(column, s, bits))
}

func (r *row) numbers(column int) []uint16 {
	members, ok := r.list(column)
	if !ok {
		return nil
	}
	list := []uint16{}
	for _, m := range members {
		list = append(list, uint16(r.parse(column, m, 16)))
	}
	return list
}

func (r *row) parseHex(column int, cell string) []byte {
	b, err := hex.DecodeString(cell)
	if err != nil {
		r.wrong(column, cell, "hexadecimal digits")
	}
	return b
}

func (r *row) bytes(column int) vectors.Bytes {
	s := r.text(column)
	if s == "" {
		return nil
	}
	return r.parseHex(column, s)
}

// hello returns the columns with members of the hello.
func (r *row) hello() map[string]any {
	hello := map[string]any{}
	switch name := r.text(columnServerName); name {
	case "":
	case "-":
		hello["server_name"] = nil
	default:
		hello["server_name"] = name
	}
	if members, ok := r.list(columnALPN); ok {
		names := []string{}
		for _, m := range members {
			names = append(names, string(r.parseHex(columnALPN, m)))
		}
		hello["alpn"] = names
	}
	if list := r.numbers(columnVersions); list != nil {
		hello["supported_versions"] = list
	}
	if list := r.numbers(columnSuites); len(list) == 3 {
		hello["cipher_suites"] = map[string]any{"count": list[0], "first": list[1], "last": list[2]}
	} else if list != nil {
		r.wrong(columnSuites, r.cells[columnSuites], "a count, the first suite and the last")
	}
	if list := r.numbers(columnExtensions); list != nil {
		hello["extensions"] = list
	}
	if version := r.number(columnLegacyVersion, 16); version != nil {
		hello["legacy_version"] = *version
	}
	if digits, ok := r.list(columnSessionID); ok {
		hello["session_id"] = strings.Join(digits, "")
	}
	if digits := r.text(columnCompression); digits != "" {
		hello["compression_methods"] = digits
	}
	return hello
}
