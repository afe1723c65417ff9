package main

import (
	"encoding/binary"
	"path/filepath"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// writeCapture writes a capture with hellos that set request_mtls, in every carrier:
// raw IPv4 packets from 192.0.2.1 to 198.51.100.1 (RFC 5737), one a millisecond.
func writeCapture(dir string) error {
	var c captureFile
	for _, s := range shapes() {
		c.tcp(records(s.hello.before(2, flagsExt(80)).bytes()))
	}
	c.tcp(records(base12().with(flagsExt(80)).bytes()))
	c.tcp(records(base().with(flagsExperiment(80)).bytes()))
	c.tcp(records(every(flagged().bytes(), 50)...))
	v2 := newInitial(crypto(0, quicHello().bytes()))
	v2.Version = quicseal.V2
	for _, p := range []quicseal.Packet{newInitial(crypto(0, quicHello().bytes())), v2} {
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
	count   uint32
	flows   uint16
}

func (c *captureFile) bytes() []byte {
	header := made(func(b *cryptobyte.Builder) {
		b.AddUint32(0xa1b2c3d4)
		b.AddUint16(2)
		b.AddUint16(4)
		b.AddUint32(0)
		b.AddUint32(0)
		b.AddUint32(65535) // snapshot length
		b.AddUint32(101)
	})
	return concat(header, c.packets)
}

// tcp adds a connection: the SYN of the client, then a stream in segments.
func (c *captureFile) tcp(stream []byte) {
	const syn, psh, ack = 0x02, 0x08, 0x10
	const segmentSize = 1400
	port := c.newPort()
	c.segment(port, 0, syn, nil)
	sequence := uint32(1)
	for _, segment := range every(stream, segmentSize) {
		c.segment(port, sequence, psh|ack, segment)
		sequence += uint32(len(segment))
	}
}

func (c *captureFile) newPort() uint16 {
	c.flows++
	return 50000 + c.flows
}

func (c *captureFile) segment(port uint16, sequence uint32, flags uint8, data []byte) {
	c.packet(6, made(func(b *cryptobyte.Builder) {
		b.AddUint16(port)
		b.AddUint16(443)
		b.AddUint32(sequence)
		b.AddUint32(1)     // acknowledgment
		b.AddUint8(5 << 4) // length of the header, in words
		b.AddUint8(flags)
		b.AddUint16(65535) // window
		b.AddUint16(0)     // checksum
		b.AddUint16(0)
		b.AddBytes(data)
	}))
}

// udp adds datagrams of one flow.
func (c *captureFile) udp(datagrams ...[]byte) {
	port := c.newPort()
	for _, d := range datagrams {
		c.packet(17, made(func(b *cryptobyte.Builder) {
			b.AddUint16(port)
			b.AddUint16(443)
			b.AddUint16(uint16(8 + len(d)))
			b.AddUint16(0) // no checksum
			b.AddBytes(d)
		}))
	}
}

func (c *captureFile) packet(protocol uint8, payload []byte) {
	header := made(func(b *cryptobyte.Builder) {
		b.AddUint16(0x4500)
		b.AddUint16(uint16(20 + len(payload)))
		b.AddUint32(0x4000) // don't fragment
		b.AddUint8(64)
		b.AddUint8(protocol)
		b.AddUint16(0)
		b.AddBytes([]byte{192, 0, 2, 1, 198, 51, 100, 1})
	})
	binary.BigEndian.PutUint16(header[10:], checksum(header))
	data := concat(header, payload)
	const start = 1767225600 // 2026-01-01
	c.packets = concat(c.packets, made(func(b *cryptobyte.Builder) {
		b.AddUint32(start)
		b.AddUint32(c.count * 1000)
		b.AddUint32(uint32(len(data)))
		b.AddUint32(uint32(len(data)))
		b.AddBytes(data)
	}))
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
