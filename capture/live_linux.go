package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/net/bpf"
)

// Live captures on a network interface, by its name, until ctx is done or Close is
// called; Hellos ends then, and Err returns nil. It works on Linux, with the
// capability CAP_NET_RAW. The interface is not made promiscuous.
//
// A filter in the kernel passes packets that may carry a ClientHello, on any port; TCP
// segments without data are dropped. Packets that the kernel delivers twice, as it does on
// the loopback interface, are counted once.
func Live(ctx context.Context, name string, o Options) (*Reader, error) {
	nic, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("no interface %q; there are %s", name, interfaceNames())
	}
	link, err := linkType(name)
	if err != nil {
		return nil, err
	}
	code := liveFilter(link, nic.Flags&net.FlagLoopback != 0)
	if o.Filter != nil {
		chosen, err := o.Filter.LiveProgram(uint16(link))
		if err != nil {
			return nil, errFilterLink(link)
		}
		code = append(chosen[:len(chosen)-1], code...)
	}
	program, err := bpf.Assemble(code)
	if err != nil {
		return nil, err
	}
	handle, err := pcapgo.NewEthernetHandle(name)
	if err != nil {
		if strings.Contains(err.Error(), syscall.EPERM.Error()) { // pcapgo does not wrap it
			return nil, fmt.Errorf("capturing on %s needs the capability CAP_NET_RAW: run as root, or setcap cap_net_raw=ep on the program", name)
		}
		return nil, err
	}
	if err := handle.SetBPF(program); err != nil {
		return nil, errors.Join(fmt.Errorf("setting the filter: %w", err), handle.Close())
	}
	source := &liveSource{handle: handle, link: link}
	source.stop = context.AfterFunc(ctx, func() { source.shut() })
	return &Reader{source: source, scanner: NewScanner(o)}, nil
}

// liveSource reads packets from an interface.
type liveSource struct {
	handle *pcapgo.EthernetHandle
	link   LinkType
	stop   func() bool // detaches it from the context

	mu      sync.Mutex // guards the fields below
	closed  bool
	dropped int
}

func (s *liveSource) next() (Packet, error) {
	data, info, err := s.handle.ZeroCopyReadPacketData()
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			return Packet{}, errStopped
		}
		return Packet{}, err
	}
	return Packet{Data: data, Length: info.Length, Link: s.link, Time: info.Timestamp}, nil
}

// count adds how many packets the kernel has dropped since the start.
func (s *liveSource) count(stats *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poll()
	stats.Dropped += s.dropped
}

// poll adds what the kernel counted since the last call.
func (s *liveSource) poll() {
	if s.closed {
		return
	}
	if stats, err := s.handle.Stats(); err == nil {
		s.dropped += int(stats.Drops)
	}
}

// shut closes the handle, which makes a waiting read return.
func (s *liveSource) shut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.poll()
	s.closed = true
	return s.handle.Close()
}

func (s *liveSource) Close() error {
	s.stop()
	return s.shut()
}

func interfaceNames() string {
	nics, err := net.Interfaces()
	if err != nil || len(nics) == 0 {
		return "none"
	}
	var names []string
	for _, nic := range nics {
		names = append(names, nic.Name)
	}
	return strings.Join(names, ", ")
}

// linkType returns the link type of an interface.
func linkType(name string) (LinkType, error) {
	text, err := os.ReadFile("/sys/class/net/" + name + "/type")
	if err != nil {
		return LinkTypeEthernet, nil // no sysfs: all but tunnels are Ethernet
	}
	typ, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	link, ok := linkTypeOf(typ)
	if !ok {
		return 0, fmt.Errorf("interface %s is neither Ethernet nor a tunnel of IP (hardware type %d)", name, typ)
	}
	return link, nil
}

// linkTypeOf returns the link type of a hardware type.
func linkTypeOf(typ int) (link LinkType, ok bool) {
	// As in <linux/if_arp.h>.
	const arphrdEther, arphrdLoopback = 1, 772
	const arphrdTunnel, arphrdTunnel6, arphrdSit, arphrdNone = 768, 769, 776, 65534
	switch typ {
	case arphrdEther, arphrdLoopback:
		return LinkTypeEthernet, true
	case arphrdTunnel, arphrdTunnel6, arphrdSit, arphrdNone:
		return LinkTypeRaw, true
	}
	return 0, false
}

// liveFilter returns the program for the kernel. It passes the EtherTypes and IP protocols that
// decoder follows, except TCP segments without data in IPv4, which are half of all packets.
// On the loopback interface each packet comes as outgoing and as incoming; the former is
// dropped.
func liveFilter(link LinkType, loopback bool) []bpf.Instruction {
	const (
		outgoing = 4 // PACKET_OUTGOING
		drop     = "drop"
		pass     = "pass"
	)
	var p program
	if loopback {
		p.add(bpf.LoadExtension{Num: bpf.ExtType})
		p.jump(bpf.JumpEqual, outgoing, drop)
	}
	var ip uint32 // offset of the IP header
	if link == LinkTypeEthernet {
		ip = 14
		p.add(bpf.LoadAbsolute{Off: 12, Size: 2})
		p.jump(bpf.JumpEqual, etherIPv4, "IPv4")
		for _, typ := range []uint32{
			etherIPv6, etherVLAN, etherQinQ, etherQinQ9100, etherQinQ9200, etherVNTag, etherCiscoMetadata,
			etherMPLS, etherMPLSMulticast, etherPPPoE, etherEAPOL, etherTRILL, etherBatman, etherBridging, etherPPP, etherJumboLLC,
			etherMACsec, etherPBB, etherPRP, etherFabricPath, etherHSR, etherETag, etherNSH, etherDSA, etherRTag,
		} {
			p.jump(bpf.JumpEqual, typ, pass)
		}
		p.jump(bpf.JumpLessOrEqual, etherMaxLength, pass)
		p.to(drop)
	} else {
		p.add(bpf.LoadAbsolute{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
		p.jump(bpf.JumpNotEqual, 4, pass)
	}
	p.label("IPv4")
	p.add(bpf.LoadAbsolute{Off: ip + 9, Size: 1})
	p.jump(bpf.JumpEqual, protoTCP, "TCP")
	for _, protocol := range []uint32{protoUDP, protoIPv4, protoIPv6, protoGRE, protoAH, protoEtherIP, protoL2TP, protoSCTP, protoUDPLite, protoMPLS} {
		p.jump(bpf.JumpEqual, protocol, pass)
	}
	p.to(drop)

	p.label("TCP")
	p.passData(ip, pass)

	p.label(drop)
	p.add(bpf.RetConstant{Val: 0})
	p.label(pass)
	p.add(bpf.RetConstant{Val: maxPacket})
	return p.link()
}

// passData goes to pass if the TCP segment in the IPv4 packet at offset ip has data, begins or
// ends a connection, or is in a fragment.
func (p *program) passData(ip uint32, pass string) {
	p.add(bpf.LoadAbsolute{Off: ip + 6, Size: 2})
	p.jump(bpf.JumpBitsSet, 0x3fff, pass) // a fragment
	p.add(bpf.LoadMemShift{Off: ip})      // X: length of the IP header
	p.add(bpf.LoadIndirect{Off: ip + 13, Size: 1})
	p.jump(bpf.JumpBitsSet, tcpSYN|tcpFIN|tcpRST, pass)
	p.add(bpf.LoadAbsolute{Off: ip + 2, Size: 2})
	p.jump(bpf.JumpEqual, 0, pass) // more than 64 kB, from a card that reassembles segments
	p.add(
		bpf.ALUOpX{Op: bpf.ALUOpSub},
		bpf.StoreScratch{Src: bpf.RegA, N: 0},
		bpf.LoadIndirect{Off: ip + 12, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: 4},
		bpf.TAX{},
		bpf.LoadScratch{Dst: bpf.RegA, N: 0},
		bpf.ALUOpX{Op: bpf.ALUOpSub},
	)
	p.jump(bpf.JumpNotEqual, 0, pass)
}

// program builds a BPF program whose jumps go to names.
type program struct {
	code   []bpf.Instruction
	jumps  map[int]string
	labels map[string]int
}

func (p *program) add(code ...bpf.Instruction) { p.code = append(p.code, code...) }

func (p *program) label(name string) {
	if p.labels == nil {
		p.labels = make(map[string]int)
	}
	p.labels[name] = len(p.code)
}

// jump goes to a name if the comparison of A with v is true, and else to the next instruction.
func (p *program) jump(cond bpf.JumpTest, v uint32, name string) {
	p.mark(name)
	p.add(bpf.JumpIf{Cond: cond, Val: v})
}

// to goes to a name.
func (p *program) to(name string) {
	p.mark(name)
	p.add(bpf.Jump{})
}

func (p *program) mark(name string) {
	if p.jumps == nil {
		p.jumps = make(map[int]string)
	}
	p.jumps[len(p.code)] = name
}

// link sets the distances of the jumps.
func (p *program) link() []bpf.Instruction {
	for at, name := range p.jumps {
		distance := p.labels[name] - at - 1
		switch i := p.code[at].(type) {
		case bpf.JumpIf:
			i.SkipTrue = uint8(distance)
			p.code[at] = i
		case bpf.Jump:
			i.Skip = uint32(distance)
			p.code[at] = i
		}
	}
	return p.code
}
