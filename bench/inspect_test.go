package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

const (
	flows       = 20_000
	flowPackets = 16
	segment     = 1448 // bytes
	concurrent  = 100  // flows that are open at a time
)

// TestInspectRatios compares the CPU time of tlsflags inspect for a large capture with
// that of a loop that only reads and decodes it, and checks how much memory inspect needs.
// Each runs in a process of its own.
func TestInspectRatios(t *testing.T) {
	if file := os.Getenv("BARE_LOOP"); file != "" {
		bareLoop(t, file) // this is the process of the bare loop
		return
	}
	if !*ratios {
		t.Skip("run with -ratios, as make bench does")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "large.pcap")
	size := writeCapture(t, file)
	command := filepath.Join(dir, "tlsflags")
	build := exec.Command("go", "build", "-o", command, "./cmd/tlsflags")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	bare := cost(t, func() *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run=^TestInspectRatios$")
		c.Env = append(os.Environ(), "BARE_LOOP="+file)
		return c
	})
	inspect := func(args ...string) usage {
		return cost(t, func() *exec.Cmd {
			return exec.Command(command, append(append([]string{"inspect", "--quiet"}, args...), file)...)
		})
	}
	stats, jsonl := inspect("--stats"), inspect("--format", "jsonl")

	fmt.Printf("Capture of %d MB, %d flows of %d packets\n", size>>20, flows, flowPackets)
	fmt.Printf("%-20s %6d ms  %3d MB\n", "bare loop", bare.cpu.Milliseconds(), bare.memory>>20)
	fmt.Printf("%-20s %6d ms  %3d MB\n", "inspect --stats", stats.cpu.Milliseconds(), stats.memory>>20)
	fmt.Printf("%-20s %6d ms  %3d MB\n", "inspect -f jsonl", jsonl.cpu.Milliseconds(), jsonl.memory>>20)

	check(t, []promise{
		{"time of inspect --stats / bare loop", float64(stats.cpu) / float64(bare.cpu), 0, 4},
		{"time of inspect -f jsonl / bare loop", float64(jsonl.cpu) / float64(bare.cpu), 0, 6.5},
		{"MB resident of inspect --stats", float64(stats.memory) / (1 << 20), 0, 64},
		{"MB resident of inspect -f jsonl", float64(jsonl.memory) / (1 << 20), 0, 64},
	})
}

// usage is how much CPU time and memory a process used.
type usage struct {
	cpu    time.Duration
	memory int64 // most bytes resident at a time, 0 if unknown
}

// cost runs a command five times. It returns the lowest CPU time, because other programs
// can only add to it, and the highest memory.
func cost(t *testing.T, command func() *exec.Cmd) usage {
	t.Helper()
	u := usage{cpu: math.MaxInt64}
	for range 5 {
		c := command()
		var stderr strings.Builder
		c.Stderr = &stderr
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", c.Args, err, &stderr)
		}
		u.cpu = min(u.cpu, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
		u.memory = max(u.memory, residentMemory(c.ProcessState))
	}
	return u
}

// bareLoop reads and decodes every packet, and does nothing with it.
func bareLoop(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		t.Fatal(err)
	}
	var (
		ethernet layers.Ethernet
		ip       layers.IPv4
		tcp      layers.TCP
		payload  gopacket.Payload
		decoded  []gopacket.LayerType
	)
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &ip, &tcp, &payload)
	parser.IgnoreUnsupported = true // TLS, which gopacket guesses by the port
	for {
		data, _, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := parser.DecodeLayers(data, &decoded); err != nil {
			t.Fatal(err)
		}
	}
}

// writeCapture writes a capture in which each flow is a handshake of TCP, a
// ClientHello in two segments, and what the server sends, and returns its size.
func writeCapture(t *testing.T, file string) int64 {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	buffer := bufio.NewWriterSize(f, 64<<10)
	w := pcapgo.NewWriter(buffer)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	g := generator{
		w:      w,
		hello:  browserHello(t),
		data:   make([]byte, segment),
		now:    time.Unix(1_790_000_000, 0),
		buffer: gopacket.NewSerializeBuffer(),
	}
	for first := 0; first < flows; first += concurrent {
		for step := range flowPackets {
			for flow := first; flow < first+concurrent; flow++ {
				if err := g.packet(flow, step); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := errors.Join(buffer.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// generator writes the packets of flows.
type generator struct {
	w      *pcapgo.Writer
	hello  []byte // the client's first record
	data   []byte // of a segment of the server
	now    time.Time
	buffer gopacket.SerializeBuffer
}

// packet writes a packet of a flow: SYN, SYN with ACK, ACK, the hello in steps 3 and
// 4, then data of the server, and a FIN.
func (g *generator) packet(flow, step int) error {
	client, server := net.IP{10, byte(flow >> 16), byte(flow >> 8), byte(flow)}, net.IP{192, 0, 2, 1}
	up := layers.TCP{SrcPort: 40_000, DstPort: 443, Seq: 1001, Ack: 5001, ACK: true, Window: 65_535}
	down := layers.TCP{SrcPort: 443, DstPort: 40_000, Seq: 5001, Ack: 1001, ACK: true, Window: 65_535}
	end := up.Seq + uint32(len(g.hello))
	switch {
	case step == 0:
		up.Seq, up.ACK, up.SYN = 1000, false, true
		return g.write(client, server, up, nil)
	case step == 1:
		down.Seq, down.SYN = 5000, true
		return g.write(server, client, down, nil)
	case step == 2:
		return g.write(client, server, up, nil)
	case step == 3:
		return g.write(client, server, up, g.hello[:segment])
	case step == 4:
		up.Seq += segment
		up.PSH = true
		return g.write(client, server, up, g.hello[segment:])
	case step < flowPackets-1:
		down.Seq += uint32(step-5) * segment
		down.Ack = end
		return g.write(server, client, down, g.data)
	default:
		up.Seq, up.Ack, up.FIN = end, down.Seq+(flowPackets-6)*segment, true
		return g.write(client, server, up, nil)
	}
}

func (g *generator) write(src, dst net.IP, tcp layers.TCP, payload []byte) error {
	ethernet := layers.Ethernet{
		SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4,
	}
	ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: src, DstIP: dst}
	err := gopacket.SerializeLayers(g.buffer, gopacket.SerializeOptions{FixLengths: true},
		&ethernet, &ip, &tcp, gopacket.Payload(payload))
	if err != nil {
		return err
	}
	g.now = g.now.Add(7 * time.Microsecond)
	packet := g.buffer.Bytes()
	info := gopacket.CaptureInfo{Timestamp: g.now, CaptureLength: len(packet), Length: len(packet)}
	return g.w.WritePacket(info, packet)
}
