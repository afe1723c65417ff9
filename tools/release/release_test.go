package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The tags are made in the order of folders: a module requires only those before it, and
// in the version of the release.
func TestModulesRequireEarlierOnes(t *testing.T) {
	root := filepath.Join("..", "..")
	work, err := exec.CommandContext(t.Context(), "go", "work", "edit", "-json", filepath.Join(root, "go.work")).Output()
	if err != nil {
		t.Fatal(err)
	}
	version, err := workVersion(work)
	if err != nil {
		t.Fatal(err)
	}
	var earlier []string
	for _, folder := range folders {
		out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", filepath.Join(root, folder, "go.mod")).Output()
		if err != nil {
			t.Fatal(err)
		}
		var mod struct {
			Module  struct{ Path string }
			Require []struct{ Path, Version string }
		}
		if err := json.Unmarshal(out, &mod); err != nil {
			t.Fatal(err)
		}
		if mod.Module.Path != module(folder) {
			t.Errorf("%q has module %s", folder, mod.Module.Path)
		}
		for _, required := range mod.Require {
			if !strings.HasPrefix(required.Path+"/", repository+"/") {
				continue
			}
			if !slices.Contains(earlier, required.Path) || required.Version != version {
				t.Errorf("%s requires %s %s; want an earlier module in %s", mod.Module.Path, required.Path, required.Version, version)
			}
		}
		earlier = append(earlier, mod.Module.Path)
	}
}

func TestWorkVersion(t *testing.T) {
	for _, test := range []struct{ name, work, version string }{
		{"reads the version of the root module", `{"Replace": [
			{"Old": {"Path": "` + repository + `/capture", "Version": "v0.1.0"}},
			{"Old": {"Path": "` + repository + `", "Version": "v0.2.0"}}]}`, "v0.2.0"},
		{"refuses a replacement of every version", `{"Replace": [{"Old": {"Path": "` + repository + `"}}]}`, ""},
		{"refuses no replacement", `{}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			version, err := workVersion([]byte(test.work))
			if version != test.version || (err == nil) != (test.version != "") {
				t.Errorf("got %q, %v; want %q", version, err, test.version)
			}
		})
	}
}

func TestTags(t *testing.T) {
	r := release{version: "v0.2.0"}
	want := []string{"v0.2.0", "capture/v0.2.0", "reqmtls/client/v0.2.0", "integrations/caddy/v0.2.0", "cmd/tlsflags/v0.2.0"}
	if got := r.tags(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlySums(t *testing.T) {
	for _, test := range []struct {
		name, numstat string
		ok            bool
	}{
		{"accepts new lines of go.sum", "2\t0\tcapture/go.sum\n6\t0\tcmd/tlsflags/go.sum", true},
		{"accepts no change", "", true},
		{"refuses a lost line", "2\t1\tcapture/go.sum", false},
		{"refuses a change of go.mod", "2\t0\tcapture/go.sum\n1\t0\tcapture/go.mod", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := onlySums(test.numstat); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

var packed = []file{{name: "tlsflags", data: []byte("program"), program: true}, {name: "man/tlsflags.1", data: []byte("page")}}

// The bytes of an archive do not depend on the time zone.
func TestArchivesAreReproducible(t *testing.T) {
	moment := time.Unix(1_800_000_000, 0)
	for name, archive := range map[string]func(string, []file, time.Time) ([]byte, error){"tarball": tarball, "zipped": zipped} {
		a, err := archive("folder", packed, moment.UTC())
		if err != nil {
			t.Fatal(err)
		}
		b, err := archive("folder", packed, moment.In(time.FixedZone("", 3600)))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: the bytes differ, or %v", name, err)
		}
	}
}

func TestTarball(t *testing.T) {
	moment := time.Unix(1_800_000_000, 0)
	data, err := tarball("folder", packed, moment)
	if err != nil {
		t.Fatal(err)
	}
	uncompressed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(uncompressed); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || !header.ModTime.Equal(moment) {
			t.Errorf("%s: %v, modified %v", header.Name, err, header.ModTime)
		}
		got = append(got, fmt.Sprintf("%s %o %s", header.Name, header.Mode, content))
	}
	if want := []string{"folder/tlsflags 755 program", "folder/man/tlsflags.1 644 page"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestZipped(t *testing.T) {
	moment := time.Unix(1_800_000_000, 0)
	data, err := zipped("folder", packed, moment)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.File {
		part, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil || !f.Modified.Equal(moment) {
			t.Errorf("%s: %v, modified %v", f.Name, err, f.Modified)
		}
		got = append(got, fmt.Sprintf("%s %o %s", f.Name, f.Mode(), content))
	}
	if want := []string{"folder/tlsflags 755 program", "folder/man/tlsflags.1 644 page"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
