package capture

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
)

// beginnings are the first bytes of streams in frames.
func beginnings() map[string][]byte {
	all := map[string][]byte{
		"TDS, PRELOGIN":       preLogin(),
		"TDS, TLS":            tdsPacket(smallHello(80)),
		"OpenVPN, control V1": prefixed(slices.Concat([]byte{4 << 3}, make([]byte, 9), bytes32(1), smallHello(80))),
		"OpenVPN, too short":  prefixed(resetOfOpenVPN(0)[:13]),
		"OpenVPN, longest":    prefixed(append(openVPNPacket(1, 0, 1, 1, smallHello(80)), make([]byte, 2000)...)[:maxFirstFrame]),
		"OpenVPN, longer":     prefixed(append(openVPNPacket(1, 0, 1, 1, smallHello(80)), make([]byte, 2000)...)[:maxFirstFrame+1]),
		"STUN":                stun(1),
		"STUN, request":       stun(3, 0x0019, []byte{17, 0, 0, 0}),
		"ChannelData":         channelData(0x4001, messages{22, 1}.dtls(0xfefd, 0, 200)[0]),
		"ICE, STUN":           prefixed(stun(1, 6, []byte("user:name"))),
		"ICE, DTLS":           prefixed(messages{22, 1}.dtls(0xfefd, 0, 200)[0]),
		"Diameter":            inDiameter("a", eapPacket(1, 13, []byte{0}))[0],
		"Diameter, one AVP":   diameterMessage(257, avp(264, nil)),
		"hello":               smallHello(80),
		"second hello":        slices.Concat([]byte{20, 3, 3, 0, 1, 1}, smallHello(80)),
		"hello in two":        slices.Concat([]byte{22, 3, 1, 0, 4, 1, 0, 0, 76}, smallHello(80)[:5], smallHello(80)[9:]),
		"empty record":        {22, 3, 1, 0, 0, 0},
		"longer record":       {22, 3, 1, 0x40, 1, 1},
		"long record":         {22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3, 0},
		"shortest hello":      {22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, 0},
		"SSLv2":               {0x80, 31, 1, 3, 1, 0, 6, 0, 0, 0, 16},
	}
	for _, n := range []int{0, 24, 28, 36, 40, 56, 72} {
		all[fmt.Sprintf("OpenVPN, reset, %d", n)] = prefixed(resetOfOpenVPN(n))
		all[fmt.Sprintf("OpenVPN, control, %d", n)] = prefixed(openVPNPacket(1, n, 1, 1, smallHello(80)))
		all[fmt.Sprintf("OpenVPN, acks, %d", n)] = prefixed(openVPNPacket(1, n, 8, 1, smallHello(80)))
	}
	return all
}

// begins says what may follow the first bytes of a stream.
func begins(b []byte) (letter byte, all string) {
	if len(b) == 0 {
		return '-', ""
	}
	at, kind, frames := framesAfter(b)
	n, p := prologue(b)
	all = fmt.Sprint(beginsTDS(b), beginsOpenVPN(b), beginsTURN(b), beginsICE(b), beginsDiameter(b), at, kind, frames, n, p, mayBegin(b), startsHello(b))
	switch {
	case frames == tlsFollows:
		return "-tluid"[kind], all
	case p == tlsFollows:
		return 'p', all
	case mayBegin(b):
		return 'b', all
	case startsHello(b):
		return 'h', all
	case frames == inPrologue || p == inPrologue:
		return '?', all
	}
	return '-', all
}

// ChangedBeginnings says, for each change and each byte at the beginning of streams, what may
// follow: frames of TDS (t), with a length (l), of TURN (u), of ICE (i), of Diameter (d), a prologue (p),
// or a hello (b, or h if it is a late one). A question mark says that it depends on what comes.
func ChangedBeginnings(more map[string]string) string {
	all := beginnings()
	for name, b := range more {
		all[name] = append([]byte(b), smallHello(80)...)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s\n", name)
		for _, c := range changes {
			letters, sum := []byte{}, fnv.New32a()
			for i := range min(len(all[name]), 160) {
				letter, state := begins(c.apply(slices.Clone(all[name]), i))
				letters = append(letters, letter)
				fmt.Fprint(sum, state, ";")
			}
			fmt.Fprintf(&b, "\t%s\t%s\t%08x\n", c.name, runs(letters), sum.Sum32())
		}
	}
	return b.String()
}
