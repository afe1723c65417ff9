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
// If files is 1, the input is in id.bin; otherwise in id.1.bin, id.2.bin and so on.
var columns = []string{
	"id", "kind", "entry", "files", "prefixes", "result", "code", "offset", "alert", "alternatives", "flags_extension", "flags", "clause", "outcome", "action",
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
				name := t.ID + ".bin"
				if len(inputs) > 1 {
					name = fmt.Sprintf("%s.%d.bin", t.ID, i+1)
				}
				files[name] = input
			}
			fmt.Fprintln(index, strings.Join(row(g, t, len(inputs)), "\t"))
		}
	}
	files["index.tsv"] = index.Bytes()
	return files, nil
}

// inputsOf returns the bytes that a test gives to an implementation, one element for
// each datagram or message.
func inputsOf(g *vectors.Group, t *vectors.Test) []vectors.Bytes {
	switch g.Entry {
	case vectors.Records:
		return []vectors.Bytes{slices.Concat(t.Pieces...)}
	case vectors.Datagrams, vectors.QUICDatagrams, vectors.DTLSDatagrams:
		return t.Pieces
	case vectors.Exchange:
		var inputs []vectors.Bytes
		for _, step := range t.Steps {
			inputs = append(inputs, step.Input)
		}
		return inputs
	}
	return []vectors.Bytes{t.Input}
}

// row returns the cells of a test in index.tsv.
func row(g *vectors.Group, t *vectors.Test, files int) []string {
	values := map[string]string{
		"id": t.ID, "kind": string(g.Kind), "entry": string(g.Entry), "files": fmt.Sprint(files), "outcome": string(t.Outcome), "action": string(t.Action),
		"result": string(t.Result), "code": t.Code, "clause": g.Source,
	}
	if t.Prefixes != nil {
		values["prefixes"] = fmt.Sprintf("%d-%d", t.Prefixes.From, t.Prefixes.To)
	}
	if t.Offset != nil {
		values["offset"] = fmt.Sprint(*t.Offset)
	}
	if t.Alert != nil {
		values["alert"], values["clause"] = fmt.Sprint(t.Alert.Value), t.Alert.Clause
	}
	var alternatives []string
	for _, a := range t.Alternatives {
		answer := cmp.Or(string(a.Outcome), string(a.Result))
		if a.Alert != "" {
			answer = alertNumber(a.Alert)
		}
		alternatives = append(alternatives, answer)
	}
	values["alternatives"] = strings.Join(alternatives, ",")
	if t.Parsed != nil {
		values["flags_extension"] = fmt.Sprint(t.Parsed.FlagsExtension)
		values["flags"] = "-"
		if len(t.Parsed.Flags) > 0 {
			values["flags"] = strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Parsed.Flags), " ", ","), "[]")
		}
	}
	var cells []string
	for _, c := range columns {
		cells = append(cells, values[c])
	}
	return cells
}

func alertNumber(name string) string {
	for i := range 256 {
		if extension.Alert(i).String() == name {
			return fmt.Sprint(i)
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
