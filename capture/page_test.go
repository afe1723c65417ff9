package capture

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPageListsLayers compares the tables of link types, EtherTypes, IP protocols and UDP ports
// in the document with what a decoder reads, for every number.
func TestPageListsLayers(t *testing.T) {
	if testing.Short() {
		t.Skip("it is the same on every machine")
	}
	document, err := os.ReadFile("../docs/capture.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := func(heading string) (numbers, names []string) {
		_, section, _ := strings.Cut(string(document), "\n### "+heading+"\n")
		section, _, _ = strings.Cut(section, "\n#")
		for line := range strings.Lines(section) {
			if cells := strings.Split(line, "|"); len(cells) == 6 && !strings.HasPrefix(line, "| number") && !strings.HasPrefix(line, "| ---") {
				numbers = append(numbers, strings.TrimSpace(cells[1]))
				names = append(names, strings.TrimSpace(cells[2]))
			}
		}
		return numbers, names
	}
	var d decoder
	var links, names, etherTypes, protocols []string
	for n := range 1 << 16 {
		if d.link(LinkType(n), nil) != isUnknownLink {
			links, names = append(links, fmt.Sprint(n)), append(names, LinkType(n).String())
		}
		if d.depth = 0; n > etherMaxLength && d.etherType(uint16(n), nil) != isUnknownEtherType {
			etherTypes = append(etherTypes, fmt.Sprintf("0x%04x", n))
		}
		if v := isOther; n < 256 {
			if v = d.protocol(uint8(n), nil); v != isOther && v != isEncrypted {
				protocols = append(protocols, fmt.Sprint(n))
			}
		}
	}
	for heading, want := range map[string][]string{"Link types": links, "EtherTypes": etherTypes, "IP protocols": protocols, "UDP ports": tunnelPorts()} {
		if got, _ := rows(heading); !slices.Equal(got, want) {
			t.Errorf("%s: the document has %v, want %v", heading, got, want)
		}
	}
	if _, got := rows("Link types"); !slices.Equal(got, names) {
		t.Errorf("link types: the document has %q, want %q", got, names)
	}
	for kind, name := range layerNames {
		if !strings.Contains(string(document), "`"+name) {
			t.Errorf("layer %d, %s, is not in the document", kind, name)
		}
	}
}

// tunnelPorts returns the ports at which packets are found in a datagram.
func tunnelPorts() (ports []string) {
	var payloads [][]byte
	common, rare := carriers()
	for _, c := range append(common, rare...) {
		const before = 20 + 8 // IPv4, UDP
		if h := c.headers; len(h) > before && h[0] == 0x45 && h[9] == protoUDP {
			payloads = append(payloads, append([]byte(h[before:]), tcpPacket(1, tcpACK, nil)[20:]...))
		}
	}
	for port := range 1 << 16 {
		if slices.ContainsFunc(payloads, func(b []byte) bool {
			d := decoder{seg: segment{udp: true, dst: endpoint{port: uint16(port)}}}
			return d.tunnel(b) == isSegment && !d.seg.udp
		}) {
			ports = append(ports, fmt.Sprint(port))
		}
	}
	return ports
}
