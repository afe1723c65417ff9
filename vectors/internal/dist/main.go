// Command dist makes the files for those who do not use Go: a tarball of all of vectors/ but
// the Go code, with the input of every test as a file and an index in TSV, packages for npm
// and Python, and a header for C. It makes each twice, and refuses to write what differs.
//
//	go run ./vectors/internal/dist -from vectors -to dist
//	go run ./vectors/internal/dist -raw build/vectors
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("dist: ")
	from := flag.String("from", "vectors", "folder of the vectors")
	to := flag.String("to", "dist", "folder for what is made")
	python := flag.String("python", "/usr/bin/python3", "a Python with the modules build, setuptools and wheel; without one there are no packages for Python")
	raw := flag.String("raw", "", "write the raw files and index.tsv to this folder, and nothing else")
	flag.Parse()
	if err := run(*from, *to, *python, *raw); err != nil {
		log.Fatal(err)
	}
}

func run(from, to, python, raw string) error {
	if raw != "" {
		inputs, err := rawFiles()
		if err != nil {
			return err
		}
		return writeRaw(raw, inputs)
	}
	made, err := build(os.DirFS(from), python)
	if err != nil {
		return err
	}
	again, err := build(os.DirFS(from), python)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if !bytes.Equal(made[name], again[name]) {
			return fmt.Errorf("%s differs when it is made twice", name)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(made[name]), name)
	}
	made["SHA256SUMS"] = sums.Bytes()
	if err := writeRaw(to, made); err != nil {
		return err
	}
	fmt.Print(sums.String())
	return nil
}

// build makes everything from the files of vectors/, by file name. VERSION is the version
// of each package.
func build(files fs.FS, python string) (map[string][]byte, error) {
	data, err := fs.ReadFile(files, "VERSION")
	if err != nil {
		return nil, err
	}
	version := strings.TrimSpace(string(data))
	var all []vectors.File[vectors.Test]
	for _, k := range vectors.Kinds() {
		f, err := vectors.Load(k)
		if err != nil {
			return nil, err
		}
		if f.Version != version {
			return nil, fmt.Errorf("%s.json has version %s, VERSION is %s; run go generate ./vectors", k, f.Version, version)
		}
		all = append(all, f)
	}
	name := "tlsflags-vectors-" + version
	made := map[string][]byte{}
	if made[name+".tar.gz"], err = everything(files, name); err != nil {
		return nil, err
	}
	if made[name+".tgz"], err = npmPackage(files, version); err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, "packages/c/tlsflags_vectors.h.in")
	if err != nil {
		return nil, err
	}
	if made["tlsflags_vectors.h"], err = cHeader(text, version, all); err != nil {
		return nil, err
	}
	if python == "" {
		return made, nil
	}
	packages, err := pythonPackages(files, python, version)
	maps.Copy(made, packages)
	return made, err
}

// everything returns a compressed tarball of all files but Go code, drivers and packages, and of the
// raw files in bin/, below a folder of the given name.
func everything(files fs.FS, folder string) ([]byte, error) {
	raw, err := rawFiles()
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	for name, data := range raw {
		content["bin/"+name] = data
	}
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "internal" || name == "drivers" || name == "packages" || d.Name() == "__pycache__"):
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(name, ".go"):
			return nil
		}
		content[name], err = fs.ReadFile(files, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tarball(content, folder)
}

// tarball returns a compressed tarball of files below a folder. They have no date and no
// owner: the same files and the same release of Go give the same bytes on every machine.
func tarball(content map[string][]byte, folder string) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		data := content[name]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: path.Join(folder, name), Size: int64(len(data)), Mode: 0o644, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
