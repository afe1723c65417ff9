package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/packets"
)

// packetBuffer is how many bytes of packets are held of a capture that cannot be read twice.
const packetBuffer = 64 << 20

// pcapFile is the file of --write-pcap.
type pcapFile struct {
	file *resultFiles
	out  *bufio.Writer
	w    *packets.Writer
	room int // of the buffer, in bytes

	// Of the capture at hand.
	keeper *packets.Keeper
	set    packets.Set     // of the packets to write, if it can be read twice
	buffer *packets.Buffer // if it cannot
	begun  bool            // its packets are still to be written

	written, lost, cut int
	err                error
}

func createPcap(name string) (*pcapFile, error) {
	p := &pcapFile{file: &resultFiles{fileOptions: fileOptions{name: name}}, room: packetBuffer}
	if err := p.file.begin(time.Time{}); err != nil {
		return nil, err
	}
	p.out = bufio.NewWriterSize(p.file, 64<<10)
	p.w = packets.NewWriter(p.out)
	return p, nil
}

// begin prepares for a capture, before its packets are read.
func (p *pcapFile) begin(c *capture.Reader, twice bool) {
	if p == nil {
		return
	}
	p.set, p.buffer, p.begun = nil, nil, twice
	keep := func(frame int) { p.set.Add(frame) }
	if !twice {
		p.buffer = packets.NewBuffer(p.room)
		keep = func(frame int) {
			if packet, ok := p.buffer.Packet(frame); ok {
				p.write(packet)
			} else {
				p.lost++
			}
		}
	}
	p.keeper = packets.NewKeeper(keep)
	c.Tap(func(frame int, packet capture.Packet, parts []capture.FlowPart) {
		if p.buffer != nil {
			p.buffer.Add(frame, packet)
		}
		p.keeper.Add(parts)
	})
}

func (p *pcapFile) selected(h *capture.Hello) {
	if p.keeper != nil { // else h is of no capture
		p.keeper.Select(h)
	}
}

// end writes the packets of the capture that were chosen. again opens it a second time, if
// that can be done.
func (p *pcapFile) end(in *inspection, source string, again reopener) error {
	if p == nil {
		return nil
	}
	p.cut += p.keeper.Cut
	p.keeper = nil
	if len(p.set) == 0 {
		p.begun = false
		return p.err
	}
	c, file, err := again()
	if err != nil {
		return in.fail(source, fmt.Errorf("reading it again for --write-pcap: %w", err))
	}
	defer file.Close()
	frame := 0
	for packet := range c.Packets() {
		if err := in.cmd.Context().Err(); err != nil {
			return err
		}
		if frame++; p.set.Has(frame) {
			p.write(packet)
		}
		if p.err != nil || frame/64 >= len(p.set) {
			break
		}
	}
	p.begun = false
	return p.err
}

// write writes a packet. An error is returned at the end of the capture.
func (p *pcapFile) write(packet capture.Packet) {
	if p.err == nil {
		p.written++
		p.err = p.w.Write(packet)
	}
}

// finish gives the file its name, and says what is in it and what is not.
func (p *pcapFile) finish(in *inspection) error {
	if p.err = cmp.Or(p.err, p.w.Begin(), p.out.Flush()); p.err != nil {
		p.file.remove()
		return p.err
	}
	if err := p.file.finish(); err != nil {
		return err
	}
	if in.quiet {
		return nil
	}
	fmt.Fprintf(in.cmd.ErrOrStderr(), "wrote %s to %s\n", count(p.written, "packet"), printable(p.file.name))
	if p.lost > 0 {
		complain(in.cmd, fmt.Sprintf("%s: warning: %s not written, which had left the buffer of %d kB; of a file, all are written",
			p.file.name, count(p.lost, "packet"), p.room>>10))
	}
	if p.begun {
		complain(in.cmd, p.file.name+": warning: packets of the last capture are missing; the run ended before they were written")
	}
	if p.cut > 0 {
		complain(in.cmd, fmt.Sprintf("%s: warning: %s may lack the first packets, because too many others came in between",
			p.file.name, count(p.cut, "connection")))
	}
	return nil
}

// is reports whether a file in a directory is the one that is being written.
func (p *pcapFile) is(path string) bool {
	return p != nil && p.file.target != "" && sameFile(path, p.file.f.Name())
}

// reopener opens a capture again.
type reopener func() (*capture.Reader, io.Closer, error)

// reopenFile returns a reopener of a file.
func (in *inspection) reopenFile(path string) reopener {
	return func() (*capture.Reader, io.Closer, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		c, err := capture.Open(f, in.captureOptions())
		return c, f, err
	}
}

// reopenBytes returns a reopener of a capture that text said.
func (in *inspection) reopenBytes(data []byte) reopener {
	return func() (*capture.Reader, io.Closer, error) {
		c, err := capture.Open(bytes.NewReader(data), in.captureOptions())
		return c, c, err
	}
}
