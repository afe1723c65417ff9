// Command observe gives the ClientHello vectors to TLS servers and records what they do:
//
//	go run ./vectors/internal/observe -o vectors/internal/generate/observed.json
//
// It runs crypto/tls itself, and compiles the C programs in servers/ for OpenSSL and
// GnuTLS. All servers have default settings and the same certificates.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("observe: ")
	out := flag.String("o", "observed.json", "write to this file")
	sources := flag.String("sources", "vectors/internal/observe/servers", "folder of the C programs")
	flag.Parse()
	if err := observe(*out, *sources); err != nil {
		log.Fatal(err)
	}
}

// Observed is the content of observed.json. The verdicts of a test are in the order of
// Implementations.
type Observed struct {
	Implementations []string            `json:"implementations"`
	Verdicts        map[string][]string `json:"verdicts"`
}

func observe(out, sources string) error {
	dir, err := os.MkdirTemp("", "observe")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := newServer(dir)
	if err != nil {
		return err
	}
	openssl, err := compile(dir, sources, "openssl", "-lssl", "-lcrypto")
	if err != nil {
		return err
	}
	gnutls, err := compile(dir, sources, "gnutls", "-lgnutls")
	if err != nil {
		return err
	}
	o := Observed{[]string{server.version(), openssl.version, gnutls.version}, map[string][]string{}}
	f, err := vectors.Load(vectors.ClientHello)
	if err != nil {
		return err
	}
	for _, t := range f.All() {
		if t.Prefixes != nil {
			continue
		}
		stream := records(t.Input)
		verdicts := []string{server.verdict(stream)}
		for _, p := range []*program{openssl, gnutls} {
			v, err := p.verdict(stream)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", p.version, t.ID, err)
			}
			verdicts = append(verdicts, v)
		}
		o.Verdicts[t.ID] = verdicts
	}
	text, err := json.MarshalIndent(o, "", "")
	if err != nil {
		return err
	}
	// A line for each test.
	compact := strings.ReplaceAll(string(text), "[\n", "[")
	compact = strings.ReplaceAll(compact, "\",\n\"", "\", \"")
	compact = strings.ReplaceAll(compact, "\"\n]", "\"]")
	return os.WriteFile(out, []byte(compact+"\n"), 0o666)
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

// A program reads one stream from each line, and answers each with a line.
type program struct {
	version string
	in      io.Writer
	out     *bufio.Reader
}

func compile(dir, sources, name string, libraries ...string) (*program, error) {
	binary := filepath.Join(dir, name)
	args := append([]string{"-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-O1", "-o", binary, filepath.Join(sources, name+".c")}, libraries...)
	if output, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	cmd := exec.Command(binary, filepath.Join(dir, "ecdsa.pem"), filepath.Join(dir, "rsa.pem"))
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
	p := &program{in: in, out: bufio.NewReader(out)}
	p.version, err = p.line()
	return p, err
}

func (p *program) line() (string, error) {
	text, err := p.out.ReadString('\n')
	return strings.TrimSpace(text), err
}

// verdict sends a stream and returns what the server does.
func (p *program) verdict(stream []byte) (string, error) {
	if _, err := fmt.Fprintln(p.in, hex.EncodeToString(stream)); err != nil {
		return "", err
	}
	text, err := p.line()
	if err != nil {
		return "", err
	}
	state, answer, _ := strings.Cut(text, " ")
	b, err := hex.DecodeString(answer)
	if err != nil {
		return "", err
	}
	return verdictOf(b, state == "waits"), nil
}
