package cli

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// writeSegments writes a capture with what a client sent in TCP segments, inside a tunnel of
// IP in IP.
func writeSegments(t *testing.T, path string, segments ...layers.TCP) {
	t.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, tcp := range segments {
		tcp.SrcPort, tcp.DstPort = 40000, 443
		ethernet := layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
		outer := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolIPv4, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
		inner := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{192, 0, 2, 1}, DstIP: []byte{192, 0, 2, 2}}
		if err := tcp.SetNetworkLayerForChecksum(&inner); err != nil {
			t.Fatal(err)
		}
		b := gopacket.NewSerializeBuffer()
		err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, &ethernet, &outer, &inner, &tcp, gopacket.Payload(tcp.Payload))
		if err != nil {
			t.Fatal(err)
		}
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(b.Bytes()), Length: len(b.Bytes())}
		if err := w.WritePacket(info, b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDoubt checks how each format and option shows a hello in doubt: the server may have
// ignored the bytes that came in the SYN.
func TestDoubt(t *testing.T) {
	msg := helloOf(0x0303, []uint16{0x1301}, ext(62, append([]byte{11}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)...))
	stream := append(binary.BigEndian.AppendUint16([]byte{22, 3, 1}, uint16(len(msg))), msg...)
	file := filepath.Join(t.TempDir(), "doubt.pcap")
	segment := func(tcp layers.TCP, data []byte) layers.TCP {
		tcp.Payload = data
		return tcp
	}
	syn := segment(layers.TCP{SYN: true, Seq: 99}, stream[:20])
	writeSegments(t, file, syn, segment(layers.TCP{ACK: true, Seq: 120}, stream[20:]))
	half := filepath.Join(t.TempDir(), "half.pcap")
	writeSegments(t, half, syn, segment(layers.TCP{ACK: true, Seq: 120}, stream[20:40]))

	for _, row := range []struct {
		file string
		args string
		code Exit
		want string
	}{
		{file, "-f jsonl", ExitDone, `"request_mtls":true,`},
		{file, "-f jsonl", ExitDone, `"error":null,"ambiguous":["syn_data"],"path":["eth","ipv4:10.0.0.1>10.0.0.2","ipv4","tcp"]}`},
		{file, "-f jsonl --redact", ExitDone, `"path":["eth","ipv4","ipv4","tcp"]}`},
		{file, "-f csv", ExitDone, ",syn_data,,,eth ipv4:10.0.0.1>10.0.0.2 ipv4 tcp,192.0.2.1,40000,192.0.2.2,443,,,,,,1\n"},
		{file, "-f text", ExitDone, "request_mtls(80); ambiguous: syn_data; in eth ipv4:10.0.0.1>10.0.0.2 ipv4 tcp\n"},
		{file, "-f text", ExitDone, "0 evicted, 1 ambiguous (syn_data: 1)\n"},
		{file, "--stats", ExitDone, "0 refused; 1 ambiguous\n"},
		{file, "--stats -f json", ExitDone, `"ambiguous":1,`},
		{file, "--flag request_mtls", ExitDone, "ambiguous: syn_data"},
		{file, "--expect request_mtls", ExitDone, ""},
		{file, "--strict", ExitDone, ""},
		{file, "--strict=ambiguous", ExitRefused, ""},
		{file, "--strict=other", ExitUsage, "use refused or ambiguous"},
		{file, "--checksums=ignore", ExitDone, "ambiguous"},
		{file, "--checksums=some", ExitUsage, "use auto, verify or ignore"},
		{half, "-f jsonl", ExitDone, `"client_hello":null,"tls_flags":null,"tls_flags_changed":null,"request_mtls":false,"ja4":null,`},
		{half, "-f jsonl", ExitDone, `"error":null,"ambiguous":["syn_data"]`},
		{half, "-f text", ExitDone, "no whole hello; ambiguous: syn_data"},
		{half, "-f text", ExitDone, " 0 hellos, 0 with tls_flags, "},
		{half, "--flag 80", ExitDone, "ambiguous: syn_data"},
		{half, "--expect 80", ExitUnmet, ""},
		{half, "--stats", ExitDone, "0 hellos: "},
		{half, "--strict=ambiguous", ExitRefused, ""},
	} {
		out, code := runCLI(t, append(append([]string{"inspect"}, strings.Fields(row.args)...), row.file)...)
		if code != int(row.code) || !strings.Contains(out, row.want) {
			t.Errorf("%s %s: exit %d, want %d; no %q in\n%s", row.args, filepath.Base(row.file), code, row.code, row.want, out)
		}
	}
}
