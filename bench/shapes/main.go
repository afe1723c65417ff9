// Command shapes writes captures to measure with:
//
//	shapes bulk FLOWS FILE    TCP connections with data after the hello, 16 packets or more each
//	shapes short FLOWS FILE   TCP connections with nothing but the hello and a short answer
//	shapes quic FLOWS FILE    the Initial packets of QUIC connections
//	shapes one FLOWS FILE     the SYN packets of TCP connections
//
// Fifty connections are open at a time. The TCP hellos are the recorded ones of package
// corpus, in turn; the QUIC hello is one of Chromium, sealed for each connection under a
// connection ID of its own. The bytes depend on the arguments alone. Checksums are 0, as if
// a network card were to compute them.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shapes:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: shapes bulk|short|quic|one FLOWS FILE")
	}
	shapes := map[string]func(*writer, []int) error{"bulk": bulk, "short": short, "quic": quic, "one": one}
	shape, flows := shapes[args[0]], 0
	if n, err := strconv.Atoi(args[1]); err == nil {
		flows = n
	}
	if shape == nil || flows <= 0 || flows > 1<<24 {
		return fmt.Errorf("no %q of %q flows; want bulk, short, quic or one, and a number up to %d", args[0], args[1], 1<<24)
	}
	f, err := os.Create(args[2])
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(f, 1<<20)
	w := &writer{
		file:   pcapgo.NewWriter(buffer),
		now:    time.Unix(1_790_000_000, 0),
		random: rand.New(rand.NewPCG(1, 2)),
	}
	if err := w.file.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		return err
	}
	const concurrent = 50
	var batch []int
	for first := 0; first < flows; first += concurrent {
		batch = batch[:0]
		for flow := first; flow < min(first+concurrent, flows); flow++ {
			batch = append(batch, flow)
		}
		if err := shape(w, batch); err != nil {
			return err
		}
	}
	return errors.Join(w.err, buffer.Flush(), f.Close())
}

// writer writes packets. The first error is kept.
type writer struct {
	file   *pcapgo.Writer
	now    time.Time
	random *rand.Rand
	packet []byte
	err    error
}

// ends are the addresses of a flow.
type ends struct {
	client, server         [4]byte
	clientPort, serverPort uint16
}

func endsOf(flow int) ends {
	return ends{
		client:     [4]byte{10, byte(flow >> 16), byte(flow >> 8), byte(flow)},
		server:     [4]byte{192, 0, 2, byte(1 + flow%200)},
		clientPort: uint16(1024 + flow*7%60000),
		serverPort: 443,
	}
}

// reversed returns the addresses for the server's packets.
func (e ends) reversed() ends {
	return ends{e.server, e.client, e.serverPort, e.clientPort}
}

const (
	protocolTCP = 6
	protocolUDP = 17
)

// ip begins a packet with n bytes after its IPv4 header.
func (w *writer) ip(e ends, protocol byte, n int) {
	w.packet = append(w.packet[:0], "\x02\x02\x02\x02\x02\x02\x04\x04\x04\x04\x04\x04\x08\x00"...)
	w.packet = append(w.packet, 0x45, 0)
	w.packet = binary.BigEndian.AppendUint16(w.packet, uint16(20+n))
	w.packet = append(w.packet, 0, 0, 0x40, 0, 64, protocol, 0, 0) // don't fragment
	w.packet = append(append(w.packet, e.client[:]...), e.server[:]...)
	w.packet = binary.BigEndian.AppendUint16(w.packet, e.clientPort)
	w.packet = binary.BigEndian.AppendUint16(w.packet, e.serverPort)
}

// tcp writes a segment.
func (w *writer) tcp(e ends, seq, ack uint32, flags byte, payload []byte) {
	w.ip(e, protocolTCP, 20+len(payload))
	w.packet = binary.BigEndian.AppendUint32(w.packet, seq)
	w.packet = binary.BigEndian.AppendUint32(w.packet, ack)
	w.packet = append(w.packet, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0) // window, checksum, urgent pointer
	w.end(payload)
}

// udp writes a datagram.
func (w *writer) udp(e ends, payload []byte) {
	w.ip(e, protocolUDP, 8+len(payload))
	w.packet = binary.BigEndian.AppendUint16(w.packet, uint16(8+len(payload)))
	w.packet = append(w.packet, 0, 0)
	w.end(payload)
}

func (w *writer) end(payload []byte) {
	w.packet = append(w.packet, payload...)
	w.now = w.now.Add(13 * time.Microsecond)
	info := gopacket.CaptureInfo{Timestamp: w.now, CaptureLength: len(w.packet), Length: len(w.packet)}
	w.err = errors.Join(w.err, w.file.WritePacket(info, w.packet))
}
