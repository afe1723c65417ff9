package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// published are the files of vectors/ that packages have, and those of one package.
func published(files fs.FS, folder, data string, names ...string) (map[string][]byte, error) {
	content := map[string][]byte{}
	for _, name := range names {
		text, err := fs.ReadFile(files, path.Join("packages", folder, name))
		if err != nil {
			return nil, err
		}
		content[name] = text
	}
	shared := map[string]string{"README.md": "README.md", "LICENSE": "LICENSE"}
	for _, k := range vectors.Kinds() {
		name := string(k) + ".json"
		shared[name] = path.Join(data, name)
	}
	for name, to := range shared {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		content[to] = text
	}
	return content, nil
}

// npmPackage returns the tarball that npm installs.
func npmPackage(files fs.FS, version string) ([]byte, error) {
	content, err := published(files, "npm", "", "package.json", "index.js", "index.d.ts")
	if err != nil {
		return nil, err
	}
	const placeholder = `"version": "0.0.0"`
	if !bytes.Contains(content["package.json"], []byte(placeholder)) {
		return nil, fmt.Errorf("package.json has no %s", placeholder)
	}
	content["package.json"] = bytes.Replace(content["package.json"], []byte(placeholder), fmt.Appendf(nil, `"version": %q`, version), 1)
	return tarball(content, "package")
}

// pythonPackages returns the sdist and the wheel, by file name. Program is a Python that
// has the modules build, setuptools and wheel.
func pythonPackages(files fs.FS, program, version string) (map[string][]byte, error) {
	const code = "tlsflags_vectors"
	content, err := published(files, "python", code, "pyproject.toml", code+"/__init__.py")
	if err != nil {
		return nil, err
	}
	content["VERSION"] = []byte(version + "\n")
	content["MANIFEST.in"] = []byte("include VERSION LICENSE README.md\n")
	dir, err := os.MkdirTemp("", "dist")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source, out := filepath.Join(dir, "source"), filepath.Join(dir, "out")
	if err := writeRaw(source, content); err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-m", "build", "--no-isolation", "--outdir", out, source)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=315532800") // the first date that a zip file can have
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s -m build: %w\n%s\nOn Debian, install python3-build, python3-setuptools and python3-wheel; -python '' leaves the packages for Python out", program, err, output)
	}
	wheel, sdist := fmt.Sprintf("%s-%s-py3-none-any.whl", code, version), fmt.Sprintf("%s-%s.tar.gz", code, version)
	packages := map[string][]byte{}
	for _, name := range []string{wheel, sdist} {
		if packages[name], err = os.ReadFile(filepath.Join(out, name)); err != nil {
			return nil, err
		}
	}
	packages[sdist], err = stable(packages[sdist])
	return packages, err
}

// stable returns the files of a compressed tarball without their dates and owners, which
// differ from run to run. They are below one folder.
func stable(data []byte) ([]byte, error) {
	compressed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	folder := ""
	for r := tar.NewReader(compressed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tarball(content, folder)
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		var name string
		folder, name, _ = strings.Cut(h.Name, "/")
		if content[name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
}
