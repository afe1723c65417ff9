package capture

import (
	"io"
	"sync"
)

// readBuffer is the size of the read buffer, which grows for longer packets. Larger ones
// do not make reading faster.
const readBuffer = 256 << 10

// buffer reads a file through a buffer. What is peeked at is valid until the next call.
type buffer struct {
	r          io.Reader
	buf        []byte
	begin, end int   // of what is buffered and not consumed
	keep       int   // bytes before begin that stay in the buffer
	base       int64 // offset of buf[0] in the file
	err        error // that ended the reading of r

	// swap, if it is not nil, takes buf before each read, and returns memory for what comes next.
	swap func([]byte) []byte
}

// spareBuffers are those of files that were read: clearing new ones takes much of the time for
// small files.
var spareBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}

func newBuffer(r io.Reader) *buffer {
	return &buffer{r: r, buf: spareBuffers.Get().(*[readBuffer]byte)[:]}
}

// release lets go of the memory. Nothing is buffered then.
func (w *buffer) release() {
	if len(w.buf) == readBuffer {
		spareBuffers.Put((*[readBuffer]byte)(w.buf))
	}
	w.buf, w.base = nil, w.offset()
	w.begin, w.end, w.keep = 0, 0, 0
}

// offset returns the position in the file.
func (w *buffer) offset() int64 { return w.base + int64(w.begin) }

// peek returns the next n bytes, or fewer before the end of the file.
func (w *buffer) peek(n int) []byte {
	if w.end-w.begin < n {
		w.fill(n)
	}
	return w.buf[w.begin:min(w.begin+n, w.end)]
}

// fill reads until n bytes are buffered, and waits for no more than these.
func (w *buffer) fill(n int) {
	if w.err != nil {
		return
	}
	if w.swap != nil || w.begin+n > len(w.buf) {
		first := w.begin - w.keep
		buf := w.buf
		if w.swap != nil {
			buf = w.swap(buf)
		}
		if w.keep+n > len(buf)/2 { // less would be moved again and again
			buf = make([]byte, 2*max(w.keep+n, len(buf)))
		}
		copy(buf, w.buf[first:w.end])
		w.buf = buf
		w.base += int64(first)
		w.begin, w.end = w.begin-first, w.end-first
	}
	for idle := 0; w.end-w.begin < n; idle++ {
		k, err := w.r.Read(w.buf[w.end:])
		w.end += k
		switch {
		case err != nil:
			w.err = err
			return
		case k > 0:
			idle = 0
		case idle > 100:
			w.err = io.ErrNoProgress
			return
		}
	}
}

// consume passes n bytes that were peeked at. They are kept.
func (w *buffer) consume(n int) { w.begin, w.keep = w.begin+n, n }

// discard passes n bytes, or fewer before the end of the file, and returns how many.
func (w *buffer) discard(n int) int {
	w.keep = 0
	for rest := n; ; {
		k := min(rest, w.end-w.begin)
		w.begin += k
		if rest -= k; rest == 0 || w.err != nil {
			return n - rest
		}
		w.fill(1)
	}
}

// failed returns the error of the reader, if it is another one than the end of the file.
func (w *buffer) failed() error {
	if w.err == io.EOF || w.err == io.ErrUnexpectedEOF {
		return nil
	}
	return w.err
}

// Read makes a buffer a reader of what has not been consumed.
func (w *buffer) Read(p []byte) (int, error) {
	b := w.peek(1)
	if len(b) == 0 {
		return 0, w.err
	}
	w.keep = 0
	n := copy(p, w.buf[w.begin:w.end])
	w.begin += n
	return n, nil
}
