package capture_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestChangedLayers compares what each byte of the headers of links, tunnels and TCP does with
// testdata/changed-layers.txt.
func TestChangedLayers(t *testing.T) {
	var b strings.Builder
	for _, group := range []map[string]placed{onLinks(), inTunnels()} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			fmt.Fprintf(&b, "%s\n%s", name, capture.ChangesOf([]capture.Packet{group[name].packet}))
		}
	}
	capture.CompareFile(t, "changed-layers.txt", b.String())
}

// TestChangedPassedOver compares what each byte of frames that lead to no hello does with
// testdata/changed-passed.txt.
func TestChangedPassedOver(t *testing.T) {
	var b strings.Builder
	frames := passedOver()
	for _, name := range slices.Sorted(maps.Keys(frames)) {
		fmt.Fprintf(&b, "%s\n%s", name, capture.ChangesOf([]capture.Packet{frames[name].packet}))
	}
	capture.CompareFile(t, "changed-passed.txt", b.String())
}

// TestChangedValuesOfLayers compares sums over what a decoder finds in links and tunnels with
// testdata/values-layers.txt.
func TestChangedValuesOfLayers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute in an emulator")
	}
	var b strings.Builder
	for _, group := range []map[string]placed{onLinks(), inTunnels()} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			fmt.Fprintf(&b, "%s\t%s\n", name, capture.ValuesOf(group[name].packet))
		}
	}
	capture.CompareFile(t, "values-layers.txt", b.String())
}

// TestChangedDialogues compares what each byte of the packets does that come before a late hello,
// with the server's answer, with testdata/changed-dialogues.txt.
func TestChangedDialogues(t *testing.T) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(dialogues)) {
		talk := newTalk()
		talk.say(dialogues[name].said)
		if len(talk.packets) > 8 {
			continue
		}
		talk.say([]string{">" + string(hello()), "<" + string(serverHelloBytes)})
		var packets []capture.Packet
		for _, p := range talk.packets {
			packets = append(packets, raw(p))
		}
		fmt.Fprintf(&b, "%s\n%s", name, capture.ChangesOf(packets))
	}
	capture.CompareFile(t, "changed-dialogues.txt", b.String())
}

// TestMixedDialogues compares what is found in mixed captures of dialogues, links and tunnels with
// testdata/mixed-dialogues.txt.
func TestMixedDialogues(t *testing.T) {
	var from [][]capture.Packet
	for _, name := range slices.Sorted(maps.Keys(dialogues)) {
		talk := newTalk()
		talk.say(dialogues[name].said)
		talk.say([]string{">" + string(hello()), "<" + string(serverHelloBytes)})
		var packets []capture.Packet
		for _, p := range talk.packets {
			packets = append(packets, raw(p))
		}
		from = append(from, packets)
	}
	for _, group := range []map[string]placed{onLinks(), inTunnels()} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			from = append(from, []capture.Packet{group[name].packet})
		}
	}
	capture.CompareMixed(t, "mixed-dialogues.txt", 1000, from)
}

// TestChangedBeginnings compares what each byte at the beginning of a stream does with
// testdata/changed-beginnings.txt.
func TestChangedBeginnings(t *testing.T) {
	capture.CompareFile(t, "changed-beginnings.txt", capture.ChangedBeginnings(prologues))
}

// TestChangedFiles compares what each byte of captures does, compressed or not, with
// testdata/changed-files.txt.
func TestChangedFiles(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	packet, reset := up(1, ack, hello()), up(0, rst, nil)
	named := option(le, 2, []byte("eth0"))
	ng := join(section(le), iface(le, linkRaw, 0, named), packetBlock(le, reset), packetBlock(le, packet, option(le, 2, be32(0))), block(le, 5, make([]byte, 12)))
	old := dialect{magic: 0xa1b2c3d4, major: 2, minor: 2, swapped: true, original: 9, link: linkRaw}
	files := map[string][]byte{
		"pcap":                pcap(le, false, reset, packet, reset),
		"pcap, nanoseconds":   pcap(be, true, reset, packet),
		"pcap 2.2":            old.file(be, reset, packet, reset),
		"pcap, modified":      dialect{magic: 0xa1b2cd34, major: 2, minor: 4, link: linkRaw, record: []byte{2, 0, 0, 0, 8, 0, 0, 0}}.file(le, packet, reset),
		"pcap, Nokia":         dialect{magic: 0xa1b2c3d4, major: 2, minor: 4, link: linkRaw, record: []byte{1, 2, 3, 4}}.file(le, packet, reset),
		"pcap, Ixia":          dialect{magic: 0x1c0001ac, major: 2, minor: 4, link: linkRaw, header: 4}.file(le, packet, reset),
		"pcapng":              ng,
		"pcapng, big-endian":  join(section(be), iface(be, linkRaw, 0, option(be, 9, []byte{9}), option(be, 14, make([]byte, 8))), packetBlock(be, reset), packetBlock(be, packet)),
		"pcapng, old blocks":  join(section(le), iface(le, linkRaw, 0), block(le, 2, be32(0), make([]byte, 8), words(le, uint32(len(packet)), uint32(len(packet))), packet)),
		"pcapng, simple ones": join(section(le), iface(le, linkRaw, 0), block(le, 3, words(le, uint32(len(packet))), packet)),
		"pcapng, damaged":     join(section(le), iface(le, linkRaw, 0), packetBlock(le, reset), make([]byte, 20), packetBlock(le, packet), packetBlock(le, reset)),
		"pcap, damaged":       join(pcap(le, false, reset, reset), make([]byte, 20), pcap(le, false, packet, reset)[24:]),
	}
	packed := pack(t, ng)
	delete(packed, "gzip") // whose bytes depend on the release of Go
	maps.Copy(files, packed)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%s\n%s", name, capture.FileChangesOf(files[name], packed[name] != nil))
	}
	capture.CompareFile(t, "changed-files.txt", b.String())
}
