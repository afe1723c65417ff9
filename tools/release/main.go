// Command release makes a release of HEAD in a clone of its own: it never reads or
// changes the working tree. Run it in the repository:
//
//	go run ./tools/release check
//	go run ./tools/release build -o FOLDER
//	go run ./tools/release tag
//
// Check makes the release commit, whose go.sum files have the sums of our own modules,
// and the tags of all modules. It serves them from a folder as a module proxy, installs
// the programs from there, and builds a module that imports every package of the others.
// Build does the same, and writes the archives of the command for every platform. Tag does
// the same as check, and adds the tags to the repository.
//
// The version is the one in which go.work replaces our modules. Modules of others come
// from the module cache and GOPROXY, and are verified by the go.sum files of HEAD.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const repository = "github.com/tlsflags/tlsflags"

// folders are those of the modules that users import or install. Each requires only
// modules before it. The last ones are those of programs.
var folders = []string{"", "capture", "reqmtls/client", "integrations/caddy", "cmd/tlsflags"}

const (
	programs = 2 // modules
	command  = repository + "/cmd/tlsflags"
	caddy    = repository + "/integrations/caddy/cmd/caddy"
)

var platforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) (err error) {
	if len(args) == 0 || !slices.Contains([]string{"check", "build", "tag"}, args[0]) {
		return errors.New("the first argument must be check, build or tag")
	}
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	out := flags.String("o", "", "build: the `folder` to write, which must not exist yet")
	targets := flags.String("platforms", platforms, "build: what to build for")
	flags.Parse(args[1:])
	if (args[0] == "build") != (*out != "") || flags.NArg() > 0 {
		return errors.New("build needs -o FOLDER, and nothing else takes it")
	}
	if _, err := os.Stat(*out); *out != "" && err == nil {
		return fmt.Errorf("%s exists; remove it first", *out)
	}

	// ^C ends the program that we wait for; its error ends us, after the folder is removed.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &release{dir: dir}
	for _, step := range []func() error{r.clone, r.commit, r.serve, r.sums, r.install, r.importer} {
		if err := step(); err != nil {
			return err
		}
	}
	switch args[0] {
	case "build":
		return r.build(strings.Split(*targets, ","), *out)
	case "tag":
		return r.addTags()
	}
	return nil
}

// A release is made in dir, which has the folders
//
//	src      the clone
//	tidied   a module cache: what the modules of HEAD require
//	served   a module cache: our own modules, as the go command reads them from the tags
//	fresh    a module cache filled from the two above and nothing else
//	bin      the programs for this machine
type release struct {
	dir     string
	root    string // the repository
	version string
	time    time.Time // of the commit that is released
	git     []string  // environment of git, and of the go command when it runs git
	upper   string    // GOPROXY for modules of others
}

// path returns the path of something in the folder of the release.
func (r *release) path(elem ...string) string {
	return filepath.Join(append([]string{r.dir}, elem...)...)
}

// tags returns the tags of all modules, in the order of folders.
func (r *release) tags() []string {
	var tags []string
	for _, folder := range folders {
		tags = append(tags, strings.TrimPrefix(folder+"/"+r.version, "/"))
	}
	return tags
}

// module returns the module in a folder of the repository.
func module(folder string) string { return strings.TrimSuffix(repository+"/"+folder, "/") }

func step(format string, args ...any) { fmt.Printf("== "+format+"\n", args...) }

// output runs a program in a folder and returns what it prints, without the newline at
// the end. The later of two values of a variable counts.
func output(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s, in %s: %w\n%s%s", name, strings.Join(args, " "), dir, err, out, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// clone clones the commit that is HEAD.
func (r *release) clone() error {
	var err error
	if r.root, err = output("", nil, "git", "rev-parse", "--show-toplevel"); err != nil {
		return err
	}
	head, err := output(r.root, nil, "git", "log", "-1", "--format=%H%n%an%n%ae%n%ct", "HEAD")
	if err != nil {
		return err
	}
	commit := strings.Split(head, "\n")
	var seconds int64
	if _, err := fmt.Sscan(commit[3], &seconds); err != nil {
		return err
	}
	r.time = time.Unix(seconds, 0).UTC()
	src := r.path("src")
	if _, err := output("", nil, "git", "clone", "--quiet", "--no-tags", "--no-checkout", r.root, src); err != nil {
		return err
	}
	if _, err := output(src, nil, "git", "checkout", "--quiet", "--detach", commit[0]); err != nil {
		return err
	}

	work, err := output(src, nil, "go", "work", "edit", "-json")
	if err != nil {
		return err
	}
	if r.version, err = workVersion([]byte(work)); err != nil {
		return err
	}
	r.git = []string{
		"GIT_AUTHOR_NAME=" + commit[1], "GIT_AUTHOR_EMAIL=" + commit[2], "GIT_AUTHOR_DATE=@" + commit[3] + " +0000",
		"GIT_COMMITTER_NAME=" + commit[1], "GIT_COMMITTER_EMAIL=" + commit[2], "GIT_COMMITTER_DATE=@" + commit[3] + " +0000",
		// The go command finds our modules in the clone.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + src + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + repository,
	}
	upper, err := output(src, nil, "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return err
	}
	cache, proxy, _ := strings.Cut(upper, "\n")
	r.upper = "file://" + filepath.Join(cache, "cache", "download") + "," + proxy
	step("release %s of %s, with %s", r.version, commit[0], runtime.Version())
	return nil
}

// workVersion returns the version of the root module that go.work replaces.
func workVersion(work []byte) (string, error) {
	var file struct {
		Replace []struct {
			Old struct{ Path, Version string }
		}
	}
	if err := json.Unmarshal(work, &file); err != nil {
		return "", err
	}
	for _, replace := range file.Replace {
		if replace.Old.Path == repository && replace.Old.Version != "" {
			return replace.Old.Version, nil
		}
	}
	return "", fmt.Errorf("go.work replaces no version of %s; add the one of the next release", repository)
}
