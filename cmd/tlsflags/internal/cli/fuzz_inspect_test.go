package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// CheckInspect runs tlsflags inspect on what is on standard input. Any input is fine
// or unreadable, the answer is well formed, and the same for the same input.
func CheckInspect(file []byte, choice byte) error {
	format := []string{"text", "jsonl", "json", "csv"}[choice%4]
	args := []string{"inspect", "--format", format}
	for bit, option := range []string{"--stats", "--strict", "--redact", "--quiet"} {
		if choice>>(4+bit)&1 != 0 {
			args = append(args, option)
		}
	}
	if choice&4 != 0 {
		args = append(args, "--strict-capture")
	}
	args = append(args, "-")
	var out, complaints bytes.Buffer
	exit := Run(context.Background(), args, bytes.NewReader(file), &out, &complaints)
	switch {
	case exit == int(ExitDone), exit == int(ExitInput) && complaints.Len() > 0:
	case exit == int(ExitRefused) && slices.Contains(args, "--strict"):
	case exit == int(ExitCapture) && slices.Contains(args, "--strict-capture"):
	default:
		return fmt.Errorf("%q: exit code %d, %q", args, exit, complaints.String())
	}
	for _, c := range append(out.Bytes(), complaints.Bytes()...) {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return fmt.Errorf("%q: control character %#x in the output", args, c)
		}
	}
	if format == "jsonl" || format == "json" {
		decoder := json.NewDecoder(&out)
		for {
			var v any
			if err := decoder.Decode(&v); err == io.EOF {
				break
			} else if err != nil {
				return fmt.Errorf("%q: %w", args, err)
			}
		}
	}
	return nil
}

func checkInspectInput(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return CheckInspect(data[1:], data[0])
}

// inspectSeeds are captures, also in the compressed form, and hellos in the other forms
// that the command reads. The options follow from the file, so that a new one changes no
// other seed.
func inspectSeeds(yield func([]byte) bool) {
	fuzzing.Chain(smallCaptures, fuzzing.GzippedCaptures, fuzzing.Messages,
		fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte { return assembletest.InRecords(msg, nil) }),
		fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte { return fmt.Appendf(nil, "%x\n", msg) }),
	)(func(file []byte) bool {
		sum := sha256.Sum256(file)
		return yield(append([]byte{sum[0]}, file...))
	})
}

// smallCaptures are recordings, and what fuzzing of captures has found.
func smallCaptures(yield func([]byte) bool) {
	const large = 40_000 // takes longer to read than it is worth
	for _, kind := range []corpus.Kind{corpus.Captures, corpus.FuzzKind("FuzzCapture")} {
		for e := range corpus.OfKind(kind) {
			if data := e.Data(); len(data) <= large && !yield(data) {
				return
			}
		}
	}
}
