//go:build unix

package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// waiting is a standard input to which nobody writes.
type waiting struct{ read chan<- bool }

func (w waiting) Read([]byte) (int, error) {
	w.read <- true
	select {}
}

// TestInterruptWaiting checks that an interrupt ends a command that waits for its input.
func TestInterruptWaiting(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		testenv.Skip(t, err.Error())
	}
	tests := []struct {
		args   []string
		want   Exit
		stderr string
	}{
		{[]string{"inspect", "-"}, ExitDone, "0 hellos"},
		{[]string{"inspect", pipe}, ExitDone, "0 hellos"},
		{[]string{"inspect", "--keylog", pipe, "x"}, ExitInput, "interrupted"},
		{[]string{"inspect", "--keylog", "-", "x"}, ExitInput, "interrupted"},
		{[]string{"explain", "-"}, ExitInput, "-: interrupted"},
		{[]string{"explain", pipe}, ExitInput, "pipe: interrupted"},
		{[]string{"explain", "--hello", pipe, "080000020000"}, ExitInput, "interrupted"},
		{[]string{"get", "--flag", "none", "--ca", pipe, "https://127.0.0.1:1/"}, ExitInput, "interrupted"},
		{[]string{"get", "--cert", pipe, "--key", "x", "https://127.0.0.1:1/"}, ExitInput, "interrupted"},
		{[]string{"probe", "--ca", pipe, "127.0.0.1:1"}, ExitInput, "interrupted"},
		{[]string{"vectors", "run", "--known", pipe, "--", "x"}, ExitInput, "interrupted"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args[:len(tt.args)-1], " "), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			read, ended := make(chan bool), make(chan int, 1)
			var stderr bytes.Buffer
			go func() { ended <- Run(ctx, tt.args, waiting{read}, io.Discard, &stderr) }()
			if strings.Contains(strings.Join(tt.args, " ")+" ", " - ") {
				<-read
			}
			cancel()
			if code := <-ended; Exit(code) != tt.want || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit %d, %s", code, &stderr)
			}
		})
	}
}
