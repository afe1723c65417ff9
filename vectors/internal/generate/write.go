package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// readObserved reads the file that vectors/internal/observe writes. It returns what each
// implementation did, by test and implementation.
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

// openRegister reads VERSION and released.tsv.
func openRegister(dir string) (*register, error) {
	version, err := os.ReadFile(filepath.Join(dir, "VERSION"))
	if err != nil {
		return nil, err
	}
	released, err := os.ReadFile(filepath.Join(dir, "released.tsv"))
	if err != nil {
		return nil, err
	}
	return readRegister(released, strings.TrimSpace(string(version)), table("withdrawn.txt"))
}

func write(dir string, all []vectors.File) error {
	for _, f := range all {
		if err := writeJSON(filepath.Join(dir, string(f.Kind)+".json"), f); err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(dir, "schema", f.Schema), schemaOf(f)); err != nil {
			return err
		}
	}
	if err := writeCapture(dir); err != nil {
		return err
	}
	return writeReadme(dir, all)
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
	var text bytes.Buffer
	layOut(&text, bytes.TrimSpace(compact.Bytes()), "")
	text.WriteByte('\n')
	return writeFile(name, text.Bytes())
}
