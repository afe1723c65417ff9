package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// TestCaptureCounts checks that no count of captures is forgotten: the others are those of
// hellos, which the rows show, and fragments, which are reassembled.
func TestCaptureCounts(t *testing.T) {
	elsewhere := []string{"Bytes", "Hellos", "Refused", "Ambiguous", "Fragments"}
	var stats capture.Stats
	fields := reflect.ValueOf(&stats).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).Kind() == reflect.Int {
			fields.Field(i).SetInt(int64(i) + 1)
		}
	}
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		told := slices.ContainsFunc(captureCounts, func(c captureCount) bool { return *c.of(&stats) == i+1 })
		if fields.Field(i).Kind() == reflect.Int && told == slices.Contains(elsewhere, name) {
			t.Errorf("Stats.%s is told: %t", name, told)
		}
	}
	document := readDocument(t, "inspect.md")
	for _, c := range captureCounts {
		words := c.one + "s" + c.suffix
		if !strings.Contains(document, "| `"+c.key+"` | "+words+" ") {
			t.Errorf("docs/inspect.md lacks a row for %s, %q", c.key, words)
		}
	}
}

// TestStrictCapture checks the exit code for captures of which something is missing.
func TestStrictCapture(t *testing.T) {
	entry, _ := corpus.Lookup("captures/tcp-openssl-fe01-80.pcap")
	sound := entry.Data()
	changed := func(change func([]byte) []byte) []byte { return change(bytes.Clone(sound)) }
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		capture []byte
		args    string
		code    Exit
		stderr  string
	}{
		"sound":                    {sound, "", ExitDone, "0 incomplete, 0 evicted\n"},
		"cut in a packet":          {sound[:len(sound)-5], "", ExitCapture, "; what came before it is shown\n1 input, "},
		"cut, in the summary":      {sound[:len(sound)-5], "", ExitCapture, "0 evicted, 1 cut file\n"},
		"an unknown link type":     {changed(func(b []byte) []byte { b[20] = 147; return b }), "", ExitCapture, "0 evicted, 9 packets of an unknown link type\n"},
		"a truncated packet":       {changed(func(b []byte) []byte { b[24+12]++; return b }), "", ExitCapture, "warning: 1 truncated packet\n"},
		"evicted":                  {sound, "--max-memory=1", ExitCapture, "warning: 1 evicted flow\n"},
		"cut in its header":        {sound[:10], "", ExitInput, ""},
		"before a condition":       {sound[:len(sound)-5], "--expect=7", ExitCapture, ""},
		"a condition alone":        {sound, "--expect=7", ExitUnmet, ""},
		"before a refused hello":   {sound[:len(sound)-5], "--strict refused", ExitCapture, ""},
		"a refused hello":          {sound, "--strict refused", ExitRefused, ""},
		"after input":              {sound[:len(sound)-5], "missing", ExitInput, ""},
		"in one of several inputs": {sound[:len(sound)-5], "sound", ExitCapture, "2 inputs, "},
	} {
		for file, data := range map[string][]byte{"capture": tt.capture, "sound": sound, "refused": {1, 0, 0, 90, 3, 3}} {
			if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Chdir(dir)
		args := append(append([]string{"inspect"}, strings.Fields(tt.args)...), "capture")
		_, stderr, code := run(t, append(args, "--strict-capture")...)
		if code != int(tt.code) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%s: exit code %d, want %d; %q", name, code, tt.code, stderr)
		}
		if _, _, code := run(t, args...); tt.code == ExitCapture && code == int(ExitCapture) {
			t.Errorf("%s: exit code %d without the option", name, code)
		}
	}
}

// TestStatsOfCaptures checks what --stats tells about captures.
func TestStatsOfCaptures(t *testing.T) {
	stats := capture.Stats{
		Packets: 9, Flows: 2, Other: 3, UnknownLink: 3, Skipped: 1,
		UnknownLinks: capture.Counts{{Number: 189, Packets: 2}, {Number: 147, Packets: 1}}, UnknownEtherTypes: capture.Counts{{Number: 0x0806, Packets: 2}, {Number: 0x1234, Packets: 1}},
	}
	var total capture.Stats
	for range 2 {
		addStats(&total, stats)
	}
	want := "18 packets, 4 flows\n6 other packets; 4 of EtherType 0x0806 (ARP); 2 of EtherType 0x1234\n" +
		"6 packets of an unknown link type; 4 of 189 " + capture.LinkType(189).Name() + "; 2 of 147\n2 skipped bytes"
	if got := strings.Join(countLines(&total), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := warnings(&stats), "3 packets of an unknown link type (189 "+capture.LinkType(189).Name()+"; 147)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err := json.Marshal(new(flagStats).info(&stats))
	wantJSON := `"flags":[],"captures":{"packets":9,"flows":2,"incomplete":0,"evicted":0,"dropped":0,"other":3,"encrypted":0,"unknown_link":3,"broken":0,` +
		`"truncated":0,"too_deep":0,"cut":0,"damaged":0,"skipped":1},"unknown_link_types":[{"value":189,"name":"` + capture.LinkType(189).Name() + `","packets":2},` +
		`{"value":147,"name":null,"packets":1}],"unknown_ethertypes":[{"value":2054,"name":"ARP","packets":2},{"value":4660,"name":null,"packets":1}]}`
	if err != nil || !strings.HasSuffix(string(got), wantJSON) {
		t.Errorf("%v; got  %s\nwant %s", err, got, wantJSON)
	}
}
