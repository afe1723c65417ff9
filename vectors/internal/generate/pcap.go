package main

import (
	"encoding/binary"
	"path/filepath"
)

// writeCapture writes a capture of hellos that set request_mtls, over TCP, QUIC and DTLS:
// raw IPv4 packets from 192.0.2.1 to 198.51.100.1 (RFC 5737), one per millisecond.
func writeCapture(dir string) error {
	var c captureFile
	for _, s := range shapes() {
		c.tcp(records(s.hello.before(2, flagsExt(80)).bytes()))
	}
	c.tcp(records(base12().with(flagsExt(80)).bytes()))
	c.tcp(records(base().with(flagsExperiment(80)).bytes()))
	c.tcp(records(every(flagged().bytes(), 50)...))
	for _, v := range quicVersions {
		p := initial("flagged.pcap/"+v.name, crypto(0, quicHello().bytes()))
		p.Version = v.version
		c.udp(padded(p))
	}
	msg := dtlsHello().bytes()
	c.udp(dtlsRecord(0, msg))
	c.udp(dtlsRecord(0, fragment(msg, 0, 60)), dtlsRecord(1, fragment(msg, 60, len(msg)-12)))
	return writeFile(filepath.Join(dir, "flagged.pcap"), c.bytes())
}

// A captureFile is a pcap file of link type 101, raw IP. Each flow has a client port of
// its own.
type captureFile struct {
	packets []byte
	count   int64
	flows   int64
}

func (c *captureFile) bytes() []byte {
	// magic, version, two zeros, snapshot length, link type
	return concat(numbers("4224444", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101), c.packets)
}

// numbers encodes each value. The digits of sizes are the lengths in bytes.
func numbers(sizes string, values ...int64) []byte {
	var out []byte
	for i, v := range values {
		out = append(out, binary.BigEndian.AppendUint32(nil, uint32(v))['4'-sizes[i]:]...)
	}
	return out
}

// tcp adds a connection: the SYN of the client, then a stream in segments.
func (c *captureFile) tcp(stream []byte) {
	const syn, psh, ack = 0x02, 0x08, 0x10
	const segmentSize = 1400
	port := c.newPort()
	c.segment(port, 0, syn, nil)
	sequence := int64(1)
	for _, segment := range every(stream, segmentSize) {
		c.segment(port, sequence, psh|ack, segment)
		sequence += int64(len(segment))
	}
}

func (c *captureFile) newPort() int64 {
	c.flows++
	return 50000 + c.flows
}

func (c *captureFile) segment(port, sequence, flags int64, data []byte) {
	// ports, sequence, acknowledgment, length of the header in words, flags, window, checksum, urgent pointer
	c.packet(6, concat(numbers("224411222", port, 443, sequence, 1, 5<<4, flags, 65535, 0, 0), data))
}

// udp adds datagrams of one flow, without checksums.
func (c *captureFile) udp(datagrams ...[]byte) {
	port := c.newPort()
	for _, d := range datagrams {
		c.packet(17, concat(numbers("2222", port, 443, int64(8+len(d)), 0), d))
	}
}

func (c *captureFile) packet(protocol int64, payload []byte) {
	// version and length, total length, ID and "don't fragment", TTL, protocol, checksum, addresses
	header := numbers("22411244", 0x4500, 20+int64(len(payload)), 0x4000, 64, protocol, 0, 0xc0000201, 0xc6336401)
	binary.BigEndian.PutUint16(header[10:], checksum(header))
	const start = 1767225600 // 2026-01-01
	n := int64(len(header) + len(payload))
	c.packets = concat(c.packets, numbers("4444", start, c.count*1000, n, n), header, payload)
	c.count++
}

// checksum is that of RFC 1071, over a header whose own is zero.
func checksum(header []byte) uint16 {
	sum := 0
	for i := 0; i < len(header); i += 2 {
		sum += int(header[i])<<8 | int(header[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
