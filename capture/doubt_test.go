package capture_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// TestReasonsAreDocumented checks that the documents list the reasons, in their order.
func TestReasonsAreDocumented(t *testing.T) {
	document, err := os.ReadFile("../docs/capture.md")
	if err != nil {
		t.Fatal(err)
	}
	var names, documented []string
	for r := range capture.Reason(capture.ReasonCount) {
		names = append(names, r.String())
	}
	_, section, _ := strings.Cut(string(document), "## Doubt")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			documented = append(documented, name)
		}
	}
	if !slices.Equal(names, documented) {
		t.Errorf("docs/capture.md has %q, want %q", documented, names)
	}
	var schema struct {
		Properties struct {
			Ambiguous struct{ Items struct{ Enum []string } }
		}
	}
	data, err := os.ReadFile("../docs/inspect.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &schema); err != nil || !slices.Equal(names, schema.Properties.Ambiguous.Items.Enum) {
		t.Errorf("docs/inspect.schema.json has %q, want %q (%v)", schema.Properties.Ambiguous.Items.Enum, names, err)
	}
}

func TestReasons(t *testing.T) {
	s := capture.Reasons(0).With(capture.SYNData).With(capture.Overlap).With(capture.SYNData)
	if s.String() != "overlap,syn_data" || s.Len() != 2 || !s.Has(capture.Overlap) || s.Has(capture.SYN) {
		t.Errorf("got %v, %d reasons", s, s.Len())
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, []capture.Reason{capture.Overlap, capture.SYNData}) {
		t.Errorf("got %v", got)
	}
	for range s.All() {
		break
	}
	if got := capture.Reason(capture.ReasonCount).String(); got != "unknown" {
		t.Errorf("got %q", got)
	}
}

// TestPathAtTheEnd checks that a row which only the end of the capture brings about has the path of
// its flow, and not that of the last packet.
func TestPathAtTheEnd(t *testing.T) {
	const body, vlan = 1000, 0x8100
	unread := []byte{23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0}
	inVLAN := func(datagram []byte) []byte {
		return ethernet(vlan, join(be16(7), be16(0x0800), ipv4(client, server, 17, udp(1, 443, datagram))))
	}
	var s capture.Scanner
	var paths []string
	take := func(h *capture.Hello) bool {
		paths = append(paths, strings.Join(h.Path, " "))
		return true
	}
	for _, frame := range [][]byte{inVLAN(dtlsFragment(body, 0, body/2)), inVLAN(unread), ethernet(0x0800, up(1, ack, hello()[:40]))} {
		s.Scan(capture.Packet{Data: frame, Link: capture.LinkTypeEthernet, Time: time.Unix(1, 0)}, take)
	}
	s.Flush(take)
	if want := []string{"eth vlan:7 ipv4 udp"}; !slices.Equal(paths, want) {
		t.Errorf("paths %q, want %q", paths, want)
	}
}
