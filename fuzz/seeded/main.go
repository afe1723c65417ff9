// Command seeded plants known faults into a copy of the module, one by one, and measures
// how long the fuzz targets take to find each: a target that finds nothing proves
// nothing. Run it at the root of the repository.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// fault is one textual change, and what is to find it.
type fault struct {
	name     string
	file     string
	old, new string
	function string // fuzz function, or a test if it begins with Test
	folder   string // of the function; fuzz if empty
}

var faults = [...]fault{
	{"flags vector may be one byte longer than extension_data", "extension/flags.go",
		"case end > len(data):", "case end > len(data)+1:", "FuzzFlags", ""},
	{"last octet zero is accepted", "extension/flags.go",
		"if octets[n-1] == 0 {", "if octets[n-1] == 0 && n == 1 {", "FuzzFlags", ""},
	{"flag number cut to 8 bits", "extension/flags.go",
		"i := int(f >> 3)", "i := int(uint8(f) >> 3)", "FuzzRoundTrip", ""},
	{"session_id of 33 bytes", "clienthello/clienthello.go",
		"if n > maxID {", "if n > maxID+1 {", "FuzzClientHelloMessage", ""},
	{"cipher_suites of odd length", "clienthello/clienthello.go",
		"case n%2 != 0:\n\t\treturn ClientHello{}, i, extension.ErrCipherSuitesOdd", "case n == 1:\n\t\treturn ClientHello{}, i, extension.ErrCipherSuitesOdd", "FuzzClientHelloBody", ""},
	{"compression methods one byte too long", "clienthello/clienthello.go",
		"\tcase n > end-i-1:\n", "\tcase n > end-i:\n", "FuzzClientHelloBody", ""},
	{"16-bit wrap of the message length", "clienthello/clienthello.go",
		"end := header + length\n", "end := int(uint16(header + length))\n", "FuzzClientHelloMessage", ""},
	{"duplicates above type 63 are not looked for", "extension/list.go",
		"if high&bit != 0 && contains(", "if high&bit != 0 && t < 64 && contains(", "FuzzExtensionList", ""},
	{"views keep the capacity of the message", "clienthello/clienthello.go",
		"return h.msg[i+1 : end : end]", "return h.msg[i+1 : end]", "FuzzClientHelloMessage", ""},
	{"reads past the length, within the capacity", "clienthello/clienthello.go",
		"if len(msg) < end {", "if cap(msg) < end {", "FuzzClientHelloMessage", ""},
	{"record length off by one", "clienthello/assemble/records.go",
		"case length > maxRecord:", "case length > maxRecord+1:", "FuzzRecords", ""},
	{"state of a record header survives Next", "clienthello/assemble/records.go",
		"header: r.header, again: true,", "header: r.header, headerLen: 1, again: true,", "FuzzRecords", ""},
	{"overlap: the last bytes win", "clienthello/assemble/pieces.go",
		"\tcase 0:\n\t\treturn true\n\tcase mask:", "\tcase 0, mask:\n\t\treturn true\n\tcase ^uint64(0):", "FuzzQUICSchedule", ""},
	{"overlap in TCP: the wrong part of a segment is kept", "capture/ahead.go",
		"won := b[wins.begin-seq : wins.end-seq]", "won := b[:wins.end-wins.begin]", "FuzzTCP", "capture"},
	{"marks of older use of the memory count", "clienthello/assemble/pieces.go",
		"\tclear(p.marks[marksFor(p.end):marksFor(end)])\n", "", "FuzzDTLSDatagrams", ""},
	{"DTLS fragment may reach one byte beyond its message", "clienthello/assemble/dtls.go",
		"case length != d.length:\n\t\treturn refused(extension.ErrFragmentMismatch, at+1)\n\tcase offset+len(body) > length:", "case length != d.length:\n\t\treturn refused(extension.ErrFragmentMismatch, at+1)\n\tcase offset+len(body) > length+1:", "FuzzDTLSDatagrams", ""},
	{"flag that nobody offered is let through", "rules/rules.go",
		"if !offered.Has(f) {", "if !offered.Has(f) && f < 16 {", "FuzzRules", ""},
	{"a list of 65 and more is searched for every type", "extension/list.go",
		"again := *word&bit != 0", "again := contains(b[:i], t)", "TestWorkIsLinear", ""},
	{"an extension is searched whose body nobody reads", "clienthello/bodies.go",
		"\tfor i := range bodies {\n\t\trow", "\th.extensions.Lookup(t)\n\tfor i := range bodies {\n\t\trow", "TestWorkIsLinear", ""},
}

const limit = 60 * time.Second

func main() {
	missed, err := run(strings.Join(os.Args[1:], " "))
	if err != nil {
		fmt.Fprintln(os.Stderr, "seeded:", err)
		os.Exit(2)
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "seeded: %d faults were not found\n", missed)
		os.Exit(1)
	}
}

// run plants the faults whose name contains only, and returns how many were missed.
func run(only string) (missed int, err error) {
	work, err := os.MkdirTemp("", "seeded")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	tree := filepath.Join(work, "tree")
	if err := os.CopyFS(tree, os.DirFS(".")); err != nil {
		return 0, err
	}
	for _, f := range faults {
		if err := f.check(tree); err != nil {
			return 0, err
		}
	}
	fmt.Printf("| fault | target | seconds |\n| --- | --- | --- |\n")
	for _, f := range faults {
		if !strings.Contains(f.name, only) {
			continue
		}
		took, found, err := plant(tree, f)
		if err != nil {
			return missed, fmt.Errorf("%s: %w", f.name, err)
		}
		seconds := fmt.Sprintf("%.1f", took.Seconds())
		if !found {
			missed++
			seconds = "not found"
		}
		fmt.Printf("| %s | %s | %s |\n", f.name, f.function, seconds)
	}
	return missed, nil
}

// check looks for the text that f changes, and for its function.
func (f fault) check(tree string) error {
	source, err := os.ReadFile(filepath.Join(tree, f.file))
	if err != nil {
		return err
	}
	if n := strings.Count(string(source), f.old); n != 1 || f.new == f.old {
		return fmt.Errorf("%s: %q is %d times in %s", f.name, f.old, n, f.file)
	}
	files, err := filepath.Glob(filepath.Join(tree, f.tests(), "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Contains(string(source), "\nfunc "+f.function+"(") {
			return nil
		}
	}
	return fmt.Errorf("%s: there is no %s in %s", f.name, f.function, f.tests())
}

// tests is the folder of the function.
func (f fault) tests() string { return cmp.Or(f.folder, "fuzz") }

// plant makes the change, runs the target, and takes the change back.
func plant(tree string, f fault) (took time.Duration, found bool, err error) {
	path := filepath.Join(tree, f.file)
	source, err := os.ReadFile(path)
	if err != nil {
		return 0, false, err
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(source), f.old, f.new, 1)), 0o644); err != nil {
		return 0, false, err
	}
	defer os.WriteFile(path, source, 0o644) // tree is a copy, so an error does no harm outside of it

	folder := filepath.Join(tree, f.tests())
	binary := filepath.Join(folder, "seeded.test")
	args := []string{"test", "-c", "-o", binary, "."}
	if !strings.HasPrefix(f.function, "Test") {
		args = append(args, "-fuzz=.")
	}
	if out, err := command(context.Background(), folder, "go", args...).CombinedOutput(); err != nil {
		return 0, false, fmt.Errorf("%w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit+10*time.Second)
	defer cancel()
	pattern := "^" + f.function + "$"
	args = []string{"-test.run=" + pattern, "-test.count=1", "-test.failfast"}
	if !strings.HasPrefix(f.function, "Test") {
		args = []string{"-test.run=^$", "-test.fuzz=" + pattern, "-test.parallel=1", "-test.fuzztime=" + limit.String(),
			"-test.fuzzminimizetime=1x", "-test.fuzzcachedir=" + filepath.Join(tree, "cache")}
	}
	start := time.Now()
	out, err := command(ctx, folder, binary, args...).CombinedOutput()
	took = time.Since(start)
	// The end of the time can be an error too, see go_fuzz in scripts/lib.sh.
	failed := err != nil && ctx.Err() == nil && (!bytes.Contains(out, []byte("context deadline exceeded")) || bytes.Contains(out, []byte("Failing input")))
	return took, failed, errors.Join(os.RemoveAll(filepath.Join(folder, "testdata")), os.RemoveAll(filepath.Join(tree, "cache")))
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOFLAGS=-buildvcs=false")
	return cmd
}
