package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// askTshark sets what tshark reads in each game, with its default settings. All captures
// are given to it as one, as the ports tell them apart.
func askTshark(games []*game, dir string) error {
	all := captureHeader()
	byPort := make(map[uint16]*game)
	for _, g := range games {
		b, err := os.ReadFile(g.file)
		if err != nil {
			return err
		}
		all = append(all, b[len(captureHeader()):]...)
		byPort[g.port] = g
	}
	file := filepath.Join(dir, "all.pcap")
	if err := os.WriteFile(file, all, 0o644); err != nil {
		return err
	}
	out, err := exec.Command("tshark", "-r", file, "-Y", "tls.handshake.type == 1 || dtls.handshake.type == 1", "-d", "tcp.port==443-460,tls", "-d", "udp.port==443,quic", "-d", "udp.port==444,dtls", "-T", "fields",
		"-e", "tcp.srcport", "-e", "udp.srcport", "-e", "tls.handshake.extensions_server_name", "-e", "tls.handshake.extension.type",
		"-e", "dtls.handshake.extensions_server_name", "-e", "dtls.handshake.extension.type").Output()
	if err != nil {
		return fmt.Errorf("tshark: %w", err)
	}
	for line := range bytes.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(string(line), "\n"), "\t")
		ports := strings.Split(fields[0]+","+fields[1], ",")
		i := slices.IndexFunc(ports, func(port string) bool { return byPort[portOf(port)] != nil })
		if i >= 0 {
			g := byPort[portOf(ports[i])]
			name, _, _ := strings.Cut(fields[2]+fields[4], ",")
			flagged := slices.Contains(strings.Split(fields[3]+","+fields[5], ","), "62")
			if name == "" {
				continue // a fragment
			}
			if what := newReading(flagged, name); !slices.Contains(g.tshark, what) {
				g.tshark = append(g.tshark, what)
			}
		}
	}
	return nil
}

// portOf reads the port of a client, the first if it has two, or 0.
func portOf(text string) uint16 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return base(uint16(n))
}
