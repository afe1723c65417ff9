package capture

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/afpacket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// anyInterface is the name that stands for all interfaces.
const anyInterface = "any"

// hardwareTypes are the kinds of interfaces that are read, as in <linux/if_arp.h>.
var hardwareTypes = map[uint16]LinkType{
	unix.ARPHRD_ETHER:              LinkTypeEthernet,
	unix.ARPHRD_LOOPBACK:           LinkTypeEthernet,
	unix.ARPHRD_SLIP:               LinkTypeRaw,
	unix.ARPHRD_CSLIP:              LinkTypeRaw,
	unix.ARPHRD_SLIP6:              LinkTypeRaw,
	unix.ARPHRD_CSLIP6:             LinkTypeRaw,
	unix.ARPHRD_RAWIP:              LinkTypeRaw,
	unix.ARPHRD_TUNNEL:             LinkTypeRaw,
	unix.ARPHRD_TUNNEL6:            LinkTypeRaw,
	unix.ARPHRD_SIT:                LinkTypeRaw,
	unix.ARPHRD_IPGRE:              LinkTypeRaw, // with its outer IP header in one direction
	unix.ARPHRD_IP6GRE:             LinkTypeRaw,
	unix.ARPHRD_NONE:               LinkTypeRaw,
	unix.ARPHRD_PPP:                LinkTypePPP, // or IP, which the packet tells
	unix.ARPHRD_CISCO:              LinkTypeCiscoHDLC,
	unix.ARPHRD_FRAD:               LinkTypeFrameRelay,
	unix.ARPHRD_IEEE80211:          LinkTypeWiFi,
	unix.ARPHRD_IEEE80211_PRISM:    LinkTypePrism,
	unix.ARPHRD_IEEE80211_RADIOTAP: LinkTypeRadiotap,
}

// nic is a network interface.
type nic struct {
	Interface
	index    int
	hardware uint16
}

// latest is the interface of the latest packet, so that few packets look into the map.
type latest struct {
	index int
	link  LinkType
}

// seenFrames is the number of packets whose interfaces are remembered.
const seenFrames = 1 << 18

// open finds the interfaces, and returns the filter for the kernel.
func (s *liveSource) open(names []string, o Options) ([]bpf.RawInstruction, error) {
	list, every, err := findInterfaces(names)
	if err != nil {
		return nil, err
	}
	s.nics = make(map[int]nic)
	for _, n := range list {
		s.nics[n.index] = n
	}
	if len(s.nics) == 1 && !every {
		s.bound = list[0].Name
		s.latest = latest{list[0].index, list[0].Link}
	} else {
		s.seen = make([]int32, seenFrames)
	}
	code, err := liveProgram(s.nics, every, o.Filter)
	if err != nil {
		return nil, err
	}
	const longest = 4096 // BPF_MAXINSNS
	if len(code) > longest {
		return nil, fmt.Errorf("the filter has %d instructions for the kernel, which takes %d: make it shorter", len(code), longest)
	}
	return bpf.Assemble(code)
}

// findInterfaces returns the interfaces with some names, or every one that is read.
func findInterfaces(names []string) (list []nic, every bool, err error) {
	if len(names) == 0 {
		return nil, false, errors.New("no interface is named")
	}
	if slices.Contains(names, anyInterface) {
		all, err := net.Interfaces()
		if err != nil {
			return nil, false, err
		}
		for _, i := range all {
			if n, err := nicOf(&i); err == nil {
				list = append(list, n)
			}
		}
		return list, true, nil
	}
	for _, name := range names {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return nil, false, fmt.Errorf("no interface %q; there are %s", name, interfaceNames())
		}
		n, err := nicOf(i)
		if err != nil {
			return nil, false, err
		}
		list = append(list, n)
	}
	return list, false, nil
}

// nicOf finds out what kind of interface one is.
func nicOf(i *net.Interface) (nic, error) {
	hardware, err := hardwareType(i.Name)
	if err != nil {
		return nic{}, fmt.Errorf("interface %s: %w", i.Name, err)
	}
	link, ok := hardwareTypes[hardware]
	if !ok {
		return nic{}, fmt.Errorf("interface %s has hardware type %d, which is not read", i.Name, hardware)
	}
	return nic{Interface{i.Name, link}, i.Index, hardware}, nil
}

// hardwareType asks for the hardware type of an interface, ARPHRD_*.
func hardwareType(name string) (uint16, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, request); err != nil {
		return 0, err
	}
	return request.Uint16(), nil // struct sockaddr, which begins with the type
}

func interfaceNames() string {
	nics, _ := net.Interfaces() // if that fails, there are none
	var names []string
	for _, nic := range nics {
		names = append(names, nic.Name)
	}
	return cmp.Or(joinedNames(names), "none")
}

func joinedNames(names []string) string { return strings.Join(names, ", ") }

// packet returns a packet with the link type of its interface, and with the VLAN tag that the
// card or the kernel took out of it. OptAddVLANHeader would allocate memory for each.
func (s *liveSource) packet(data []byte, info gopacket.CaptureInfo) Packet {
	if s.seen != nil {
		if info.InterfaceIndex != s.latest.index {
			s.latest = latest{info.InterfaceIndex, s.nic(info.InterfaceIndex).Link}
		}
		s.seen[s.frames%len(s.seen)] = int32(info.InterfaceIndex)
	}
	s.frames++
	p := Packet{Data: data, Length: info.Length, Link: s.latest.link, Time: info.Timestamp}
	switch {
	case p.Link == LinkTypePPP && len(data) > 0 && (data[0]>>4 == 4 || data[0]>>4 == 6):
		p.Link = LinkTypeRaw // the driver has taken its header off; no PPP packet begins like this
	case len(info.AncillaryData) > 0 && p.Link == LinkTypeEthernet && len(data) >= 12:
		if tag, ok := info.AncillaryData[0].(afpacket.AncillaryVLAN); ok {
			s.tagged = append(s.tagged[:0], data[:12]...)
			s.tagged = append(s.tagged, etherVLAN>>8, etherVLAN&0xff, byte(tag.VLAN>>8), byte(tag.VLAN))
			s.tagged = append(s.tagged, data[12:]...)
			p.Data, p.Length = s.tagged, p.Length+4
		}
	}
	return p
}

// nic returns an interface, which may be new.
func (s *liveSource) nic(index int) nic {
	n, ok := s.nics[index]
	if ok {
		return n
	}
	n = nic{Interface{fmt.Sprintf("interface %d", index), LinkTypeEthernet}, index, unix.ARPHRD_ETHER} // if it is gone already
	if i, err := net.InterfaceByIndex(index); err == nil {
		if known, err := nicOf(i); err == nil {
			n = known
		}
	}
	s.nics[index] = n
	return n
}

// nameOf returns the name of the interface of a frame, or "" if that was too long ago.
func (s *liveSource) nameOf(frame int) string {
	switch {
	case s.seen == nil:
		return s.bound
	case frame < 1 || frame > s.frames || frame <= s.frames-len(s.seen):
		return ""
	}
	return s.nics[int(s.seen[(frame-1)%len(s.seen)])].Name
}

// interfaces returns those that are read, in the order of their numbers.
func (s *liveSource) interfaces() (list []Interface) {
	for _, index := range slices.Sorted(maps.Keys(s.nics)) {
		list = append(list, s.nics[index].Interface)
	}
	return list
}
