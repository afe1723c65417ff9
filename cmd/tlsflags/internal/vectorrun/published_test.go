package vectorrun

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// folder is where the published vectors are.
const folder = "../../../../vectors"

func readJSON(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func compileSchema(t *testing.T, dir string, k vectors.Kind[vectors.Test]) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(dir, string(k)+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaAccepts checks that files follow their schemas and those of the last release,
// also with one more group, note and flag.
func TestSchemaAccepts(t *testing.T) {
	dirs := []string{filepath.Join(folder, "schema")}
	if released := filepath.Join(folder, "internal", "generate", "schema"); exists(released) {
		dirs = append(dirs, released)
	}
	for _, k := range vectors.Kinds() {
		file := readJSON(t, string(k)+".json").(map[string]any)
		for _, more := range []bool{false, true} {
			if more {
				addMore(file)
			}
			for _, dir := range dirs {
				if err := compileSchema(t, dir, k).Validate(file); err != nil {
					t.Errorf("%s in %s, with more: %t: %v", k, dir, more, err)
				}
			}
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// addMore adds a note and a group with a test that has a new flag.
func addMore(file map[string]any) {
	notes := file["notes"].(map[string]any)
	for _, note := range notes {
		notes["new_in_2"] = note
		break
	}
	groups := file["groups"].([]any)
	group := maps.Clone(groups[0].(map[string]any))
	test := maps.Clone(group["tests"].([]any)[0].(map[string]any))
	group["name"], group["tests"] = "new-in-2", []any{test}
	test["id"], test["flags"] = "new/in-2", []any{"new_in_2"}
	file["groups"] = append(groups, group)
}

// TestSchemaRefusesMutations makes a hundred changes to each file, one at a time.
func TestSchemaRefusesMutations(t *testing.T) {
	for _, k := range vectors.Kinds() {
		schema := compileSchema(t, filepath.Join(folder, "schema"), k)
		file := readJSON(t, string(k)+".json")
		shorten(file)
		slots := slotsOf(file, "")
		random := rand.New(rand.NewPCG(62, 80))
		for range 100 {
			s := slots[random.IntN(len(slots))]
			what := mutate(s, random)
			if schema.Validate(file) == nil {
				t.Errorf("%s: accepted with %s", k, what)
			}
			s.restore()
		}
		if err := schema.Validate(file); err != nil {
			t.Fatalf("%s: a mutation was not undone: %v", k, err)
		}
	}
}

// shorten keeps the first few tests of each group, and the beginning of long strings and
// lists, so that all groups are changed equally often and validation is fast.
func shorten(v any) any {
	switch v := v.(type) {
	case string:
		return v[:min(len(v), 200)]
	case map[string]any:
		for key, member := range v {
			if list, ok := member.([]any); ok && key != "groups" { // the schema requires every group
				member = list[:min(len(list), 5)]
			}
			v[key] = shorten(member)
		}
	case []any:
		for i, element := range v {
			v[i] = shorten(element)
		}
	}
	return v
}

// A slot is a member of an object, or an element of an array.
type slot struct {
	path    string
	object  map[string]any // nil for an element
	key     string
	value   any
	put     func(any)
	restore func()
}

// slotsOf lists all slots below a value.
func slotsOf(v any, path string) []slot {
	var slots []slot
	add := func(s slot) {
		slots = append(slots, s)
		slots = append(slots, slotsOf(s.value, s.path)...)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			old := v[key]
			add(slot{
				path: path + "/" + key, object: v, key: key, value: old,
				put: func(x any) { v[key] = x },
				restore: func() {
					v[key] = old
					delete(v, "added")
				},
			})
		}
	case []any:
		for i, old := range v {
			add(slot{
				path: path + "/" + strconv.Itoa(i), value: old,
				put:     func(x any) { v[i] = x },
				restore: func() { v[i] = old },
			})
		}
	}
	return slots
}

// mutate removes a key, adds one, or changes the type of a value.
func mutate(s slot, random *rand.Rand) string {
	how := 2
	if s.object != nil {
		how = random.IntN(3)
		if how == 0 && mayLack(s) {
			how = 1
		}
	}
	switch how {
	case 0:
		delete(s.object, s.key)
		return "no " + s.path
	case 1:
		s.object["added"] = "x"
		return "a new key beside " + s.path
	}
	wrong := any(true)
	if _, ok := s.value.(bool); ok {
		wrong = "x"
	}
	s.put(wrong)
	return fmt.Sprintf("%v at %s", wrong, s.path)
}

// mayLack reports whether an object need not have the key: those that are names of notes
// and of implementations, and what only some tests have.
func mayLack(s slot) bool {
	return strings.HasPrefix(s.path, "/notes/") && s.object["effect"] == nil || strings.Contains(s.key, "@") || s.key == "observed" || s.key == "readings" ||
		s.key == "alternatives" && s.object["alert"] == nil && s.object["quic_error"] == nil
}

// TestCapture reads flagged.pcap: every hello in it sets request_mtls, in every carrier.
func TestCapture(t *testing.T) {
	file, err := os.Open(filepath.Join(folder, "flagged.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := capture.Open(file, capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	carriers := map[capture.Transport]int{}
	for found := range r.Hellos() {
		h, _, err := found.Parse()
		if err != nil || !h.HasFlag(extension.RequestMTLS) {
			t.Errorf("%v: error %v, request_mtls %t", found.Src, err, h.HasFlag(extension.RequestMTLS))
		}
		carriers[found.Transport]++
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if len(carriers) != 3 {
		t.Errorf("the carriers are %v, want TCP, QUIC and DTLS", carriers)
	}
}
