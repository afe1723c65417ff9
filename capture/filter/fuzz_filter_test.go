package filter_test

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/net/bpf"

	"github.com/tlsflags/tlsflags/capture/filter"
)

func filterSeeds(yield func([]byte) bool) {
	random := rand.New(rand.NewPCG(4, 16))
	for n := range 60 {
		if !yield([]byte(expression(random, true, n%4))) {
			return
		}
	}
	for _, text := range []string{"", "vlan and", "port (80", "host ::1%1", "net 1/", "a & b", "((((tcp))))", "src or dst"} {
		if !yield([]byte(text)) {
			return
		}
	}
}

// checkFilterInput checks that an expression is refused with its column, or compiles for all
// link types to programs that say the same live and in files, and the opposite with not.
func checkFilterInput(data []byte) error {
	text := string(data)
	f, err := filter.Parse(text)
	if err != nil {
		e, ok := errors.AsType[*filter.SyntaxError](err)
		if !ok || e.Column < 1 || e.Column > len(text)+1 {
			return fmt.Errorf("%q: %v", text, err)
		}
		return nil
	}
	for _, link := range filter.LinkTypes() {
		for _, program := range []func(uint16) ([]bpf.Instruction, error){f.Program, f.LiveProgram} {
			code, err := program(link)
			if err != nil {
				return err
			}
			if _, err := bpf.Assemble(code); err != nil {
				return err
			}
		}
	}
	if err := checkLive(f); err != nil {
		return err
	}
	opposite, err := filter.Parse("not(" + text + ")")
	if err != nil {
		return nil // too deep
	}
	yes, _ := f.Program(ethernet)
	no, _ := opposite.Program(ethernet)
	for _, p := range packets {
		whole := append(frame(p.data), make([]byte, 4*len(text))...) // long enough for every test
		a, err := vmRun(yes, whole)
		b, err2 := vmRun(no, whole)
		if a == b || err != nil || err2 != nil {
			return fmt.Errorf("%q, %s: %t, with not %t, %v, %v", text, p.name, a, b, err, err2)
		}
	}
	return nil
}
