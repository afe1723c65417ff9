package packets

import (
	"encoding/binary"
	"io"
	"math"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// Writer writes packets to a pcapng file (draft-ietf-opsawg-pcapng), with times in nanoseconds.
type Writer struct {
	w     io.Writer
	links map[capture.LinkType]uint32 // number of the interface of each link type
	begun bool
	b     []byte
}

// NewWriter returns a Writer. The caller buffers w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, links: make(map[capture.LinkType]uint32)}
}

// The types of blocks.
const (
	sectionBlock   = 0x0a0d0d0a
	interfaceBlock = 1
	packetBlock    = 6
)

// Begin writes the header of the file. Write does so before the first packet.
func (w *Writer) Begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	// uint32 byte_order_magic; uint16 major, minor; uint64 section_length;
	body := binary.LittleEndian.AppendUint32(nil, 0x1a2b3c4d)
	body = binary.LittleEndian.AppendUint16(body, 1)
	body = binary.LittleEndian.AppendUint16(body, 0)
	body = binary.LittleEndian.AppendUint64(body, math.MaxUint64) // not given
	return w.block(sectionBlock, body)
}

// Write writes a packet. A time that 64 bits of nanoseconds since 1970 do not hold is written
// as 0.
func (w *Writer) Write(p capture.Packet) error {
	if err := w.Begin(); err != nil {
		return err
	}
	id, ok := w.links[p.Link]
	if !ok {
		id = uint32(len(w.links))
		w.links[p.Link] = id
		if err := w.describe(p.Link); err != nil {
			return err
		}
	}
	at := uint64(0)
	if first, last := time.Unix(0, 0), time.Unix(0, math.MaxInt64); !p.Time.Before(first) && !p.Time.After(last) {
		at = uint64(p.Time.UnixNano())
	}
	// uint32 interface, timestamp_high, timestamp_low, captured_length, original_length;
	// then the data, padded to 4 bytes
	body := w.b[:0]
	for _, v := range []int{int(id), int(at >> 32), int(at & math.MaxUint32), len(p.Data), max(p.Length, len(p.Data))} {
		body = binary.LittleEndian.AppendUint32(body, uint32(v))
	}
	body = append(body, p.Data...)
	body = append(body, make([]byte, -len(p.Data)&3)...)
	w.b = body
	return w.block(packetBlock, body)
}

// describe writes the description of an interface.
func (w *Writer) describe(link capture.LinkType) error {
	// uint16 link_type, reserved; uint32 snap_length; options of uint16 code, length
	const noLimit, resolution, nanoseconds = 0, 9, 9
	body := binary.LittleEndian.AppendUint16(nil, uint16(link))
	body = binary.LittleEndian.AppendUint16(body, 0)
	body = binary.LittleEndian.AppendUint32(body, noLimit)
	body = append(body, resolution, 0, 1, 0, nanoseconds, 0, 0, 0)
	body = append(body, 0, 0, 0, 0) // end of options
	return w.block(interfaceBlock, body)
}

func (w *Writer) block(typ uint32, body []byte) error {
	length := uint32(12 + len(body))
	head := binary.LittleEndian.AppendUint32(nil, typ)
	head = binary.LittleEndian.AppendUint32(head, length)
	for _, part := range [][]byte{head, body, binary.LittleEndian.AppendUint32(nil, length)} {
		if _, err := w.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
