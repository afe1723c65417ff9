package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
)

// The names that the two hellos of a script have, of the same length.
const (
	realName  = "real.evade.example"
	decoyName = "fake.evade.example"
)

// requestMTLS is a tls_flags extension with the flag request_mtls, 80.
var requestMTLS = []byte{0, 62, 0, 12, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}

// clientHello returns the message that crypto/tls sends, with the extension put first
// (draft-ietf-tls-tlsflags, Section 2).
func clientHello(name string) ([]byte, error) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go tls.Client(a, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	buf := make([]byte, 1<<14)
	n, err := b.Read(buf)
	if err != nil {
		return nil, err
	}
	return insertExtension(buf[5:n], requestMTLS)
}

// alpn is the protocol of QUIC connections.
const alpn = "evade"

// quicHello returns the same for QUIC, with the client's connection ID in the transport
// parameters (RFC 9000, Section 18.2).
func quicHello(name string, scid []byte) ([]byte, error) {
	c := tls.QUICClient(&tls.QUICConfig{TLSConfig: &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{alpn}, MinVersion: tls.VersionTLS13}})
	c.SetTransportParameters(append([]byte{0x0f, byte(len(scid))}, scid...))
	if err := c.Start(context.Background()); err != nil {
		return nil, err
	}
	defer c.Close()
	for {
		switch e := c.NextEvent(); e.Kind {
		case tls.QUICWriteData:
			return insertExtension(e.Data, requestMTLS)
		case tls.QUICNoEvent:
			return nil, errHello
		}
	}
}

// dtlsHello makes a hello of TLS one of DTLS 1.2: another version, and an empty cookie
// (RFC 6347, Section 4.2.1). It has the header of TLS.
func dtlsHello(msg []byte) []byte {
	at := 4 + 2 + 32
	at += 1 + int(msg[at])
	out := slices.Concat(msg[:at], []byte{0}, msg[at:])
	out[4], out[5] = 0xfe, 0xfd
	return setLength(out)
}

// insertExtension puts an extension before the others of a ClientHello.
func insertExtension(msg, extension []byte) ([]byte, error) {
	at, err := extensionsAt(msg)
	if err != nil {
		return nil, err
	}
	out := slices.Concat(msg[:at+2], extension, msg[at+2:])
	binary.BigEndian.PutUint16(out[at:], binary.BigEndian.Uint16(msg[at:])+uint16(len(extension)))
	return setLength(out), nil
}

// setLength makes the length in the header of a handshake message right.
func setLength(msg []byte) []byte {
	n := len(msg) - 4
	msg[1], msg[2], msg[3] = byte(n>>16), byte(n>>8), byte(n)
	return msg
}

var errHello = errors.New("not a ClientHello")

// extensionsAt returns where the length of the extensions is.
func extensionsAt(msg []byte) (int, error) {
	i := 4 + 2 + 32
	for _, size := range []int{1, 2, 1} { // session id, cipher suites, compression methods
		if len(msg) < i+size {
			return 0, errHello
		}
		n := int(msg[i])
		if size == 2 {
			n = n<<8 | int(msg[i+1])
		}
		i += size + n
	}
	if len(msg) < i+2 {
		return 0, errHello
	}
	return i, nil
}

// withoutFlag returns a hello as long as msg, with another name and without the flag: its
// extension has an unknown type.
func withoutFlag(msg []byte) []byte {
	msg = bytes.ReplaceAll(msg, []byte(realName), []byte(decoyName))
	for i := bytes.Index(msg, requestMTLS); i >= 0; i = bytes.Index(msg, requestMTLS) {
		msg[i], msg[i+1] = 0x1a, 0x2b
	}
	return msg
}

// A reading is what somebody read of a ClientHello: "flagged NAME" or "plain NAME".
type reading string

func newReading(flagged bool, name string) reading {
	kind := "plain"
	if flagged {
		kind = "flagged"
	}
	return reading(fmt.Sprintf("%s %s", kind, name))
}

// readStream reads the first handshake message of a stream as tolerant as all servers
// together: it passes over what is not a handshake record. ok is false if there is no
// whole message, or if it is no ClientHello.
func readStream(b []byte) (reading, bool) {
	var msg []byte
	for len(b) >= 5 {
		n := int(binary.BigEndian.Uint16(b[3:]))
		part := b[5:min(5+n, len(b))]
		if b[0] == 22 {
			msg = append(msg, part...)
		}
		b = b[5+len(part):]
	}
	if len(msg) < 4 || msg[0] != 1 {
		return "", false
	}
	n := 4 + (int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3]))
	if len(msg) < n {
		return "", false
	}
	return readHello(msg[:n])
}

// readHello reads the name and the flag of a ClientHello; of several extensions of one type
// the first counts.
func readHello(msg []byte) (reading, bool) {
	at, err := extensionsAt(msg)
	if err != nil {
		return "", false
	}
	found := make(map[uint16][]byte)
	for b := msg[at+2:]; len(b) >= 4; {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+n {
			return "", false
		}
		if _, had := found[kind]; !had {
			found[kind] = b[4 : 4+n]
		}
		b = b[4+n:]
	}
	name := ""
	if b := found[0]; len(b) > 5 {
		name = string(b[5:min(len(b), 5+int(binary.BigEndian.Uint16(b[3:])))])
	}
	flags := found[62]
	return newReading(len(flags) > 11 && flags[11]&1 != 0, name), true
}
