package fuzz

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"
	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/cli"
)

// tcpPacket returns an IPv4 packet with a TCP segment, without checksums: they are not
// verified.
func tcpPacket(seq uint32, flags byte, payload []byte) []byte {
	b := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2} // RFC 791
	b = append(b, 0xc3, 0x50, 0x01, 0xbb)                                           // ports 50000, 443
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// CheckTCP sends a stream, after its SYN, in pieces that may overlap, come again and
// come in any order. One ClientHello is to be found, msg, as soon as all has come.
func CheckTCP(isn uint32, stream, msg []byte, pieces []Piece) error {
	const syn, ack = 0x02, 0x10
	s := capture.NewScanner(capture.Options{})
	found := 0
	var wrong error
	yield := func(h *capture.Hello) bool {
		found++
		if h.Code != 0 || !bytes.Equal(h.Message, msg) || h.Transport != capture.TCP || len(h.Frames) == 0 {
			wrong = fmt.Errorf("hello %d: code %q, %d bytes for %d, frames %v", found, h.Code.Name(), len(h.Message), len(msg), h.Frames)
		}
		return true
	}
	scan := func(packet []byte) {
		s.Scan(capture.Packet{Data: packet, Link: layers.LinkTypeRaw}, yield)
	}
	scan(tcpPacket(isn, syn, nil))
	have := make([]bool, len(stream))
	missing := len(stream)
	for i, p := range pieces {
		for rest, offset := p.Data, p.Offset; len(rest) > 0; {
			n := min(len(rest), 65000)
			scan(tcpPacket(isn+1+uint32(offset), ack, rest[:n]))
			rest, offset = rest[n:], offset+n
		}
		for j := range p.Data {
			if !have[p.Offset+j] {
				have[p.Offset+j] = true
				missing--
			}
		}
		if complete := missing == 0; wrong != nil || complete != (found > 0) {
			return fmt.Errorf("after piece %d of %d, with %d bytes missing, %d hellos were found: %w", i, len(pieces), missing, found, wrong)
		}
	}
	if found > 1 {
		return fmt.Errorf("%d hellos were found in one", found)
	}
	return nil
}

// checkTCPInput reads the initial sequence number, sizes of records, and a Schedule.
func checkTCPInput(data []byte) error {
	if len(data) < 5 {
		return nil
	}
	isn := binary.BigEndian.Uint32(data)
	cuts, rest, ok := splitCuts(data[4:])
	if !ok {
		return nil
	}
	body, pieces := Schedule(rest)
	if len(body) < 2 || len(body) > 1<<16 {
		return nil
	}
	// The schedule is about the stream, and the stream is longer than the body.
	n := len(body)
	msg := append([]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
	stream := InRecords(msg, cuts)
	for i, p := range pieces {
		offset := p.Offset * len(stream) / n
		end := min(offset+len(p.Data)*len(stream)/n+1, len(stream))
		pieces[i] = Piece{offset, stream[offset:end]}
	}
	pieces = append(pieces, Piece{0, stream})
	return CheckTCP(isn, stream, msg, pieces)
}

func tcpSeeds(yield func([]byte) bool) {
	g := NewGenerator(11)
	each(scheduleSeeds(4, false), func(schedule []byte) []byte {
		isn := [][]byte{{0xff, 0xff, 0xff, 0x00}, {0, 0, 0, 0}, {0x7f, 0xff, 0xfe, 0xff}}[g.random.Intn(3)]
		return slices.Concat(isn, withCuts(g.Cuts(), schedule))
	})(yield)
}

// foundHello is what is compared of a capture.Hello.
type foundHello struct {
	Transport capture.Transport
	Frames    []int
	Message   []byte
	Code      string
	Offset    int
	Index     int
	ParseErr  string
}

// readCapture returns what is found in a capture, and the counts.
func readCapture(r io.Reader, o capture.Options) ([]foundHello, capture.Stats, error) {
	reader, err := capture.Open(r, o)
	if err != nil {
		return nil, capture.Stats{}, err
	}
	var found []foundHello
	for h := range reader.Hellos() {
		f := foundHello{h.Transport, slices.Clone(h.Frames), bytes.Clone(h.Message), h.Code.Name(), h.Offset, h.Index, ""}
		if _, _, err := h.Parse(); err != nil {
			f.ParseErr = err.Error()
		}
		found = append(found, f)
	}
	return found, reader.Stats(), reader.Err()
}

// CheckCapture holds package capture to what can be said of any file: it reads the same
// from a slow source, frames exist, the counts fit, and a tight limit only loses hellos.
func CheckCapture(file []byte) error {
	found, stats, err := readCapture(bytes.NewReader(file), capture.Options{})
	again, stats2, err2 := readCapture(iotest.OneByteReader(bytes.NewReader(file)), capture.Options{})
	if diff := cmp.Diff(found, again); diff != "" || stats != stats2 || (err == nil) != (err2 == nil) {
		return fmt.Errorf("read at once (-, %v) and byte by byte (+, %v):\n%s", err, err2, diff)
	}
	if errors.Is(err, capture.ErrFormat) && (len(found) > 0 || stats.Packets > 0) {
		return errors.New("hellos in what is no capture")
	}
	refused := 0
	for i, h := range found {
		if h.Code != "" {
			refused++
		} else if len(h.Message) < 4 || len(h.Frames) == 0 {
			return fmt.Errorf("hello %d: %d bytes in %d frames", i, len(h.Message), len(h.Frames))
		}
		for _, frame := range h.Frames {
			if frame < 1 || frame > stats.Packets {
				return fmt.Errorf("hello %d: frame %d of %d", i, frame, stats.Packets)
			}
		}
	}
	if stats.Refused != refused || stats.Hellos != len(found)-refused {
		return fmt.Errorf("%d hellos and %d refused were found, the counts are %+v", len(found)-refused, refused, stats)
	}
	if few, _, _ := readCapture(bytes.NewReader(file), capture.Options{MaxFlows: 1, MaxMemory: 4096}); stats.Flows == 1 && len(few) > len(found) {
		return fmt.Errorf("%d hellos with a tight limit, %d without", len(few), len(found))
	}
	return nil
}

func captureSeeds(yield func([]byte) bool) {
	const large = 40_000 // what takes longer to read than it is worth
	for e := range corpus.OfKind(corpus.Captures) {
		data := e.Data()
		if len(data) <= large && !yield(data) {
			return
		}
	}
	for e := range corpus.OfKind(corpus.Captures) {
		if data := e.Data(); len(data) < 3000 {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Write(data) // a Buffer takes everything
			w.Close()
			if !yield(b.Bytes()) {
				return
			}
		}
	}
}

// CheckInspect runs tlsflags inspect on what stands on standard input. Any input is fine
// or unreadable, the answer is well formed, and the same for the same input.
func CheckInspect(file []byte, choice byte) error {
	format := []string{"text", "jsonl", "json", "csv"}[choice%4]
	args := []string{"inspect", "--format", format}
	for bit, option := range []string{"--stats", "--strict", "--redact", "--quiet"} {
		if choice>>(4+bit)&1 != 0 {
			args = append(args, option)
		}
	}
	args = append(args, "-")
	var out, complaints bytes.Buffer
	exit := cli.Run(context.Background(), args, bytes.NewReader(file), &out, &complaints)
	switch {
	case exit == int(cli.ExitDone), exit == int(cli.ExitInput) && complaints.Len() > 0:
	case exit == int(cli.ExitRefused) && slices.Contains(args, "--strict"):
	default:
		return fmt.Errorf("%q: exit code %d, %q", args, exit, complaints.String())
	}
	for _, c := range append(out.Bytes(), complaints.Bytes()...) {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return fmt.Errorf("%q: control character %#x in the output", args, c)
		}
	}
	if format == "jsonl" || format == "json" {
		decoder := json.NewDecoder(&out)
		for {
			var v any
			if err := decoder.Decode(&v); err == io.EOF {
				break
			} else if err != nil {
				return fmt.Errorf("%q: %w", args, err)
			}
		}
	}
	return nil
}

func checkInspectInput(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return CheckInspect(data[1:], data[0])
}

func inspectSeeds(yield func([]byte) bool) {
	choice := byte(0)
	chain(captureSeeds, messages,
		each(messages, func(msg []byte) []byte { return InRecords(msg, nil) }),
		each(messages, func(msg []byte) []byte { return fmt.Appendf(nil, "%x\n", msg) }),
		generated(12, 8, false),
	)(func(file []byte) bool {
		choice += 37
		return yield(append([]byte{choice}, file...))
	})
}
