// Command dist packs the vectors into a tarball for those who do not use Go: all but
// the Go code. The same files and release of Go give the same tarball on every machine.
//
//	go run ./vectors/internal/dist -from vectors -to dist
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
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("dist: ")
	from := flag.String("from", "vectors", "folder of the vectors")
	to := flag.String("to", "dist", "folder for the tarball")
	flag.Parse()
	f, err := vectors.Load(vectors.TLSFlags)
	if err != nil {
		log.Fatal(err)
	}
	name := "tlsflags-vectors-" + f.Version
	tarball, err := pack(os.DirFS(*from), name)
	if err != nil {
		log.Fatal(err)
	}
	sum := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(tarball), name)
	if err := os.MkdirAll(*to, 0o777); err != nil {
		log.Fatal(err)
	}
	file := filepath.Join(*to, name+".tar.gz")
	if err := os.WriteFile(file, tarball, 0o666); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(file+".sha256", []byte(sum), 0o666); err != nil {
		log.Fatal(err)
	}
	fmt.Print(sum)
}

// pack returns a compressed tarball of all files but Go code, below a folder of the
// given name. Files have no date and no owner.
func pack(files fs.FS, folder string) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "internal" || d.Name() == "__pycache__"):
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(name, ".go"):
			return nil
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: path.Join(folder, name), Size: int64(len(data)), Mode: 0o644, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err = archive.Write(data)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
