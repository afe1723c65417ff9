package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

// TestFollow checks that --follow prints a hello when the file has it, waits for the rest of
// a packet, and ends when it is interrupted, or the file is no longer the same.
func TestFollow(t *testing.T) {
	entry, _ := corpus.Lookup("captures/tcp-ipv6-curl.pcapng")
	data := entry.Data()
	for name, row := range map[string]struct {
		end    func(path string, cancel func()) error
		exit   Exit
		stderr string
	}{
		"interrupted": {func(_ string, cancel func()) error { cancel(); return nil }, ExitDone, "1 hello,"},
		"removed":     {func(path string, _ func()) error { return os.Remove(path) }, ExitInput, "the file was removed"},
		"truncated":   {func(path string, _ func()) error { return os.Truncate(path, 100) }, ExitInput, "the file was truncated"},
		"replaced": {func(path string, _ func()) error {
			other := path + "2"
			if err := os.WriteFile(other, data, 0o600); err != nil {
				return err
			}
			return os.Rename(other, path)
		}, ExitInput, "the file was replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, w := io.Pipe()
			var stderr bytes.Buffer
			ended := make(chan int, 1)
			go func() {
				ended <- Run(ctx, []string{"inspect", "--follow", path}, nil, w, &stderr)
				w.Close()
			}()
			for _, part := range [][]byte{data[:len(data)/10], data[len(data)/10:]} {
				if _, err := f.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			lines := bufio.NewReader(out)
			for _, want := range []string{"CLIENT", "2026-11-24", "tcp"} {
				if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, want) {
					t.Errorf("got %q, %v", line, err)
				}
			}
			if err := row.end(path, cancel); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
				t.Errorf("after that: %q, %v", rest, err)
			}
			if code := <-ended; Exit(code) != row.exit || !strings.Contains(stderr.String(), row.stderr) {
				t.Errorf("exit %d, %s", code, &stderr)
			}
		})
	}
}
