package capture

import (
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// The most that decompressors hold. Both programs write up to this by default.
const (
	maxZstdWindow = 128 << 20 // zstd --ultra -22 or --long
	maxXZDict     = 64 << 20  // xz -9
)

// packers are the programs whose files are unpacked.
var packers = []struct {
	name, magic string
	open        func(*buffer) (io.Reader, error)
}{
	{"gzip", "\x1f\x8b", func(w *buffer) (io.Reader, error) { return gzip.NewReader(w) }},
	{"bzip2", "BZh", func(w *buffer) (io.Reader, error) { return bzip2.NewReader(w), nil }},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
	{"lz4", "\x04\x22\x4d\x18", openLZ4},
	{"lz4", "\x02\x21\x4c\x18", openLZ4}, // its first format
	{"xz", "\xfd7zXZ\x00", openXZ},
}

func openZstd(w *buffer) (io.Reader, error) {
	return zstd.NewReader(w, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow),
		zstd.WithDecoderMaxMemory(maxZstdWindow))
}

func openLZ4(w *buffer) (io.Reader, error) { return lz4.NewReader(w), nil }

// unpack opens a file, and what is compressed in it. It returns what it begins with.
func unpack(r io.Reader) (*buffer, format, error) {
	w := newBuffer(r)
	if err := skipFrames(w); err != nil {
		return nil, 0, err
	}
	for _, p := range packers {
		if string(w.peek(len(p.magic))) != p.magic {
			continue
		}
		unpacked, err := p.open(w)
		if err != nil {
			return nil, 0, unpackFault(w, p.name, err)
		}
		w = newBuffer(&unpacker{name: p.name, packed: w, r: unpacked})
		break
	}
	f := formatOf(w.peek(4))
	if f == formatUnknown {
		if w.err != nil && w.err != io.EOF {
			return nil, 0, w.err
		}
		return nil, 0, notRead(w.peek(foreignLen))
	}
	return w, f, nil
}

// skipFrames passes over skippable frames of zstd and lz4:
//
//	uint32 magic, from 0x184d2a50 to 0x184d2a5f; uint32 length; data
func skipFrames(w *buffer) error {
	for {
		b := w.peek(8)
		if len(b) < 8 || binary.LittleEndian.Uint32(b)&^0xf != 0x184d2a50 {
			return nil
		}
		n := int(min(binary.LittleEndian.Uint32(b[4:]), 1<<30))
		if w.discard(8); w.discard(n) < n {
			return ErrFormat
		}
	}
}

// unpacker tells the errors of a decompressor from those of the file.
type unpacker struct {
	name   string
	packed *buffer
	r      io.Reader
}

func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		err = unpackFault(u.packed, u.name, err)
	}
	return n, err
}

// unpackFault returns the error of the file, if there is one, io.ErrUnexpectedEOF if the file
// is cut short, or what the decompressor says.
func unpackFault(packed *buffer, name string, err error) error {
	switch {
	case packed.failed() != nil:
		return packed.failed()
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return io.ErrUnexpectedEOF
	}
	return unpackError{name, err}
}

// unpackError says that compressed data are damaged, or need too much memory.
type unpackError struct {
	name string
	err  error
}

func (e unpackError) Error() string {
	if errors.Is(e.err, zstd.ErrWindowSizeExceeded) || errors.Is(e.err, zstd.ErrDecoderSizeExceeded) {
		return fmt.Sprintf("zstd: it needs a window of more than %d MiB; unpack it with zstd -d --long=31", maxZstdWindow>>20)
	}
	text := e.err.Error()
	if strings.HasPrefix(text, e.name+": ") {
		return text
	}
	return fmt.Sprintf("%s: %s", e.name, text)
}

func (e unpackError) Unwrap() error { return e.err }

func (e unpackError) Is(target error) bool { return target == ErrDamaged }
