package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/extension"
)

// A verdict is what a stack did: "accept" (it answered with a handshake message), "waits",
// "closes", the number of the alert that it sent, or the name of an error of QUIC.
type verdict string

const (
	accept verdict = "accept"
	waits  verdict = "waits"
	closes verdict = "closes"
)

// name is the verdict as in the vectors.
func (v verdict) name() string {
	if n, err := strconv.ParseUint(string(v), 10, 8); err == nil {
		return extension.Alert(n).String()
	}
	return string(v)
}

// read reports whether the stack has read the ClientHello: it has accepted it, or has sent
// an alert about what it supports. After a record of another version than those of
// TLS, protocol_version is an answer to the record. A hello that has nothing to negotiate
// is refused by any alert.
func (s stack) read(v verdict, kind string, input []byte) bool {
	if v == accept {
		return true
	}
	if v == verdict(strconv.Itoa(protocolVersion)) && kind != clientHello && kind != extensionBodies && kind != dtlsKind {
		return false
	}
	n, err := strconv.Atoi(string(v))
	return err == nil && (slices.Contains(readAlerts, n) || slices.Contains(s.alsoRead, n)) && !isSSLv2(input) && !lacksSuites(input)
}

// isSSLv2 reports whether a stream begins with an SSLv2-compatible hello, as defined in
// RFC 5246, Appendix E.2.
func isSSLv2(stream []byte) bool { return len(stream) > 2 && stream[0]&0x80 != 0 && stream[2] == 1 }

// lacksSuites reports whether a ClientHello message has an empty list of cipher suites.
func lacksSuites(message []byte) bool {
	const sessionID = 4 + 2 + 32
	if len(message) <= sessionID || message[0] != 1 {
		return false
	}
	suites := sessionID + 1 + int(message[sessionID])
	return len(message) >= suites+2 && message[suites] == 0 && message[suites+1] == 0
}

// A process is a driver while it runs.
type process struct {
	stack
	version string // name@version
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// start builds a driver and starts it in dir, which has the certificates.
func (s stack) start(sources, dir string) (*process, error) {
	command, err := s.build(sources, dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{s, "", cmd, in, bufio.NewReader(out)}
	p.version, err = p.line()
	return p, err
}

func (p *process) line() (string, error) {
	late := time.AfterFunc(time.Minute, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	text, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the driver ended, or did not answer in a minute: %w", err)
	}
	return strings.TrimSpace(text), nil
}

func (p *process) stop() error {
	p.in.Close()
	io.Copy(io.Discard, p.out)
	return p.cmd.Wait()
}

// ask gives a ClientHello to the stack.
func (p *process) ask(over transport, pieces ...[]byte) (verdict, error) {
	if over == message && !slices.Contains(p.transports, message) {
		over, pieces = tls, [][]byte{records(pieces[0])}
	}
	var digits []string
	for _, piece := range pieces {
		digits = append(digits, hex.EncodeToString(piece))
	}
	if _, err := fmt.Fprintf(p.in, "%s\t%s\n", over, strings.Join(digits, ",")); err != nil {
		return "", err
	}
	text, err := p.line()
	if err != nil {
		return "", err
	}
	what, rest, _ := strings.Cut(text, " ")
	switch what {
	case "wrote":
		written, err := hex.DecodeString(rest)
		return verdictOf(over, written), err
	case "alert":
		return verdict(rest), nil
	}
	return verdict(what), nil
}

// verdictOf names what a server does that has written something.
func verdictOf(over transport, written []byte) verdict {
	const alert, handshake, closeNotify = 21, 22, 0
	header := 5
	if over == dtls {
		header = 13
	}
	switch {
	case written[0] == alert && len(written) > header+1 && written[header+1] != closeNotify:
		return verdict(strconv.Itoa(int(written[header+1])))
	case written[0] == handshake:
		return accept
	}
	return closes
}

// records puts a handshake message into TLS records.
func records(message []byte) []byte {
	const largest = 1 << 14
	var stream []byte
	for len(message) > 0 {
		n := min(len(message), largest)
		stream = append(stream, 22, 3, 1, byte(n>>8), byte(n))
		stream = append(stream, message[:n]...)
		message = message[n:]
	}
	return stream
}
