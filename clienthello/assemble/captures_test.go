package assemble_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

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

// flow is what names a connection: for QUIC also the client's connection ID.
type flow struct {
	src, dst netip.AddrPort
	scid     string
}

// hello is what the test compares of a ClientHello.
type hello struct {
	Frame      int
	Transport  string
	Src, Dst   string
	BodyLength int
	Random     string
}

// TestCaptures finds the hellos of the recorded captures that another program found, at
// the same frames, and no others.
func TestCaptures(t *testing.T) {
	for entry := range corpus.OfKind(corpus.Captures) {
		var want []hello
		for _, h := range entry.Hellos {
			if h.Transport == "quic" || h.Transport == "dtls" {
				want = append(want, hello{h.Frame, h.Transport, h.Src, h.Dst, h.BodyLength, h.Random})
			}
		}
		if len(want) == 0 {
			continue
		}
		t.Run(entry.File, func(t *testing.T) {
			var got []hello
			flows := make(map[flow]assemble.Assembler)
			for _, d := range datagrams(t, entry.Data()) {
				key := flow{src: d.src, dst: d.dst}
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
func parsed(t *testing.T, d datagram, a assemble.Assembler, msg []byte) hello {
	t.Helper()
	h := hello{Frame: d.frame, Src: d.src.String(), Dst: d.dst.String()}
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
