package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const sbomTool = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

var shells = []struct{ name, file string }{
	{"bash", "tlsflags.bash"}, {"zsh", "_tlsflags"}, {"fish", "tlsflags.fish"}, {"powershell", "tlsflags.ps1"},
}

// build writes to out, for each platform, an archive with the command and a list of what
// it is made of (SBOM), and the SHA-256 sums of all files.
func (r *release) build(platforms []string, out string) error {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	common, err := r.commonFiles()
	if err != nil {
		return err
	}
	// An SBOM has the hash of the program that made it, so that one is reproducible, too.
	env := append(append(r.tidyEnv("tidied"), buildEnv(runtime.GOOS, runtime.GOARCH)...), "GOBIN="+r.path("bin"))
	if _, err := output(r.dir, env, "go", "install", sbomTool); err != nil {
		return err
	}
	var sums strings.Builder
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		name := fmt.Sprintf("tlsflags_%s_%s_%s", r.version, goos, goarch)
		step("%s", name)
		program, err := r.program(goos, goarch)
		if err != nil {
			return err
		}
		archive, suffix := tarball, ".tar.gz"
		if goos == "windows" {
			archive, suffix = zipped, ".zip"
		}
		packed, err := archive(name, append([]file{program}, common...), r.time)
		if err != nil {
			return err
		}
		sbom, err := r.sbom(goos, goarch)
		if err != nil {
			return err
		}
		for _, f := range []file{{name: name + ".cdx.json", data: sbom}, {name: name + suffix, data: packed}} {
			if err := os.WriteFile(filepath.Join(out, f.name), f.data, 0o666); err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(f.data), f.name)
		}
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o666)
}

// buildEnv sets what a program depends on, and what a user's environment could change.
func buildEnv(goos, goarch string) []string {
	return []string{"GOOS=" + goos, "GOARCH=" + goarch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off"}
}

// program builds the command for a platform.
func (r *release) program(goos, goarch string) (file, error) {
	// GOBIN may not be set when the platform is another one.
	env := append(append(r.userEnv(), buildEnv(goos, goarch)...), "GOBIN=", "GOPATH="+r.path("path"))
	if _, err := output(r.dir, env, "go", "install", command+"@"+r.version); err != nil {
		return file{}, err
	}
	dir := r.path("path", "bin")
	if goos != runtime.GOOS || goarch != runtime.GOARCH {
		dir = filepath.Join(dir, goos+"_"+goarch)
	}
	name := "tlsflags"
	if goos == "windows" {
		name += ".exe"
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	return file{name: name, data: data, program: true}, err
}

// sbom lists the modules in the command for a platform, in CycloneDX's JSON.
func (r *release) sbom(goos, goarch string) ([]byte, error) {
	path := r.path("sbom.json")
	env := append(append(r.userEnv(), buildEnv(goos, goarch)...), "NO_COLOR=1")
	_, err := output(r.path("src"), env, r.path("bin", "cyclonedx-gomod"),
		"app", "-json", "-std", "-noserial", "-notimestamp", "-output", path, "-main", ".", r.path("src", "cmd", "tlsflags"))
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(data, []byte("pkg:golang/"+command+"@"+r.version+"?")) {
		err = fmt.Errorf("the SBOM does not name %s@%s", command, r.version)
	}
	return data, err
}

// commonFiles are those in the archives of all platforms: licence, README, man pages and
// completions.
func (r *release) commonFiles() ([]file, error) {
	var files []file
	add := func(path, name string) error {
		data, err := os.ReadFile(path)
		files = append(files, file{name: name, data: data})
		return err
	}
	for _, name := range []string{"LICENSE", "README.md"} {
		if err := add(r.path("src", name), name); err != nil {
			return nil, err
		}
	}
	man := r.path("man")
	if err := os.Mkdir(man, 0o777); err != nil {
		return nil, err
	}
	env := append(r.userEnv(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	if _, err := output(r.path("src", "cmd", "tlsflags"), env, "go", "run", "./internal/man", r.version, man); err != nil {
		return nil, err
	}
	pages, err := os.ReadDir(man) // sorted
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		if err := add(filepath.Join(man, page.Name()), "man/"+page.Name()); err != nil {
			return nil, err
		}
	}
	for _, shell := range shells {
		script, err := output(r.dir, nil, r.path("bin", "tlsflags"), "completion", shell.name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: "completions/" + shell.file, data: []byte(script + "\n")})
	}
	return files, nil
}
