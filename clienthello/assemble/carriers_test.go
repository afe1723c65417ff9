package assemble_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// openVPN is a packet of the control channel with n bytes of tls-auth.
func openVPN(n, acks, number int, payload []byte) []byte {
	b := slices.Concat([]byte{4 << 3}, make([]byte, 8), bytes.Repeat([]byte{0xff}, n), []byte{byte(acks)})
	if acks > 0 {
		b = append(b, make([]byte, 4*acks+8)...)
	}
	return slices.Concat(b, be32(number), payload)
}

// eap is a Response with a method; data begins with the flags.
func eap(id, method byte, data ...[]byte) []byte {
	b := slices.Concat(data...)
	return slices.Concat([]byte{2, id}, be16(5+len(b)), []byte{method}, b)
}

func tds(payload []byte) []byte {
	return slices.Concat([]byte{0x12, 1}, be16(8+len(payload)), make([]byte, 4), payload)
}

func rdpUDP(number int, payload []byte) []byte {
	return slices.Concat(be32(1), be16(64), be16(0x10c), []byte{0, 1, 4, 0}, be32(5), be32(number), be32(number), payload)
}

// rdpUDP2 is a datagram whose header has announced after the flags.
func rdpUDP2(flags int, announced, vector []byte, number int, payload []byte) []byte {
	b := slices.Concat([]byte{7 << 5, byte(flags), byte(flags >> 8)}, announced, []byte{1, 0}, vector, []byte{byte(number), byte(number >> 8)}, payload)
	b[0], b[7] = b[7], b[0]
	return b
}

func sctp(flags byte, tsn, protocol int, payload []byte) []byte {
	return slices.Concat([]byte{0, flags}, be16(16+len(payload)), be32(tsn), make([]byte, 4), be32(protocol), payload)
}

type carrying interface {
	assemble.Assembler
	ResetGrowing(limit int)
	Held() int
	Begun() bool
}

// carrierStep is a packet and the outcome, or a code.
type carrierStep struct {
	packet []byte
	want   any
}

type carrierRow struct {
	name  string
	make  func() carrying
	steps []carrierStep
}

func carrierRows() []carrierRow {
	const need, complete, not = assemble.NeedMore, assemble.Complete, assemble.Unrecognized
	newVPN := func() carrying { return new(assemble.OpenVPN) }
	newEAP := func() carrying { return new(assemble.EAP) }
	newTDS := func() carrying { return new(assemble.TDS) }
	newRDP := func() carrying { return new(assemble.RDPUDP) }
	newSCTP := func() carrying { return new(assemble.SCTP) }
	one := inRecords(handshake(300), 1<<14)
	server := slices.Clone(one)
	server[5] = 2
	whole := dtlsDatagram(fragment(dtlsHandshake(300, 0), 0, 300))
	second := dtlsDatagram(fragment(dtlsHandshake(300, 1), 0, 300))
	a, b, c := one[:100], one[100:200], one[200:]
	tooLong := []byte{22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3}
	ackPart, vector := []byte{1, 0, 1, 2, 3, 0, 0x02, 8, 9}, []byte{1, 0, 0x82, 1, 2, 3, 4, 8, 9}
	return []carrierRow{
		{"OpenVPN, whole", newVPN, []carrierStep{{openVPN(0, 0, 1, one), complete}}},
		{"OpenVPN with SHA-1", newVPN, []carrierStep{{openVPN(28, 2, 1, a), need}, {openVPN(28, 0, 2, b), need}, {openVPN(28, 0, 3, c), complete}}},
		{"OpenVPN out of order", newVPN, []carrierStep{{openVPN(72, 2, 3, c), need}, {openVPN(72, 0, 2, b), need}, {openVPN(72, 0, 3, c), need}, {openVPN(72, 0, 1, a), complete}}},
		{"OpenVPN, old and other packets", newVPN, []carrierStep{{openVPN(0, 0, 1, a), need}, {openVPN(0, 0, 1, a), need}, {[]byte{5 << 3}, need}, {openVPN(0, 0, 99, c), need}, {openVPN(0, 0, 2, one[100:]), complete}}},
		{"OpenVPN, a hello too long", newVPN, []carrierStep{{openVPN(0, 0, 1, tooLong), extension.ErrMessageTooLarge}}},
		{"OpenVPN, of the server", newVPN, []carrierStep{{openVPN(0, 0, 1, server), extension.ErrMessageType}}},
		{"OpenVPN, no record", newVPN, []carrierStep{{openVPN(0, 0, 1, []byte("text")), not}}},
		{"OpenVPN, a high number", newVPN, []carrierStep{{openVPN(0, 0, 65, one), not}}},
		{"OpenVPN, a reset", newVPN, []carrierStep{{append([]byte{7 << 3}, make([]byte, 13)...), not}}},
		{"OpenVPN, acknowledgements only", newVPN, []carrierStep{{openVPN(0, 8, 1, nil)[:40], not}}},
		{"OpenVPN, short", newVPN, []carrierStep{{[]byte{4 << 3}, not}}},
		{"EAP-TLS", newEAP, []carrierStep{{eap(1, 13, []byte{0}, one), complete}}},
		{"EAP-TLS with a length", newEAP, []carrierStep{{eap(1, 13, []byte{0x80}, be32(len(one)), one), complete}}},
		{"EAP-TLS in fragments", newEAP, []carrierStep{{eap(1, 13, []byte{0xc0}, be32(len(one)), a), need}, {eap(1, 13, []byte{0xc0}, be32(len(one)), a), need}, {eap(2, 13, []byte{0x40}, b), need}, {eap(3, 13, []byte{0}, c), complete}}},
		{"PEAP, a fragment missing, then another hello", newEAP, []carrierStep{{eap(1, 25, []byte{0xc0}, be32(len(one)), a), need}, {eap(3, 25, []byte{0}, c), need}, {eap(4, 25, []byte{0}, b), need}, {eap(5, 25, []byte{0}, one), complete}}},
		{"PEAP, an acknowledgement", newEAP, []carrierStep{{eap(1, 25, []byte{0xc0}, be32(len(one)), a), need}, {eap(2, 25, []byte{0}), need}, {eap(3, 25, []byte{0}, one[100:]), complete}}},
		{"PEAP, then another method", newEAP, []carrierStep{{eap(1, 25, []byte{0xc0}, be32(len(one)), a), need}, {eap(2, 21, []byte{0}, b), not}}},
		{"TEAP with outer TLVs", newEAP, []carrierStep{{eap(1, 55, []byte{0x10}, be32(3), one, []byte("tlv")), complete}}},
		{"TEAP, outer TLVs too long", newEAP, []carrierStep{{eap(1, 55, []byte{0x10}, be32(400), one), not}}},
		{"TEAP, outer TLVs cut", newEAP, []carrierStep{{eap(1, 55, []byte{0x10}, []byte{0}), not}}},
		{"EAP-FAST, expanded", newEAP, []carrierStep{{eap(1, 254, make([]byte, 6), []byte{43, 0}, one), complete}}},
		{"WFA-UNAUTH-TLS", newEAP, []carrierStep{{eap(1, 254, []byte{0, 0x9f, 0x68, 0, 0, 0, 13, 0}, one), complete}}},
		{"another vendor", newEAP, []carrierStep{{eap(1, 254, []byte{0, 0x9f, 0x69, 0, 0, 0, 13, 0}, one), not}}},
		{"an expanded type cut", newEAP, []carrierStep{{eap(1, 254, []byte{0, 0}), not}}},
		{"EAP, a request", newEAP, []carrierStep{{append([]byte{1}, eap(1, 13, []byte{0}, one)[1:]...), not}}},
		{"EAP, cut", newEAP, []carrierStep{{eap(1, 13, []byte{0}, one)[:50], not}}},
		{"EAP, identity", newEAP, []carrierStep{{eap(1, 1, []byte("user")), not}}},
		{"EAP-TLS without flags", newEAP, []carrierStep{{eap(1, 254, make([]byte, 6), []byte{13}), not}}},
		{"EAP-TLS, the length cut", newEAP, []carrierStep{{eap(1, 13, []byte{0x80, 0}), not}}},
		{"EAP-TLS, empty", newEAP, []carrierStep{{eap(1, 13, []byte{0}), not}}},
		{"EAP-TLS, another message", newEAP, []carrierStep{{eap(1, 13, []byte{0}, server), not}}},
		{"EAP-TLS, no record", newEAP, []carrierStep{{eap(1, 13, []byte{0}, b), not}}},
		{"TDS", newTDS, []carrierStep{{tds([]byte{0, 0, 1}), need}, {tds(a), need}, {tds(one[100:]), complete}}},
		{"TDS, another type", newTDS, []carrierStep{{append([]byte{1}, tds(one)[1:]...), not}}},
		{"RDP over UDP", newRDP, []carrierStep{{rdpUDP(9, a), need}, {rdpUDP(11, c), need}, {[]byte("other"), need}, {rdpUDP(10, b), complete}}},
		{"RDP over UDP, short", newRDP, []carrierStep{{rdpUDP(9, nil), not}}},
		{"RDP over UDP, SYN", newRDP, []carrierStep{{slices.Concat(be32(-1), be16(64), be16(1), make([]byte, 40)), not}}},
		{"RDP-UDP2 with ACK", newRDP, []carrierStep{{rdpUDP2(0x005, ackPart, nil, 1, one), complete}}},
		{"RDP-UDP2 with ACKVEC", newRDP, []carrierStep{{rdpUDP2(0x00c, nil, vector, 1, one), complete}}},
		{"RDP-UDP2 with data alone", newRDP, []carrierStep{{rdpUDP2(4, nil, nil, 0xffff, a), need}, {rdpUDP2(4, nil, nil, 1, c), need}, {rdpUDP2(3, nil, nil, 1, c), need}, {rdpUDP2(0x154, make([]byte, 6), nil, 0, b), complete}}},
		{"RDP-UDP2, cut", newRDP, []carrierStep{{rdpUDP2(0x00c, nil, vector, 1, one)[:12], not}}},
		{"RDP-UDP2, no record", newRDP, []carrierStep{{rdpUDP2(4, nil, nil, 1, b), not}}},
		{"SCTP", newSCTP, []carrierStep{{sctp(3, 5, 0, whole), complete}}},
		{"SCTP in fragments", newSCTP, []carrierStep{{sctp(2, -1, 0, whole[:100]), need}, {sctp(2, -1, 0, whole[:100]), need}, {sctp(1, 1, 0, whole[200:]), need}, {sctp(0, 0, 0, whole[100:200]), complete}}},
		{"SCTP out of order", newSCTP, []carrierStep{{sctp(1, 1, 47, whole[200:]), need}, {sctp(0, 0, 66, whole[100:200]), need}, {sctp(2, -1, 0, whole[:100]), complete}}},
		{"SCTP, fragments of DTLS", newSCTP, []carrierStep{{sctp(3, 1, 0, dtlsDatagram(fragment(dtlsHandshake(300, 0), 0, 100))), need}, {sctp(3, 2, 0, dtlsDatagram(fragment(dtlsHandshake(300, 0), 100, 300))), complete}}},
		{"SCTP with I-DATA", newSCTP, []carrierStep{{slices.Concat([]byte{64, 3}, be16(20+len(whole)), make([]byte, 16), whole), complete}}},
		{"SCTP, another chunk", newSCTP, []carrierStep{{append([]byte{1}, sctp(3, 5, 0, whole)[1:]...), not}}},
		{"SCTP, another fragment", newSCTP, []carrierStep{{sctp(0, 5, 46, whole), not}}},
		{"SCTP, a second message alone", newSCTP, []carrierStep{{sctp(3, 5, 0, second), complete}}},
	}
}

// TestCarriers feeds packets of each carrier, with memory that grows and, what comes in order
// and whole, without.
func TestCarriers(t *testing.T) {
	for _, row := range carrierRows() {
		a := row.make()
		a.ResetGrowing(assemble.MaxMessageDTLS)
		held := 0
		for i, step := range row.steps {
			before := bytes.Clone(step.packet)
			result := a.Feed(step.packet)
			var got any = result.Outcome
			if result.Outcome == assemble.Refused {
				got = result.Code
			}
			if got != step.want || !bytes.Equal(before, step.packet) {
				t.Errorf("%s, packet %d: got %v, want %v", row.name, i+1, got, step.want)
			}
			if result.Outcome == assemble.Complete && len(result.Message) != 304 && len(result.Message) != 312 {
				t.Errorf("%s: a message of %d bytes", row.name, len(result.Message))
			}
			if complete := result.Outcome == assemble.Complete; complete && (!a.Begun() || a.Progress().Pieces == 0) && len(row.steps) > 1 {
				t.Errorf("%s: begun is %t, and %+v", row.name, a.Begun(), a.Progress())
			}
			held = max(held, a.Held())
			if result.Outcome != assemble.NeedMore {
				if again := a.Feed(row.steps[0].packet); again.Outcome != result.Outcome || again.Used != 0 {
					t.Errorf("%s: %v is not final", row.name, result.Outcome)
				}
			}
		}
		if e, ok := a.(*assemble.EAP); ok && e.Progress().Pieces > 0 && e.Method() == 0 {
			t.Errorf("%s: no method", row.name)
		}
		if held > 4096 {
			t.Errorf("%s: %d bytes held", row.name, held)
		}
		a.Next()
	}
}

// TestCarriersWithMemory checks that memory of the caller's is enough for what comes in order.
func TestCarriersWithMemory(t *testing.T) {
	one := inRecords(handshake(300), 1<<14)
	for name, row := range map[string]struct {
		a             carrying
		first, second []byte
	}{
		"OpenVPN": {new(assemble.OpenVPN), openVPN(0, 0, 1, one[:100]), openVPN(0, 0, 2, one[100:])},
		"EAP":     {new(assemble.EAP), eap(1, 13, []byte{0x40}, one[:100]), eap(2, 13, []byte{0}, one[100:])},
		"TDS":     {new(assemble.TDS), tds(one[:100]), tds(one[100:])},
		"RDPUDP":  {new(assemble.RDPUDP), rdpUDP(1, one[:100]), rdpUDP(2, one[100:])},
		"SCTP": {new(assemble.SCTP), sctp(3, 1, 0, dtlsDatagram(fragment(dtlsHandshake(300, 0), 0, 100))),
			sctp(3, 2, 0, dtlsDatagram(fragment(dtlsHandshake(300, 0), 100, 300)))},
	} {
		for size, want := range map[int]assemble.Outcome{assemble.BufferSize(400): assemble.Complete, 50: assemble.Refused} {
			row.a.Reset(make([]byte, size))
			result := row.a.Feed(row.first)
			if result.Outcome == assemble.NeedMore {
				result = row.a.Feed(row.second)
			}
			if result.Outcome != want || row.a.Held() != 0 {
				t.Errorf("%s with %d bytes: %v, %d held", name, size, result.Outcome, row.a.Held())
			}
		}
	}
}

// TestCarriersInfo checks what is said of the records.
func TestCarriersInfo(t *testing.T) {
	var vpn assemble.OpenVPN
	packet := openVPN(28, 1, 1, inRecords(handshake(300), 1<<14))
	if vpn.Feed(packet); vpn.Records().Records != 1 || !assemble.IsOpenVPN(packet) || assemble.IsOpenVPN(packet[:30]) {
		t.Errorf("%+v", vpn.Records())
	}
	var s assemble.SCTP
	s.Feed(sctp(3, 5, 0, dtlsDatagram(fragment(dtlsHandshake(300, 7), 0, 300))))
	if info := s.Info(); info.MessageSeq != 7 || info.Records != 1 {
		t.Errorf("%+v", info)
	}
	s.ResetGrowing(400)
	if s.Begun() {
		t.Error("begun without a chunk")
	}
	if s.Feed(sctp(2, 5, 0, dtlsDatagram(fragment(dtlsHandshake(300, 7), 0, 300))[:50])); !s.Begun() {
		t.Error("not begun")
	}
	for name, b := range map[string][]byte{"TLS": inRecords(handshake(9), 99), "DTLS": dtlsDatagram(fragment(dtlsHandshake(9, 0), 0, 9)), "": []byte("text and more text")} {
		data, version := assemble.RDPUDPData(rdpUDP(1, b))
		data2, version2 := assemble.RDPUDPData(rdpUDP2(4, nil, nil, 1, b))
		if name != "" && (version != 1 || version2 != 2 || !bytes.Equal(data, b) || !bytes.Equal(data2, b)) || name == "" && version+version2 != 0 {
			t.Errorf("%s: %x, %d; %x, %d", name, data, version, data2, version2)
		}
	}
}

// TestCarriersNext checks that a second hello is found, and that another message ends all.
func TestCarriersNext(t *testing.T) {
	one := inRecords(handshake(300), 1<<14)
	other := slices.Clone(one)
	other[5] = 16
	for name, row := range map[string]struct {
		first, second []byte
		want          assemble.Outcome
	}{
		"a second hello":         {one, one, assemble.Complete},
		"another message":        {one, other, assemble.Unrecognized},
		"bytes after the hello":  {append(slices.Clone(one), 23, 3, 3, 0, 1, 0), one, assemble.Unrecognized},
		"change_cipher_spec too": {one, append([]byte{20, 3, 3, 0, 1, 1}, one...), assemble.Complete},
	} {
		var a assemble.OpenVPN
		a.ResetGrowing(assemble.MaxMessage)
		a.Next() // nothing is complete
		if result := a.Feed(openVPN(0, 0, 1, row.first)); result.Outcome != assemble.Complete {
			t.Errorf("%s: %v", name, result.Outcome)
		}
		if a.Next(); a.Progress() != (assemble.Progress{}) {
			t.Errorf("%s: %+v", name, a.Progress())
		}
		if result := a.Feed(openVPN(0, 0, 2, row.second)); result.Outcome != row.want {
			t.Errorf("%s: got %v, want %v", name, result.Outcome, row.want)
		}
	}
}
