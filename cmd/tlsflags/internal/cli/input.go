package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

const standardInput = "-"

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// input inspects one argument. An error is one of the output, or that of the
// context; a fault of the input is told and counted in the exit code.
func (in *inspection) input(path string) error {
	switch {
	case path == standardInput:
		return in.apart(func(in *inspection) error {
			in.again = nil
			in.begin("standard input", -1)
			return in.stream(path, newInputReader(in, in.cmd.InOrStdin(), true))
		})
	case isDirectory(path):
		return in.directory(path)
	}
	return in.apart(func(in *inspection) error {
		return in.file(path, func(r *inputReader) error { return in.stream(in.source(path), r) })
	})
}

// source returns the name of the file in results and messages.
func (in *inspection) source(path string) string {
	if in.redact {
		return filepath.Base(path)
	}
	return path
}

// fail tells that an input, or part of it, cannot be read. An error is one of the
// output, or that of the context, which is why reading stopped.
func (in *inspection) fail(source string, err error) error {
	if err := in.cmd.Context().Err(); err != nil {
		return err
	}
	if in.part != nil {
		return in.inTurn(func(in *inspection) error { return in.fail(source, err) })
	}
	if err := in.out.Flush(); err != nil {
		return err
	}
	in.exit = in.exit.and(ExitInput)
	in.progress.clear()
	complain(in.cmd, source+": "+reason(err))
	return nil
}

// warn tells what does not change the exit code.
func (in *inspection) warn(source, text string) {
	if in.part != nil {
		_ = in.inTurn(func(in *inspection) error { in.warn(source, text); return nil }) // which returns nil
		return
	}
	if !in.quiet {
		_ = in.out.Flush() // keeps the order; the error comes again with the next write
		in.progress.clear()
		complain(in.cmd, source+": warning: "+text)
	}
}

// reason leaves the path out of the errors of package os, which repeat it.
func reason(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// file opens a file for read.
func (in *inspection) file(path string, read func(*inputReader) error) error {
	f, err := openFile(in.cmd.Context(), path)
	if err != nil {
		return in.fail(in.source(path), err)
	}
	defer f.Close()
	if err := in.followFile(f); err != nil {
		return in.fail(in.source(path), err)
	}
	in.again = nil
	size, file := int64(-1), io.Reader(interruptible{in.cmd.Context(), f})
	switch info, err := f.Stat(); {
	case err != nil || !info.Mode().IsRegular():
	case in.follow:
		file = &growing{ctx: in.cmd.Context(), f: f, path: path}
	default:
		size, file = info.Size(), f // which nobody has to wait for
		in.again = in.reopenFile(path)
	}
	in.begin(in.source(path), size)
	return read(newInputReader(in, file, in.follow))
}

// directory inspects every capture in and below a directory, in lexical order, and
// passes over all other files.
func (in *inspection) directory(root string) error {
	captures := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return in.apart(func(in *inspection) error { return in.fail(in.source(path), err) })
		}
		if !entry.Type().IsRegular() || in.written.pcap.is(path) {
			return nil
		}
		return in.apart(func(in *inspection) error {
			return in.file(path, func(r *inputReader) error {
				if head, _ := r.Peek(headLen); identify(head) == captureContent {
					if other, err := in.inspectCapture(in.source(path), r, true); !other {
						return cmp.Or(err, in.inTurn(func(*inspection) error { captures++; return nil }))
					}
				}
				return in.inTurn(func(in *inspection) error { in.summary.skipped++; return nil })
			})
		})
	})
	if err != nil {
		return err
	}
	return in.apart(func(in *inspection) error {
		return in.inTurn(func(in *inspection) error {
			if captures > 0 {
				return nil
			}
			return in.fail(in.source(root), errNoCapture)
		})
	})
}

var errNoCapture = errors.New("no capture (pcap or pcapng) in this directory; of raw files, give the names")

// stream inspects one input, whatever it holds.
func (in *inspection) stream(source string, r *inputReader) error {
	const magicLen = 4 // no more, since a file that grows may have no more yet
	head, err := r.Peek(magicLen)
	if err == nil && identify(head) != captureContent {
		head, err = r.Peek(headLen)
	}
	switch {
	case len(head) == 0 && err == io.EOF:
		return in.fail(source, errors.New("it is empty"))
	case len(head) == 0:
		return in.fail(source, err)
	}
	kind := identify(head)
	if kind == captureContent {
		_, err := in.inspectCapture(source, r, false)
		return err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxRaw))
	if err != nil {
		return in.fail(source, err)
	}
	if kind == textContent {
		p, err := readText(data)
		switch {
		case err != nil:
			return in.fail(source, in.unknown(data, "; as text, "+err.Error()))
		case p.packets != nil:
			in.again = in.reopenBytes(p.packets)
			_, err := in.inspectCapture(source, newInputReader(in, bytes.NewReader(p.packets), false), false)
			return err
		}
		if p.also != "" {
			in.warn(source, p.ambiguous())
		}
		data = p.data
	}
	return in.raw(source, data)
}

// raw inspects bytes that are no capture.
func (in *inspection) raw(source string, data []byte) error {
	if in.room.Filter != nil {
		return in.fail(source, errNoPackets)
	}
	if name := foreign(data); name != "" {
		return in.fail(source, errors.New("it is "+name))
	}
	switch name := otherMessage(data); {
	case name != "" && identify(data) == recordContent:
		in.warn(source, "it is "+name+", not a ClientHello")
	case name != "":
		return in.fail(source, errors.New("it is "+name+", not a ClientHello; tlsflags explain shows those that can carry TLS flags"))
	}
	switch identify(data) {
	case recordContent:
		return in.inspectRecords(source, data)
	case messageContent:
		return in.inspectMessage(source, data, capture.TCP)
	case dtlsMessageContent:
		return in.inspectMessage(source, data, capture.DTLS)
	case dtlsRecordContent:
		return in.inspectDTLS(source, data)
	}
	if _, ok := assemble.ParseQUICInitial(data); ok {
		return in.inspectQUIC(source, data)
	}
	if msg, _ := withHeader(data); msg != nil {
		transport := capture.TCP
		if identify(msg) == dtlsMessageContent {
			transport = capture.DTLS
		}
		return in.inspectMessage(source, msg, transport)
	}
	return in.fail(source, in.unknown(data, ""))
}

// unknown is the error for an input that nothing is known about; more is added to it.
func (in *inspection) unknown(data []byte, more string) error {
	if _, err := capture.Open(bytes.NewReader(data), capture.Options{}); err != capture.ErrFormat {
		return err // which names the format
	}
	return errors.New("neither a capture (pcap, pcapng) nor a ClientHello (TLS records, " +
		"a message of TLS or DTLS, or a datagram of DTLS or QUIC; as bytes or as text)" + more)
}

// inputReader reads an input through a buffer.
type inputReader struct {
	*bufio.Reader
	in    *inspection
	file  io.Reader
	flush bool // write the results so far before waiting for more
}

const readerSize = 4 << 10 // readers of captures have larger buffers

func newInputReader(in *inspection, file io.Reader, flush bool) *inputReader {
	r := &inputReader{in: in, file: file, flush: flush}
	r.Reader = bufio.NewReaderSize(unbuffered{r}, readerSize)
	return r
}

// unbuffered is what the buffer of an inputReader is filled from. It counts what is
// read, and stops when the run is interrupted.
type unbuffered struct{ *inputReader }

func (u unbuffered) Read(b []byte) (int, error) {
	n, err := u.read(b)
	u.in.progress.add(n)
	return n, err
}

func (u unbuffered) read(b []byte) (int, error) {
	if err := u.in.cmd.Context().Err(); err != nil {
		return 0, err
	}
	if u.flush {
		if err := u.in.flush(); err != nil {
			return 0, err
		}
	}
	return u.file.Read(b)
}
