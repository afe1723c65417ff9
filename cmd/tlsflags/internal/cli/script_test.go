package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/vectors"
)

func TestMain(m *testing.M) {
	os.Unsetenv("COLUMNS") // which text would fit into
	testscript.Main(m, map[string]func(){"tlsflags": runValidated})
}

// TestScripts runs testdata/script/*.txtar. $CORPUS and $VECTORS are folders with inputs.
func TestScripts(t *testing.T) {
	root := testenv.Root(t)
	datagrams := t.TempDir()
	for _, id := range []string{"dtls/faults/memory-one-less", "quic/coalesced/broken-before-2"} {
		writeDatagram(t, filepath.Join(datagrams, id+".bin"), id)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("CORPUS", filepath.Join(root, "corpus"))
			env.Setenv("VECTORS", datagrams)
			env.Setenv("SCHEMAS", filepath.Join(root, "docs"))
			env.Setenv("ESC", "\x1b")
			for _, v := range os.Environ() { // of make mutation
				if strings.HasPrefix(v, "MUTANT") {
					env.Vars = append(env.Vars, v)
				}
			}
			return nil
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode},
		Condition:           condition,
		RequireExplicitExec: true,
		UpdateScripts:       *golden.Update,
	})
}

// writeDatagram writes the datagram of a vector that has one.
func writeDatagram(t *testing.T, name, id string) {
	t.Helper()
	for _, kind := range []vectors.Kind[*vectors.PiecesTest]{vectors.QUIC, vectors.DTLS} {
		file, err := vectors.Load(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range file.All() {
			if test.ID != id {
				continue
			}
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, test.Pieces[0], 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no vector %s", id)
}

// condition is true for root, whom permissions do not stop.
func condition(name string) (bool, error) {
	if name == "root" {
		return os.Getuid() <= 0, nil // -1 on Windows, which has none
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// exitCode is the script command "exitcode N command...": the command ends with N.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N command...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// runValidated is tlsflags in the scripts. It checks JSON output against its schema.
func runValidated() {
	var out bytes.Buffer
	args := os.Args[1:]
	code := Run(context.Background(), args, os.Stdin, io.MultiWriter(os.Stdout, &out), os.Stderr)
	if err := validate(os.Getenv("SCHEMAS"), args, out.Bytes()); err != nil {
		fmt.Fprintf(os.Stderr, "output does not match its schema: %v\n", err)
		code = 99
	}
	os.Exit(code)
}

// validate checks the JSON that a command wrote against its published schema.
func validate(schemas string, args []string, out []byte) error {
	if len(out) == 0 || len(args) == 0 {
		return nil
	}
	switch args[0] {
	case "inspect":
		return validateInspect(schemas, args, out)
	case "explain", "flags":
		if !hasFormat(args, "json") {
			return nil
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			return err
		}
		schema, err := jsonschema.NewCompiler().Compile(filepath.Join(schemas, args[0]+".schema.json"))
		if err != nil {
			return err
		}
		return schema.Validate(document)
	}
	return nil
}

func validateInspect(schemas string, args []string, out []byte) error {
	var documents []any
	switch {
	case hasFormat(args, "jsonl"), hasFormat(args, "json") && slices.Contains(args, "--stats"):
		for text := range bytes.Lines(out) {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				return fmt.Errorf("%q: %w", text, err)
			}
			documents = append(documents, v)
		}
	case hasFormat(args, "json"):
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			return err
		}
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("not an array: %.40s", out)
		}
		documents = list
	}
	name := "inspect.schema.json"
	if slices.Contains(args, "--stats") {
		name = "inspect-stats.schema.json"
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(schemas, name))
	if err != nil {
		return err
	}
	for _, d := range documents {
		if err := schema.Validate(d); err != nil {
			return err
		}
	}
	return nil
}

func hasFormat(args []string, format string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "--format="+format || a == "-f"+format
	}) || slices.Contains(pairs(args), "--format "+format) || slices.Contains(pairs(args), "-f "+format)
}

func pairs(args []string) []string {
	var list []string
	for i := range len(args) - 1 {
		list = append(list, args[i]+" "+args[i+1])
	}
	return list
}

// TestSchemaIsClosed checks that the objects of the schemas allow no keys but those that
// they list, and require all of these but those of sometimesPresent.
func TestSchemaIsClosed(t *testing.T) {
	for _, name := range []string{"inspect.schema.json", "inspect-stats.schema.json", "explain.schema.json", "flags.schema.json"} {
		data, err := os.ReadFile(document(t, name))
		if err != nil {
			t.Fatal(err)
		}
		var schema map[string]any
		if err := json.Unmarshal(data, &schema); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkClosed(t, name, schema)
	}
}

var sometimesPresent = []string{"ambiguous", "faults", "contradicts", "path", "prologue", "partial", "message", "malformed_extensions"}

func checkClosed(t *testing.T, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			checkClosed(t, fmt.Sprintf("%s/%d", path, i), x)
		}
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			if v["additionalProperties"] != false {
				t.Errorf("%s: additionalProperties is not false", path)
			}
			required, _ := v["required"].([]any)
			for name := range properties {
				if !slices.Contains(required, any(name)) && !slices.Contains(sometimesPresent, name) {
					t.Errorf("%s: %s is not required", path, name)
				}
			}
		}
		for name, x := range v {
			checkClosed(t, strings.Join([]string{path, name}, "/"), x)
		}
	}
}
