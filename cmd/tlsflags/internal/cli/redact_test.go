package cli

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

// TestRedact looks for what --redact leaves out in all that inspect writes, standard
// error included.
func TestRedact(t *testing.T) {
	customer := filepath.Join(t.TempDir(), "customer.example")
	if err := os.Mkdir(customer, 0o700); err != nil {
		t.Fatal(err)
	}
	demo, _ := corpus.Lookup("captures/demo.pcapng")
	quic, _ := corpus.Lookup("captures/quic-v1-chromium-156-unanswered.pcap")
	var files []string
	for name, data := range map[string][]byte{
		"demo.pcapng": demo.Data(),
		"quic.pcap":   quic.Data(),
		"cut.pcapng":  demo.Data()[:len(demo.Data())-5],
		"text":        []byte("neither"),
	} {
		file := filepath.Join(customer, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	files = append(files, filepath.Join(customer, "missing"))

	secrets := []string{"customer.example", "demo.example", "127.0.0.1", ":443"}
	for _, hello := range append(demo.Hellos, quic.Hellos...) {
		secrets = append(secrets, hello.Random, hello.ServerName, hello.Src)
	}
	secrets = append(secrets, sessionIDs(t, files)...)
	for _, format := range outputFormats {
		t.Run(format, func(t *testing.T) {
			out, _ := runCLI(t, append([]string{"inspect", "--redact", "--format", format}, files...)...)
			if !strings.Contains(out, "request_mtls") {
				t.Errorf("no flag left in %.200s", out)
			}
			for _, secret := range secrets {
				if secret != "" && strings.Contains(out, secret) {
					t.Errorf("%q is in the output", secret)
				}
			}
		})
	}
}

// sessionIDs returns those that are told without --redact.
func sessionIDs(t *testing.T, files []string) []string {
	t.Helper()
	out, _ := runCLI(t, append([]string{"inspect", "--quiet", "--format", "jsonl"}, files...)...)
	var ids []string
	for text := range strings.Lines(out) {
		var l struct {
			ClientHello struct {
				SessionID string `json:"session_id"`
			} `json:"client_hello"`
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			continue // a line of standard error
		}
		if id := l.ClientHello.SessionID; id != "" {
			if _, err := hex.DecodeString(id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		t.Fatal("no session id to look for")
	}
	return ids
}

// runCLI returns everything that the command writes, and its exit code.
func runCLI(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := Run(t.Context(), args, strings.NewReader(""), &out, &out)
	return out.String(), code
}
