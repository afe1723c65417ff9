package capture_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/corpus"
)

// datagram is a UDP datagram of a capture.
type datagram struct {
	frame    int
	src, dst netip.AddrPort
	payload  []byte
}

// datagrams returns the UDP datagrams of a capture.
func datagrams(t testing.TB, capture []byte) []datagram {
	t.Helper()
	var source interface {
		gopacket.PacketDataSource
		LinkType() layers.LinkType
	}
	source, err := pcapgo.NewReader(bytes.NewReader(capture))
	if err != nil {
		source, err = pcapgo.NewNgReader(bytes.NewReader(capture), pcapgo.DefaultNgReaderOptions)
	}
	if err != nil {
		t.Fatal(err)
	}
	var found []datagram
	for frame := 1; ; frame++ {
		data, _, err := source.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(data, source.LinkType(), gopacket.NoCopy)
		udp, ok := packet.TransportLayer().(*layers.UDP)
		if !ok {
			continue
		}
		src, dst := packet.NetworkLayer().NetworkFlow().Endpoints()
		found = append(found, datagram{
			frame,
			addrPort(src.Raw(), udp.SrcPort),
			addrPort(dst.Raw(), udp.DstPort),
			udp.Payload,
		})
	}
}

func addrPort(raw []byte, port layers.UDPPort) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr, uint16(port))
}

// datagramFlow is what names a connection: for QUIC also the client's connection ID.
type datagramFlow struct {
	src, dst netip.AddrPort
	scid     string
}

// datagramHello is what the test compares of a ClientHello.
type datagramHello struct {
	Frame      int
	Transport  string
	Src, Dst   string
	BodyLength int
	Random     string
}

// TestAssemblersOfDatagrams checks that the assemblers alone, without a Scanner, find the
// hellos of the recorded captures that another program found, at the same frames, and no
// others.
func TestAssemblersOfDatagrams(t *testing.T) {
	for entry := range corpus.OfKind(corpus.Captures) {
		var want []datagramHello
		for _, h := range entry.Hellos {
			if h.Transport == "quic" || h.Transport == "dtls" {
				want = append(want, datagramHello{h.Frame, h.Transport, h.Src, h.Dst, h.BodyLength, h.Random})
			}
		}
		if len(want) == 0 {
			continue
		}
		t.Run(entry.File, func(t *testing.T) {
			var got []datagramHello
			flows := make(map[datagramFlow]assemble.Assembler)
			for _, d := range datagrams(t, entry.Data()) {
				key := datagramFlow{src: d.src, dst: d.dst}
				initial, isQUIC := assemble.ParseQUICInitial(d.payload)
				if isQUIC {
					key.scid = string(initial.SCID)
				}
				a := flows[key]
				if a == nil {
					a = &assemble.DTLS{}
					if isQUIC {
						a = &assemble.QUIC{}
					}
					a.Reset(make([]byte, assemble.BufferSize(4096)))
					flows[key] = a
				}
				result := a.Feed(d.payload)
				switch result.Outcome {
				case assemble.Complete:
					got = append(got, parsed(t, d, a, result.Message))
				case assemble.Unrecognized, assemble.Refused:
					delete(flows, key)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// parsed returns what is to be compared of a message, and goes on to the next.
func parsed(t *testing.T, d datagram, a assemble.Assembler, msg []byte) datagramHello {
	t.Helper()
	h := datagramHello{Frame: d.frame, Src: d.src.String(), Dst: d.dst.String()}
	var parsed clienthello.ClientHello
	var err error
	switch a := a.(type) {
	case *assemble.QUIC:
		h.Transport = "quic"
		h.BodyLength = len(msg) - 4
		parsed, _, err = clienthello.Parse(msg)
		a.Next()
	case *assemble.DTLS:
		h.Transport = "dtls"
		h.BodyLength = len(msg) - 12
		parsed, _, err = clienthello.ParseDTLS(msg)
		a.Next()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.Random = hex.EncodeToString(parsed.Random())
	return h
}

// TestChecksumsOfDatagrams checks when a datagram with a wrong checksum is not read.
func TestChecksumsOfDatagrams(t *testing.T) {
	part := func(last byte, from, to int) []byte {
		b := dtlsFragment(100, from, to-from)
		b[len(b)-1] = last
		return ipv4(client, server, 17, udp(1, 443, b))
	}
	for name, row := range map[string]struct {
		packets [][]byte
		want    []string // the last byte of each hello, and the reasons
	}{
		"all right":              {[][]byte{summed(part(0, 0, 50)), summed(part(1, 50, 100))}, []string{"1 "}},
		"all wrong":              {[][]byte{damaged(part(0, 0, 50)), damaged(part(1, 50, 100))}, []string{"1 "}},
		"a wrong one after one":  {[][]byte{summed(part(0, 0, 50)), damaged(part(2, 50, 100)), summed(part(1, 50, 100))}, []string{"1 "}},
		"a wrong one before one": {[][]byte{damaged(part(2, 50, 100)), summed(part(0, 0, 50)), summed(part(1, 50, 100))}, []string{"1 "}},
		"a whole one before":     {[][]byte{damaged(part(2, 0, 100)), summed(part(1, 0, 100))}, []string{"2 ", "none checksum", "1 checksum"}},
		"and a part after":       {[][]byte{damaged(part(2, 0, 100)), summed(part(1, 0, 50))}, []string{"2 ", "none checksum"}},
		"a wrong header after":   {[][]byte{summed(part(0, 0, 50)), headerDamaged(part(2, 50, 100)), summed(part(1, 50, 100))}, []string{"1 "}},
	} {
		hellos, stats := scan(capture.Options{}, row.packets...)
		var got []string
		for _, h := range hellos {
			last := "none"
			if len(h.Message) > 0 {
				last = fmt.Sprint(h.Message[len(h.Message)-1])
			}
			got = append(got, fmt.Sprintf("%s %v", last, h.Ambiguous))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q; %+v", name, got, row.want, stats)
		}
	}
	wrong := damaged(part(1, 0, 100))
	for mode, want := range map[capture.Checksums]int{capture.ChecksumsAuto: 1, capture.ChecksumsVerify: 0, capture.ChecksumsIgnore: 1} {
		if hellos, _ := scan(capture.Options{Checksums: mode}, wrong); len(hellos) != want {
			t.Errorf("checksums %d: %d hellos, want %d", mode, len(hellos), want)
		}
	}
}

// TestRefusedDatagrams checks that a hello that does not fit into its record is refused, with its
// packet, and that another message is not.
func TestRefusedDatagrams(t *testing.T) {
	for msgType, want := range map[byte]int{1: 1, 2: 0, 0xfe: 0} {
		datagram := dtlsFragment(100, 0, 100)
		datagram[13] = msgType
		datagram[13+10] = 0xff // fragment_length
		hellos, stats := scan(capture.Options{}, fromClient(datagram), fromClient(datagram))
		if len(hellos) != want || stats.Refused != want || stats.Hellos != 0 {
			t.Errorf("type %d: %d rows, %+v", msgType, len(hellos), stats)
		}
		if want == 1 && (hellos[0].Code.Name() != "field_overrun" || !slices.Equal(hellos[0].Frames, []int{1})) {
			t.Errorf("type %d: %+v", msgType, hellos[0])
		}
	}
}
