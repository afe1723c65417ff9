package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// dialect is how a program writes pcap files.
type dialect struct {
	magic        uint32
	major, minor uint16
	link         uint32
	header       int    // bytes added to the header of the file
	record       []byte // added to those of records
	swapped      bool   // the lengths
	original     int    // added to the original length
	fraction     uint32 // added to that of the time
}

func (d dialect) file(order binary.AppendByteOrder, packets ...[]byte) []byte {
	b := order.AppendUint32(nil, d.magic)
	b = order.AppendUint16(order.AppendUint16(b, d.major), d.minor)
	b = join(b, words(order, 0, 0, 65535, d.link), make([]byte, d.header))
	for i, p := range packets {
		lengths := []uint32{uint32(len(p)), uint32(len(p) + d.original)}
		if d.swapped {
			lengths[0], lengths[1] = lengths[1], lengths[0]
		}
		b = join(b, words(order, 1700000000+uint32(i), 123456+d.fraction), words(order, lengths...), d.record, p)
	}
	return b
}

// TestDialectsOfPcap checks what each program's files are read as. Wireshark reads the same.
func TestDialectsOfPcap(t *testing.T) {
	const micro, nano = 123456000, 123456
	extra := []byte{2, 0, 0, 0, 8, 0, 0, 0}
	packets := [][]byte{up(1, ack, hello()[:30]), up(31, ack, hello()[30:])}
	tcpdump := dialect{magic: 0xa1b2c3d4, major: 2, minor: 4, link: linkRaw}
	for name, row := range map[string]struct {
		edit func(*dialect)
		ns   int64
	}{
		"2.4":                        {func(*dialect) {}, micro},
		"2.0":                        {func(d *dialect) { d.minor, d.swapped, d.original = 0, true, 9 }, micro},
		"2.1":                        {func(d *dialect) { d.minor, d.swapped, d.original = 1, true, 9 }, micro},
		"2.2":                        {func(d *dialect) { d.minor, d.swapped, d.original = 2, true, 9 }, micro},
		"2.3":                        {func(d *dialect) { d.minor, d.original = 3, 9 }, micro},
		"2.3, swapped":               {func(d *dialect) { d.minor, d.swapped, d.original = 3, true, 9 }, micro},
		"2.5":                        {func(d *dialect) { d.minor = 5 }, micro},
		"543.0, DG/UX":               {func(d *dialect) { d.major, d.minor, d.swapped, d.original = 543, 0, true, 9 }, micro},
		"nanoseconds":                {func(d *dialect) { d.magic = 0xa1b23c4d }, nano},
		"modified":                   {func(d *dialect) { d.magic, d.record = 0xa1b2cd34, extra }, micro},
		"modified, as libpcap":       {func(d *dialect) { d.magic = 0xa1b2cd34 }, micro},
		"modified, 1999-09-15":       {func(d *dialect) { d.magic, d.record = 0xa1b2cd34, append(extra, 1, 2, 0, 0) }, micro},
		"modified, 1999-04-17":       {func(d *dialect) { d.record = extra }, micro},
		"Nokia":                      {func(d *dialect) { d.record = []byte{1, 2, 3, 4} }, micro},
		"Ixia, hardware":             {func(d *dialect) { d.magic, d.header = 0x1c0001ac, 4 }, micro},
		"Ixia, software":             {func(d *dialect) { d.magic, d.header = 0x1c0001ab, 4 }, micro},
		"length of the FCS":          {func(d *dialect) { d.link |= 0x24000000 }, micro},
		"AIX, Ethernet":              {func(d *dialect) { d.minor, d.link, d.original = 2, 6, 9 }, nano},
		"AIX, Token Ring":            {func(d *dialect) { d.minor, d.link, d.original = 2, 9, 9 }, nano},
		"AIX, FDDI":                  {func(d *dialect) { d.minor, d.link = 2, 15 }, nano},
		"AIX, loopback":              {func(d *dialect) { d.minor, d.link = 2, 24 }, nano},
		"original lengths too small": {func(d *dialect) { d.original = -4 }, micro},
		"original lengths unknown":   {func(d *dialect) { d.original = 1 << 30 }, micro},
		"nanoseconds, not said":      {func(d *dialect) { d.fraction = 123333333 }, 123456789000},
		"another link type, as AIX":  {func(d *dialect) { d.minor, d.swapped = 2, true }, micro},
	} {
		d := tcpdump
		row.edit(&d)
		data := packets
		switch d.link {
		case 9:
			data = [][]byte{join([]byte{0x10, 0x40}, zeros(12), snap(packets[0])), join([]byte{0x10, 0x40}, zeros(12), snap(packets[1]))}
		case 15:
			data = [][]byte{join([]byte{0x50}, zeros(12), snap(packets[0])), join([]byte{0x50}, zeros(12), snap(packets[1]))}
		case 6:
			data = [][]byte{ethernet(0x0800, packets[0]), ethernet(0x0800, packets[1])}
		case 24:
			data = [][]byte{join([]byte{2, 0, 0, 0}, packets[0]), join([]byte{2, 0, 0, 0}, packets[1])}
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			hellos, stats, err := read(bytes.NewReader(d.file(order, data...)))
			if len(hellos) != 1 || !hellos[0].Time.Equal(time.Unix(1700000001, row.ns)) || err != nil {
				t.Errorf("%s, %v: %d hellos %v, %+v, %v", name, order, len(hellos), hellos, stats, err)
			}
		}
	}
	for _, major := range []uint16{0, 1, 3, 542} {
		d := tcpdump
		d.major = major
		if _, _, err := read(bytes.NewReader(d.file(binary.BigEndian))); err == nil || !strings.Contains(err.Error(), "is not read") {
			t.Errorf("version %d.4: %v", major, err)
		}
	}
}

// TestJoinedByCat checks that files which were joined with cat are read to their end.
func TestJoinedByCat(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	one := up(1, ack, hello()[:30])
	two := ethernet(0x0800, up(31, ack, hello()[30:]))
	tcpdump := dialect{magic: 0xa1b2c3d4, major: 2, minor: 4, link: linkEthernet}
	file := join(pcap(le, false, one), tcpdump.file(be), pcap(be, true), tcpdump.file(be, two))
	hellos, stats, err := read(bytes.NewReader(file))
	if len(hellos) != 1 || stats.Packets != 2 || err != nil {
		t.Errorf("%d hellos, %+v, %v", len(hellos), stats, err)
	}
}

// TestVersionsOfPcapng checks which versions are read.
func TestVersionsOfPcapng(t *testing.T) {
	le := binary.LittleEndian
	for minor := range uint16(4) {
		file := join(section(le), iface(le, linkRaw, 0), packetBlock(le, up(1, ack, hello())))
		le.PutUint16(file[14:], minor)
		if hellos, _, err := read(bytes.NewReader(file)); len(hellos) != 1 || err != nil {
			t.Errorf("1.%d: %d hellos, %v", minor, len(hellos), err)
		}
		le.PutUint16(file[12:], 2)
		if _, _, err := read(bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), "is not read, only 1.x") {
			t.Errorf("2.%d: %v", minor, err)
		}
	}
}

// TestClocks checks the times of if_tsresol and if_tsoffset (draft-ietf-opsawg-pcapng,
// Section 4.2), which are cut to the nanosecond.
func TestClocks(t *testing.T) {
	le := binary.LittleEndian
	const second = 1700000000
	for name, row := range map[string]struct {
		resolution byte
		offset     int64
		ticks      uint64
		want       time.Time
	}{
		"seconds":                    {0, 0, second, time.Unix(second, 0)},
		"10 ms":                      {2, 0, second*100 + 7, time.Unix(second, 70_000_000)},
		"microseconds":               {6, 0, second*1e6 + 999999, time.Unix(second, 999_999_000)},
		"nanoseconds":                {9, 0, second*1e9 + 999999999, time.Unix(second, 999_999_999)},
		"picoseconds":                {12, 0, 1700000*1e12 + 999999999999, time.Unix(1700000, 999_999_999)},
		"10^-19":                     {19, 0, 12345678901234567890, time.Unix(1, 234_567_890)},
		"10^-20":                     {20, 0, 12345678901234567890, time.Unix(0, 123_456_789)},
		"10^-28":                     {28, 0, math.MaxUint64, time.Unix(0, 1)},
		"10^-127":                    {127, 0, math.MaxUint64, time.Unix(0, 0)},
		"halves":                     {0x81, 0, second*2 + 1, time.Unix(second, 500_000_000)},
		"2^-0":                       {0x80, 0, second, time.Unix(second, 0)},
		"2^-32":                      {0xa0, 0, second<<32 | 1<<30, time.Unix(second, 250_000_000)},
		"2^-32, cut":                 {0xa0, 0, second<<32 | math.MaxUint32, time.Unix(second, 999_999_999)},
		"2^-63":                      {0xbf, 0, 1<<63 | 1<<61, time.Unix(1, 250_000_000)},
		"2^-64":                      {0xc0, 0, 1 << 62, time.Unix(0, 250_000_000)},
		"2^-70":                      {0xc6, 0, 1 << 63, time.Unix(0, 7_812_500)},
		"2^-127":                     {0xff, 0, math.MaxUint64, time.Unix(0, 0)},
		"seconds, and an offset":     {0, second, 5, time.Unix(second+5, 0)},
		"an offset":                  {6, second, 5e6, time.Unix(second+5, 0)},
		"an offset before 1970":      {9, -second, 5, time.Unix(-second, 5)},
		"an offset, fine resolution": {20, second, 12345678901234567890, time.Unix(second, 123_456_789)},
	} {
		packet := up(1, ack, hello())
		n := uint32(len(packet))
		file := join(section(le),
			iface(le, linkRaw, 0, option(le, 9, []byte{row.resolution}), option(le, 14, le.AppendUint64(nil, uint64(row.offset)))),
			block(le, 6, words(le, 0, uint32(row.ticks>>32), uint32(row.ticks), n, n), packet))
		hellos, _, err := read(bytes.NewReader(file))
		if len(hellos) != 1 || !hellos[0].Time.Equal(row.want) || err != nil {
			t.Errorf("%s: %+v, want %v; %v", name, hellos, row.want, err)
		}
	}
}

// TestNamesFormats checks that captures and archives of other kinds are named, with what
// converts them.
func TestNamesFormats(t *testing.T) {
	record := func(seconds uint32, n int) []byte { // of ERF
		return join([]byte{0, 0, 0, 0}, words(binary.LittleEndian, seconds), []byte{2, 4}, be16(16+n), be16(0), be16(n), make([]byte, n))
	}
	erf := join(record(1700000000, 60), record(1700000001, 70), record(1700000001, 80))
	const convert = "which is not read: editcap -F pcapng IN OUT converts it"
	for data, want := range map[string]string{
		"snoop\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x04": "a capture of format snoop, " + convert,
		"GMBU\x00\x02":    "a capture of format Network Monitor 2, " + convert,
		"RTSS\x01\x01":    "a capture of format Network Monitor 1, " + convert,
		"\x7fver\x00\x00": "a capture of format OmniPeek, " + convert,
		strings.Repeat("x", 20) + "NetScaler V20 Performance Data" + strings.Repeat("x", 20): "a capture of format NetScaler, " + convert,
		string(erf):                        "a capture of format ERF, " + convert,
		"\xa1\xb2\x34\xcd\x00\x02\x00\x04": "a pcap file with the unknown magic number 0xa1b234cd: editcap -F pcapng IN OUT may convert it",
		"\xcb\xc3\xb2\xa1\x02\x00\x04\x00": "a pcap file with the unknown magic number 0xa1b2c3cb: editcap -F pcapng IN OUT may convert it",
		"\r\n\r\r\r\n\x1c":                 "a pcapng file that was transferred as text, which added bytes: transfer it in binary mode",
		"\n\r\n\x1c\x00":                   "a pcapng file that was transferred as text, which removed bytes: transfer it in binary mode",
		"PK\x03\x04":                       "a zip file: unzip unpacks it",
		strings.Repeat("x", 257) + "ustar": "a tar file: tar -x unpacks it",
		"\x5d\x00\x00\x80\x00":             "an LZMA file: xz -d unpacks it",
	} {
		for _, data := range [][]byte{[]byte(data), zipped([]byte(data))} {
			_, err := capture.Open(bytes.NewReader(data), capture.Options{})
			if !errors.Is(err, capture.ErrFormat) || err == capture.ErrFormat || err.Error() != want {
				t.Errorf("%q: got %v, want %s", data, err, want)
			}
		}
	}
	for _, data := range []string{"", "x", "no capture\n", string(erf[:20]), strings.Repeat("\x00", 5000), strings.Repeat("\xff", 5000)} {
		if _, err := capture.Open(strings.NewReader(data), capture.Options{}); err != capture.ErrFormat {
			t.Errorf("%.20q: got %v, want ErrFormat", data, err)
		}
	}
	for data, want := range map[string]bool{
		"\n\r\r\n": true, "\xd4\xc3\xb2\xa1": true, "\x1c\x00\x01\xac": true, "\x1f\x8b": true, "\xfd7zXZ\x00": true,
		"\x50\x2a\x4d\x18": true, "BZh9": true, "snoop\x00\x00\x00": true, "PK\x03\x04": false, "\x16\x03\x01": false, "": false,
	} {
		if got := capture.IsCapture([]byte(data)); got != want {
			t.Errorf("IsCapture(%q) = %v", data, got)
		}
	}
}
