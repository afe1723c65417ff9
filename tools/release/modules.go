package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// With the same flags everywhere, the standard library is compiled once for each platform.
const flags = "GOFLAGS=-modcacherw -trimpath"

// tidyEnv is the environment in which our modules come from the tags of the clone, and
// others as for everybody, with the checksum database.
func (r *release) tidyEnv(cache string) []string {
	return append([]string{
		"GOENV=off", "GOWORK=off", flags, "CGO_ENABLED=0", "GOMODCACHE=" + r.path(cache),
		"GOPROXY=" + r.upper, "GOPRIVATE=" + repository,
	}, r.git...)
}

// userEnv is the environment of a user: a module cache that was empty, and a proxy.
func (r *release) userEnv() []string {
	proxy := func(cache string) string { return "file://" + r.path(cache, "cache", "download") }
	return []string{
		"GOENV=off", "GOWORK=off", flags, "CGO_ENABLED=0", "GOMODCACHE=" + r.path("fresh"),
		"GOPROXY=" + proxy("served") + "," + proxy("tidied"), "GOPRIVATE=", "GONOPROXY=", "GOSUMDB=off", "GOVCS=*:off",
	}
}

// commit makes the release commit and its tags. A module can only be tidied after the
// tags of those that it requires, so the commit grows from module to module.
func (r *release) commit() error {
	step("go.sum of the modules, the release commit and its tags")
	src := r.path("src")
	git := func(args ...string) error {
		config := []string{"-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "core.autocrlf=false"}
		_, err := output(src, r.git, "git", append(config, args...)...)
		return err
	}
	if err := git("commit", "--quiet", "--allow-empty", "-m", "Release "+r.version); err != nil {
		return err
	}
	for i, folder := range folders {
		if _, err := output(filepath.Join(src, folder), r.tidyEnv("tidied"), "go", "mod", "tidy"); err != nil {
			return err
		}
		for _, err := range []error{
			git("commit", "--quiet", "--all", "--allow-empty", "--amend", "--no-edit"),
			git("tag", "-a", "-m", "Release "+r.tags()[i], r.tags()[i]),
		} {
			if err != nil {
				return err
			}
		}
	}
	for _, tag := range r.tags() { // the commit has grown since
		if err := git("tag", "-f", "-a", "-m", "Release "+tag, tag); err != nil {
			return err
		}
	}
	changed, err := output(src, nil, "git", "diff", "--numstat", "HEAD~", "HEAD")
	if err != nil {
		return err
	}
	fmt.Println(changed)
	return onlySums(changed)
}

// onlySums checks that a change, as git diff --numstat prints it, adds lines to files
// go.sum and does nothing else.
func onlySums(numstat string) error {
	for line := range strings.Lines(numstat) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[1] != "0" || filepath.Base(fields[2]) != "go.sum" {
			return fmt.Errorf("the release commit changes more than it adds to go.sum: %srun make tidy, and commit", line)
		}
	}
	return nil
}

// serve fills a module proxy with our modules, as they are at the tags.
func (r *release) serve() error {
	args := []string{"mod", "download"}
	for _, folder := range folders {
		args = append(args, module(folder)+"@"+r.version)
	}
	step("a proxy with %s", strings.Join(args[2:], " "))
	_, err := output(r.dir, r.tidyEnv("served"), "go", args...)
	return err
}

// sums checks that each go.sum has all sums that the module and its tests need.
func (r *release) sums() error {
	for _, folder := range folders {
		if _, err := output(r.path("src", folder), r.userEnv(), "go", "list", "-mod=readonly", "-deps", "-test", "./..."); err != nil {
			return err
		}
	}
	return nil
}

// install installs the programs as users do.
func (r *release) install() error {
	env := append(r.userEnv(), "GOBIN="+r.path("bin"))
	for _, program := range []string{caddy, command} {
		step("go install %s@%s", program, r.version)
		if _, err := output(r.dir, env, "go", "install", program+"@"+r.version); err != nil {
			return err
		}
	}
	says, err := output(r.dir, nil, r.path("bin", "tlsflags"), "--version")
	if err != nil {
		return err
	}
	fmt.Println(says)
	if !strings.HasPrefix(says, "tlsflags "+r.version+" ") {
		return fmt.Errorf("tlsflags --version prints %q, not %s", says, r.version)
	}
	return nil
}

// importer builds a module that imports every package that others can import, but for programs.
func (r *release) importer() error {
	var program strings.Builder
	program.WriteString("package main\n\nimport (\n")
	count := 0
	for _, folder := range folders[:len(folders)-programs] {
		format := `{{if and .GoFiles (ne .Name "main")}}{{.ImportPath}}{{end}}`
		list, err := output(r.path("src", folder), r.userEnv(), "go", "list", "-f", format, "./...")
		if err != nil {
			return err
		}
		for _, path := range strings.Fields(list) {
			if !strings.Contains(path+"/", "/internal/") {
				fmt.Fprintf(&program, "\t_ %q\n", path)
				count++
			}
		}
	}
	program.WriteString(")\n\nfunc main() {}\n")
	step("a module that imports %d packages", count)
	if count == 0 {
		return errors.New("no package can be imported")
	}
	dir := r.path("importer")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program.String()), 0o666); err != nil {
		return err
	}
	for _, args := range [][]string{{"mod", "init", "example.com/importer"}, {"mod", "tidy"}, {"build", "-o", "importer", "."}} {
		if _, err := output(dir, r.userEnv(), "go", args...); err != nil {
			return err
		}
	}
	required, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	for _, folder := range folders[:len(folders)-programs] {
		if want := module(folder) + " " + r.version; !strings.Contains(string(required), "\t"+want+"\n") {
			return fmt.Errorf("the importer does not require %s:\n%s", want, required)
		}
	}
	return nil
}

// addTags adds the tags, and with them the release commit, to the repository.
func (r *release) addTags() error {
	args := []string{"fetch", "--quiet", "--no-tags", r.path("src")}
	for _, tag := range r.tags() {
		args = append(args, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	if _, err := output(r.root, nil, "git", args...); err != nil {
		return err
	}
	step("the repository has the tags; publish them: git push origin %s", strings.Join(r.tags(), " "))
	return nil
}
