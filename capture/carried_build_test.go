package capture

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// The functions below put headers of carriers before a payload.

func bytes16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func bytes32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// udpPacket is a packet of raw IP. The port is the client's if it is above 1023.
func udpPacket(port int, payload []byte) []byte {
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}
	copy(ip[2:], bytes16(28+len(payload)))
	return slices.Concat(ip, bytes16(50000), bytes16(port), bytes16(8+len(payload)), []byte{0, 0}, payload)
}

// fromServerUDP is a packet in the other direction.
func fromServerUDP(port int, payload []byte) []byte {
	p := udpPacket(port, payload)
	p[15], p[19] = 2, 1
	copy(p[20:], bytes16(port))
	copy(p[22:], bytes16(50000))
	return p
}

// etherPacket is an Ethernet frame.
func etherPacket(etherType int, payload []byte) []byte {
	return slices.Concat([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, bytes16(etherType), payload)
}

// messages makes hellos for carriers, or other messages.
type messages struct{ record, message byte } // the types

// small is a message in a record.
func (m messages) small() []byte { return m.of(smallHello(80)) }

// long is one of more than n bytes.
func (m messages) long(n int) []byte {
	return m.of(smallHello(80, extension.Extension{Type: 0x1a1a, Data: make([]byte, n)}))
}

func (m messages) of(b []byte) []byte {
	b[0], b[5] = m.record, m.message
	return b
}

// dtls is a message of DTLS in fragments of at most size bytes of its body, each in a record
// with a version.
func (m messages) dtls(version, seq, size int) (records [][]byte) {
	var set extension.FlagSet
	set.Add(80) // in range
	data, _ := set.AppendTo(nil)
	h := clienthellotest.Hello{Version: 0xfefd, Random: make([]byte, 32), CipherSuites: []uint16{0x1301}, CompressionMethods: []byte{0},
		HasExtensionBlock: true, Extensions: []extension.Extension{{Type: extension.TLSFlags, Data: data}}}
	if seq > 0 {
		h.Cookie = []byte("cookie")
	}
	msg, _ := h.Append(nil, true) // short enough
	body := msg[12:]
	for at := 0; at < len(body); at += size {
		part := body[at:min(at+size, len(body))]
		fragment := slices.Concat([]byte{m.message}, msg[1:4], bytes16(seq), bytes32(at)[1:], bytes32(len(part))[1:], part)
		record := dtlsRecord(m.record, version, 0, fragment)
		record[10] = byte(seq<<4 + len(records)) // sequence_number
		records = append(records, record)
	}
	return records
}

func dtlsRecord(kind byte, version, epoch int, payload []byte) []byte {
	return slices.Concat([]byte{kind}, bytes16(version), bytes16(epoch), make([]byte, 6), bytes16(len(payload)), payload)
}

// chunks cuts b into pieces of size bytes.
func chunks(b []byte, size int) [][]byte { return slices.Collect(slices.Chunk(b, size)) }

// channelData is a ChannelData message.
func channelData(channel int, payload []byte) []byte {
	return slices.Concat(bytes16(channel), bytes16(len(payload)), payload)
}

// stun is a STUN message whose attributes are a type and a value each.
func stun(typ int, attributes ...any) []byte {
	const transaction = "transaction1"
	var b []byte
	for i := 0; i < len(attributes); i += 2 {
		value := attributes[i+1].([]byte)
		b = slices.Concat(b, bytes16(attributes[i].(int)), bytes16(len(value)), value, make([]byte, -len(value)&3))
	}
	return slices.Concat(bytes16(typ), bytes16(len(b)), []byte{0x21, 0x12, 0xa4, 0x42}, []byte(transaction), b)
}

// openVPNPacket is a packet of the control channel with n bytes of tls-auth and acks
// acknowledgements.
func openVPNPacket(session byte, n, acks, number int, payload []byte) []byte {
	b := slices.Concat([]byte{4 << 3, session}, make([]byte, 7))
	for i := range n {
		b = append(b, 0x80|byte(i*37)) // an HMAC
	}
	b = append(b, byte(acks))
	if acks > 0 {
		b = append(b, make([]byte, 4*acks+8)...)
	}
	return slices.Concat(b, bytes32(number), payload)
}

// inOpenVPN cuts a stream into packets.
func inOpenVPN(n int, stream []byte, size int) (packets [][]byte) {
	for i, part := range chunks(stream, size) {
		packets = append(packets, openVPNPacket(1, n, i%3, i+1, part))
	}
	return packets
}

// resetOfOpenVPN begins a session.
func resetOfOpenVPN(n int) []byte {
	b := openVPNPacket(1, n, 0, 0, nil)
	b[0] = 7 << 3
	return b
}

// eapPacket is a Response. flags and what depends on them come with data.
func eapPacket(id, method byte, data ...[]byte) []byte {
	b := slices.Concat(data...)
	return slices.Concat([]byte{2, id}, bytes16(5+len(b)), []byte{method}, b)
}

// inEAP cuts a stream into Responses.
func inEAP(method byte, stream []byte, size int) (packets [][]byte) {
	parts := chunks(stream, size)
	for i, part := range parts {
		flags, length := byte(0), []byte(nil)
		if i == 0 && len(parts) > 1 {
			flags, length = 0x80, bytes32(len(stream))
		}
		if i < len(parts)-1 {
			flags |= 0x40
		}
		packets = append(packets, eapPacket(byte(7+i), method, []byte{flags}, length, part))
	}
	return packets
}

func eapolFrame(packet []byte) []byte {
	return etherPacket(0x888e, slices.Concat([]byte{2, 0}, bytes16(len(packet)), packet))
}

// radiusRequest is an Access-Request of a user.
func radiusRequest(user string, packet []byte) []byte {
	attributes := slices.Concat([]byte{1, byte(2 + len(user))}, []byte(user), []byte{4, 6, 192, 0, 2, 1})
	for _, part := range chunks(packet, 253) {
		attributes = slices.Concat(attributes, []byte{79, byte(2 + len(part))}, part)
	}
	attributes = slices.Concat(attributes, []byte{80, 18}, make([]byte, 16))
	return slices.Concat([]byte{1, 9}, bytes16(20+len(attributes)), make([]byte, 16), attributes)
}

// avp is an AVP of Diameter, which is mandatory.
func avp(code int, value []byte) []byte {
	return slices.Concat(bytes32(code), []byte{0x40}, bytes32(8 + len(value))[1:], value, make([]byte, -len(value)&3))
}

// diameterMessage is a request with a command.
func diameterMessage(command int, avps ...[]byte) []byte {
	b := slices.Concat(avps...)
	return slices.Concat([]byte{1}, bytes32(20 + len(b))[1:], []byte{0xc0}, bytes32(command)[1:], bytes32(5), make([]byte, 8), b)
}

// inDiameter are Diameter-EAP-Requests of a session.
func inDiameter(session string, packets ...[]byte) (messages [][]byte) {
	for _, p := range packets {
		messages = append(messages, diameterMessage(268, avp(263, []byte(session)), avp(264, []byte("nas.example")), avp(462, p), avp(1, []byte("user"))))
	}
	return messages
}

// tdsPacket is a packet of PRELOGIN's type.
func tdsPacket(payload []byte) []byte {
	return slices.Concat([]byte{0x12, 1}, bytes16(8+len(payload)), []byte{0, 0, 0, 0}, payload)
}

func preLogin() []byte {
	return tdsPacket([]byte{0, 0, 0x0b, 0, 6, 1, 0, 0x11, 0, 1, 0xff, 9, 0, 0, 0, 0, 0, 1})
}

// rdpUDPPacket is a datagram of MS-RDPEUDP with acknowledgements.
func rdpUDPPacket(number int, payload []byte) []byte {
	return slices.Concat(bytes32(0x71727374), bytes16(64), bytes16(0x010c), []byte{0, 1, 4, 0}, bytes32(5),
		bytes32(number), bytes32(number), payload)
}

// rdpUDP2Packet is a datagram of MS-RDPEUDP2 with flags, and what they announce.
func rdpUDP2Packet(flags int, announced []byte, number int, payload []byte) []byte {
	head, vector := announced, []byte(nil)
	if flags&8 != 0 {
		head, vector = nil, announced
	}
	b := slices.Concat([]byte{7 << 5, byte(flags), byte(flags >> 8 & 0xf)}, head, []byte{1, 0}, vector, []byte{byte(number), byte(number >> 8)}, payload)
	b[0], b[7] = b[7], b[0]
	return b
}

// sctpPacket is a packet of chunks.
func sctpPacket(tag int, chunks ...[]byte) []byte {
	b := slices.Concat(bytes16(3868), bytes16(3868), bytes32(tag), make([]byte, 4))
	for _, chunk := range chunks {
		b = slices.Concat(b, chunk, make([]byte, -len(chunk)&3))
	}
	return b
}

// sctpChunk is a DATA chunk with flags (begin 2, end 1).
func sctpChunk(flags byte, tsn int, payload []byte) []byte {
	return slices.Concat([]byte{0, flags}, bytes16(16+len(payload)), bytes32(tsn), make([]byte, 4), bytes32(47), payload)
}

// ipOf puts a payload into raw IP.
func ipOf(protocol byte, payload []byte) []byte {
	p := slices.Concat(udpPacket(1, nil)[:20], payload)
	p[9] = protocol
	copy(p[2:], bytes16(len(p)))
	return p
}

// carriedSeeds are captures of carriedCases, with those in one whose names begin with the same
// word. It reports whether to go on.
func carriedSeeds(yield func([]byte) bool) bool {
	cases := carriedCases(messages{22, 1})
	for i := 0; i < len(cases); {
		word, link := strings.Trim(strings.Fields(cases[i].name)[0], ","), cases[i].link
		var packets [][]byte
		for ; i < len(cases) && cases[i].link == link && strings.HasPrefix(cases[i].name, word); i++ {
			packets = append(packets, cases[i].packets...)
		}
		if !yield(pcapFile(link, packets...)) {
			return false
		}
	}
	return true
}
