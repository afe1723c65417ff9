package bench

import (
	"bufio"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/bench/internal/initials"
)

// TestLoop is no test: it is what the processes of the loops run, that inspect is compared
// with.
func TestLoop(t *testing.T) {
	file := os.Getenv("LOOP_FILE")
	if file == "" {
		t.Skip("run by TestInspectRatios")
	}
	switch os.Getenv("LOOP") {
	case "gopacket":
		packets(t, file)
	case "bare":
		bareLoop(t, file, func([]byte) {})
	case "open":
		buffer := make([]byte, 2048)
		known := make(map[string]*initials.Keys) // of about as many connections as are open at a time
		bareLoop(t, file, func(datagram []byte) {
			packet := initials.Locate(datagram)
			keys := known[string(packet.DCID)]
			if keys == nil {
				if len(known) == 100 {
					clear(known)
				}
				keys = initials.DeriveKeys(packet.DCID)
				known[string(packet.DCID)] = keys
			}
			keys.Open(packet, buffer)
		})
	}
}

// openPcap opens a capture, which the end of the test closes.
func openPcap(t *testing.T, file string) *pcapgo.Reader {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bareLoop reads and decodes every packet, and does nothing with it but that it calls
// datagram with what UDP carries.
func bareLoop(t *testing.T, file string, datagram func([]byte)) {
	r := openPcap(t, file)
	var (
		ethernet layers.Ethernet
		ip       layers.IPv4
		tcp      layers.TCP
		udp      layers.UDP
		payload  gopacket.Payload
		decoded  []gopacket.LayerType
	)
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &ip, &tcp, &udp, &payload)
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
		if ip.Protocol == layers.IPProtocolUDP {
			datagram(udp.Payload)
		}
	}
}

// packets decodes every packet as most programs do with gopacket, up to its layer of TLS. It
// sees a hello that came in one segment, and joins nothing.
func packets(t *testing.T, file string) {
	r := openPcap(t, file)
	hellos := 0
	for {
		data, _, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(data, r.LinkType(), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
		if layer, ok := packet.Layer(layers.LayerTypeTLS).(*layers.TLS); ok {
			hellos += len(layer.Handshake)
		}
	}
}
