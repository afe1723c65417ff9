package columns

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

var update = flag.Bool("update", false, "write the file of testdata")

// TestRows compares the columns, and the rows of the corpus and of hellos with odd values, with
// testdata/rows.txt.
func TestRows(t *testing.T) {
	var b strings.Builder
	for _, c := range All() {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", c.Name, c.Key, c.Type())
	}
	for e := range corpus.OfKind(corpus.Captures) {
		r, err := capture.Open(bytes.NewReader(e.Data()), capture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, sum := 0, fnv.New32a()
		for h := range r.Hellos() {
			n++
			write(t, sum, Of(e.File, h))
		}
		fmt.Fprintf(&b, "%s\t%d\t%08x\n", e.File, n, sum.Sum32())
	}
	for e := range corpus.OfKind(corpus.Records) {
		var records assemble.Records
		records.Reset(make([]byte, assemble.MaxMessage))
		if r := records.Feed(e.Data()); r.Outcome == assemble.Complete {
			sum := fnv.New32a()
			write(t, sum, Of("", &capture.Hello{Message: r.Message, Transport: capture.TCP, Src: netip.MustParseAddrPort("[2001:db8::1]:1")}))
			for i := range min(len(r.Message), 300) { // odd fields and bodies
				changed := bytes.Clone(r.Message)
				changed[i] ^= 3
				write(t, sum, Of("", &capture.Hello{Message: changed, Transport: capture.TCP}))
			}
			fmt.Fprintf(&b, "%s\t%08x\n", e.File, sum.Sum32())
		}
	}
	for _, h := range oddHellos() {
		write(t, &b, Of("a\xff", &h))
	}
	const file = "testdata/rows.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("%s differs; go test -update writes it (-want +got):\n%s", file, diff)
	}
}

// write writes a row in a line, without its empty values.
func write(t *testing.T, w io.Writer, r Row) {
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Split(string(text), ",\"") {
		if !strings.HasSuffix(field, ":null") {
			fmt.Fprint(w, field, " ")
		}
	}
	fmt.Fprintln(w)
}

// oddHellos have values at the limits of the columns.
func oddHellos() []capture.Hello {
	src, dst := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")
	flags := []byte{1, 0, 0, 59, 3, 3, 32: 9, 37: 0, 38: 0, 39: 0, 2, 0x13, 1, 1, 0, 0, 16, 0, 62, 0, 12, 11, 61: 1, 62: 0}
	return []capture.Hello{
		{Transport: capture.QUIC, Src: src, Dst: dst, QUIC: assemble.QUICInfo{Version: 1, DCID: []byte{1}, TokenLength: 7, Retry: true}, Pieces: capture.Pieces{Packets: 2, Datagrams: 3}},
		{Transport: capture.DTLS, Src: src, Dst: dst, DTLS: assemble.DTLSInfo{Version: 0xfefd, MessageSeq: 4}, Pieces: capture.Pieces{Records: 5}},
		{Transport: capture.TCP, Src: src, DTLS: assemble.DTLSInfo{Version: 1}, Pieces: capture.Pieces{Segments: 6}},
		{Transport: capture.TCP, Dst: dst},
		{Transport: capture.TCP, Index: 1, FlagsChanged: true, Prologue: 1, PrologueProtocol: "smtp"},
		{Transport: capture.Raw, Index: 2, FlagsChanged: true, Frames: []int{3, 1}, Contradicts: []int{9}, Path: []string{"eth"}, Trailing: 2},
		{Index: 2, Code: extension.ErrSSLv2Hello, Offset: 5, Faults: []capture.Fault{{Code: "x", Offset: 8}}},
		{Ambiguous: 3},
		{Time: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Time: time.Date(-1, 12, 31, 23, 59, 59, 0, time.UTC)},
		{Time: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)},
		{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Time: time.Date(2026, 1, 1, 0, 0, 0, 1_999, time.FixedZone("", 3600))},
		{Message: flags[:63], Transport: capture.TCP},
	}
}

// TestRowGroupLimit checks that a row group has as many bytes as are allowed.
func TestRowGroupLimit(t *testing.T) {
	w, err := NewWriter(io.Discard, "message", "ja4", "time")
	if err != nil {
		t.Fatal(err)
	}
	add := func(n int) int {
		if err := w.Write(&Row{Message: make([]byte, n)}); err != nil {
			t.Fatal(err)
		}
		return w.size
	}
	const row = 4 + 2 + 8 + 2 + 8 + 2 // an empty blob, a text that is null and a time, with their levels
	for _, c := range [][2]int{
		{0, row}, {100, 2*row + 100}, {MaxRowGroup - 3*row - 100, MaxRowGroup}, {0, row}, {MaxRowGroup - 2*row + 1, MaxRowGroup - row + 1},
	} {
		if got := add(c[0]); got != c[1] {
			t.Errorf("after a message of %d bytes: %d, want %d", c[0], got, c[1])
		}
	}
	for _, c := range []struct {
		v    parquet.Value
		want int
	}{{parquet.ValueOf([]byte("abc")), 9}, {parquet.ValueOf([]byte{}), 6}, {parquet.ValueOf(nil), 10}, {parquet.ValueOf(int32(1)), 10}, {parquet.ValueOf(true), 10}} {
		if got := sizeOf(c.v); got != c.want {
			t.Errorf("%v: %d bytes, want %d", c.v, got, c.want)
		}
	}
}

// full is a file that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriteErrors(t *testing.T) {
	w, err := NewWriter(full{}, "message")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{MaxRowGroup, 1} {
		err = errors.Join(err, w.Write(&Row{Message: make([]byte, n)}))
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a row group: %v", err)
	}
	if w, err = NewWriter(full{}, "ja4"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("the end of the file: no error")
	}
}
