// Command evade sends tricks to real receivers, and compares what they read with what
// tlsflags inspect says about the captures. It needs Linux, root or user namespaces, and
// /dev/net/tun:
//
//	go run . -command ../../build/tlsflags
//
// Every trick is played alone, and then random combinations of them. The exit status is 1
// if an answer is wrong and no row names a doubt, or if honest traffic is in doubt.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// options are those of the command line.
type options struct {
	command  string // tlsflags
	count    int    // of combinations
	seed     int64
	only     string
	kinds    string
	keep     string
	document string
	wait     time.Duration
	parallel int
	verbose  bool
}

func main() {
	var o options
	flag.StringVar(&o.command, "command", "tlsflags", "the tlsflags `program` that is tested")
	flag.IntVar(&o.count, "n", 300, "how many random combinations of tricks to play")
	flag.Int64Var(&o.seed, "seed", 1, "the seed of the first combination; the next ones follow")
	flag.StringVar(&o.only, "trick", "", "play this trick only, alone")
	flag.StringVar(&o.kinds, "kinds", "", "play tricks of these kinds only, such as \"overlaps,fragments\"")
	flag.StringVar(&o.keep, "keep", "", "keep the captures in this `folder`, with a list of what was read")
	flag.StringVar(&o.document, "document", "", "write the table into this Markdown `file`")
	flag.DurationVar(&o.wait, "wait", 500*time.Millisecond, "how long to wait for a server's answer")
	flag.IntVar(&o.parallel, "parallel", 8*runtime.GOMAXPROCS(0), "how many connections at a time")
	flag.BoolVar(&o.verbose, "v", false, "print every answer that is not sure")
	flag.Parse()
	if in, err := enterNamespace(); !in {
		exit(err)
	}
	exit(run(o))
}

// errWrong ends the program after it has printed what is wrong.
var errWrong = errors.New("evade: wrong answers")

// exit ends the program, with the status of the one inside if err is about that.
func exit(err error) {
	var inner *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &inner) && inner.ExitCode() > 0:
		os.Exit(inner.ExitCode())
	case errors.Is(err, errWrong):
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "evade:", err)
	os.Exit(3)
}
