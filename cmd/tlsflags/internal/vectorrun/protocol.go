// Package vectorrun gives the test vectors to another implementation: a command that
// is started once, reads a question a line, and writes an answer a line.
// vectors/README.md describes the protocol.
package vectorrun

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// A question is a test without its verdict.
type question struct {
	ID    string        `json:"id"`
	Kind  vectors.Kind  `json:"kind"`
	Entry vectors.Entry `json:"entry"`

	Input   vectors.Bytes   `json:"input,omitzero"`
	Pieces  []vectors.Bytes `json:"pieces,omitzero"`
	Memory  int             `json:"memory,omitzero"`
	Before  []vectors.Bytes `json:"before,omitzero"`
	Sender  string          `json:"sender,omitzero"`
	Message string          `json:"message,omitzero"`
	Text    string          `json:"text,omitzero"`
	State   *vectors.State  `json:"state,omitzero"`
	Steps   []vectors.Step  `json:"steps,omitzero"`
}

func newQuestion(g *vectors.Group, t *vectors.Test) question {
	return question{
		ID: t.ID, Kind: g.Kind, Entry: g.Entry, Input: t.Input, Pieces: t.Pieces, Memory: t.Memory,
		Before: t.Before, Sender: t.Sender, Message: t.Message, Text: t.Text, State: t.State, Steps: t.Steps,
	}
}

// Answer is what an implementation says. What it leaves out is not compared.
type Answer struct {
	ID             string          `json:"id"`
	Result         vectors.Result  `json:"result"` // or Skipped
	Code           string          `json:"code,omitzero"`
	Offset         *int            `json:"offset,omitzero"`
	Alert          *int            `json:"alert,omitzero"`
	FlagsExtension *uint16         `json:"flags_extension,omitzero"`
	Flags          []uint16        `json:"flags,omitzero"`
	Outcome        vectors.Outcome `json:"outcome,omitzero"`
	Action         vectors.Action  `json:"action,omitzero"`
}

// Skipped is the result of an implementation that has nothing to say.
const Skipped vectors.Result = "skipped"

// Protocol is the form of the lines.
type Protocol string

// The protocols.
const (
	JSON Protocol = "json"
	TSV  Protocol = "tsv" // has no questions of the entry exchange
)

func (p Protocol) encode(q question) ([]byte, error) {
	if p == JSON {
		line, err := json.Marshal(q)
		return append(line, '\n'), err
	}
	input := hex.EncodeToString(q.Input)
	if q.Pieces != nil {
		input = joinHex(q.Pieces)
	}
	memory := ""
	if q.Memory > 0 {
		memory = strconv.Itoa(q.Memory)
	}
	line := strings.Join([]string{q.ID, string(q.Kind), string(q.Entry), input, memory, q.Sender, q.Message, joinHex(q.Before)}, "\t")
	return []byte(line + "\n"), nil
}

func joinHex(list []vectors.Bytes) string {
	var digits []string
	for _, b := range list {
		digits = append(digits, hex.EncodeToString(b))
	}
	return strings.Join(digits, ",")
}

// decode reads an answer and checks that its result is one of the protocol.
func (p Protocol) decode(line []byte) (Answer, error) {
	var a Answer
	var err error
	if p == JSON {
		if err = json.Unmarshal(line, &a); err != nil {
			err = fmt.Errorf("the answer %s cannot be read as JSON: %w", quote(line), err)
		}
	} else {
		a, err = decodeTSV(line)
	}
	if err != nil {
		return Answer{}, err
	}
	switch a.Result {
	case vectors.Valid, vectors.Invalid, Skipped:
		return a, nil
	}
	return Answer{}, fmt.Errorf("the result in the answer %s is %s, not valid, invalid or skipped", quote(line), quote([]byte(a.Result)))
}

// quote shows the beginning of what a command wrote.
func quote(text []byte) string {
	const most = 80
	text = bytes.TrimRight(text, "\r\n")
	if len(text) > most {
		return strconv.Quote(string(text[:most])) + "..."
	}
	return strconv.Quote(string(text))
}

func decodeTSV(line []byte) (Answer, error) {
	var a Answer
	columns := strings.Split(strings.TrimRight(string(line), "\r\n"), "\t")
	if len(columns) < 2 {
		return a, fmt.Errorf("the answer %s has one column: it needs an id, a tab and a result", quote(line))
	}
	columns = slices.Concat(columns, make([]string, 8))[:8]
	a.ID, a.Result, a.Code, a.Outcome = columns[0], vectors.Result(columns[1]), columns[2], vectors.Outcome(columns[7])
	var err error
	number := func(column, bits int) int {
		v, e := strconv.ParseUint(columns[column], 10, bits)
		if e != nil && err == nil {
			err = fmt.Errorf("column %d of the answer holds %s, not a number from 0 to %d", column+1, quote([]byte(columns[column])), 1<<bits-1)
		}
		return int(v)
	}
	if columns[3] != "" {
		a.Offset = new(number(3, 31))
	}
	if columns[4] != "" {
		a.Alert = new(number(4, 8))
	}
	if columns[5] != "" {
		a.FlagsExtension = new(uint16(number(5, 16)))
	}
	if a.Result == vectors.Valid {
		a.Flags, err = splitFlags(columns[6], err)
	}
	return a, err
}

func splitFlags(list string, err error) ([]uint16, error) {
	flags := []uint16{}
	if list == "" {
		return flags, err
	}
	for field := range strings.SplitSeq(list, ",") {
		v, e := strconv.ParseUint(field, 10, 16)
		if e != nil && err == nil {
			err = fmt.Errorf("the flags of the answer hold %s, not a number from 0 to 65535", quote([]byte(field)))
		}
		flags = append(flags, uint16(v))
	}
	return flags, err
}
