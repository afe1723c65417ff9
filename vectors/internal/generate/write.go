package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
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
