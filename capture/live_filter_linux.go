package capture

import (
	"fmt"
	"maps"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/tlsflags/tlsflags/capture/filter"
)

// liveProgram returns the filter for the kernel, for some interfaces or every one. What comes
// from others, which an unbound socket gets too, is dropped.
func liveProgram(nics map[int]nic, every bool, f *filter.Filter) ([]bpf.Instruction, error) {
	const drop = "drop"
	blocks := make(map[uint16][]bpf.Instruction)
	for _, n := range nics {
		blocks[n.hardware] = nil
	}
	if every {
		for hardware := range hardwareTypes {
			blocks[hardware] = nil
		}
	}
	for hardware := range blocks {
		block, err := liveBlock(hardware, f)
		switch {
		case err == nil:
			blocks[hardware] = block
		case every:
			delete(blocks, hardware) // nothing can be chosen from it
		default:
			return nil, err
		}
	}
	if len(nics) == 1 && !every {
		for _, block := range blocks {
			return block, nil
		}
	}
	var p program
	if !every {
		p.add(bpf.LoadExtension{Num: bpf.ExtInterfaceIndex})
		for _, index := range slices.Sorted(maps.Keys(nics)) {
			p.choose(uint32(index), "link")
		}
		p.to(drop)
		p.label("link")
	}
	order := slices.Sorted(maps.Keys(blocks))
	p.add(bpf.LoadExtension{Num: bpf.ExtLinkLayerType})
	for _, hardware := range order {
		p.choose(uint32(hardware), fmt.Sprint(hardware))
	}
	p.label(drop)
	p.add(bpf.RetConstant{Val: 0})
	for _, hardware := range order {
		p.label(fmt.Sprint(hardware))
		p.add(blocks[hardware]...)
	}
	return p.link(), nil
}

// liveBlock returns the program for packets of a hardware type: those that f chooses and that
// may carry a hello.
func liveBlock(hardware uint16, f *filter.Filter) ([]bpf.Instruction, error) {
	link := hardwareTypes[hardware]
	if link == LinkTypePPP {
		link = LinkTypeRaw // as most drivers have it; a packet with a header is passed
	}
	var code []bpf.Instruction
	if f != nil {
		chosen, err := f.LiveProgram(uint16(link))
		if err != nil {
			return nil, errFilterLink(link)
		}
		code = chosen[:len(chosen)-1]
	}
	switch link {
	case LinkTypeEthernet, LinkTypeRaw:
		return append(code, liveFilter(link, hardware == unix.ARPHRD_LOOPBACK)...), nil
	}
	return append(code, bpf.RetConstant{Val: maxPacket}), nil
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
			etherMPLS, etherMPLSMulticast, etherPPPoE, etherEAPOL, etherPreauth, etherTRILL, etherBatman, etherBridging, etherPPP, etherJumboLLC,
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
	for _, protocol := range []uint32{protoUDP, protoIPv4, protoIPv6, protoGRE, protoAH, protoEtherIP, protoL2TP, protoSCTP, protoUDPLite, protoMPLS, protoEthernet} {
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

// choose goes to a name, which may be far, if A is v.
func (p *program) choose(v uint32, name string) {
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipFalse: 1})
	p.to(name)
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
