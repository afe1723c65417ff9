//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os/exec"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/corpus"
)

func tsharkVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "tshark", "--version").Output()
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(out)) // TShark (Wireshark) 4.0.17 (Git ...
	if len(fields) < 3 {
		return "", fmt.Errorf("tshark --version prints %q", out)
	}
	return "tshark " + fields[2], nil
}

// field is an element of PDML, tshark's XML: a protocol or a field of one.
type field struct {
	Name   string  `xml:"name,attr"`
	Show   string  `xml:"show,attr"`
	Value  string  `xml:"value,attr"` // the bytes in hexadecimal
	Protos []field `xml:"proto"`
	Fields []field `xml:"field"`
}

// all returns f and everything below it in document order.
func (f field) all() iter.Seq[field] {
	return func(yield func(field) bool) { f.walk(yield) }
}

func (f field) walk(yield func(field) bool) bool {
	if !yield(f) {
		return false
	}
	for _, children := range [][]field{f.Protos, f.Fields} {
		for _, c := range children {
			if !c.walk(yield) {
				return false
			}
		}
	}
	return true
}

// show returns the text of tshark for the first field of a name below f.
func (f field) show(name string) string {
	for c := range f.all() {
		if c.Name == name {
			return c.Show
		}
	}
	return ""
}

// number is show for fields that are decimal numbers or hexadecimal with 0x.
func (f field) number(name string) (int, error) {
	n, err := strconv.ParseInt(f.show(name), 0, 64)
	return int(n), err
}

// tsharkHellos returns the distinct ClientHellos that tshark finds in a
// capture.
func tsharkHellos(ctx context.Context, name string) ([]corpus.Hello, error) {
	out, err := exec.CommandContext(ctx, "tshark", "-n", "-r", name, "-T", "pdml").Output()
	if err != nil {
		return nil, fmt.Errorf("tshark: %w", err)
	}
	hellos := []corpus.Hello{}
	seen := make(map[string]bool)
	dec := xml.NewDecoder(bytes.NewReader(out))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return hellos, nil
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "packet" {
			continue
		}
		var packet field
		if err := dec.DecodeElement(&packet, &start); err != nil {
			return nil, err
		}
		for c := range packet.all() {
			if c.Name != "tls.handshake" && c.Name != "dtls.handshake" || c.show(c.Name+".type") != "1" || c.show(c.Name+".random") == "" {
				continue
			}
			hello, err := parseHello(packet, c)
			if err != nil {
				return nil, err
			}
			id := hello.Src + " " + hello.Dst
			for f := range c.all() {
				// DTLS numbers its messages; a retransmission has the same number.
				if f.Name != "dtls.handshake.message_seq" {
					id += " " + f.Value
				}
			}
			if !seen[id] {
				hellos = append(hellos, hello)
			}
			seen[id] = true
		}
	}
}

// parseHello reads the element for a handshake message inside its packet.
func parseHello(packet, handshake field) (corpus.Hello, error) {
	h := corpus.Hello{Transport: "tcp", ALPN: []string{}, Extensions: []uint16{}, TLSFlags: []corpus.Extension{}}
	prefix := handshake.Name
	var err error
	if h.Frame, err = packet.number("frame.number"); err != nil {
		return h, err
	}
	ports := "tcp"
	switch {
	case prefix == "dtls.handshake":
		h.Transport, ports = "dtls", "udp"
	case packet.show("quic.version") != "":
		h.Transport, ports = "quic", "udp"
	}
	addresses := "ip"
	if packet.show("ip.src") == "" {
		addresses = "ipv6"
	}
	h.Src = net.JoinHostPort(packet.show(addresses+".src"), packet.show(ports+".srcport"))
	h.Dst = net.JoinHostPort(packet.show(addresses+".dst"), packet.show(ports+".dstport"))
	if h.BodyLength, err = handshake.number(prefix + ".length"); err != nil {
		return h, err
	}
	h.Random = strings.ReplaceAll(handshake.show(prefix+".random"), ":", "")
	h.ServerName = handshake.show(prefix + ".extensions_server_name")

	var last uint16
	for f := range handshake.all() {
		switch f.Name {
		case prefix + ".extensions_alpn_str":
			h.ALPN = append(h.ALPN, f.Show)
		case prefix + ".extension.type":
			n, err := strconv.ParseUint(f.Show, 0, 16)
			if err != nil {
				return h, err
			}
			last = uint16(n)
			h.Extensions = append(h.Extensions, last)
		case prefix + ".extension.data":
			if last != 62 && last != 0xfe01 {
				continue
			}
			if _, err := hex.DecodeString(f.Value); err != nil {
				return h, err
			}
			h.TLSFlags = append(h.TLSFlags, corpus.Extension{Type: last, Data: f.Value})
		}
	}
	return h, nil
}
