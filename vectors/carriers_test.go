package vectors_test

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/vectors"
)

// initialIDs returns the connection IDs of the long header packet at the start of a
// datagram, and whether it is an Initial packet of a client in version 1 or 2.
func initialIDs(datagram []byte) (ids [2]string, ok bool) {
	if len(datagram) < 7 || datagram[0]&0x80 == 0 {
		return ids, false
	}
	rest := datagram[5:]
	for i := range ids {
		n := int(rest[0])
		ids[i], rest = string(rest[1:1+n]), rest[1+n:]
	}
	packetType := datagram[0] >> 4 & 3
	switch binary.BigEndian.Uint32(datagram[1:]) {
	case 1:
		return ids, packetType == 0
	case 0x6b3343cf:
		return ids, packetType == 1
	}
	return ids, false
}

// TestQUICDatagrams checks that a server may read each Initial packet (RFC 9000, Section
// 14.1), and that no two tests share a connection ID.
func TestQUICDatagrams(t *testing.T) {
	owner := map[string]string{}
	datagrams := 0
	for _, k := range vectors.Kinds() {
		for g, test := range load(t, k).All() {
			if g.Entry == vectors.Records {
				continue
			}
			for _, d := range test.Pieces {
				ids, initial := initialIDs(d)
				for _, id := range ids {
					if other := owner[id]; id != "" && other != "" && other != test.ID {
						t.Errorf("%s and %s have the connection ID %x", test.ID, other, id)
					}
					owner[id] = test.ID
				}
				if initial {
					datagrams++
					if small := slices.Contains(test.Flags, "small_datagram"); (len(d) < 1200) != small {
						t.Errorf("%s: a datagram of %d bytes, with the flag small_datagram: %t", test.ID, len(d), small)
					}
				}
			}
		}
	}
	if datagrams < 80 {
		t.Errorf("%d datagrams with an Initial packet, want at least 80", datagrams)
	}
}

// TestFirstBytes checks that not_this_protocol has alternatives, and that only a clause
// by which the bytes are dropped takes it out of the kind FirstBytes.
func TestFirstBytes(t *testing.T) {
	for _, k := range vectors.Kinds() {
		for g, test := range load(t, k).All() {
			if test.Outcome != vectors.NotThisProtocol {
				continue
			}
			if k != vectors.FirstBytes && g.Source != "RFC 9000, Section 5.2.2" {
				t.Errorf("%s is in the kind %s", test.ID, k)
			}
			if len(test.Alternatives) == 0 {
				t.Errorf("%s has no alternatives", test.ID)
			}
		}
	}
}

// TestTsharkFindsCapture counts the hellos that tshark finds in flagged.pcap.
func TestTsharkFindsCapture(t *testing.T) {
	tshark := testenv.Program(t, "tshark", "tshark")
	var stderr bytes.Buffer
	cmd := exec.Command(tshark, "-n", "-r", "flagged.pcap", "-Y", "tls.handshake.type==1 || dtls.handshake.type==1",
		"-T", "fields", "-e", "tls.handshake.extension.type", "-e", "dtls.handshake.extension.type")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	flagged := 0
	for line := range strings.Lines(string(out)) {
		types := strings.FieldsFunc(line, func(r rune) bool { return r < '0' || r > '9' })
		if slices.Contains(types, "62") || slices.Contains(types, "65025") {
			flagged++
		}
	}
	if flagged != 13 {
		t.Errorf("tshark finds %d hellos with tls_flags, want 13:\n%s", flagged, out)
	}
}
