package cli

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
)

// writeOptions are the flags of inspect for files of what was selected.
type writeOptions struct {
	hellos string // directory
	pcap   string
}

func (o *writeOptions) register(f *pflag.FlagSet) {
	f.StringVar(&o.hellos, "write-hellos", "", "write the message of each hello to a file of its own in `DIR`")
	f.StringVar(&o.pcap, "write-pcap", "", "write the packets around the hellos, of both directions, to `FILE` (pcapng)")
}

func (o writeOptions) check(in inspectOptions, args []string) error {
	if in.redact && (o.hellos != "" || o.pcap != "") {
		return usageError("--write-hellos and --write-pcap write what --redact leaves out")
	}
	if o.pcap == standardInput {
		return usageError("--write-pcap needs the name of a file")
	}
	if o.pcap == "" {
		return nil
	}
	for option, name := range map[string]string{"-o": in.result.name, "--report": in.report.name} {
		if sameFile(o.pcap, name) || filepath.Clean(o.pcap) == filepath.Clean(name) {
			return usageError("%s and --write-pcap name the same file", option)
		}
	}
	for _, arg := range args {
		if sameFile(o.pcap, arg) || isCaptureFile(o.pcap) && contains(arg, o.pcap) {
			return usageError("--write-pcap would replace the input %s", arg)
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// contains reports whether a file is in a directory or below it.
func contains(dir, name string) bool {
	path := make([]string, 2)
	for i, p := range []string{dir, name} {
		p, err := filepath.EvalSymlinks(p)
		if err == nil {
			path[i], err = filepath.Abs(p)
		}
		if err != nil {
			return false
		}
	}
	rel, err := filepath.Rel(path[0], path[1])
	return err == nil && filepath.IsLocal(rel)
}

// written is what a run writes besides its results. The zero value writes nothing.
type written struct {
	rows   int    // all that were found
	dir    string // of the hellos
	hellos int
	pcap   *pcapFile // or nil
}

// begin creates what can be created, so that a run does not fail at its end.
func (w *written) begin(o writeOptions) error {
	if w.dir = o.hellos; w.dir != "" {
		if err := os.Mkdir(w.dir, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("--write-hellos %s: %s", w.dir, reason(err))
		}
	}
	if o.pcap == "" {
		return nil
	}
	var err error
	w.pcap, err = createPcap(o.pcap)
	return err
}

// selected writes a hello that is to be shown.
func (w *written) selected(h *capture.Hello) error {
	if w.pcap != nil {
		w.pcap.selected(h)
	}
	if w.dir == "" || len(h.Message) == 0 {
		return nil
	}
	hash := sha256.Sum256(h.Message)
	name := filepath.Join(w.dir, fmt.Sprintf("%06d-%x.bin", w.rows, hash[:8]))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: it exists, and --write-hellos replaces no file; name an empty directory", name)
	}
	if err == nil {
		_, err = f.Write(h.Message)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		if f != nil {
			os.Remove(name) // it is not whole
		}
		return fmt.Errorf("%s: %s", name, reason(err))
	}
	w.hellos++
	return nil
}

// end completes the files, or removes the pcap file if the run failed.
func (w *written) end(in *inspection, err error) error {
	if w.pcap != nil {
		if err != nil {
			w.pcap.file.remove()
			return err
		}
		if err := w.pcap.finish(in); err != nil {
			return err
		}
	}
	if err == nil && w.dir != "" && !in.quiet {
		fmt.Fprintf(in.cmd.ErrOrStderr(), "wrote %s to %s\n", count(w.hellos, "message"), printable(w.dir))
	}
	return err
}
