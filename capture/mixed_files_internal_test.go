package capture

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gopacket/gopacket/layers"
)

// harm damages a file at up to three places.
func harm(rnd *rand.Rand, file []byte) []byte {
	for range rnd.IntN(4) {
		at := rnd.IntN(len(file))
		n := min(1+rnd.IntN(40), len(file)-at)
		switch rnd.IntN(6) {
		case 0:
			file[at] ^= 1 << rnd.IntN(8)
		case 1:
			file[at] = byte(rnd.IntN(256))
		case 2:
			clear(file[at : at+n])
		case 3:
			file = slices.Delete(file, at, at+n)
		case 4:
			file = slices.Insert(file, at, bytes.Repeat([]byte{byte(rnd.IntN(256))}, n)...)
		case 5:
			file = file[:max(at, 30)]
		}
	}
	return file
}

// TestMixedFiles compares what is found in mixed captures of both formats, damaged or not, with
// testdata/mixed-files.txt.
func TestMixedFiles(t *testing.T) {
	var b comparedLines
	mixedCaptures(800, allSequences(t), func(seed uint64, o Options, packets []Packet) {
		rnd := rand.New(rand.NewPCG(12, seed))
		var file []byte
		if len(packets) == 0 {
			return
		}
		if packets = packets[:min(len(packets), 25)]; seed%2 == 0 {
			file = pcapngOf(t, packets)
		} else {
			var data [][]byte
			for _, p := range packets {
				if p.Link == packets[0].Link {
					data = append(data, p.Data)
				}
			}
			file = pcapFile(layers.LinkType(packets[0].Link), data...)
		}
		var source io.Reader = bytes.NewReader(harm(rnd, file))
		if rnd.IntN(4) == 0 {
			source = iotest.OneByteReader(source)
		}
		var found outcome
		var text strings.Builder
		r, err := Open(source, Options{Checksums: o.Checksums})
		if err == nil {
			for h := range r.Hellos() {
				found.add(h)
				fmt.Fprint(&text, h.Time)
			}
			found.stats, err = r.Stats(), r.Err()
		}
		s := found.stats
		b.add(seed, fmt.Sprintf("%d packets, %d hellos, %d bytes passed over", s.Packets, s.Hellos, s.Skipped), found.messages, found.rows, s, text.String(), err)
	})
	b.compare(t, "mixed-files.txt")
}
