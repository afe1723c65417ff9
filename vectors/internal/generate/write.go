package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// readObserved reads what vectors/internal/observe has seen: by test and implementation.
func readObserved(name string) (map[string]map[string]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var seen struct {
		Implementations []string
		Verdicts        map[string][]string
	}
	if err := json.Unmarshal(data, &seen); err != nil {
		return nil, err
	}
	observed := map[string]map[string]string{}
	for id, verdicts := range seen.Verdicts {
		observed[id] = map[string]string{}
		for i, name := range seen.Implementations {
			observed[id][name] = verdicts[i]
		}
	}
	return observed, nil
}

func write(dir string, all []vectors.File) error {
	raw := filepath.Join(dir, "bin")
	if err := os.RemoveAll(raw); err != nil {
		return err
	}
	var index bytes.Buffer
	fmt.Fprintln(&index, strings.Join(indexColumns, "\t"))
	for _, f := range all {
		if err := writeJSON(filepath.Join(dir, string(f.Kind)+".json"), f); err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(dir, "schema", f.Schema), schemaOf(f)); err != nil {
			return err
		}
		for g, t := range f.All() {
			if isSeries[g.Name] {
				continue // files of the other groups say the same
			}
			if err := writeRaw(raw, &index, g, t); err != nil {
				return err
			}
		}
	}
	if err := writeFile(filepath.Join(raw, "index.tsv"), index.Bytes()); err != nil {
		return err
	}
	if err := writeCapture(dir); err != nil {
		return err
	}
	return writeReadme(dir, all)
}

// isSeries has the groups that are tables rather than tests that differ.
var isSeries = map[string]bool{octets: true, lengths: true, everyFlag: true}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o666)
}

func writeJSON(name string, v any) error {
	var compact bytes.Buffer
	e := json.NewEncoder(&compact)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	text, err := layOut(compact.Bytes())
	if err != nil {
		return err
	}
	return writeFile(name, text)
}

// indexColumns are those of bin/index.tsv. Those that a test does not have are empty.
// Where files is 1 the input is in the file named id.bin, else in id.1.bin, id.2.bin ...
var indexColumns = []string{
	"id", "kind", "entry", "files", "prefixes", "result", "code", "offset", "alert", "alternatives", "flags_extension", "flags", "clause", "outcome", "action",
}

// writeRaw writes the input of a test into a file of its own, or each of its datagrams,
// and a line about it to the index.
func writeRaw(dir string, index *bytes.Buffer, g *vectors.Group, t *vectors.Test) error {
	inputs := []vectors.Bytes{t.Input}
	switch g.Entry {
	case vectors.Records:
		inputs[0] = slices.Concat(t.Pieces...)
	case vectors.Datagrams:
		inputs = t.Pieces
	case vectors.Exchange:
		inputs = nil
		for _, step := range t.Steps {
			inputs = append(inputs, step.Input)
		}
	}
	for i, input := range inputs {
		name := t.ID + ".bin"
		if len(inputs) > 1 {
			name = fmt.Sprintf("%s.%d.bin", t.ID, i+1)
		}
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), input); err != nil {
			return err
		}
	}
	row := map[string]string{
		"id": t.ID, "kind": string(g.Kind), "entry": string(g.Entry), "files": fmt.Sprint(len(inputs)), "outcome": string(t.Outcome), "action": string(t.Action),
		"result": string(t.Result), "code": t.Code, "clause": g.Source,
	}
	if t.Prefixes != nil {
		row["prefixes"] = fmt.Sprintf("%d-%d", t.Prefixes.From, t.Prefixes.To)
	}
	if t.Offset != nil {
		row["offset"] = fmt.Sprint(*t.Offset)
	}
	if t.Alert != nil {
		row["alert"], row["clause"] = fmt.Sprint(t.Alert.Value), t.Alert.Clause
	}
	var alternatives []uint8
	for _, a := range t.Alternatives {
		alternatives = append(alternatives, alerts[a.Alert])
	}
	row["alternatives"] = commas(alternatives)
	if t.Parsed != nil {
		row["flags_extension"], row["flags"] = fmt.Sprint(t.Parsed.FlagsExtension), commas(t.Parsed.Flags)
	}
	var cells []string
	for _, column := range indexColumns {
		cells = append(cells, row[column])
	}
	fmt.Fprintln(index, strings.Join(cells, "\t"))
	return nil
}

func commas[T any](values []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]")
}
