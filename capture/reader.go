package capture

import (
	"errors"
	"io"
	"iter"
)

// maxPacket is the length of the longest packet that is read, as in tcpdump and Wireshark.
const maxPacket = 256 << 10

// Reader reads a capture file or a network interface.
type Reader struct {
	source  source
	scanner *Scanner
	tap     *tap          // or nil
	share   *share        // of a Budget, or nil
	workers *workers      // or nil
	filter  *packetFilter // nil: all packets
	err     error
}

func newReader(s source, scanner *Scanner, o Options) *Reader {
	r := &Reader{source: s, scanner: scanner}
	if o.Filter != nil {
		r.filter = &packetFilter{filter: o.Filter}
	}
	return r
}

// source is a source of packets. The data are valid until the next call.
type source interface {
	next() (Packet, error)
	count(*Stats) // adds what is wrong with it
}

// fileSource is a source whose data are in a buffer.
type fileSource interface {
	source
	buffered() *buffer
}

// Open reads the header of a pcap or pcapng file, which may be compressed with gzip, bzip2,
// zstd, lz4 or xz. It fails with [ErrFormat] if r is no such file. A compressed file may
// unpack to any length: reading it takes time for all of that, but no memory beyond what
// the decompressor needs, which is at most 128 MiB for zstd and 64 MiB for xz.
func Open(r io.Reader, o Options) (*Reader, error) {
	if o.Workers > 1 {
		return NewBudget(o).Open(r, o)
	}
	s, err := open(r)
	if err != nil {
		return nil, err
	}
	return newReader(s, NewScanner(o), o), nil
}

func open(r io.Reader) (fileSource, error) {
	w, f, err := unpack(r)
	if err != nil {
		return nil, err
	}
	if f == formatPcap {
		return openPcap(w)
	}
	return openPcapng(w)
}

// Hellos reads the capture to its end and returns the hellos in the order in which
// they become complete. A Hello is valid until the next one, or the end. A second call
// continues after the last packet that the first one read.
func (r *Reader) Hellos() iter.Seq[*Hello] {
	return func(yield func(*Hello) bool) {
		if r.workers != nil && r.tap == nil {
			r.workers.hellos(r, yield)
			return
		}
		defer r.use()()
		if r.share != nil {
			yield = r.share.bracket(yield)
			defer r.share.set(shareIdle)
		}
		for r.err == nil {
			r.share.pause()
			p, err := r.source.next()
			if err == errIdle {
				if !r.scanner.idle(p.Time, yield) {
					return
				}
				continue
			}
			if err == nil && r.filter != nil {
				var match bool
				if match, err = r.filter.match(p); !match && r.passOver(p, err) {
					if r.tap != nil {
						r.tap.scanner.passOver(p)
					}
					continue
				}
			}
			if err != nil {
				r.err = err
				r.scanner.Flush(yield)
				if r.share != nil {
					r.settle()
				}
				return
			}
			if r.tap != nil {
				r.tap.packet(p)
			}
			if !r.scanner.Scan(p, yield) {
				return
			}
		}
	}
}

// use begins to use the packets of a live capture, which stay in memory until the function that
// it returns is called.
func (r *Reader) use() (end func()) {
	s, ok := r.source.(interface {
		begin()
		end()
	})
	if !ok {
		return func() {}
	}
	s.begin()
	return s.end
}

// Err returns what was wrong with the capture, after it was read: the file could not be read
// to its end, or is damaged or cut short ([ErrDamaged]). A damaged file is read on from the
// next packet that is sound. The hellos that were found are right all the same.
func (r *Reader) Err() error {
	if r.err == io.EOF || r.err == errStopped {
		return nil
	}
	return r.err
}

// errStopped says that the caller has stopped a live capture; errIdle that no packet came for a
// while, and what time it is.
var (
	errStopped = errors.New("stopped")
	errIdle    = errors.New("idle")
)

// Stats returns the counts so far.
func (r *Reader) Stats() Stats {
	stats := r.scanner.Stats()
	if r.workers != nil {
		for _, each := range r.workers.each {
			stats.add(each.scanner.Stats())
		}
	}
	r.source.count(&stats)
	return stats
}

// Interface is a network interface.
type Interface struct {
	Name string
	Link LinkType
}

// Interfaces returns the interfaces of a live capture, nil for other readers.
func (r *Reader) Interfaces() []Interface {
	if s, ok := r.source.(interface{ interfaces() []Interface }); ok {
		return s.interfaces()
	}
	return nil
}

// File returns the name of the file of [Join] that has a frame, or of the interface of [Live] on
// which it came. Frames are counted from 1, over all files. File returns "" for other Readers
// and, with several interfaces, for a frame that came more than 262,144 packets ago.
func (r *Reader) File(frame int) string {
	if s, ok := r.source.(interface{ nameOf(frame int) string }); ok {
		return s.nameOf(frame)
	}
	return ""
}

// Close ends a live capture, and with it Hellos. It does not close the reader that was
// given to [Open].
func (r *Reader) Close() error {
	if c, ok := r.source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
