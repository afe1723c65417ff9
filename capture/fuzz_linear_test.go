package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"
	"github.com/tlsflags/tlsflags/internal/linear"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

func TestWorkIsLinear(t *testing.T) {
	linear.Check(t, []string{"."}, linearShapes())
}

// linearShapes are packets for a Scanner.
func linearShapes() map[string]linear.Shape {
	scan := func(packets [][]byte, want int) func() {
		return func() {
			s := NewScanner(Options{})
			for _, p := range packets {
				s.Scan(Packet{Data: p, Link: LinkTypeRaw}, func(*Hello) bool { return true })
			}
			if got := s.Stats().Hellos; got != want {
				panic(got)
			}
		}
	}
	const syn, ack = 0x02, 0x10
	segments := func(stream []byte, order []int) [][]byte {
		packets := [][]byte{tcpPacket(0, syn, nil)}
		for _, i := range order {
			packets = append(packets, tcpPacket(1+uint32(i), ack, stream[i:i+1]))
		}
		return packets
	}
	const most = 16_000
	all := make(map[string]linear.Shape)
	for name, order := range linear.Orders {
		all["TCP, segments of a byte, "+name] = linear.Shape{N: most, Prepare: func(n int) func() {
			stream := assembletest.InRecords(assembletest.MessageBytes(n-5), nil)
			return scan(segments(stream, order(n)), 1)
		}}
	}
	for name, row := range map[string]struct {
		n       int
		packets func(n int) [][]byte
		hellos  int
	}{
		"every second byte, and then all": {most, func(n int) [][]byte {
			stream := assembletest.InRecords(assembletest.MessageBytes(n-5), nil)
			return append(segments(stream, linear.Interleaved(n)[:n/2]), tcpPacket(1, ack, stream))
		}, 1},
		"all but the first byte, over and over": {most, func(n int) [][]byte {
			packets := segments(assembletest.InRecords(assembletest.MessageBytes(995), nil), linear.Backwards(1000)[:999])
			return slices.Repeat(packets, n/1000)
		}, 0},
		"records of a byte": {most, func(n int) [][]byte {
			stream := assembletest.InRecords(assembletest.MessageBytes(n), []byte{1})
			packets := [][]byte{tcpPacket(0, syn, nil)}
			seq := uint32(1)
			for part := range slices.Chunk(stream, 100) {
				packets = append(packets, tcpPacket(seq, ack, part))
				seq += uint32(len(part))
			}
			return packets
		}, 1},
		"a prologue a byte a time, connection after connection": {8, func(n int) (packets [][]byte) {
			prologue := []byte("CONNECT a:1 HTTP/1.1\r\nCookie: " + strings.Repeat("x", 40))
			for i := range n {
				packets = append(packets, tcpPacket(uint32(i)<<20, syn, nil))
				for j := range prologue {
					packets = append(packets, tcpPacket(uint32(i)<<20+1+uint32(j), ack, prologue[j:j+1]))
				}
			}
			return packets
		}, 0},
		"connections that never end": {most, func(n int) (packets [][]byte) {
			hello := assembletest.InRecords(assembletest.MessageBytes(100), nil)
			for i := range n {
				p := tcpPacket(0, ack, hello[:50])
				binary.BigEndian.PutUint32(p[12:], uint32(i)) // source address
				packets = append(packets, p)
			}
			return packets
		}, 0},
		"fragments of eight bytes, linear.Backwards": {most, func(n int) (packets [][]byte) {
			packets = append(packets, tcpPacket(0, syn, nil))
			whole := tcpPacket(1, ack, assembletest.InRecords(assembletest.MessageBytes(n-45), nil))[20:]
			for i := (len(whole) - 1) / 8 * 8; i >= 0; i -= 8 {
				p := append(tcpPacket(0, ack, nil)[:20], whole[i:min(i+8, len(whole))]...)
				field := uint16(i / 8)
				if i+8 < len(whole) {
					field |= 0x2000 // more fragments
				}
				binary.BigEndian.PutUint16(p[6:], field)
				binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
				packets = append(packets, p)
			}
			return packets
		}, 1},
	} {
		all["TCP, "+name] = linear.Shape{N: row.n, Prepare: func(n int) func() { return scan(row.packets(n), row.hellos) }}
	}
	all["Capture, many hellos"] = linear.Shape{N: 2_000, Prepare: func(n int) func() {
		var packets [][]byte
		for i := range n {
			p := tcpPacket(0, ack, assembletest.InRecords(clienthellotest.Hello{}.Message(), nil))
			binary.BigEndian.PutUint32(p[12:], uint32(i)) // source address
			packets = append(packets, p)
		}
		file := pcapFile(layers.LinkTypeRaw, packets...)
		return func() {
			if hellos, _, err := readCapture(bytes.NewReader(file), Options{}); err != nil || len(hellos) != n {
				panic(err)
			}
		}
	}}
	return all
}
