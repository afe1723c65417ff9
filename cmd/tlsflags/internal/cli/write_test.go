package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestPacketsLost checks that packets are counted that have left the buffer of a stream.
func TestPacketsLost(t *testing.T) {
	demo, _ := corpus.Lookup("captures/demo.pcapng")
	c, err := capture.Open(bytes.NewReader(demo.Data()), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "out")
	p, err := createPcap(name)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	in := &inspection{cmd: new(cobra.Command)}
	in.cmd.SetErr(&stderr)
	p.room = 2048 // not enough for a hello in two packets and what comes before it
	p.begin(c, false)
	for h := range c.Hellos() {
		p.selected(h)
	}
	if err := p.end(in, "demo", nil); err != nil {
		t.Fatal(err)
	}
	if err := p.finish(in); err != nil {
		t.Fatal(err)
	}
	if p.lost == 0 || p.written+p.lost != c.Stats().Packets {
		t.Errorf("%d written, %d lost of %d", p.written, p.lost, c.Stats().Packets)
	}
	if !strings.Contains(stderr.String(), "packets not written, which had left the buffer of 2 kB") {
		t.Errorf("standard error:\n%s", &stderr)
	}
}

// TestPcapInterrupted checks that packets are missed that were not written before the run ended.
func TestPcapInterrupted(t *testing.T) {
	demo, _ := corpus.Lookup("captures/demo.pcapng")
	c, err := capture.Open(bytes.NewReader(demo.Data()), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := createPcap(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	in := &inspection{cmd: new(cobra.Command)}
	in.cmd.SetErr(&stderr)
	p.begin(c, true)
	for h := range c.Hellos() {
		p.selected(h)
	}
	if err := p.finish(in); err != nil || !strings.Contains(stderr.String(), "packets of the last capture are missing") {
		t.Errorf("%v, standard error:\n%s", err, &stderr)
	}
}

// TestPcapFails checks that a run that fails leaves no file, and an old one as it was.
func TestPcapFails(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := createPcap(name)
	if err != nil {
		t.Fatal(err)
	}
	p.file.f.Close()
	p.write(capture.Packet{Data: make([]byte, 100)})
	if err := p.finish(&inspection{}); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("error %v", err)
	}
	files, err := os.ReadDir(dir)
	if data, _ := os.ReadFile(name); err != nil || len(files) != 1 || string(data) != "old" {
		t.Errorf("files %v, %v, content %q", files, err, data)
	}
}

// TestWrittenNames has a name that would control the terminal.
func TestWrittenNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a\x1b[31m")
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	out, code := runCLI(t, "inspect", "--stats", "--write-hellos", name, "--write-pcap", name+".pcapng", demo)
	if code != 0 || strings.Contains(out, "\x1b") || strings.Count(out, `a\x1b[31m`) != 2 {
		t.Errorf("exit %d: %q", code, out)
	}
}
