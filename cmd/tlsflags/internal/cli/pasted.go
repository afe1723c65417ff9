package cli

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paste"
	"github.com/tlsflags/tlsflags/handshake"
)

// pasted is what a text says.
type pasted struct {
	form    string
	data    []byte
	packets []byte // of a dump of packets: a capture of them
	also    string // another form in which the text is a whole ClientHello as well

	blocks [][]byte // all blocks of a dump, of which data is the first
}

// readText reads a text. Of several readings, the first that is a whole ClientHello counts,
// or else the first that makes the most sense. The datagrams of one ClientHello, as blocks of a
// dump, are one after the other in data.
func readText(text []byte) (pasted, error) {
	p, err := bestReading(text)
	if err == nil && p.packets == nil && len(p.blocks) > 1 {
		joined := bytes.Join(p.blocks, nil)
		first, _ := openDatagram(p.data)
		if all, _ := openDatagram(joined); all.whole && !first.whole {
			p.data, p.also = joined, ""
		}
	}
	return p, err
}

// bestReading is readText for the first block of a dump.
func bestReading(text []byte) (pasted, error) {
	var best pasted
	const maxReadings = 100
	most, tried := -1, 0
	for r, err := range paste.Read(text) {
		if err != nil {
			if e, ok := errors.AsType[*paste.Error](err); most < 0 || most == 0 && ok && e.Form != "" {
				return pasted{}, err
			}
			return best, nil
		}
		if tried++; tried > maxReadings {
			break
		}
		p := pasted{form: r.Form, data: r.Data, blocks: r.Blocks}
		n := sense(r.Data)
		if n < wholeSense && most < wholeSense && !r.Unlikely {
			packets := r.Blocks
			if packets == nil {
				packets = [][]byte{r.Data}
			}
			if p.packets = packetCapture(packets); p.packets != nil {
				n = wholeSense
			}
		}
		switch {
		case r.Unlikely && n < wholeSense:
		case n == wholeSense && most == wholeSense:
			if !bytes.Equal(p.data, best.data) && best.also == "" {
				best.also = p.form
			}
		case n > most:
			best, most = p, n
		}
	}
	return best, nil
}

// ambiguous tells that the text has two meanings.
func (p pasted) ambiguous() string {
	if p.also == p.form {
		return "there are several ClientHellos; only the first is read"
	}
	return "read as " + p.form + "; as " + p.also + " it is another ClientHello"
}

// wholeSense is the sense of a whole ClientHello.
const wholeSense = 3

// sense says how much sense bytes make.
func sense(data []byte) int {
	if wholeHello(data) {
		return wholeSense
	}
	if foreign(data) != "" {
		return 2
	}
	if identify(data) != unknownContent && !paste.IsText(data) {
		return 2
	}
	if _, err := annotate.Detect(data); err == nil {
		return 1
	}
	return 0
}

// wholeHello reports whether data begins with a whole ClientHello that Parse accepts or, if
// that has no header, is one.
func wholeHello(data []byte) bool {
	switch identify(data) {
	case recordContent:
		var records assemble.Records
		records.Reset(make([]byte, assemble.MaxMessage))
		result := records.Feed(data)
		if result.Outcome != assemble.Complete {
			return false
		}
		_, _, err := clienthello.Parse(result.Message)
		return err == nil
	case messageContent:
		_, _, err := clienthello.Parse(data)
		return err == nil
	case dtlsMessageContent:
		_, _, err := clienthello.ParseDTLS(data)
		return err == nil
	case dtlsRecordContent:
		var dtls assemble.DTLS
		dtls.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessage)))
		result := dtls.Feed(data)
		if result.Outcome != assemble.Complete {
			return false
		}
		_, _, err := clienthello.ParseDTLS(result.Message)
		return err == nil
	}
	if _, ok := assemble.ParseQUICInitial(data); ok {
		return true
	}
	msg, _ := withHeader(data)
	return msg != nil
}

// withHeader returns the ClientHello whose body data is, up to the last byte, with a
// handshake header, and the length of that. It returns nil if data is no such body.
func withHeader(data []byte) (msg []byte, added int) {
	const headerLen, headerLenDTLS, longest = 4, 12, 1 << 17
	if len(data) < 2 || len(data) > longest {
		return nil, 0
	}
	length := []byte{byte(len(data) >> 16), byte(len(data) >> 8), byte(len(data))}
	msg = append(append(make([]byte, 0, headerLenDTLS+len(data)), 1), length...) // RFC 9846, Section 4
	parse := clienthello.Parse
	switch data[0] {
	case 3:
	case 0xfe: // RFC 9147, Section 5.2
		msg = append(append(msg, 0, 0, 0, 0, 0), length...)
		parse = clienthello.ParseDTLS
	default:
		return nil, 0
	}
	added = len(msg)
	msg = append(msg, data...)
	if _, n, err := parse(msg); err != nil || n != len(msg) {
		return nil, 0
	}
	return msg, added
}

// foreign names what data is, if that is no handshake message and nothing of TLS Flags.
func foreign(data []byte) string {
	const headerLen = 4
	if len(data) <= headerLen {
		return ""
	}
	if name := eap(data); name != "" {
		return name
	}
	if data[1] == 0 && 1 <= data[0] && data[0] <= 3 { // IEEE 802.1X, Section 11.3
		if name := eap(data[headerLen:]); name != "" {
			return "an EAPOL frame with " + name
		}
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return "an X.509 certificate (DER), not a Certificate message"
	}
	if isDER(data) {
		return "DER, such as that of a key"
	}
	if msg := append([]byte{2, 0, byte(len(data) >> 8), byte(len(data))}, data...); data[0] == 3 && len(data) < 1<<16 {
		if _, n, err := handshake.ParseServerHello(msg); err == nil && n == len(msg) {
			return "a ServerHello without its handshake header"
		}
	}
	if data[1] == 3 && data[2] <= 4 {
		switch data[0] { // RFC 9846, Section 5.1
		case 20:
			return "a change_cipher_spec record"
		case 21:
			return "an alert record"
		case 23:
			return "a record of application data, which is encrypted"
		}
	}
	return ""
}

// isDER reports whether data is one SEQUENCE of two or three bytes of length.
func isDER(data []byte) bool {
	const sequence = 0x30
	if len(data) < 4 || data[0] != sequence {
		return false
	}
	switch data[1] { // X.690, Section 8.1.3
	case 0x81:
		return int(data[2]) == len(data)-3
	case 0x82:
		return int(binary.BigEndian.Uint16(data[2:])) == len(data)-4
	}
	return false
}

// eap names an EAP packet (RFC 3748, Section 4) of a method that uses TLS. It leaves out
// type 3, since a ClientHello that lacks four bytes may look like that.
func eap(data []byte) string {
	codes := []string{1: "Request", 2: "Response"}
	types := map[byte]string{1: "Identity", 13: "EAP-TLS", 21: "EAP-TTLS", 25: "PEAP", 43: "EAP-FAST", 55: "TEAP"}
	const headerLen = 4
	if len(data) <= headerLen || data[0] == 0 || int(data[0]) >= len(codes) || int(binary.BigEndian.Uint16(data[2:])) != len(data) {
		return ""
	}
	method, known := types[data[headerLen]]
	if !known {
		return ""
	}
	name := "an EAP packet (" + codes[data[0]] + ", " + method + ")"
	for at := headerLen + 2; at <= headerLen+6 && at+3 <= len(data); at++ {
		if data[at] == 22 && data[at+1] == 3 {
			return fmt.Sprintf("%s, whose TLS record begins at byte %d", name, at)
		}
	}
	return name
}

// messageName names a handshake message by its msg_type, or returns "" (RFC 9846, Section 4
// and RFC 5246, Section 7.4).
func messageName(msgType byte) string {
	return map[byte]string{
		0: "HelloRequest", 2: "ServerHello", 3: "HelloVerifyRequest", 4: "NewSessionTicket", 5: "EndOfEarlyData",
		8: "EncryptedExtensions", 11: "Certificate", 12: "ServerKeyExchange", 13: "CertificateRequest",
		14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished",
		22: "CertificateStatus", 24: "KeyUpdate", 25: "CompressedCertificate",
	}[msgType]
}

// otherMessage names the handshake message that data is, with or without a record, if it is
// no ClientHello.
func otherMessage(data []byte) string {
	const recordLen, headerLen = 5, 4
	inRecord := len(data) > recordLen && data[0] == 22 && data[1] == 3
	if inRecord {
		data = data[recordLen:]
	}
	if len(data) < headerLen || data[0] == 1 {
		return ""
	}
	name := messageName(data[0])
	length := int(data[1])<<16 | int(data[2])<<8 | int(data[3])
	if name == "" || length >= 1<<17 || !inRecord && headerLen+length != len(data) {
		return ""
	}
	if name[0] == 'E' {
		return "an " + name + " message"
	}
	return "a " + name + " message"
}

// packetCapture returns a capture of the packets of a dump, or nil if no ClientHello is
// found in it. It is a pcapng file of Simple Packet Blocks, which have no time
// (draft-ietf-opsawg-pcapng, Section 4.4).
func packetCapture(blocks [][]byte) []byte {
	link, ok := linkType(blocks[0])
	if !ok {
		return nil
	}
	var b []byte
	block := func(kind uint32, body []byte) {
		body = append(body, make([]byte, -len(body)&3)...)
		length := binary.BigEndian.AppendUint32(nil, uint32(12+len(body)))
		b = append(append(append(binary.BigEndian.AppendUint32(b, kind), length...), body...), length...)
	}
	block(0x0a0d0d0a, []byte("\x1a\x2b\x3c\x4d\x00\x01\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"))
	block(1, binary.BigEndian.AppendUint64(nil, uint64(link)<<48)) // no limit of packets
	for _, p := range blocks {
		block(3, append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...))
	}
	c, err := capture.Open(bytes.NewReader(b), capture.Options{})
	if err != nil {
		return nil
	}
	for h := range c.Hellos() {
		if h.Found() {
			return b
		}
	}
	return nil
}

// linkType guesses the link type of a packet from its first bytes.
func linkType(packet []byte) (uint32, bool) {
	const null, ethernet, raw, cooked = 0, 1, 101, 113
	isIP := func(at int) bool {
		return len(packet) > at+20 && (packet[at]>>4 == 4 && packet[at]&15 >= 5 || packet[at]>>4 == 6)
	}
	etherType := func(at int) bool {
		if len(packet) < at+2 {
			return false
		}
		switch binary.BigEndian.Uint16(packet[at:]) {
		case 0x0800, 0x86dd, 0x8100, 0x88a8, 0x8847, 0x8864:
			return true
		}
		return false
	}
	switch {
	case etherType(12):
		return ethernet, true
	case isIP(0):
		return raw, true
	case etherType(14) && isIP(16):
		return cooked, true
	case isIP(4) && (packet[0] == 0 || packet[3] == 0):
		return null, true
	}
	return 0, false
}
