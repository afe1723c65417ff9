package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestDamagedCaptures checks what is found in captures that are cut short or damaged, and what
// is said about it.
func TestDamagedCaptures(t *testing.T) {
	le := binary.LittleEndian
	packet := up(1, ack, hello())
	good, record := packetBlock(le, packet), pcapPacket(le, len(packet), len(packet), packet)
	file := pcap(le, false, packet) // 24+16+40+hello
	end := len(file)
	ng := join(section(le), iface(le, linkRaw, 0), good)
	ngEnd := len(ng)
	// other is the hello of another connection.
	otherPacket := ipv4(client, server, 6, tcp(clientPort+1, serverPort, 1, ack, hello()))
	otherRecord, otherBlock := pcapPacket(le, len(otherPacket), len(otherPacket), otherPacket), packetBlock(le, otherPacket)
	after, ngAfter := join(otherRecord, otherRecord), join(otherBlock, otherBlock)
	set := func(b []byte, at int, v uint32) []byte {
		b = slices.Clone(b)
		le.PutUint32(b[at:], v)
		return b
	}
	garbage := bytes.Repeat([]byte("garbage."), 5)
	for name, row := range map[string]struct {
		data    []byte
		hellos  int
		want    string
		damaged int
		skipped int
		cut     int
	}{
		"pcap, cut in a header":       {join(file, record[:9]), 1, cutAt(end), 0, 0, 1},
		"pcap, cut after a header":    {join(file, record[:16]), 1, cutAt(end), 0, 0, 1},
		"pcap, cut in a packet":       {join(file, record[:len(record)-1]), 1, cutAt(end), 0, 0, 1},
		"pcap, cut in an odd packet":  {join(file, pcapPacket(le, 100, 10, make([]byte, 99))), 1, cutAt(end), 0, 0, 1},
		"pcap, cut in a huge packet":  {join(file, pcapPacket(le, 300<<10, 300<<10, make([]byte, 99))), 1, cutAt(end), 0, 0, 1},
		"pcap, packet of 2 GB":        {join(file, pcapPacket(le, math.MaxInt32, math.MaxInt32, make([]byte, 99))), 1, damagedAt(end, 115), 1, 115, 0},
		"pcap, garbage":               {join(file, garbage, after), 2, damagedAt(end, 40), 1, 40, 0},
		"pcap, garbage twice":         {join(file, garbage, after, garbage, after), 2, "the capture is damaged in 2 places, first at byte " + strconv.Itoa(end) + ": 80 bytes skipped", 2, 80, 0},
		"pcap, garbage at the end":    {join(file, garbage), 1, damagedAt(end, 40), 1, 40, 0},
		"pcap, zeros":                 {join(file, make([]byte, 4096), after), 2, damagedAt(end, 4096), 1, 4096, 0},
		"pcap, zeros at the end":      {join(file, make([]byte, 4096)), 1, damagedAt(end, 4096), 1, 4096, 0},
		"pcap, bytes lost":            {join(file[:end-4], after), 1, damagedAt(24, end-28), 1, end - 28, 0},
		"pcap, length too large":      {join(set(set(file, 32, uint32(len(packet)+40)), 36, uint32(len(packet)+40)), after), 1, damagedAt(24, 16+len(packet)), 1, 16 + len(packet), 0},
		"pcap, length beyond the end": {join(file, set(set(record, 8, 9000), 12, 9000), after), 2, damagedAt(end, len(record)), 1, len(record), 0},
		"pcap, damage and cut":        {join(file, garbage, after, record[:20]), 2, damagedAt(end, 40) + "; " + cutAt(end+40+len(after)), 1, 40, 1},

		"pcapng, cut in a block header":       {join(ng, good[:7]), 1, cutAt(ngEnd), 0, 0, 1},
		"pcapng, cut in a packet":             {join(ng, good[:40]), 1, cutAt(ngEnd), 0, 0, 1},
		"pcapng, cut in another block":        {join(ng, block(le, 5, make([]byte, 100))[:50]), 1, cutAt(ngEnd), 0, 0, 1},
		"pcapng, cut in a long block":         {join(ng, block(le, 5, make([]byte, 1<<20))[:1<<19]), 1, cutAt(ngEnd + 320<<10 - 4), 0, 0, 1},
		"pcapng, block of 4 GB":               {join(ng, words(le, 5, 0xfffffffc, 0), ngAfter), 2, damagedAt(ngEnd, 12), 1, 12, 0},
		"pcapng, block of 8 bytes":            {join(ng, words(le, 5, 8, 0), ngAfter), 2, damagedAt(ngEnd, 12), 1, 12, 0},
		"pcapng, block of 13 bytes":           {join(ng, words(le, 5, 13, 0), ngAfter), 2, damagedAt(ngEnd, 12), 1, 12, 0},
		"pcapng, section without order":       {join(ng, words(le, 0x0a0d0d0a, 28, 0x12345678), ngAfter), 2, damagedAt(ngEnd, 12), 1, 12, 0},
		"pcapng, packet of no interface":      {join(ng, enhanced(le, 1, 4, 4, make([]byte, 4)), ngAfter), 2, damagedAt(ngEnd, 36), 1, 36, 0},
		"pcapng, simple packet, no interface": {join(section(le), block(le, 3, words(le, 4), make([]byte, 4)), iface(le, linkRaw, 0), good), 1, damagedAt(28, 20), 1, 20, 0},
		"pcapng, block too short":             {join(ng, block(le, 6, make([]byte, 16)), ngAfter), 2, damagedAt(ngEnd, 28), 1, 28, 0},
		"pcapng, obsolete block too short":    {join(ng, block(le, 2, make([]byte, 16)), ngAfter), 2, damagedAt(ngEnd, 28), 1, 28, 0},
		"pcapng, simple block too short":      {join(ng, block(le, 3), ngAfter), 2, damagedAt(ngEnd, 12), 1, 12, 0},
		"pcapng, interface too short":         {join(ng, block(le, 1, make([]byte, 4)), ngAfter), 2, damagedAt(ngEnd, 16), 1, 16, 0},
		"pcapng, packet longer than block":    {join(ng, enhanced(le, 0, 5000, 5000, make([]byte, 8)), ngAfter), 2, damagedAt(ngEnd, 40), 1, 40, 0},
		"pcapng, packet of 2 GB":              {join(ng, enhanced(le, 0, math.MaxInt32, math.MaxInt32, make([]byte, 8)), ngAfter), 2, damagedAt(ngEnd, 40), 1, 40, 0},
		"pcapng, garbage":                     {join(ng, garbage, ngAfter), 2, damagedAt(ngEnd, 40), 1, 40, 0},
		"pcapng, garbage and a section":       {join(ng, garbage, section(binary.BigEndian), iface(binary.BigEndian, linkRaw, 0), packetBlock(binary.BigEndian, otherPacket)), 2, damagedAt(ngEnd, 40), 1, 40, 0},
		"pcapng, bytes lost":                  {join(ng[:ngEnd-5], ngAfter), 1, damagedAt(48, len(good)-5), 1, len(good) - 5, 0},
		"pcapng, length too small":            {join(ng, set(good, 4, 40), ngAfter), 2, damagedAt(ngEnd, len(good)), 1, len(good), 0},
		"pcapng, length too large":            {join(ng, set(good, 4, 8<<20), ngAfter), 2, damagedAt(ngEnd, len(good)), 1, len(good), 0},
		"pcapng, length beyond the end":       {join(ng, set(good, 4, 9000), ngAfter), 2, damagedAt(ngEnd, len(good)), 1, len(good), 0},
		"pcapng, wrong length at the end":     {join(set(ng, ngEnd-4, 0), ngAfter), 2, "", 0, 0, 0},
		"pcapng, wrong length, last block":    {set(ng, ngEnd-4, 0), 1, "", 0, 0, 0},
		"pcapng, a section of version 2":      {join(ng, set(section(le), 12, 2), iface(le, linkRaw, 0), good, section(le), iface(le, linkRaw, 0), otherBlock), 2, damagedAt(ngEnd, 48+len(good)), 1, 48 + len(good), 0},

		"gzip, cut":       {zipped(ng)[:len(zipped(ng))-9], 1, cutAt(ngEnd), 0, 0, 1},
		"gzip, wrong sum": {join(zipped(ng)[:len(zipped(ng))-8], make([]byte, 8)), 1, "gzip: invalid checksum", 1, 0, 0},
	} {
		hellos, stats, err := read(bytes.NewReader(row.data))
		switch {
		case row.want == "" && err == nil:
		case err == nil || err.Error() != row.want || !errors.Is(err, capture.ErrDamaged):
			t.Errorf("%s: error is %v, want %s", name, err, row.want)
		}
		if stats.Damaged != row.damaged || stats.Skipped != row.skipped || stats.Cut != row.cut {
			t.Errorf("%s: %d damaged, %d skipped, %d cut", name, stats.Damaged, stats.Skipped, stats.Cut)
		}
		if len(hellos) != row.hellos {
			t.Errorf("%s: %d hellos, want %d", name, len(hellos), row.hellos)
		}
	}
}

// TestDropped checks that the packets which the kernel dropped are counted: the latest count of
// each interface and section.
func TestDropped(t *testing.T) {
	for name, order := range map[string]binary.AppendByteOrder{"little-endian": binary.LittleEndian, "big-endian": binary.BigEndian} {
		statistics := func(id, received, byInterface, bySystem uint64) []byte {
			o := words(order, uint32(id), 0, 0)
			for code, v := range map[uint16]uint64{4: received, 5: byInterface, 7: bySystem} {
				o = append(o, option(order, code, order.AppendUint64(nil, v))...)
			}
			return block(order, 5, o)
		}
		file := join(section(order), iface(order, linkRaw, 0), iface(order, linkRaw, 0),
			statistics(0, 100, 1, 2), statistics(1, 100, 0, 20), statistics(0, 100, 4, 5), statistics(2, 0, 100, 100), block(order, 5, words(order, 0)),
			section(order), iface(order, linkRaw, 0), statistics(0, 100, 0, 1000))
		if _, stats, err := read(bytes.NewReader(file)); stats.Dropped != 9+20+1000 || err != nil {
			t.Errorf("%s: %d dropped, %v", name, stats.Dropped, err)
		}
	}
}

func cutAt(n int) string {
	return "the capture is cut short: what begins at byte " + strconv.Itoa(n) + " is not whole"
}

func damagedAt(n, skipped int) string {
	return "the capture is damaged at byte " + strconv.Itoa(n) + ": " + strconv.Itoa(skipped) + " bytes skipped"
}
