// Command dist makes the files for those who do not use Go: the input of every test as a
// file, with an index in TSV, and a tarball of these and of all of vectors/ but the Go
// code. The same files and the same release of Go give the same bytes on every machine.
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
	to := flag.String("to", "dist", "folder for the tarball")
	raw := flag.String("raw", "", "write the raw files and index.tsv to this folder, and no tarball")
	flag.Parse()
	if err := run(*from, *to, *raw); err != nil {
		log.Fatal(err)
	}
}

func run(from, to, raw string) error {
	inputs, err := rawFiles()
	if err != nil {
		return err
	}
	if raw != "" {
		return writeRaw(raw, inputs)
	}
	f, err := vectors.Load(vectors.TLSFlags)
	if err != nil {
		return err
	}
	name := "tlsflags-vectors-" + f.Version
	tarball, err := pack(os.DirFS(from), inputs, name)
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(tarball), name)
	file := name + ".tar.gz"
	if err := writeRaw(to, map[string][]byte{file: tarball, file + ".sha256": []byte(sum)}); err != nil {
		return err
	}
	fmt.Print(sum)
	return nil
}

// pack returns a compressed tarball of all files but Go code and drivers, and of the raw files in
// bin/, below a folder of the given name. Files have no date and no owner.
func pack(files fs.FS, raw map[string][]byte, folder string) ([]byte, error) {
	content := map[string][]byte{}
	for name, data := range raw {
		content["bin/"+name] = data
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "internal" || name == "drivers" || d.Name() == "__pycache__"):
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
