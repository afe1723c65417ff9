package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/linear"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
)

func TestWorkIsLinear(t *testing.T) {
	const module = "github.com/tlsflags/tlsflags/"
	linear.Check(t, []string{".", module + "capture", module + "cmd/tlsflags/internal/annotate"}, linearShapes())
}

// linearShapes are inputs for the commands.
func linearShapes() map[string]linear.Shape {
	run := func(input []byte, args ...string) func() {
		return func() {
			var complaints bytes.Buffer
			if exit := Run(context.Background(), append(args, "-"), bytes.NewReader(input), io.Discard, &complaints); exit != 0 {
				panic(complaints.String())
			}
		}
	}
	const most = 8_000
	long := func(n int) []byte { return clienthellotest.Hello{Extensions: extensiontest.Many(n)}.Message() }
	all := make(map[string]linear.Shape)
	for _, format := range []string{"text", "json"} {
		all["Explain, as "+format] = linear.Shape{N: most / 2, Prepare: func(n int) func() { return run(long(n), "explain", "--format", format) }}
	}
	for _, format := range []string{"text", "jsonl", "json", "csv"} {
		all["Inspect, many extensions, as "+format] = linear.Shape{N: most, Prepare: func(n int) func() {
			return run(long(n), "inspect", "--format", format)
		}}
		all["Inspect, many hellos in hexadecimal, as "+format] = linear.Shape{N: 800, Prepare: func(n int) func() {
			line := hex.EncodeToString(clienthellotest.Hello{Extensions: extensiontest.Many(10)}.Message()) + "\n"
			return run([]byte(strings.Repeat(line, n)), "inspect", "--format", format)
		}}
	}
	return all
}
