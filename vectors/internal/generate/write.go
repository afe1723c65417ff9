package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// readObserved reads what implementations were seen to do: by test and implementation.
// No file is nothing seen.
func readObserved(name string) (map[string]map[string]string, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var observed map[string]map[string]string
	return observed, json.Unmarshal(data, &observed)
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
			if g.Name == everyFlag {
				continue // 2,040 files would say no more than 255 do
			}
			if err := writeRaw(raw, &index, g, t); err != nil {
				return err
			}
		}
	}
	return writeFile(filepath.Join(raw, "index.tsv"), index.Bytes())
}

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

// indexColumns are those of bin/index.tsv.
var indexColumns = []string{"id", "entry", "file", "result", "code", "offset", "alert", "alternatives", "flags", "clause"}

// writeRaw writes the input of a test into a file of its own, and a line about it to
// the index.
func writeRaw(dir string, index *bytes.Buffer, g *vectors.Group, t *vectors.Test) error {
	if t.Prefixes != nil {
		return nil
	}
	name := t.ID + ".bin"
	if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), t.Input); err != nil {
		return err
	}
	line := []string{t.ID, string(g.Entry), name, string(t.Result), t.Code, "", "", "", "", g.Source}
	if t.Result == vectors.Invalid {
		var alternatives []string
		for _, a := range t.Alternatives {
			alternatives = append(alternatives, fmt.Sprint(alerts[a.Alert]))
		}
		line[5], line[6], line[7] = fmt.Sprint(*t.Offset), fmt.Sprint(t.Alert.Value), strings.Join(alternatives, ",")
		line[9] = t.Alert.Clause
	} else {
		line[8] = strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Parsed.Flags), " ", ","), "[]")
	}
	fmt.Fprintln(index, strings.Join(line, "\t"))
	return nil
}
