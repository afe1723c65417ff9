package capture_test

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
)

// TestDroppedFragments checks packets that come in fragments, among others that do, too.
func TestDroppedFragments(t *testing.T) {
	var packets [][]byte
	id := 0
	add := func(g seg, mend func([]byte) []byte) {
		id++
		p := g.packet(false)
		for at := 20; at < len(p); at += 24 {
			end := min(at+24, len(p))
			packets = append(packets, mend(ipv4Fragment(client, server, 6, id, at-20, end < len(p), p[at:end])))
		}
	}
	add(synSent, headerSummed)
	packets = append(packets, synAcked.packet(false))
	add(whole(decoy, nil), headerDamaged)
	add(whole(decoy, nil), func(p []byte) []byte { p[2], p[3] = 0, 0; return headerSummed(p) })
	add(whole(real1, nil), headerSummed)
	hellos, stats := scan(capture.Options{}, packets...)
	if diff := cmp.Diff([]reading{{N: 1, Faults: overlap}}, readings(hellos)); diff != "" {
		t.Errorf("readings (-want +got):\n%s%+v", diff, stats)
	}
}

func TestDroppedPackets(t *testing.T) {
	v4 := func(change func([]byte) []byte) func([]byte) []byte {
		return func(p []byte) []byte {
			if p[0]>>4 == 4 {
				return change(summed(p))
			}
			return damaged(p) // IPv6 has rows of its own
		}
	}
	options := func(o ...byte) func([]byte) []byte {
		return v4(func(p []byte) []byte {
			p = join(p[:20], o, p[20:])
			p[0] = 0x45 + byte(len(o)/4)
			binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
			return headerSummed(p)
		})
	}
	v6 := func(kind byte, header ...byte) func([]byte) []byte {
		return func(p []byte) []byte {
			if p = summed(p); p[0]>>4 == 4 {
				return damaged(p)
			}
			p = join(p[:40], header, p[40:])
			binary.BigEndian.PutUint16(p[4:], uint16(len(p)-40))
			p[6] = kind
			return p
		}
	}
	for name, mend := range map[string]func([]byte) []byte{
		"wrong header checksum":          v4(func(p []byte) []byte { p[10] ^= 0x55; return p }),
		"no length":                      v4(func(p []byte) []byte { p[2], p[3] = 0, 0; return headerSummed(p) }),
		"longer than the packet":         v4(func(p []byte) []byte { p[3] += 8; return headerSummed(p) }),
		"source route":                   options(131, 7, 4, 10, 9, 0, 77, 0),
		"an option that does not fit":    options(7, 9, 4, 0),
		"an option without a length":     options(1, 1, 1, 7),
		"a record route without pointer": options(7, 2, 0, 0),
		"a record route without room":    options(7, 7, 5, 0, 0, 0, 0, 0),
		"two record routes":              options(7, 3, 4, 7, 3, 4, 0, 0),
		"a timestamp without room":       options(68, 8, 6, 0, 0, 0, 0, 0),
		"an address without room":        options(68, 8, 5, 1, 0, 0, 0, 0),
		"a count at its end":             options(68, 8, 9, 0xf0, 0, 0, 0, 0),
		"routing header":                 v6(43, 6, 0, 0, 1, 0, 0, 0, 0),
		"hop-by-hop options late":        v6(60, 0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0),
		"unknown option":                 v6(60, 6, 0, 0x80, 4, 0, 0, 0, 0),
		"an option of IPv6 too long":     v6(60, 6, 0, 1, 200, 0, 0, 0, 0),
	} {
		t.Run(name, connection{with(opened, whole(decoy, func(g *seg) { g.mend = mend }), whole(real1, nil), acked), []reading{{N: 1, Faults: overlap}}}.run)
	}
	for name, mend := range map[string]func([]byte) []byte{
		"no operation and end": options(1, 1, 1, 0),
		"record route":         options(7, 7, 4, 0, 0, 0, 0, 0),
		"full record route":    options(7, 7, 8, 0, 0, 0, 0, 0),
		"timestamp":            options(68, 8, 5, 0, 0, 0, 0, 0),
		"full timestamp":       options(68, 8, 9, 0xe0, 0, 0, 0, 0),
		"padding in IPv6":      v6(60, 6, 0, 1, 4, 0, 0, 0, 0),
		"no segments left":     v6(43, 6, 0, 0, 0, 0, 0, 0, 0),
	} {
		t.Run(name, connection{with(opened, whole(real1, func(g *seg) { g.mend = mend }), acked), []reading{{N: 1}}}.run)
	}
}
