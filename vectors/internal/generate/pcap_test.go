package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/vectors"
)

// TestTsharkReadsVectors gives the complete tests of QUIC and DTLS to tshark, those of each
// kind in one capture. A test that tshark does not read has an alternative that says so.
func TestTsharkReadsVectors(t *testing.T) {
	tshark := testenv.Program(t, "tshark", "tshark")
	for _, k := range []vectors.Kind[*vectors.PiecesTest]{vectors.QUIC, vectors.DTLS} {
		f, err := vectors.Load(k)
		if err != nil {
			t.Fatal(err)
		}
		var c captureFile
		tests := map[string]*vectors.PiecesTest{} // by port of the client
		for _, test := range f.All() {
			if test.Outcome == vectors.Complete {
				var datagrams [][]byte
				for _, p := range test.Pieces {
					datagrams = append(datagrams, p)
				}
				c.udp(datagrams...)
				tests[fmt.Sprint(50000+c.flows)] = test
			}
		}
		name := filepath.Join(t.TempDir(), string(k)+".pcap")
		if err := os.WriteFile(name, c.bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		message := map[vectors.Kind[*vectors.PiecesTest]]string{vectors.QUIC: "tls", vectors.DTLS: "dtls"}[k] + ".handshake"
		out, err := exec.Command(tshark, "-n", "-r", name, "-d", "udp.port==443,"+string(k), "-Y", message+".type==1",
			"-T", "fields", "-e", "udp.srcport", "-e", message+".extension.type").Output()
		if err != nil {
			t.Fatal(err)
		}
		read := map[string]bool{}
		for line := range strings.Lines(string(out)) {
			port, types, _ := strings.Cut(strings.TrimSpace(line), "\t")
			read[port] = read[port] || slices.Contains(strings.Split(types, ","), "62")
		}
		for port, test := range tests {
			differs := slices.ContainsFunc(test.Alternatives, func(a vectors.Alternative) bool { return strings.Contains(a.Who, "tshark") })
			if !read[port] && !differs {
				t.Errorf("tshark does not read %s", test.ID)
			}
		}
	}
}
