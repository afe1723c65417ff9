package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tlsflags/tlsflags/capture"
)

// joined inspects all captures in the arguments as one.
func (in *inspection) joined(args []string) error {
	var files []capture.File
	for _, arg := range args {
		found, err := in.captures(arg)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	if in.keys != nil {
		var lost losses
		in.followed, lost = followCapture(capture.Join(in.captureOptions(), files...), in.keys)
		in.warnOfLosses("--join", lost)
	}
	c := capture.Join(in.captureOptions(), files...)
	in.summary.inputs += len(files)
	in.written.pcap.begin(c, true)
	source := ""
	for hello := range c.Hellos() {
		if len(hello.Frames) > 0 {
			source = c.File(hello.Frames[0])
		}
		if err := in.found(in.source(source), hello); err != nil {
			return err
		}
	}
	in.counts("--join", c.Stats())
	if errs, ok := c.Err().(interface{ Unwrap() []error }); ok {
		for _, err := range errs.Unwrap() {
			file, _ := errors.AsType[*capture.FileError](err)
			if !errors.Is(err, capture.ErrDamaged) {
				in.summary.inputs--
			}
			if err := in.fault(in.source(file.Name), file.Err); err != nil {
				return err
			}
		}
	}
	return in.written.pcap.end(in, "--join", func() (*capture.Reader, io.Closer, error) {
		c := capture.Join(in.captureOptions(), files...)
		return c, c, nil
	})
}

// captures returns the captures in a directory, or the file that is named, whatever it holds.
func (in *inspection) captures(root string) (files []capture.File, err error) {
	named, failed := !isDirectory(root), false
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			failed = true
			return in.fail(in.source(path), err)
		case named:
		case !entry.Type().IsRegular() || in.written.pcap.is(path):
			return nil
		case !in.isCapture(path):
			in.summary.skipped++
			return nil
		}
		files = append(files, capture.File{Name: path, Open: func() (io.ReadCloser, error) { return in.open(path) }})
		return nil
	})
	if err == nil && len(files) == 0 && !failed {
		err = in.fail(in.source(root), errNoCapture)
	}
	return files, err
}

// isCapture reports whether a file is a capture, as its content says, or cannot be read, which
// is told later.
func (in *inspection) isCapture(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	_, err = capture.Open(f, capture.Options{})
	return err != capture.ErrFormat
}

// open opens a file of several.
func (in *inspection) open(path string) (io.ReadCloser, error) {
	f, err := openFile(in.cmd.Context(), path)
	if err != nil {
		return nil, err
	}
	in.progress.begin(in.source(path), -1)
	return inputFile{newInputReader(in, f, false), f}, nil
}

// inputFile is a file that is read through an inputReader.
type inputFile struct {
	io.Reader
	io.Closer
}
