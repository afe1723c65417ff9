package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
)

// published are the stacks whose verdicts are in the vectors. docs/matrix.json has all.
var published = []string{"crypto/tls", "openssl", "gnutls", "quic-go", "pion"}

// readObserved reads the file that vectors/drivers writes. It returns what each
// implementation did, by test and implementation.
func readObserved(name string) (map[string]map[string]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var seen struct {
		Stacks []struct{ Version string }
		Tests  []struct{ ID, Seen string }
	}
	if err := json.Unmarshal(data, &seen); err != nil {
		return nil, err
	}
	observed := map[string]map[string]string{}
	for _, t := range seen.Tests {
		for i, verdict := range strings.Fields(t.Seen) {
			name, _, _ := strings.Cut(seen.Stacks[i].Version, "@")
			if verdict == "-" || !slices.Contains(published, name) {
				continue
			}
			if n, err := strconv.ParseUint(verdict, 10, 8); err == nil {
				verdict = extension.Alert(n).String()
			}
			if observed[t.ID] == nil {
				observed[t.ID] = map[string]string{}
			}
			observed[t.ID][seen.Stacks[i].Version] = verdict
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

func write(dir string, all []file) error {
	for _, f := range all {
		if err := keepSchema(dir, f); err != nil {
			return err
		}
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

// keepSchema copies the schema of the last release to schema/ in this folder, if VERSION
// has changed since. A test checks that files still follow it.
func keepSchema(dir string, f file) error {
	published, err := os.ReadFile(filepath.Join(dir, string(f.Kind)+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var last struct{ Version string }
	if err := json.Unmarshal(published, &last); err != nil || last.Version == f.Version {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, "schema", f.Schema))
	if err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "internal", "generate", "schema", f.Schema), compact.Bytes())
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
