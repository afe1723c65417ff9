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

func compileSchema(t *testing.T, k vectors.Kind) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(folder, "schema", string(k)+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaAccepts(t *testing.T) {
	for _, k := range vectors.Kinds() {
		if err := compileSchema(t, k).Validate(readJSON(t, string(k)+".json")); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
}

// TestSchemaRefusesMutations makes a hundred changes to each file, one at a time.
func TestSchemaRefusesMutations(t *testing.T) {
	for _, k := range vectors.Kinds() {
		schema := compileSchema(t, k)
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
		if how == 0 && s.key == "alternatives" && s.object["alert"] == nil {
			how = 1 // without an alert they are optional
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
