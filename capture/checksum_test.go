package capture

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// plainSum is the ones' complement sum of RFC 1071, two bytes a time.
func plainSum(parts ...[]byte) uint16 {
	sum := 0
	for i, b := range bytes.Join(parts, nil) {
		sum += int(b) << (8 - i%2*8)
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// TestSegmentChecksum computes the checksums of segments as RFC 9293, Section 3.1, RFC 768
// and RFC 8200, Section 8.1 say, and changes them.
func TestSegmentChecksum(t *testing.T) {
	src := endpoint{ip: [16]byte{0x20, 1, 0xd, 0xb8, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
	dst := endpoint{ip: [16]byte{0xfe, 0x80, 0xff, 0xff, 0xff, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17}}
	for _, ipv6 := range []bool{false, true} {
		for _, udp := range []bool{false, true} {
			for _, n := range []int{20, 21, 60, 1460, 65_535, 70_001} {
				at, protocol, addresses := 16, byte(6), [][]byte{src.ip[:4], dst.ip[:4]}
				if udp {
					at, protocol = 6, 17
				}
				if ipv6 {
					addresses = [][]byte{src.ip[:], dst.ip[:]}
				}
				b := bytes.Repeat([]byte{0xf1, 2, 3}, n)[:n]
				b[at], b[at+1] = 0, 0
				pseudo := append(addresses, binary.BigEndian.AppendUint32(nil, uint32(n)), []byte{0, protocol})
				seg := segment{src: src, dst: dst, ipv6: ipv6, udp: udp, whole: b}
				check := func(name string, sum uint16, want sumState) {
					t.Helper()
					binary.BigEndian.PutUint16(b[at:], sum)
					if got := seg.checksum(); got != want {
						t.Errorf("IPv6 %t, UDP %t, %d bytes, %s: %d, want %d", ipv6, udp, n, name, got, want)
					}
				}
				right := ^plainSum(bytes.Join(pseudo, nil), b)
				check("right", right, sumRight)
				check("wrong by one", right+1, sumWrong)
				check("wrong in the high byte", right^0x100, sumWrong)
				check("left to the network card", plainSum(bytes.Join(pseudo, nil)), sumOffloaded)
				none := sumWrong
				if udp {
					none = sumUnknown
				}
				check("none", 0, none)
				check("none in one byte", 0xff00, sumWrong)
				check("none in the other", 0x00ff, sumWrong)
			}
		}
	}
	for _, seg := range []segment{{}, {whole: make([]byte, 17)}, {udp: true, whole: []byte{7: 1}[:7]}} {
		if got := seg.checksum(); got != sumUnknown {
			t.Errorf("%d bytes: %d", len(seg.whole), got)
		}
	}
}

// TestEvidence counts checksums up to the end of the range.
func TestEvidence(t *testing.T) {
	var right, wrong evidence
	for range 300 {
		right.counts(ChecksumsAuto, sumRight)
		if wrong.counts(ChecksumsAuto, sumWrong) {
			t.Fatal("a wrong one counts although none was right")
		}
	}
	if right != (evidence{255, 0}) || wrong != (evidence{0, 255}) {
		t.Errorf("%v, %v", right, wrong)
	}
	if !right.counts(ChecksumsAuto, sumWrong) || right.wrong != 0 {
		t.Error("a wrong one does not count although the others were right, or is noted")
	}
	even := evidence{1, 1}
	if even.counts(ChecksumsAuto, sumWrong) {
		t.Error("a wrong one counts although half of the others were wrong")
	}
	for mode, want := range map[Checksums][3]bool{ // unknown, offloaded, wrong
		ChecksumsAuto: {}, ChecksumsVerify: {false, true, true}, ChecksumsIgnore: {},
	} {
		var e evidence
		got := [3]bool{e.counts(mode, sumUnknown), e.counts(mode, sumOffloaded), e.counts(mode, sumWrong)}
		if got != want {
			t.Errorf("mode %d: %v, want %v", mode, got, want)
		}
	}
}
