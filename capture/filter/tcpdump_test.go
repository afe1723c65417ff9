package filter_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/net/bpf"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestAgainstTcpdump compares which packets 200 expressions choose with what tcpdump -r
// chooses: of the recorded captures, and of packets with the headers of several link types.
// Packets that end inside of what is tested may match in tcpdump, whose optimizer leaves out
// tests.
func TestAgainstTcpdump(t *testing.T) {
	tcpdump := testenv.Program(t, "tcpdump", "tcpdump")
	captures := map[uint16][][]byte{ethernet: recorded(t)}
	for _, p := range packets {
		captures[ethernet] = append(captures[ethernet], frame(p.data))
		etherType, payload := p.data[:2], p.data[2:]
		captures[113] = append(captures[113], slices.Concat(make([]byte, 14), etherType, payload))
		captures[276] = append(captures[276], slices.Concat(etherType, make([]byte, 18), payload))
		captures[101] = append(captures[101], payload)
		ppp := map[string]string{"\x08\x00": "\x00\x21", "\x86\xdd": "\x00\x57"}[string(etherType)]
		captures[9] = append(captures[9], slices.Concat([]byte("\xff\x03"+ppp), payload))
		captures[104] = append(captures[104], slices.Concat([]byte("\x0f\x00"), etherType, payload))
	}
	others := []uint16{113, 276, 101, 9, 104}
	random := rand.New(rand.NewPCG(200, 16))
	matched, all := 0, 0
	for n := range 200 {
		depth := n % 4
		matched, all = compare(t, tcpdump, expression(random, true, depth), ethernet, captures[ethernet], matched, all)
		link := others[n%len(others)]
		compare(t, tcpdump, expression(random, false, depth), link, captures[link], 0, 0)
	}
	if matched < all/10 || matched > all*9/10 {
		t.Errorf("%d of %d packets match", matched, all)
	}
}

// recorded returns the packets of the recorded captures.
func recorded(t *testing.T) (list [][]byte) {
	t.Helper()
	for e := range corpus.OfKind(corpus.Captures) {
		var source gopacket.PacketDataSource
		source, err := pcapgo.NewReader(bytes.NewReader(e.Data()))
		if err != nil {
			source, err = pcapgo.NewNgReader(bytes.NewReader(e.Data()), pcapgo.DefaultNgReaderOptions)
		}
		if err != nil {
			t.Fatal(err)
		}
		if source.(interface{ LinkType() layers.LinkType }).LinkType() != layers.LinkTypeEthernet {
			continue
		}
		for {
			packet, _, err := source.ReadPacketData()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, packet)
		}
	}
	if len(list) < 500 {
		t.Fatalf("%d packets", len(list))
	}
	return list
}

// compare compares what a filter and tcpdump choose, and adds up how many packets match.
func compare(t *testing.T, tcpdump, text string, link uint16, packets [][]byte, matched, all int) (int, int) {
	t.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	if err := w.WriteFileHeader(1<<18, layers.LinkType(link)); err != nil {
		t.Fatal(err)
	}
	code, err := parse(t, text).Program(link)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for i, packet := range packets {
		if err := w.WritePacket(gopacket.CaptureInfo{InterfaceIndex: i, CaptureLength: len(packet), Length: len(packet)}, packet); err != nil {
			t.Fatal(err)
		}
		if n, err := vm.Run(packet); err != nil {
			t.Fatal(err)
		} else if n > 0 {
			got = append(got, i)
		}
	}
	want := chosen(t, tcpdump, text, link, file.Bytes(), packets)
	for i, packet := range packets {
		if ours, theirs := slices.Contains(got, i), slices.Contains(want, i); ours != theirs {
			t.Errorf("link type %d, %q, packet %d: %t, but %t with tcpdump\n%x", link, text, i, ours, theirs, packet)
		}
	}
	return matched + len(got), all + len(packets)
}

// chosen returns which packets tcpdump chooses.
func chosen(t *testing.T, tcpdump, text string, link uint16, file []byte, packets [][]byte) (list []int) {
	t.Helper()
	cmd := exec.Command(tcpdump, "-r", "-", "-w", "-", text)
	cmd.Stdin = bytes.NewReader(file)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if strings.Contains(errs.String(), "expression rejects all packets") {
			return nil
		}
		t.Fatalf("tcpdump %q: %v %s", text, err, strings.TrimSpace(errs.String()))
	}
	r, err := pcapgo.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for {
		packet, _, err := r.ReadPacketData()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		for !bytes.Equal(packets[i], packet) { // in order; of equal packets all match or none
			i++
		}
		list = append(list, i)
		i++
	}
}
