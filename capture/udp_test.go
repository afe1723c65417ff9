package capture_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

func fromClient(payload []byte) []byte {
	return ipv4(client, server, 17, udp(clientPort, 443, payload))
}
func fromServer(payload []byte) []byte {
	return ipv4(server, client, 17, udp(443, clientPort, payload))
}

// initial is an Initial packet of the client, with size bytes of message() from offset on.
func initial(scid string, offset, size int) []byte { return initialTo("server's", scid, offset, size) }

func initialTo(dcid, scid string, offset, size int) []byte {
	msg := message()
	return quicseal.Packet{
		Version: quicseal.V1, DCID: []byte(dcid), SCID: []byte(scid),
		Payload: append(quicseal.AppendCrypto(nil, uint64(offset), msg[offset:min(offset+size, len(msg))]), make([]byte, 100)...),
	}.Seal()
}

// TestDescribesDatagrams checks what is said of hellos over UDP, also of one after the other
// and of second ones.
func TestDescribesDatagrams(t *testing.T) {
	whole := dtlsFragment(100, 0, 100)
	second := slices.Clone(whole)
	second[13+5] = 1 // message_seq
	alert := join([]byte{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0})
	anotherPort := func(b []byte) []byte { return ipv4(client, server, 17, udp(clientPort+1, 443, b)) }
	for name, row := range map[string]struct {
		packets [][]byte
		want    []string
	}{
		"QUIC":                       {[][]byte{fromClient(initial("c", 0, 999))}, []string{"quic 1 [1] {0 0 1 1} 1"}},
		"QUIC in two":                {[][]byte{fromClient(initial("c", 0, 40)), fromClient(initial("c", 40, 999))}, []string{"quic 1 [1 2] {0 0 2 2} 1"}},
		"QUIC in two, out of order":  {[][]byte{fromClient(initial("c", 40, 999)), fromClient(initial("c", 0, 40))}, []string{"quic 1 [1 2] {0 0 2 2} 1"}},
		"QUIC, two connections":      {[][]byte{fromClient(initial("c", 0, 40)), fromClient(initialTo("another's", "d", 0, 999)), fromClient(initial("c", 40, 999))}, []string{"quic 1 [2] {0 0 1 1} 1", "quic 1 [1 3] {0 0 2 2} 1"}},
		"QUIC, another source ID":    {[][]byte{fromClient(initial("c", 0, 40)), fromClient(initial("d", 0, 999)), fromClient(initial("c", 40, 999))}, []string{"quic 1 [1 3] {0 0 2 2} 1"}},
		"DTLS":                       {[][]byte{fromClient(whole)}, []string{"dtls 1 [1] {0 1 0 1} fefd"}},
		"DTLS in two":                {[][]byte{fromClient(dtlsFragment(200, 0, 100)), fromClient(alert), fromClient(dtlsFragment(200, 100, 100))}, []string{"dtls 1 [1 3] {0 2 0 2} fefd"}},
		"DTLS, ICMP between":         {[][]byte{fromClient(dtlsFragment(200, 0, 100)), ipv4(client, server, 1, make([]byte, 8)), fromClient(dtlsFragment(200, 100, 100))}, []string{"dtls 1 [1 3] {0 2 0 2} fefd"}},
		"DTLS, a second one":         {[][]byte{fromClient(whole), fromClient(second)}, []string{"dtls 1 [1] {0 1 0 1} fefd", "dtls 2 [2] {0 1 0 1} fefd"}},
		"DTLS, retransmitted":        {[][]byte{fromClient(whole), fromClient(whole)}, []string{"dtls 1 [1] {0 1 0 1} fefd"}},
		"DTLS, one after the other":  {[][]byte{fromClient(whole), fromClient(second), fromClient(alert), anotherPort(whole)}, []string{"dtls 1 [1] {0 1 0 1} fefd", "dtls 2 [2] {0 1 0 1} fefd", "dtls 1 [4] {0 1 0 1} fefd"}},
		"a datagram of another kind": {[][]byte{fromClient(initial("", 0, 40)), fromClient(join([]byte{0xc0, 0, 0, 0, 1, 255}, make([]byte, 20))), fromClient(initial("", 40, 999))}, []string{"quic 1 [1 3] {0 0 2 2} 1"}},
	} {
		hellos, stats := scan(capture.Options{}, row.packets...)
		var got []string
		for _, h := range hellos {
			version := uint32(h.DTLS.Version)
			if h.Transport == capture.QUIC {
				version = h.QUIC.Version
			}
			got = append(got, fmt.Sprintf("%s %d %v %v %x", h.Transport, h.Index, h.Frames, h.Pieces, version))
			if (h.Transport == capture.QUIC) != (h.QUIC.Packets > 0) || h.FlagsChanged || h.Code != 0 {
				t.Errorf("%s: %+v", name, h)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q; %+v", name, got, row.want, stats)
		}
	}
}

// TestServersDatagramsAreNoHellos checks that what a server sends begins no connection.
func TestServersDatagramsAreNoHellos(t *testing.T) {
	answer := quicseal.Packet{
		Version: quicseal.V1, DCID: []byte("c"), SCID: []byte("another"), KeyDCID: []byte("server's"), Server: true,
		Payload: append(quicseal.AppendCrypto(nil, 0, make([]byte, 50)), make([]byte, 100)...),
	}.Seal()
	_, stats := scan(capture.Options{}, fromClient(initial("c", 0, 40)), fromServer(answer))
	if stats.Flows != 1 || stats.Incomplete != 1 {
		t.Errorf("a connection of QUIC: %+v", stats)
	}
	serverHello := dtlsFragment(100, 0, 100)
	serverHello[13] = 2
	if hellos, stats := scan(capture.Options{}, fromServer(serverHello)); len(hellos) != 0 || stats.Flows != 0 {
		t.Errorf("ServerHello of DTLS: %d hellos, %+v", len(hellos), stats)
	}
	for _, first := range []byte{0, 19, 23, 64, 127} {
		other := dtlsFragment(100, 0, 100)
		other[0] = first
		if hellos, stats := scan(capture.Options{}, fromClient(other)); len(hellos) != 0 || stats.Flows != 0 {
			t.Errorf("first byte %d: %d hellos, %+v", first, len(hellos), stats)
		}
	}
	other := dtlsFragment(100, 0, 100)
	other[1] = 3
	if hellos, stats := scan(capture.Options{}, fromClient(other)); len(hellos) != 0 || stats.Flows != 0 {
		t.Errorf("another version: %d hellos, %+v", len(hellos), stats)
	}
}

// TestLeastRecentDatagrams checks that at the limit of memory the hello is given up of which
// no datagram has come for the longest time.
func TestLeastRecentDatagrams(t *testing.T) {
	from := func(port, offset int) []byte {
		return ipv4(client, server, 17, udp(port, 443, dtlsFragment(300, offset, 100)))
	}
	packets := [][]byte{from(1, 0), from(2, 0), from(1, 100), from(3, 0), from(1, 200), from(3, 100), from(3, 200), from(2, 100), from(2, 200)}
	const twoSessions = 2900
	hellos, stats := scan(capture.Options{MaxMemory: twoSessions}, packets...)
	if len(hellos) != 2 || hellos[0].Src.Port() != 1 || hellos[1].Src.Port() != 3 {
		t.Errorf("%d hellos, want those from ports 1 and 3; %+v", len(hellos), stats)
	}
}

// TestRefusedOnce checks that a refused hello is one row, however often it comes, in however
// many fragments and whatever each is refused for, and that it has what could be read.
func TestRefusedOnce(t *testing.T) {
	first := dtlsFragment(200, 0, 100)
	first[13+12+2] = 7                    // of random
	tooFar := dtlsFragment(200, 150, 100) // beyond the message
	cut := dtlsFragment(200, 0, 50)       // beyond its record
	cut[13+11] = 100
	other := slices.Clone(first)
	other[13+12+2] = 8
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"one fault":              {[][]byte{first, tooFar, first, tooFar, tooFar}, "fragment_overrun 112; "},
		"another fault each":     {[][]byte{cut, first, tooFar, cut, first, tooFar}, "field_overrun 0; "},
		"the beginning last":     {[][]byte{tooFar, first, tooFar}, "fragment_overrun 0; "},
		"two hellos":             {[][]byte{first, tooFar, other, tooFar, tooFar}, "fragment_overrun 112; fragment_overrun 112; "},
		"in a tunnel and beside": {[][]byte{first, tooFar}, "fragment_overrun 112; "},
	} {
		var packets [][]byte
		for _, p := range row.packets {
			packets = append(packets, fromClient(p))
			if name == "in a tunnel and beside" {
				packets = append(packets, ethernet(0x0800, ipv4(server, client, 4, fromClient(p)[14:])))
			}
		}
		hellos, stats := scan(capture.Options{}, packets...)
		got := ""
		for _, h := range hellos {
			got += fmt.Sprintf("%s %d; ", h.Code.Name(), len(h.Message))
			if len(h.Frames) == 0 {
				t.Errorf("%s: no frames", name)
			}
		}
		if got != row.want || stats.Refused != len(hellos) {
			t.Errorf("%s: got %q, want %q; %+v", name, got, row.want, stats)
		}
	}
}
