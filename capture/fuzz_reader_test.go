package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

// readerSeeds are captures that are not compressed.
func readerSeeds(yield func([]byte) bool) {
	fuzzing.Chain(recordedCaptures, packetSeeds)(yield)
}

// checkReaderInput compares what the reader finds in a capture with what pcapgo finds, up to
// what pcapgo refuses or reads otherwise, unless the capture is damaged.
func checkReaderInput(file []byte) error {
	ours, err := open(bytes.NewReader(file))
	if err != nil {
		return nil
	}
	theirs, ok := openPcapgo(file)
	if !ok {
		return nil
	}
	var pairs []string // of what differs
	for i := 1; ; i++ {
		want, wantErr := theirs.next()
		got, gotErr := ours.next()
		var stats Stats
		ours.count(&stats)
		switch {
		case stats.Damaged > 0 || gotErr != nil && gotErr != io.EOF:
			return nil // pcapgo does not look at the end of a block
		case wantErr != nil && wantErr != io.EOF:
			return nil
		case wantErr == io.EOF && gotErr == io.EOF:
			return errors.Join(errorsOf(pairs)...)
		case wantErr != gotErr:
			return fmt.Errorf("packet %d: %v, pcapgo has %v", i, gotErr, wantErr)
		case want.Time.IsZero() || !theirs.sameClock(want) || longFraction(ours, got):
			want.Time = got.Time
		}
		if got.Length > len(got.Data) && len(want.Data) > maxPacket {
			got.Data, want.Data = nil, nil
		}
		if !bytes.Equal(got.Data, want.Data) || got.Length != want.Length || got.Link != want.Link || !got.Time.Equal(want.Time) {
			pairs = append(pairs, fmt.Sprintf("packet %d: %d bytes of %d, %v, %v; pcapgo has %d of %d, %v, %v", i,
				len(got.Data), got.Length, got.Link, got.Time, len(want.Data), want.Length, want.Link, want.Time))
		}
	}
}

// longFraction reports whether the fraction of a packet's time is a second or more, which
// overflows in pcapgo.
func longFraction(s source, p Packet) bool {
	pcap, ok := s.(*pcapSource)
	return ok && p.Time.Unix() != int64(pcap.seconds)
}

func errorsOf(texts []string) (errs []error) {
	for _, t := range texts {
		errs = append(errs, errors.New(t))
	}
	return errs
}

// pcapgoReader reads a capture with pcapgo.
type pcapgoReader struct {
	read func() ([]byte, gopacket.CaptureInfo, error)
	ng   *pcapgo.NgReader // nil for pcap
	link layers.LinkType
	info gopacket.CaptureInfo
}

// openPcapgo opens a capture, unless pcapgo reads it otherwise: AIX's and other versions.
func openPcapgo(file []byte) (*pcapgoReader, bool) {
	if r, err := pcapgo.NewReader(bytes.NewReader(file)); err == nil {
		r.SetSnaplen(1 << 30)
		return &pcapgoReader{read: r.ReadPacketData, link: r.LinkType()}, true
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	return &pcapgoReader{read: r.ReadPacketData, ng: r}, err == nil
}

func (r *pcapgoReader) next() (p Packet, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("pcapgo panicked")
		}
	}()
	data, info, err := r.read()
	if err != nil {
		return Packet{}, err
	}
	r.info = info
	link := r.link
	if r.ng != nil {
		link, _ = info.AncillaryData[0].(layers.LinkType)
	}
	return Packet{Data: data, Length: info.Length, Link: LinkType(link), Time: info.Timestamp}, nil
}

// sameClock reports whether pcapgo makes exact times of the packet's interface.
func (r *pcapgoReader) sameClock(p Packet) bool {
	if r.ng == nil {
		return true
	}
	i, err := r.ng.Interface(r.info.InterfaceIndex)
	recent := p.Time.After(time.Unix(0, 0)) && p.Time.Before(time.Unix(1<<32, 0))
	return err == nil && i.TimestampResolution == 6 && i.TimestampOffset == 0 && recent
}
