package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// columns are those of index.tsv. A cell is empty if the test does not have the value; a
// valid input without flags has the flags "-".
// If files is 1, the input is in id.bin; otherwise in id.1.bin, id.2.bin and so on. If
// joined is 1, the reassembled message is in id.joined.bin.
var columns = []string{
	"id", "kind", "entry", "files", "prefixes", "result", "code", "offset", "alert", "alternatives", "flags_extension", "flags", "clause", "outcome", "action",
	"quic_error", "joined",
}

// series are the groups that have a row for each value of one number. They get no
// files: the other groups have the same cases.
var series = []string{"octet", "length", "every-flag"}

// rawFiles returns the input of every test as a file of its own, and index.tsv, by
// slash-separated name.
func rawFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	index := bytes.NewBufferString(strings.Join(columns, "\t") + "\n")
	for _, k := range vectors.Kinds() {
		f, err := vectors.Load(k)
		if err != nil {
			return nil, err
		}
		for g, t := range f.All() {
			if slices.Contains(series, g.Name) {
				continue
			}
			inputs := inputsOf(g, t)
			for i, input := range inputs {
				name := t.Shared().ID + ".bin"
				if len(inputs) > 1 {
					name = fmt.Sprintf("%s.%d.bin", t.Shared().ID, i+1)
				}
				files[name] = input
			}
			if joined := verdictOf(t).joined; joined != nil {
				files[t.Shared().ID+".joined.bin"] = joined
			}
			fmt.Fprintln(index, strings.Join(row(g, t, len(inputs)), "\t"))
		}
	}
	files["index.tsv"] = index.Bytes()
	return files, nil
}

// inputsOf returns the bytes that a test gives to an implementation, one element for
// each datagram or message.
func inputsOf(g *vectors.Group[vectors.Test], t vectors.Test) []vectors.Bytes {
	inputs := piecesOf(t)
	if g.Entry == vectors.Records {
		return []vectors.Bytes{slices.Concat(inputs...)}
	}
	return inputs
}

// piecesOf returns the input of a test, its pieces, or the messages of its steps.
func piecesOf(t vectors.Test) []vectors.Bytes {
	switch t := t.(type) {
	case *vectors.FlagsTest:
		return []vectors.Bytes{t.Input}
	case *vectors.HelloTest:
		return []vectors.Bytes{t.Input}
	case *vectors.MessageTest:
		return []vectors.Bytes{t.Input}
	case *vectors.PiecesTest:
		return t.Pieces
	case *vectors.ExchangeTest:
		var inputs []vectors.Bytes
		for _, step := range t.Steps {
			inputs = append(inputs, step.Input)
		}
		return inputs
	}
	panic("no such kind of test")
}

// A verdict is what tests of some kinds have besides vectors.Common.
type verdict struct {
	outcome   vectors.Outcome
	action    vectors.Action
	joined    vectors.Bytes
	quicError *vectors.QUICError
	parsed    *vectors.Parsed
}

func verdictOf(t vectors.Test) verdict {
	switch t := t.(type) {
	case *vectors.FlagsTest:
		return verdict{parsed: t.Parsed}
	case *vectors.HelloTest:
		if t.Prefixes != nil {
			return verdict{} // the content is that of the whole input
		}
		return verdict{parsed: t.Parsed}
	case *vectors.MessageTest:
		return verdict{parsed: t.Parsed}
	case *vectors.PiecesTest:
		return verdict{outcome: t.Outcome, joined: t.Joined, quicError: t.QUICError, parsed: t.Parsed}
	case *vectors.ExchangeTest:
		return verdict{action: t.Action}
	}
	panic("no such kind of test")
}

// row returns the cells of a test in index.tsv.
func row(g *vectors.Group[vectors.Test], t vectors.Test, files int) []string {
	c, v := t.Shared(), verdictOf(t)
	values := map[string]string{
		"id": c.ID, "kind": string(g.Kind), "entry": string(g.Entry), "files": fmt.Sprint(files), "outcome": string(v.outcome), "action": string(v.action),
		"result": string(c.Result), "code": c.Code, "clause": g.Source,
	}
	if t, ok := t.(*vectors.HelloTest); ok && t.Prefixes != nil {
		values["prefixes"] = fmt.Sprintf("%d-%d", t.Prefixes.From, t.Prefixes.To)
	}
	if c.Offset != nil {
		values["offset"] = fmt.Sprint(*c.Offset)
	}
	if c.Alert != nil {
		values["alert"], values["clause"] = fmt.Sprint(c.Alert.Value), c.Alert.Clause
	}
	if v.quicError != nil {
		values["quic_error"] = fmt.Sprint(v.quicError.Value)
	}
	if v.joined != nil {
		values["joined"] = "1"
	}
	var alternatives []string
	for _, a := range c.Alternatives {
		answer := cmp.Or(string(a.Outcome), string(a.Result))
		if a.Alert != "" {
			answer = fmt.Sprint(alertNumber(a.Alert))
		}
		alternatives = append(alternatives, answer)
	}
	values["alternatives"] = strings.Join(alternatives, ",")
	if p := v.parsed; p != nil {
		values["flags_extension"] = fmt.Sprint(p.FlagsExtension)
		values["flags"] = "-"
		if len(p.Flags) > 0 {
			values["flags"] = strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Flags), " ", ","), "[]")
		}
	}
	var cells []string
	for _, c := range columns {
		cells = append(cells, values[c])
	}
	return cells
}

// quicErrors are the errors of QUIC that alternatives name (RFC 9000, Section 20.1).
var quicErrors = map[string]int{"FRAME_ENCODING_ERROR": 0x07, "PROTOCOL_VIOLATION": 0x0a, "CRYPTO_BUFFER_EXCEEDED": 0x0d}

func alertNumber(name string) int {
	for i := range 256 {
		if extension.Alert(i).String() == name {
			return i
		}
	}
	panic("no alert is named " + name)
}

// writeRaw writes the raw files into a folder.
func writeRaw(dir string, files map[string][]byte) error {
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
