package peek

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
)

const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyPrefix    = "PROXY "
	maxProxyLine   = 107 // bytes of version 1, with CRLF
	proxyHeaderLen = 16  // of version 2
	// A record follows the header, so that as many bytes may be read at a time without
	// reading beyond the hello.
	proxyStep = recordHeaderLen
)

// readProxy reads the header of the PROXY protocol, if there is one, as its specification
// defines it in Sections 2.1 and 2.2.
func (b *buffer) readProxy(hello *Hello) error {
	err := b.fill(proxyStep)
	v1, v2 := strings.HasPrefix(proxyPrefix, string(b.data)), strings.HasPrefix(proxySignature, string(b.data))
	switch {
	case !v1 && !v2:
		return nil
	case err != nil:
		return err
	case v1:
		return b.readProxyV1(hello)
	}
	return b.readProxyV2(hello)
}

// readProxyV1 reads a line such as "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".
func (b *buffer) readProxyV1(hello *Hello) error {
	end := -1
	for end < 0 {
		if err := b.fill(len(b.data) + proxyStep); err != nil {
			return err
		}
		end = bytes.Index(b.data, []byte("\r\n"))
		if end+2 > maxProxyLine || end < 0 && len(b.data) > maxProxyLine {
			return ErrProxyHeader
		}
	}
	hello.Header = end + 2
	words := strings.Split(string(b.data[:end]), " ")
	switch {
	case len(words) < 2 || words[0] != "PROXY":
		return ErrProxyHeader
	case words[1] == "UNKNOWN":
		return nil
	case len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6":
		return ErrProxyHeader
	}
	var errs [2]error
	hello.Src, errs[0] = proxyAddress(words[2], words[4])
	hello.Dst, errs[1] = proxyAddress(words[3], words[5])
	if errs[0] != nil || errs[1] != nil || hello.Src.Addr().Is4() != (words[1] == "TCP4") || hello.Dst.Addr().Is4() != (words[1] == "TCP4") {
		return ErrProxyHeader
	}
	return nil
}

func proxyAddress(ip, port string) (netip.AddrPort, error) {
	if strings.Contains(ip, "%") { // a zone, of any bytes
		return netip.AddrPort{}, ErrProxyHeader
	}
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	return netip.ParseAddrPort(ip + ":" + port)
}

// readProxyV2 reads signature, version and command, family and protocol, length, addresses
// and further fields, which are skipped.
func (b *buffer) readProxyV2(hello *Hello) error {
	if err := b.fill(proxyHeaderLen); err != nil {
		return err
	}
	const version, local, proxied = 0x20, 0, 1
	command, family := b.data[12], b.data[13]
	if string(b.data[:12]) != proxySignature || command != version|local && command != version|proxied {
		return ErrProxyHeader
	}
	end := proxyHeaderLen + int(binary.BigEndian.Uint16(b.data[14:]))
	if err := b.fill(end); err != nil {
		return err
	}
	hello.Header = end
	if command == version|local {
		return nil // a health check of the proxy's own
	}
	fields := b.data[proxyHeaderLen:hello.Header]
	size := 0 // of an address
	switch family >> 4 {
	case 1:
		size = 4
	case 2:
		size = 16
	case 0, 3:
		return nil // no IP addresses
	}
	const datagram = 2 // the highest protocol
	if size == 0 || family&0xf > datagram || len(fields) < 2*size+4 {
		return ErrProxyHeader
	}
	src, _ := netip.AddrFromSlice(fields[:size])
	dst, _ := netip.AddrFromSlice(fields[size : 2*size])
	ports := fields[2*size:]
	hello.Src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(ports))
	hello.Dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(ports[2:]))
	return nil
}

// AppendProxyHeader appends a header of the PROXY protocol, version 2, to b, as its
// specification defines it in Section 2.2, for a TCP connection from src to dst. It is for
// proxies whose backends want to know the client. IPv4 addresses in IPv6 form become IPv4
// if both are.
func AppendProxyHeader(b []byte, src, dst netip.AddrPort) []byte {
	const command, tcp4, tcp6 = 0x21, 0x11, 0x21
	family, s, d := byte(tcp4), src.Addr().Unmap(), dst.Addr().Unmap()
	if !s.Is4() || !d.Is4() {
		family = tcp6
	}
	b = append(append(b, proxySignature...), command, family)
	if family == tcp4 {
		b = binary.BigEndian.AppendUint16(b, 2*4+2*2)
		b = append(append(b, s.AsSlice()...), d.AsSlice()...)
	} else {
		s, d := s.As16(), d.As16()
		b = binary.BigEndian.AppendUint16(b, 2*16+2*2)
		b = append(append(b, s[:]...), d[:]...)
	}
	b = binary.BigEndian.AppendUint16(b, src.Port())
	return binary.BigEndian.AppendUint16(b, dst.Port())
}
