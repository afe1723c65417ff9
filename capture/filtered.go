package capture

import (
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/tlsflags/tlsflags/capture/filter"
)

// packetFilter runs Options.Filter on the packets of files.
type packetFilter struct {
	filter   *filter.Filter
	link     LinkType
	program  *bpf.VM // for link; nil before the first packet
	programs map[LinkType]*bpf.VM
}

// match reports whether a packet is chosen. It fails if the filter does not know the link type.
func (f *packetFilter) match(p Packet) (bool, error) {
	if f.program == nil || p.Link != f.link {
		if err := f.compile(p.Link); err != nil {
			return false, err
		}
	}
	n, err := f.program.Run(p.Data)
	return n > 0, err
}

func (f *packetFilter) compile(link LinkType) error {
	if f.programs[link] == nil {
		code, err := f.filter.Program(uint16(link))
		if err != nil {
			return errFilterLink(link)
		}
		program, err := bpf.NewVM(code)
		if err != nil {
			return err
		}
		if f.programs == nil {
			f.programs = make(map[LinkType]*bpf.VM)
		}
		f.programs[link] = program
	}
	f.link, f.program = link, f.programs[link]
	return nil
}

// errFilterLink is why packets of a link type cannot be chosen.
func errFilterLink(link LinkType) error {
	return fmt.Errorf("the filter cannot look into packets of %v; leave it out", link)
}

// passOver takes a packet that the filter did not choose, or that it cannot read because of err.
// It returns false if err ends the reading.
func (r *Reader) passOver(p Packet, err error) bool {
	r.scanner.passOver(p)
	if err == nil {
		return true
	}
	files, ok := r.source.(*joined) // the next one may be known
	if ok {
		files.end(err)
	}
	return ok
}

// passOver counts a packet that is not scanned.
func (s *Scanner) passOver(p Packet) {
	s.stats.Packets++
	s.stats.Bytes += len(p.Data)
}
