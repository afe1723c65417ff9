package cli

import (
	"errors"

	"github.com/tlsflags/tlsflags/capture/filter"
)

const filterHelp = `--filter chooses packets before anything is read from them, as tcpdump does: host, net,
port, portrange, proto, src, dst, ip, ip6, arp, tcp, udp, icmp and vlan, with and, or, not
and brackets, such as: tcp port (443 or 8443) and not net 10.0.0.0/8. Packets in tunnels
are chosen by their outer addresses; what is in VLANs needs vlan first: vlan and port 443.

`

// filterOption is the value of --filter.
type filterOption struct{ to **filter.Filter }

func (o filterOption) Type() string   { return "EXPR" }
func (o filterOption) String() string { return "" }

func (o filterOption) Set(s string) (err error) {
	*o.to, err = filter.Parse(s)
	return err
}

var errNoPackets = errors.New("this is no capture, and --filter is for the packets of one; leave it out")
