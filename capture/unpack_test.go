package capture_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"github.com/tlsflags/tlsflags/capture"
)

func packed(t *testing.T, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pack returns data as each program packs them.
func pack(t *testing.T, data []byte) map[string][]byte {
	lz4Options := func(w io.Writer, options ...lz4.Option) (io.WriteCloser, error) {
		z := lz4.NewWriter(w)
		return z, z.Apply(options...)
	}
	return map[string][]byte{
		"gzip": packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"zstd": packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"zstd, window of 128 MiB": packed(t, data, func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithWindowSize(128<<20), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
		}),
		"lz4": packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return lz4Options(w) }),
		"lz4, sizes": packed(t, data, func(w io.Writer) (io.WriteCloser, error) {
			return lz4Options(w, lz4.SizeOption(uint64(len(data))), lz4.BlockSizeOption(lz4.Block64Kb))
		}),
		"lz4 -l": packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return lz4Options(w, lz4.LegacyOption(true)) }),
		"xz":     packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w) }),
		"xz, blocks": packed(t, data, func(w io.Writer) (io.WriteCloser, error) {
			return xz.WriterConfig{DictCap: 1 << 16, BlockSize: 30000, CheckSum: xz.SHA256}.NewWriter(w)
		}),
		"xz, CRC32": packed(t, data, func(w io.Writer) (io.WriteCloser, error) {
			return xz.WriterConfig{DictCap: 1 << 16, BlockSize: 30000, CheckSum: xz.CRC32}.NewWriter(w)
		}),
		"xz, no check": packed(t, data, func(w io.Writer) (io.WriteCloser, error) {
			return xz.WriterConfig{DictCap: 1 << 16, NoCheckSum: true}.NewWriter(w)
		}),
	}
}

// TestReadsPacked checks that compressed captures are read: whole, one after the other, and up
// to the place at which they are cut, which is never passed over in silence.
func TestReadsPacked(t *testing.T) {
	le := binary.LittleEndian
	file := join(section(le), iface(le, linkRaw, 0), packetBlock(le, up(1, ack, hello())))
	for range 20 { // more than a buffer of the decompressors
		file = join(file, block(le, 0xbad, bytes.Repeat(hello(), 50)))
	}
	file = join(file, packetBlock(le, ipv4(client, server, 6, tcp(clientPort+1, serverPort, 1, ack, hello()))))
	all := pack(t, file)
	for name, data := range all {
		for how, r := range map[string]io.Reader{
			"":            bytes.NewReader(data),
			", byte-wise": iotest.OneByteReader(bytes.NewReader(data)),
		} {
			if hellos, stats, err := read(r); len(hellos) != 2 || stats.Packets != 2 || err != nil {
				t.Errorf("%s%s: %d hellos, %+v, %v", name, how, len(hellos), stats, err)
			}
		}
		if _, stats, err := read(bytes.NewReader(join(data, data))); stats.Packets != 4 || err != nil {
			t.Errorf("%s, twice: %+v, %v", name, stats, err)
		}
		step := max(1, len(data)/100)
		for n := 4; n < len(data); n++ {
			_, stats, err := read(bytes.NewReader(data[:n]))
			if err == nil && !(name == "lz4 -l" && stats.Packets == 2) {
				t.Errorf("%s, %d of %d bytes: no error, %+v", name, n, len(data), stats)
			}
			if n >= 30 { // after the headers
				n += step - 1
			}
		}
		broken := errors.New("broken")
		if _, _, err := read(io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the error of the file", name, err)
		}
	}
	skippable := join(words(le, 0x184d2a5f, 5), []byte("12345"), words(le, 0x184d2a50, 0))
	for _, name := range []string{"zstd", "lz4"} {
		if _, stats, err := read(bytes.NewReader(join(skippable, all[name]))); stats.Packets != 2 || err != nil {
			t.Errorf("%s after skippable frames: %+v, %v", name, stats, err)
		}
	}
	if _, stats, err := read(bytes.NewReader(join(all["xz"], make([]byte, 8), all["xz"], make([]byte, 4)))); stats.Packets != 4 || err != nil {
		t.Errorf("xz with padding: %+v, %v", stats, err)
	}
}

// TestReadsBzip2 reads a capture that bzip2 has packed.
func TestReadsBzip2(t *testing.T) {
	data, err := hex.DecodeString("425a6839314159265359680203be000013471ed60002000800020020001000080004002000" +
		"a0003100d000d3d50d0c9ea6d19100448992447450eb17e77aa7f177245385090680203be0")
	if err != nil {
		t.Fatal(err)
	}
	if _, stats, err := read(bytes.NewReader(join(data, data))); stats.Packets != 2 || err != nil {
		t.Errorf("%+v, %v", stats, err)
	}
	if _, _, err := read(bytes.NewReader(data[:len(data)-1])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: got %v", err)
	}
}

// TestPackedDamage checks that damage of compressed data is called so.
func TestPackedDamage(t *testing.T) {
	le := binary.LittleEndian
	file := join(section(le), iface(le, linkRaw, 0), packetBlock(le, up(1, ack, hello())), block(le, 0xbad, make([]byte, 1<<20)))
	for name, data := range pack(t, file) {
		data = slices.Clone(data)
		for i := range min(8, len(data)/3) {
			data[len(data)*2/3+i] ^= 0x55
		}
		_, stats, err := read(bytes.NewReader(data))
		if err == nil || !errors.Is(err, capture.ErrDamaged) || stats.Damaged+stats.Cut == 0 && stats.Packets > 0 {
			t.Errorf("%s: got %v, %+v", name, err, stats)
		}
	}
}

// TestPackedLimits checks that a file which needs much memory to unpack is refused, with
// what unpacks it.
func TestPackedLimits(t *testing.T) {
	le := binary.LittleEndian
	file := join(section(le), iface(le, linkRaw, 0), packetBlock(le, up(1, ack, hello())))
	stream := packed(t, file, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 64 << 20}.NewWriter(w) })
	dict := func(v byte) []byte { // the properties of LZMA2, in the header of the first block
		b := slices.Clone(stream)
		at := bytes.Index(b, []byte{0x21, 1}) + 2
		b[at] = v
		return b
	}
	if _, stats, err := read(bytes.NewReader(stream)); stats.Packets != 1 || err != nil {
		t.Errorf("xz, 64 MiB: %+v, %v", stats, err)
	}
	for name, row := range map[string]struct {
		data []byte
		want string
	}{
		"xz, 96 MiB": {dict(29), "xz: it needs a dictionary of 96 MiB, and the limit is 64; unpack it with xz -d"},
		// A block that says how long it is, compressed and not: The .xz File Format, Section 3.1.
		"xz, sizes":                {join(stream[:12], []byte{2, 0xc0, 0x80, 1, 5, 0x21, 1, 29, 0, 0, 0, 0}), "xz: it needs a dictionary of 96 MiB, and the limit is 64; unpack it with xz -d"},
		"xz, after another filter": {join(stream[:12], []byte{2, 1, 4, 0, 0x21, 1, 29, 0, 0, 0, 0, 0}), "xz: it needs a dictionary of 96 MiB, and the limit is 64; unpack it with xz -d"},
		"xz, 4 GiB":                {dict(40), "xz: it needs a dictionary of 4096 MiB, and the limit is 64; unpack it with xz -d"},
		// A frame whose window is 256 MiB, RFC 8878, Section 3.1.1.1.2.
		"zstd": {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 1, 0, 0}, "zstd: it needs a window of more than 128 MiB; unpack it with zstd -d --long=31"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := read(bytes.NewReader(row.data))
		runtime.ReadMemStats(&after)
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v, want %s", name, err, row.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
	// In a second stream the limit is the same.
	_, stats, err := read(bytes.NewReader(join(stream, dict(40))))
	if stats.Packets != 1 || err == nil || !strings.Contains(err.Error(), "4096 MiB") {
		t.Errorf("second stream: %+v, %v", stats, err)
	}
}
