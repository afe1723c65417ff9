// Package vectorrun gives the test vectors to another implementation: a command that
// is started once, reads a question a line, and writes an answer a line.
// vectors/README.md describes the protocol.
package vectorrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// A question is a test without its verdict.
type question struct {
	ID    string        `json:"id"`
	Kind  string        `json:"kind"`
	Entry vectors.Entry `json:"entry"`

	Input vectors.Bytes `json:"input,omitzero"`
	// Prefixes makes the question a batch: one question for each length in the range, and
	// one for the whole input.
	Prefixes *vectors.Range `json:"prefixes,omitzero"`

	Pieces  []vectors.Bytes `json:"pieces,omitzero"`
	Memory  int             `json:"memory,omitzero"`
	Before  []vectors.Bytes `json:"before,omitzero"`
	Sender  string          `json:"sender,omitzero"`
	Message string          `json:"message,omitzero"`
	Text    string          `json:"text,omitzero"`
	State   *vectors.State  `json:"state,omitzero"`
	Steps   []vectors.Step  `json:"steps,omitzero"`
}

// Answer is what an implementation says. What it leaves out is not compared.
type Answer struct {
	ID             string          `json:"id"`
	Result         vectors.Result  `json:"result"` // or Skipped
	Code           string          `json:"code,omitzero"`
	Offset         *int            `json:"offset,omitzero"`
	Alert          *int            `json:"alert,omitzero"`
	QUICError      *int            `json:"quic_error,omitzero"`
	FlagsExtension *uint16         `json:"flags_extension,omitzero"`
	Flags          numbers         `json:"flags,omitzero"`
	Outcome        vectors.Outcome `json:"outcome,omitzero"`
	Action         vectors.Action  `json:"action,omitzero"`
	Joined         vectors.Bytes   `json:"joined,omitzero"`
	// ClientHello has members of vectors.Hello, by their names in JSON.
	ClientHello map[string]any `json:"client_hello,omitzero"`
	// Answers are those to a batch. They have no ID.
	Answers []Answer `json:"answers,omitzero"`

	unknown string // a key that is none of these
}

// numbers is a list without null, which encoding/json reads as 0.
type numbers []uint16

func (n *numbers) UnmarshalJSON(text []byte) error {
	var list []*uint16
	if err := json.Unmarshal(text, &list); err != nil || list == nil {
		return err
	}
	*n = numbers{}
	for _, p := range list {
		if p == nil {
			return errors.New("null in a list of numbers")
		}
		*n = append(*n, *p)
	}
	return nil
}

// Skipped is the result of an implementation that has nothing to say.
const Skipped vectors.Result = "skipped"

// check checks an answer before it is compared.
func (a Answer) check(q question) error {
	if a.ID != q.ID {
		return fmt.Errorf("the answer has the id %s, not that of the question", quote([]byte(a.ID)))
	}
	answers := []Answer{a}
	if q.Prefixes != nil && a.Result != Skipped {
		answers = a.Answers
		if want := q.Prefixes.To - q.Prefixes.From + 2; len(answers) != want {
			return fmt.Errorf("the batch has %d answers, not %d: one for each length, and one for the whole input", len(answers), want)
		}
	}
	for _, a := range answers {
		switch a.Result {
		case vectors.Valid, vectors.Invalid, Skipped:
		default:
			return fmt.Errorf("the result is %s, not valid, invalid or skipped", quote([]byte(a.Result)))
		}
	}
	return nil
}

// Protocol is the form of the lines.
type Protocol string

// The protocols.
const (
	JSON Protocol = "json"
	TSV  Protocol = "tsv" // has no questions of the entry exchange, and no batches
)

func (p Protocol) encode(q question) ([]byte, error) {
	if p == TSV {
		return encodeTSV(q), nil
	}
	line, err := json.Marshal(q)
	return append(line, '\n'), err
}

func (p Protocol) decode(line []byte) (a Answer, err error) {
	if p == TSV {
		return decodeTSV(line)
	}
	if err = json.Unmarshal(line, &a); err == nil {
		a.unknown = unknownKey(line, a)
		return a, nil
	}
	why := strings.TrimPrefix(err.Error(), "json: ")
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		why = "a value does not fit: " + wrong.Value
	}
	return Answer{}, fmt.Errorf("the answer %s cannot be read as JSON: %s", quote(line), why)
}

// unknownKey returns a key of an answer that has no meaning, or "".
func unknownKey(line []byte, a Answer) string {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(new(Answer)); err != nil {
		return strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
	}
	for _, a := range append(a.Answers, a) {
		for name := range a.ClientHello {
			if _, ok := helloMembers()[name]; !ok {
				return "client_hello." + name
			}
		}
	}
	return ""
}

// quote shows the beginning of what a command wrote.
func quote(text []byte) string {
	const most = 80
	s, more := string(bytes.TrimRight(text, "\r\n")), ""
	if len(s) > most {
		s, more = s[:most], "..."
	}
	if strings.Contains(s, `"`) && strconv.CanBackquote(s) {
		return "`" + s + "`" + more
	}
	return strconv.Quote(s) + more
}
