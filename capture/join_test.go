package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// onePacket is a packet of a capture.
type onePacket struct {
	data []byte
	info gopacket.CaptureInfo
	link layers.LinkType
}

// split returns the packets of a capture.
func split(t *testing.T, data []byte) (packets []onePacket) {
	t.Helper()
	var source gopacket.PacketDataSource
	var link func() layers.LinkType
	if r, err := pcapgo.NewReader(bytes.NewReader(data)); err == nil {
		source, link = r, r.LinkType
	} else {
		r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions)
		if err != nil {
			t.Fatal(err)
		}
		source, link = r, r.LinkType
	}
	for {
		b, info, err := source.ReadPacketData()
		if err == io.EOF {
			return packets
		}
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, onePacket{b, info, link()})
	}
}

// write returns a file with packets: of one format if form is even, of another if it is odd.
func write(t *testing.T, form int, packets []onePacket) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriterNanos(&b)
	if err := w.WriteFileHeader(0, packets[0].link); err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(p.info, p.data); err != nil {
			t.Fatal(err)
		}
	}
	if form%2 == 0 {
		return b.Bytes()
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(b.Bytes(), nil)
}

func fileOf(name string, data []byte) capture.File {
	return capture.File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// joinedRows returns what a reader finds, with the file of the first frame of each.
func joinedRows(r *capture.Reader) (rows, files []string) {
	for h := range r.Hellos() {
		rows = append(rows, fmt.Sprintf("%+v", *h.Clone()))
		file := ""
		if len(h.Frames) > 0 {
			file = r.File(h.Frames[0])
		}
		files = append(files, file)
	}
	return rows, files
}

// TestJoin cuts each capture of the corpus into files, at each packet and at every packet, and
// checks that they give the same rows as the whole.
func TestJoin(t *testing.T) {
	for e := range corpus.OfKind(corpus.Captures) {
		t.Run(e.File, func(t *testing.T) {
			packets := split(t, e.Data())
			whole, err := capture.Open(bytes.NewReader(write(t, 0, packets)), capture.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want, _ := joinedRows(whole)
			check := func(files ...capture.File) {
				t.Helper()
				r := capture.Join(capture.Options{}, files...)
				got, _ := joinedRows(r)
				if fmt.Sprint(got) != fmt.Sprint(want) || r.Err() != nil {
					t.Errorf("%d files: got %v, want %v, error %v", len(files), got, want, r.Err())
				}
				if stats := r.Stats(); stats != whole.Stats() {
					t.Errorf("%d files: got %+v, want %+v", len(files), stats, whole.Stats())
				}
			}
			var each []capture.File
			for i := range packets {
				file := fileOf(fmt.Sprintf("x%d.pcap", i), write(t, i, packets[i:i+1]))
				each = append([]capture.File{file}, each...)
			}
			check(each...)
			for i := 1; i < len(packets); i += 1 + len(packets)/50 {
				check(fileOf("x1", write(t, 1, packets[i:])), fileOf("x0", write(t, 0, packets[:i])))
			}
		})
	}
}

// TestJoinNames checks the order of files whose times are equal, and which file a frame is of.
func TestJoinNames(t *testing.T) {
	le := binary.LittleEndian
	other := func(n int) []byte { return ipv4(client, server, 6, tcp(clientPort+n, serverPort, 1, ack, hello())) }
	r := capture.Join(capture.Options{},
		fileOf("a10", pcap(le, false, other(10))),
		fileOf("a9", pcap(le, false, other(8), other(9))),
		fileOf("a", pcap(le, false, other(0))),
		fileOf("a1.pcap", join(section(le), iface(le, linkRaw, 0), packetBlock(le, other(1)))),
		fileOf("a010b", pcap(le, false, other(11))),
		fileOf("empty", pcap(le, false)),
	)
	_, files := joinedRows(r)
	if got, want := fmt.Sprint(files), "[a a1.pcap a9 a9 a10 a010b]"; got != want || r.Err() != nil {
		t.Errorf("got %s, want %s, %v", got, want, r.Err())
	}
	for _, frame := range []int{-1, 0, 7} {
		if file := r.File(frame); file != "" {
			t.Errorf("frame %d: %s", frame, file)
		}
	}
}

// TestJoinCounts checks that the counts of the file that is being read are in those of all.
func TestJoinCounts(t *testing.T) {
	le := binary.LittleEndian
	lost := func(n uint64, port int) []byte {
		statistics := block(le, 5, words(le, 0, 0, 0), option(le, 5, le.AppendUint64(nil, n)))
		return join(section(le), iface(le, linkRaw, 0), statistics, packetBlock(le, ipv4(client, server, 6, tcp(port, serverPort, 1, ack, hello()))))
	}
	r := capture.Join(capture.Options{}, fileOf("a", lost(7, 1)), fileOf("b", lost(20, 2)))
	var dropped []int
	for range r.Hellos() {
		dropped = append(dropped, r.Stats().Dropped)
	}
	if got := fmt.Sprint(dropped, r.Stats().Dropped); got != "[7 27] 27" {
		t.Errorf("dropped %s", got)
	}
}

// TestJoinErrors checks that a file which cannot be read, or is damaged, is reported, and that
// the others are read.
func TestJoinErrors(t *testing.T) {
	le := binary.LittleEndian
	broken := errors.New("broken")
	good := pcap(le, false, up(1, ack, hello()))
	closed := 0
	opened := func(name string, data io.Reader, err error) capture.File {
		return capture.File{Name: name, Open: func() (io.ReadCloser, error) { return closer{data, &closed}, err }}
	}
	first := true
	r := capture.Join(capture.Options{},
		fileOf("a", good),
		opened("b", nil, broken),
		fileOf("c", []byte("no capture")),
		fileOf("d", good[:30]),
		capture.File{Name: "e", Open: func() (io.ReadCloser, error) {
			if !first {
				return nil, broken
			}
			first = false
			return io.NopCloser(bytes.NewReader(good)), nil
		}},
		opened("f", io.MultiReader(bytes.NewReader(good[:60]), iotest.ErrReader(broken)), nil),
		fileOf("g", pcap(le, false, ipv4(client, server, 6, tcp(clientPort+1, serverPort, 1, ack, hello())))),
	)
	_, files := joinedRows(r)
	if fmt.Sprint(files) != "[a g]" {
		t.Errorf("hellos in %v", files)
	}
	var got []string
	for _, err := range r.Err().(interface{ Unwrap() []error }).Unwrap() {
		file, _ := errors.AsType[*capture.FileError](err)
		got = append(got, fmt.Sprint(file.Name, errors.Is(err, broken), errors.Is(err, capture.ErrDamaged), errors.Is(err, capture.ErrFormat)))
	}
	if want := "[btrue false false cfalse false true ftrue false false dfalse true false etrue false false]"; fmt.Sprint(got) != want {
		t.Errorf("errors %v, want %v", got, want)
	}
	if stats := r.Stats(); stats.Cut != 1 || stats.Packets != 2 || closed != 1 {
		t.Errorf("%+v, %d closed", stats, closed)
	}
}

type closer struct {
	io.Reader
	n *int
}

func (c closer) Close() error {
	*c.n++
	return nil
}
