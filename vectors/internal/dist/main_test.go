package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/vectors"
)

func TestEverything(t *testing.T) {
	files := os.DirFS(filepath.Join("..", ".."))
	first, err := everything(files, "vectors")
	if err != nil {
		t.Fatal(err)
	}
	second, err := everything(files, "vectors")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two tarballs of the same files differ")
	}
	packed := map[string]bool{}
	for _, name := range list(t, first) {
		packed[name] = true
		if strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "vectors/drivers/") {
			t.Errorf("%s is in it", name)
		}
	}
	for _, name := range []string{
		"README.md", "LICENSE", "tls_flags.json", "request_mtls.json", "schema/quic.schema.json", "flagged.pcap",
		"bin/index.tsv", "bin/flags/empty-data.bin", "bin/quic/datagrams/v1-two-2.2.bin", "bin/quic/datagrams/v1-two-2.joined.bin", "consumers/python/run.py", "consumers/c/tlsflags.c",
	} {
		if !packed["vectors/"+name] {
			t.Errorf("%s is not in it", name)
		}
	}
}

// TestPackagesNameKinds checks that the lists of kinds in packages are complete.
func TestPackagesNameKinds(t *testing.T) {
	for name, before := range map[string]string{"npm/index.js": `"`, "npm/index.d.ts": "  ", "python/tlsflags_vectors/__init__.py": `"`} {
		text, err := os.ReadFile(filepath.Join("..", "..", "packages", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range vectors.Kinds() {
			if !strings.Contains(string(text), before+string(k)) {
				t.Errorf("%s does not have the kind %s", name, k)
			}
		}
	}
}

// TestStable checks that the date of a file has no influence.
func TestStable(t *testing.T) {
	var made [2][]byte
	for i := range made {
		var out bytes.Buffer
		compressed := gzip.NewWriter(&out)
		archive := tar.NewWriter(compressed)
		header := &tar.Header{Name: "x-1/a", Size: 1, Mode: 0o600, Uid: i, ModTime: time.Unix(int64(i), 0)}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		archive.Write([]byte("a"))
		archive.Close()
		compressed.Close()
		var err error
		if made[i], err = stable(out.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the two differ")
	}
	if names := list(t, made[0]); len(names) != 1 || names[0] != "x-1/a" {
		t.Errorf("it has %q", names)
	}
}

func list(t *testing.T, tarball []byte) []string {
	t.Helper()
	compressed, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(compressed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}
