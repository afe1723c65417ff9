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
)

func TestPack(t *testing.T) {
	files := os.DirFS(filepath.Join("..", ".."))
	raw, err := rawFiles()
	if err != nil {
		t.Fatal(err)
	}
	first, err := pack(files, raw, "vectors")
	if err != nil {
		t.Fatal(err)
	}
	second, err := pack(files, raw, "vectors")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two tarballs of the same files differ")
	}
	packed := map[string]bool{}
	for _, name := range list(t, first) {
		packed[name] = true
		if strings.HasSuffix(name, ".go") {
			t.Errorf("%s is in it", name)
		}
	}
	for _, name := range []string{
		"README.md", "LICENSE", "tls_flags.json", "request_mtls.json", "schema/quic.schema.json", "flagged.pcap",
		"bin/index.tsv", "bin/flags/empty-data.bin", "bin/quic/datagrams/v1-two-2.2.bin", "consumers/python/run.py", "consumers/c/tlsflags.c",
	} {
		if !packed["vectors/"+name] {
			t.Errorf("%s is not in it", name)
		}
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
