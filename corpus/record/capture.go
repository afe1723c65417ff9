//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// rawCapture is a running dumpcap.
type rawCapture struct {
	cmd  *exec.Cmd
	file string
}

// startCapture returns once dumpcap has the interface open.
func startCapture(ctx context.Context, filter string) (*rawCapture, error) {
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		return nil, err
	}
	c := &rawCapture{file: filepath.Join(dir, "raw.pcapng")}
	c.cmd = exec.CommandContext(ctx, "dumpcap", "-q", "-i", "lo", "-f", filter, "-w", c.file)
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	var seen strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "File:") {
			go io.Copy(io.Discard, stderr)
			return c, nil
		}
		fmt.Fprintln(&seen, lines.Text())
	}
	return nil, fmt.Errorf("dumpcap: %w: %s", c.cmd.Wait(), seen.String())
}

// stop ends the capture after the last packets have arrived.
func (c *rawCapture) stop() error {
	// The kernel delivers packets in blocks, and a block that is not full only
	// after a time-out. dumpcap reports neither.
	time.Sleep(time.Second)
	return errors.Join(c.cmd.Process.Signal(os.Interrupt), c.cmd.Wait())
}

// packetWriter has the methods of both pcapgo writers.
type packetWriter interface {
	WritePacket(gopacket.CaptureInfo, []byte) error
}

// trim copies the packets to keep. The name of the new file decides its format. Its
// headers do not describe the recording machine.
func (r recording) trim(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	packets, err := pcapgo.NewNgReader(in, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w, flush, err := newPacketWriter(out)
	if err != nil {
		return err
	}
	flows := make(map[[2]gopacket.Flow]int)
	kept := 0
	for {
		data, info, err := packets.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		key := flowOf(data)
		if r.keep != nil && !r.keep(data) || r.flowLimit > 0 && flows[key] >= r.flowLimit {
			continue
		}
		flows[key]++
		kept++
		info.InterfaceIndex = 0
		if err := w.WritePacket(info, data); err != nil {
			return err
		}
	}
	if kept == 0 {
		return errors.New("nothing was captured")
	}
	return flush()
}

func newPacketWriter(out *os.File) (packetWriter, func() error, error) {
	if filepath.Ext(out.Name()) == ".pcap" {
		w := pcapgo.NewWriter(out)
		return w, func() error { return nil }, w.WriteFileHeader(1<<18, layers.LinkTypeEthernet)
	}
	iface := pcapgo.DefaultNgInterface
	iface.Name = "lo"
	iface.OS = ""
	iface.LinkType = layers.LinkTypeEthernet
	options := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "dumpcap, trimmed by tlsflags corpus/record"}}
	w, err := pcapgo.NewNgWriterInterface(out, iface, options)
	if err != nil {
		return nil, nil, err
	}
	return w, w.Flush, nil
}

// flowOf returns the same key for both directions of a conversation.
func flowOf(data []byte) [2]gopacket.Flow {
	p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	if p.NetworkLayer() == nil || p.TransportLayer() == nil {
		return [2]gopacket.Flow{}
	}
	network, transport := p.NetworkLayer().NetworkFlow(), p.TransportLayer().TransportFlow()
	if src, dst := transport.Endpoints(); dst.LessThan(src) {
		network, transport = network.Reverse(), transport.Reverse()
	}
	return [2]gopacket.Flow{network, transport}
}

// wrapRecords writes a capture in which a client sends data to port 443, for
// programs that read only captures.
func wrapRecords(data []byte) (string, error) {
	f, err := os.CreateTemp("", "record*.pcap")
	if err != nil {
		return "", err
	}
	defer f.Close()
	eth := layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{127, 0, 0, 1}, DstIP: []byte{127, 0, 0, 1}}
	tcp := layers.TCP{SrcPort: 50000, DstPort: 443, Seq: 1, ACK: true, Window: 65535}
	if err := tcp.SetNetworkLayerForChecksum(&ip); err != nil {
		return "", err
	}
	buf := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, options, &eth, &ip, &tcp, gopacket.Payload(data)); err != nil {
		return "", err
	}
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeEthernet); err != nil {
		return "", err
	}
	packet := buf.Bytes()
	return f.Name(), w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(0, 0), CaptureLength: len(packet), Length: len(packet)}, packet)
}
