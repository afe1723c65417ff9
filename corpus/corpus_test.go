package corpus_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/corpus"
)

func TestEveryFileIsListed(t *testing.T) {
	var onDisk, listed []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == "record":
			return fs.SkipDir
		case !d.IsDir() && strings.Contains(name, "/"):
			onDisk = append(onDisk, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for e := range corpus.All() {
		listed = append(listed, e.File)
	}
	if !slices.IsSorted(listed) {
		t.Error("MANIFEST.json is not sorted by file")
	}
	for _, name := range onDisk {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is not in MANIFEST.json", name)
		}
	}
	for i, name := range listed {
		if !slices.Contains(onDisk, name) {
			t.Errorf("%s is in MANIFEST.json, but there is no such file", name)
		}
		if slices.Contains(listed[:i], name) {
			t.Errorf("%s is in MANIFEST.json more than once", name)
		}
	}
}

func TestEmbeddedFilesMatchManifest(t *testing.T) {
	seen := make(map[string]string)
	for e := range corpus.All() {
		sum := sha256.Sum256(e.Data())
		if got := hex.EncodeToString(sum[:]); got != e.SHA256 {
			t.Errorf("%s: SHA-256 is %s, manifest has %s", e.File, got, e.SHA256)
		}
		if other, ok := seen[e.SHA256]; ok {
			t.Errorf("%s and %s are the same file", e.File, other)
		}
		if !strings.HasPrefix(e.File, "fuzz/") { // one input may serve several targets
			seen[e.SHA256] = e.File
		}
	}
	if len(seen) == 0 {
		t.Fatal("the manifest is empty")
	}
}

func TestEntriesAreComplete(t *testing.T) {
	extensions := map[corpus.Kind][]string{
		corpus.Records:  {".bin"},
		corpus.Captures: {".pcap", ".pcapng"},
	}
	for e := range corpus.All() {
		if strings.HasPrefix(string(e.Kind), "fuzz/") {
			checkFuzzed(t, e)
			continue
		}
		suffixes, ok := extensions[e.Kind]
		if !ok || path.Dir(e.File) != string(e.Kind) || !slices.Contains(suffixes, path.Ext(e.File)) {
			t.Errorf("%s: does not fit kind %q", e.File, e.Kind)
		}
		if e.Licence != "CC0-1.0" {
			t.Errorf("%s: licence is %q, want CC0-1.0", e.File, e.Licence)
		}
		if _, err := time.Parse(time.DateOnly, e.Date); err != nil {
			t.Errorf("%s: %v", e.File, err)
		}
		if e.Origin == "" || e.Method == "" || len(e.Exercises) == 0 || len(e.Clients) == 0 || e.Oracle == "" {
			t.Errorf("%s: the entry lacks origin, method, exercises, clients or oracle", e.File)
		}
		if len(e.Hellos) == 0 {
			t.Errorf("%s: the oracle found no ClientHello", e.File)
		}
		for i, h := range e.Hellos {
			if random, err := hex.DecodeString(h.Random); err != nil || len(random) != 32 {
				t.Errorf("%s: hello %d: random %q is not 32 bytes in hexadecimal", e.File, i, h.Random)
			}
			if h.BodyLength == 0 || !slices.Contains([]string{"tcp", "quic", "dtls"}, h.Transport) {
				t.Errorf("%s: hello %d: body length %d, transport %q", e.File, i, h.BodyLength, h.Transport)
			}
			if (e.Kind == corpus.Captures) != (h.Frame > 0 && h.Src != "" && h.Dst != "") {
				t.Errorf("%s: hello %d: frame %d, %q to %q", e.File, i, h.Frame, h.Src, h.Dst)
			}
		}
	}
}

// checkFuzzed is about inputs of fuzz functions, which no client sent and no oracle read.
func checkFuzzed(t *testing.T, e corpus.Entry) {
	_, err := time.Parse(time.DateOnly, e.Date)
	if path.Dir(e.File) != string(e.Kind) || e.Licence != "CC0-1.0" || err != nil ||
		e.Origin == "" || e.Method == "" || len(e.Exercises) == 0 {
		t.Errorf("%s: kind %q, or the entry lacks licence, date, origin, method or exercises", e.File, e.Kind)
	}
}

func TestManifestHasNoUnknownKeys(t *testing.T) {
	data, err := fs.ReadFile(corpus.FS(), "MANIFEST.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var m corpus.Manifest
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	if m.Schema != "tlsflags.corpus/1" {
		t.Errorf("schema is %q", m.Schema)
	}
}

func TestDemoHoldsBothCodePoints(t *testing.T) {
	e, ok := corpus.Lookup("captures/demo.pcapng")
	if !ok {
		t.Fatal("no captures/demo.pcapng")
	}
	count := make(map[uint16]int)
	without := 0
	for _, h := range e.Hellos {
		if len(h.TLSFlags) == 0 {
			without++
		}
		for _, ext := range h.TLSFlags {
			count[ext.Type]++
		}
	}
	if count[62] == 0 || count[0xfe01] == 0 || without < 3 {
		t.Errorf("hellos with tls_flags under 62: %d, under 0xfe01: %d, without: %d", count[62], count[0xfe01], without)
	}
	if n := len(e.Data()); n > 150_000 {
		t.Errorf("demo.pcapng has %d bytes, want at most 150,000", n)
	}
}

func TestDataIsACopy(t *testing.T) {
	for e := range corpus.All() {
		e.Data()[0] ^= 0xff
		sum := sha256.Sum256(e.Data())
		if hex.EncodeToString(sum[:]) != e.SHA256 {
			t.Fatalf("%s: changing the bytes that Data returned changed the corpus", e.File)
		}
		return
	}
}

func TestDataPanicsOnForeignEntry(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	corpus.Entry{File: "records/no-such-file.bin"}.Data()
}

func TestLookupUnknownFile(t *testing.T) {
	if e, ok := corpus.Lookup("records/no-such-file.bin"); ok {
		t.Errorf("found %+v", e)
	}
}

// Parsing the manifest takes thousands of allocations. Lookup must not do it every time.
func TestManifestIsParsedOnce(t *testing.T) {
	allocs := testing.AllocsPerRun(10, func() {
		if _, ok := corpus.Lookup("captures/demo.pcapng"); !ok {
			t.Fatal("no captures/demo.pcapng")
		}
	})
	if allocs > 10 {
		t.Errorf("%v allocations, want at most 10", allocs)
	}
}
