package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
)

// fileOptions are the flags of inspect for results that go to a file.
type fileOptions struct {
	name   string // "" or "-": standard output
	rotate rotation
}

func (o *fileOptions) register(f *pflag.FlagSet) {
	f.StringVarP(&o.name, "output", "o", "", "write the results to `FILE`, which appears when it is complete")
	f.Var(&o.rotate, "rotate", "with -o and -i, - or --follow: begin a new file after this time or size, such as 1h or 1GB")
}

func (o *fileOptions) on() bool { return o.name != "" && o.name != standardInput }

func (o *fileOptions) check(args []string, live bool) error {
	if o.rotate.on() && !(o.on() && live) {
		return usageError("--rotate goes with -o and -i, - or --follow")
	}
	if info, err := os.Stat(o.name); o.rotate.on() && err == nil && !info.Mode().IsRegular() {
		return usageError("--rotate makes several files; %s is a device, a pipe or a directory", o.name)
	}
	return o.checkOld("-o", args)
}

// checkOld checks that the file of an option replaces no capture, be it an input or not.
func (o *fileOptions) checkOld(option string, args []string) error {
	if !o.on() {
		return nil
	}
	old, err := os.Stat(o.name)
	if err != nil {
		return nil // there is none, or creating another one says why not
	}
	for _, arg := range args {
		if info, err := os.Stat(arg); err == nil && os.SameFile(old, info) {
			return usageError("%s would replace the input %s", option, arg)
		}
	}
	if old.Mode().IsRegular() && isCaptureFile(o.name) {
		return usageError("%s would replace %s, which is a capture", option, o.name)
	}
	return nil
}

func isCaptureFile(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, headLen)
	n, _ := io.ReadFull(f, head)
	return capture.IsCapture(head[:n])
}

// write calls run, whose results go to the file, or to standard output if there is none. If
// run ends early, the file is removed.
func (o *fileOptions) write(cmd *cobra.Command, run func(*resultFiles) error) error {
	if !o.on() {
		return run(nil)
	}
	files := &resultFiles{fileOptions: *o}
	if !o.rotate.on() {
		if err := files.begin(time.Time{}); err != nil {
			return err
		}
	}
	stdout := cmd.OutOrStdout()
	cmd.SetOut(files)
	defer cmd.SetOut(stdout)
	err := run(files)
	if exit, ok := errors.AsType[*exitError](err); err != nil && (!ok || exit.err != nil) {
		files.remove()
		if files.err != nil {
			return files.err
		}
		return err
	}
	return errors.Join(files.finish(), err)
}

// resultFiles are the files that the results of a run go to, one after the other. A file has
// another name, in the same folder, until it is complete.
type resultFiles struct {
	fileOptions
	f       *os.File  // nil between files
	target  string    // the name in the end; "" for a device or a pipe, which has no other
	first   time.Time // of the first hello
	written int64     // bytes
	number  int       // of the files that were begun
	err     error     // of a file that could not be written
}

// begin creates the next file.
func (r *resultFiles) begin(first time.Time) error {
	r.first, r.written = first, 0
	r.number++
	r.target = r.name
	if link, err := filepath.EvalSymlinks(r.name); err == nil {
		r.target = link
	}
	mode, old := os.FileMode(0o666), os.FileMode(0)
	if info, err := os.Stat(r.target); err == nil {
		// /dev/stdout may be a file that the shell appends to.
		open := strings.HasPrefix(r.name, "/dev/std") || strings.HasPrefix(r.name, "/dev/fd/")
		if old = info.Mode(); !old.IsRegular() || open {
			r.target = ""
			r.f, err = os.OpenFile(r.name, os.O_WRONLY|os.O_APPEND, 0)
			return r.failed(err)
		}
	}
	var err error
	for range 100 {
		name := filepath.Join(filepath.Dir(r.target), ".tlsflags-"+strconv.FormatUint(rand.Uint64(), 36)+".part")
		if r.f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode); !errors.Is(err, os.ErrExist) {
			break
		}
	}
	if err == nil && old != 0 {
		err = r.f.Chmod(old.Perm())
	}
	return r.failed(err)
}

// failed keeps the first error, with the name that the user knows.
func (r *resultFiles) failed(err error) error {
	if err != nil && r.err == nil {
		r.err = &exitError{ExitInput, fmt.Errorf("%s: %s", r.name, reason(err))}
	}
	return r.err
}

func (r *resultFiles) Write(b []byte) (int, error) {
	if r.f == nil {
		return len(b), r.err // nothing is left to write after the last file
	}
	n, err := r.f.Write(b)
	r.written += int64(n)
	return n, r.failed(err)
}

// finish gives the file its name.
func (r *resultFiles) finish() error {
	if r.f == nil || r.err != nil {
		r.remove()
		return r.err
	}
	if r.target == "" {
		return r.failed(r.f.Close())
	}
	if err := errors.Join(r.f.Sync(), r.f.Close()); err != nil {
		os.Remove(r.f.Name())
		return r.failed(err)
	}
	err := os.Rename(r.f.Name(), r.finalName())
	if err != nil {
		os.Remove(r.f.Name())
	}
	r.f = nil
	return r.failed(err)
}

// finalName returns the name of the file, with --rotate one that is not in use: with the time
// of the first hello and the number of the file.
func (r *resultFiles) finalName() string {
	if !r.rotate.on() {
		return r.target
	}
	ext := filepath.Ext(r.target)
	if ext == filepath.Base(r.target) {
		ext = "" // of a hidden file
	}
	for ; ; r.number++ {
		name := fmt.Sprintf("%s-%s-%04d%s", strings.TrimSuffix(r.target, ext), r.first.UTC().Format("20060102T150405Z"), r.number, ext)
		if _, err := os.Lstat(name); err != nil {
			return name
		}
	}
}

// remove removes the file that is not complete.
func (r *resultFiles) remove() {
	if r.f == nil {
		return
	}
	r.f.Close()
	if r.target != "" {
		os.Remove(r.f.Name())
	}
	r.f = nil
}

// rotation is when --rotate begins a new file: after a period, which begins at a multiple of
// its length in UTC, or after a number of bytes.
type rotation struct {
	text   string
	period time.Duration
	bytes  int64
}

func (r *rotation) on() bool       { return r.text != "" }
func (r *rotation) String() string { return r.text }
func (r *rotation) Type() string   { return "time|bytes" }

func (r *rotation) Set(s string) error {
	var size byteSize
	if d, err := time.ParseDuration(s); err == nil && d >= time.Second {
		*r = rotation{text: s, period: d}
	} else if number, ok := strings.CutSuffix(s, "B"); ok && size.Set(number) == nil {
		*r = rotation{text: s, bytes: int64(size)}
	} else {
		return &unknownValue{what: "rotation", got: s, use: "use a time of 1s or more, such as 1h, or a size, such as 1GB"}
	}
	return nil
}

// rotatingPrinter gives the hellos to a printer for each file.
type rotatingPrinter struct {
	files *resultFiles
	fresh func() printer
	out   *bufio.Writer // to files
	now   printer       // nil between files
}

func (p *rotatingPrinter) print(l *line) error {
	if p.now != nil && p.due(l.hello.Time) {
		if err := p.close(); err != nil {
			return err
		}
	}
	if p.now == nil {
		if err := p.files.begin(l.hello.Time); err != nil {
			return err
		}
		p.now = p.fresh()
	}
	return p.now.print(l)
}

// due reports whether a hello of this time belongs to the next file. A late one does not
// begin another.
func (p *rotatingPrinter) due(t time.Time) bool {
	if period := p.files.rotate.period; period > 0 {
		return t.Truncate(period).After(p.files.first.Truncate(period))
	}
	return p.files.written+int64(p.out.Buffered()) >= p.files.rotate.bytes
}

// close completes the file.
func (p *rotatingPrinter) close() error {
	if p.now == nil {
		return nil
	}
	err := p.now.close()
	p.now = nil
	return errors.Join(err, p.out.Flush(), p.files.finish())
}
