// Command drivers runs the vectors against other implementations:
//
//	go run ./vectors/drivers check          # does each do what docs/matrix.json says?
//	go run ./vectors/drivers record         # write docs/matrix.json and docs/matrix.md
//	go run ./vectors/drivers matrix         # the same from what was recorded, after a change of the vectors
//	go run ./vectors/drivers answer openssl # for tlsflags vectors run
//
// check and record can be given names of stacks. The programs in stacks/ are the drivers:
// each is a server, or a parser, that answers each line of standard input with a line.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("drivers: ")
	dir := flag.String("dir", "vectors/drivers", "folder of the drivers")
	docs := flag.String("docs", "docs", "folder of the matrix")
	flag.Parse()
	if err := run(*dir, *docs, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(dir, docs string, args []string) error {
	if len(args) == 0 {
		return errors.New("say check, record, matrix or answer")
	}
	list, err := chosen(args[1:])
	if err != nil {
		return err
	}
	stored := filepath.Join(docs, "matrix.json")
	switch args[0] {
	case "check":
		return check(dir, stored, list)
	case "record":
		return record(dir, docs, list)
	case "matrix":
		results, err := readResults(stored)
		if err != nil {
			return err
		}
		tests, err := load(dir)
		if err != nil {
			return err
		}
		return writeMatrix(docs, results, tests)
	case "answer":
		if len(list) != 1 {
			return errors.New("answer needs one stack")
		}
		return answer(dir, list[0], os.Stdin, os.Stdout)
	}
	return fmt.Errorf("no command %q; say check, record, matrix or answer", args[0])
}

// with starts a stack, and gives it to f.
func with(dir string, s stack, f func(*process) error) error {
	work, err := os.MkdirTemp("", "drivers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := writeCertificates(work); err != nil {
		return err
	}
	p, err := s.start(filepath.Join(dir, "stacks"), work)
	if err != nil {
		return err
	}
	if err = f(p); err != nil {
		p.cmd.Process.Kill()
	}
	return errors.Join(err, p.stop())
}

// askStacks asks the stacks, two at a time. It leaves out those that this machine lacks,
// and says so.
func askStacks(dir string, list []stack, tests []*vector) ([]result, error) {
	results := make([]result, len(list))
	errs := make([]error, len(list))
	var wait sync.WaitGroup
	turns := make(chan struct{}, 2)
	for i, s := range list {
		if lacks := s.missing(); lacks != "" {
			fmt.Printf("skipped: %s: %s\n", s.name, lacks)
			if os.Getenv("REQUIRE_ALL") == "1" {
				errs[i] = fmt.Errorf("REQUIRE_ALL=1: %s may not be skipped", s.name)
			}
			continue
		}
		wait.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			errs[i] = with(dir, s, func(p *process) (err error) {
				results[i], err = p.askAll(tests)
				return err
			})
			if errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", s.name, errs[i])
			}
		})
	}
	wait.Wait()
	return slices.DeleteFunc(results, func(r result) bool { return r.Version == "" }), errors.Join(errs...)
}

// check compares what the stacks do with what they did. Another version that does the
// same is worth a line.
func check(dir, stored string, list []stack) error {
	old, err := readResults(stored)
	if err != nil {
		return err
	}
	tests, err := load(dir)
	if err != nil {
		return err
	}
	results, err := askStacks(dir, list, tests)
	changed := 0
	for _, r := range results {
		was := find(old, r)
		lines := r.differences(was)
		for _, line := range lines {
			fmt.Println(line)
		}
		changed += len(lines)
		switch {
		case was.Version == "":
			fmt.Printf("%s: not asked before\n", r.Version)
		case len(lines) == 0 && r.Version != was.Version:
			fmt.Printf("%s does in %d tests what %s did\n", r.Version, len(r.Verdicts)+r.Flags.Asked, was.Version)
		case len(lines) == 0:
			fmt.Printf("%s: as before in %d tests\n", r.Version, len(r.Verdicts)+r.Flags.Asked)
		}
	}
	if changed > 0 {
		err = errors.Join(err, fmt.Errorf("%d verdicts changed; if that is right, run make vectors-observed", changed))
	}
	return err
}

// find returns the result of the same version, or else of the same stack.
func find(results []result, like result) result {
	for _, same := range []func(result) bool{
		func(r result) bool { return r.Version == like.Version },
		func(r result) bool { return r.name() == like.name() },
	} {
		if i := slices.IndexFunc(results, same); i >= 0 {
			return results[i]
		}
	}
	return result{}
}

// record replaces what the stacks did.
func record(dir, docs string, list []stack) error {
	for _, s := range list {
		if lacks := s.missing(); lacks != "" {
			return fmt.Errorf("%s: %s", s.name, lacks)
		}
	}
	tests, err := load(dir)
	if err != nil {
		return err
	}
	results, err := askStacks(dir, list, tests)
	if err != nil {
		return err
	}
	var old []result
	if len(list) < len(stacks) {
		if old, err = readResults(filepath.Join(docs, "matrix.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return writeMatrix(docs, merge(old, results), tests)
}
