package capture

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/gopacket/gopacket/pcapgo"
)

// ErrFormat says that the input is neither pcap nor pcapng.
var ErrFormat = errors.New("neither a pcap nor a pcapng file")

// readBuffer is the size of the read buffer. Larger ones do not make reading faster.
const readBuffer = 64 << 10

// maxPacket is the length of the longest packet that is read, as in tcpdump and Wireshark.
const maxPacket = 256 << 10

// Reader reads a capture file or a network interface.
type Reader struct {
	source  source
	scanner *Scanner
	err     error
}

// source is a source of packets. The data are valid until the next call.
type source interface {
	next() (Packet, error)
}

// Open reads the header of a pcap or pcapng file, which may be compressed with gzip.
// It fails with [ErrFormat] if r is no such file. A compressed file may unpack to any
// length: reading it takes time for all of that, but no memory.
func Open(r io.Reader, o Options) (*Reader, error) {
	buffered := bufio.NewReaderSize(r, readBuffer) //mutation:equivalent any size will do
	magic, err := buffered.Peek(2)
	if err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		buffered = bufio.NewReaderSize(unzipped, readBuffer) //mutation:equivalent any size will do
	}
	magic, err = buffered.Peek(4)
	switch {
	case err == io.EOF:
		return nil, ErrFormat
	case err != nil:
		return nil, err
	}
	var s source
	switch binary.BigEndian.Uint32(magic) {
	case 0x0a0d0d0a:
		s, err = openPcapng(buffered)
	case 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1:
		s, err = openPcap(buffered)
	default:
		return nil, ErrFormat
	}
	if err != nil {
		return nil, err
	}
	return &Reader{source: s, scanner: NewScanner(o)}, nil
}

// Hellos reads the capture to its end and returns the hellos in the order in which
// they become complete. A Hello is valid until the next one. A second call continues after
// the last packet that the first one read.
func (r *Reader) Hellos() iter.Seq[*Hello] {
	return func(yield func(*Hello) bool) {
		for r.err == nil {
			p, err := r.source.next()
			if err != nil {
				r.err = err
				r.scanner.Flush(yield)
				return
			}
			if !r.scanner.Scan(p, yield) {
				return
			}
		}
	}
}

// Err returns the error that ended the reading before the end of the capture: the file is
// cut short or damaged there, or could not be read. The hellos before it are right all the
// same.
func (r *Reader) Err() error {
	if r.err == io.EOF || r.err == errStopped {
		return nil
	}
	return r.err
}

// errStopped says that the caller has stopped a live capture.
var errStopped = errors.New("stopped")

// Stats returns the counts so far.
func (r *Reader) Stats() Stats {
	stats := r.scanner.Stats()
	if live, ok := r.source.(interface{ drops() int }); ok {
		stats.Dropped = live.drops()
	}
	return stats
}

// Close ends a live capture, and with it Hellos. It does not close the reader that was
// given to [Open].
func (r *Reader) Close() error {
	if c, ok := r.source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// pcapSource reads a pcap file.
type pcapSource struct {
	*pcapgo.Reader
	r    *bufio.Reader // source of Reader
	data []byte
}

func openPcap(r *bufio.Reader) (source, error) {
	reader, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, cutShort(err)
	}
	// A huge length in the file must not make the reader allocate that much.
	reader.SetSnaplen(min(reader.Snaplen(), maxPacket))
	return &pcapSource{Reader: reader, r: r}, nil
}

func (s *pcapSource) next() (Packet, error) {
	data, info, err := s.ZeroCopyReadPacketData()
	if err != nil && (info.CaptureLength > maxPacket || info.CaptureLength > info.Length) {
		data, err = s.oddPacket(info.CaptureLength)
	}
	if err == io.EOF && info.CaptureLength == 0 {
		return Packet{}, io.EOF // between two packets
	}
	if err != nil {
		return Packet{}, cutShort(err)
	}
	return Packet{Data: data, Length: info.Length, Link: LinkType(s.LinkType()), Time: info.Timestamp}, nil
}

// oddPacket reads the data of a packet that pcapgo refused since it is longer than
// maxPacket, or than it was on the wire. The former is skipped.
func (s *pcapSource) oddPacket(n int) ([]byte, error) {
	//mutation:equivalent only 32-bit systems have such a length
	if n < 0 { // over 2 GB, if int has 32 bits
		return nil, fmt.Errorf("the capture is damaged: a packet of %d bytes", uint32(n))
	}
	if n > maxPacket {
		if _, err := s.r.Discard(n); err != nil {
			return nil, cutShort(err)
		}
		return nil, nil
	}
	s.data = slices.Grow(s.data[:0], n)[:n]
	if _, err := io.ReadFull(s.r, s.data); err != nil {
		return nil, cutShort(err)
	}
	return s.data, nil
}

// errCutShort is not io.ErrUnexpectedEOF itself, which pcapgo takes for a regular end
// between two blocks.
var errCutShort = fmt.Errorf("the capture is cut short: %w", io.ErrUnexpectedEOF)

// cutShort replaces the errors of a file that ends in the middle of something.
func cutShort(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errCutShort
	}
	return err
}
