package capture_test

import (
	"testing"

	"github.com/gopacket/gopacket/layers"

	"github.com/tlsflags/tlsflags/capture"
)

// TestLinkTypes checks the numbers, most of which gopacket has too.
func TestLinkTypes(t *testing.T) {
	for _, row := range []struct {
		link   capture.LinkType
		number layers.LinkType
		name   string
	}{
		{capture.LinkTypeNull, layers.LinkTypeNull, "BSD null"},
		{capture.LinkTypeEthernet, layers.LinkTypeEthernet, "Ethernet"},
		{capture.LinkTypePPP, layers.LinkTypePPP, "PPP"},
		{capture.LinkTypeRawBSD, 12, "raw IP"},
		{capture.LinkTypeRawOpenBSD, 14, "raw IP"},
		{capture.LinkTypePPPHDLC, layers.LinkTypePPP_HDLC, "PPP in HDLC framing"},
		{capture.LinkTypePPPEthernet, layers.LinkTypePPPEthernet, "PPPoE"},
		{capture.LinkTypeRaw, layers.LinkTypeRaw, "raw IP"},
		{capture.LinkTypeCiscoHDLC, layers.LinkTypeC_HDLC, "Cisco HDLC"},
		{capture.LinkTypeLoop, layers.LinkTypeLoop, "BSD loop"},
		{capture.LinkTypeLinuxSLL, layers.LinkTypeLinuxSLL, "Linux cooked v1"},
		{capture.LinkTypeIPv4, layers.LinkTypeIPv4, "IPv4"},
		{capture.LinkTypeIPv6, layers.LinkTypeIPv6, "IPv6"},
		{capture.LinkTypeLinuxSLL2, layers.LinkTypeLinuxSLL2, "Linux cooked v2"},
		{147, 147, "private link type 147"},
		{220, layers.LinkTypeLinuxUSB, "USB of Linux, mmapped"},
		{60000, 60000, "link type 60000"},
	} {
		if uint16(row.link) != uint16(row.number) || row.link.String() != row.name {
			t.Errorf("%s: number %d, want %d; string %q", row.name, row.link, row.number, row.link)
		}
	}
}
