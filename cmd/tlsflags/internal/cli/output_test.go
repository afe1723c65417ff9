package cli

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// failing is an output that cannot be written.
type failing struct{ errno syscall.Errno }

func (f failing) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: f.errno}
}

// TestOutputFails checks that every command ends with 3 if standard output cannot be
// written, and with 0 when nobody reads it any more.
func TestOutputFails(t *testing.T) {
	for _, args := range []string{
		"", "--version", "--help", "help", "help inspect", "inspect --help", "vectors", "completion bash",
		"flags", "flags -f json", "encode 80", "explain 003e00020100", "explain -f json 003e00020100",
	} {
		for errno, want := range map[syscall.Errno]Exit{syscall.ENOSPC: ExitInput, syscall.EPIPE: ExitDone} {
			t.Run(fmt.Sprintf("%s/%s", args, errno), func(t *testing.T) {
				var stderr bytes.Buffer
				code := Run(t.Context(), strings.Fields(args), strings.NewReader(""), failing{errno}, &stderr)
				text := ""
				if want == ExitInput {
					text = "tlsflags: standard output: " + errno.Error() + "\n"
				}
				if Exit(code) != want || stderr.String() != text {
					t.Errorf("exit %d, want %d: %s", code, want, &stderr)
				}
			})
		}
	}
}

// TestBrokenConnection checks that the EPIPE of a connection is a failure.
func TestBrokenConnection(t *testing.T) {
	var stderr bytes.Buffer
	root := newRoot()
	root.SetErr(&stderr)
	broken := &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}
	code := conclude(root, new(output).outcome(asExitError(fmt.Errorf("get: %w", broken))))
	if Exit(code) != ExitInput || !strings.Contains(stderr.String(), "broken pipe") {
		t.Errorf("exit %d, %s", code, &stderr)
	}
}

// TestFailedOutputHidesNoOtherFault checks that another error is kept.
func TestFailedOutputHidesNoOtherFault(t *testing.T) {
	other := errors.New("other")
	if err := (&output{err: errOutputClosed}).outcome(other); err != other {
		t.Errorf("got %v", err)
	}
}

// TestDocumentsArePrintable checks that the names of files and the answers of servers cannot
// control the terminal.
func TestDocumentsArePrintable(t *testing.T) {
	const hostile = "\u009b31m\u202e"
	name := filepath.Join(t.TempDir(), hostile)
	if err := os.WriteFile(name, []byte{0, 62, 0, 2, 1, 1}, 0o600); err != nil {
		testenv.Skip(t, err.Error()) // no such names here
	}
	var out, status bytes.Buffer
	if code := Run(t.Context(), []string{"explain", "-f", "json", name}, nil, &out, &out); code != 0 {
		t.Fatalf("exit %d, %s", code, &out)
	}
	tellReport(&status, &http.Response{Proto: "HTTP/1.1", Status: "200 " + hostile, TLS: &tls.ConnectionState{}}, new(wanted))
	for _, text := range []string{out.String(), status.String()} {
		if strings.ContainsAny(text, "\u009b\u202e") || !strings.Contains(text, `\u009b31m\u202e`) {
			t.Errorf("%q", text)
		}
	}
}
