package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/parquet-go/parquet-go"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/capture/columns"
	"github.com/tlsflags/tlsflags/corpus"
)

// runAsJob is in the environment of a process that is the job and not the tests.
const runAsJob = "BEAM_TEST_JOB"

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	if os.Getenv(runAsJob) == "" {
		os.Exit(m.Run())
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// job runs the pipeline in this process.
func job(t *testing.T, patterns, output string) {
	t.Helper()
	*input, *into, *shards = patterns, output, 3
	if err := run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

type packet struct {
	data []byte
	info gopacket.CaptureInfo
	link layers.LinkType
}

// corpusPackets returns the packets of all captures of the corpus, in order of time.
func corpusPackets(t *testing.T) (packets []packet) {
	t.Helper()
	for entry := range corpus.All() {
		if !strings.HasPrefix(entry.File, "captures/") {
			continue
		}
		var read func() ([]byte, gopacket.CaptureInfo, error)
		var link func(gopacket.CaptureInfo) layers.LinkType
		if ng, err := pcapgo.NewNgReader(bytes.NewReader(entry.Data()), pcapgo.NgReaderOptions{WantMixedLinkType: true}); err == nil {
			read = ng.ReadPacketData
			link = func(info gopacket.CaptureInfo) layers.LinkType {
				intf, err := ng.Interface(info.InterfaceIndex)
				if err != nil {
					t.Fatal(err)
				}
				return intf.LinkType
			}
		} else if pcap, err := pcapgo.NewReader(bytes.NewReader(entry.Data())); err == nil {
			read = pcap.ReadPacketData
			link = func(gopacket.CaptureInfo) layers.LinkType { return pcap.LinkType() }
		} else {
			t.Fatal(entry.File, err)
		}
		for {
			data, info, err := read()
			if err != nil {
				break
			}
			packets = append(packets, packet{data, info, link(info)})
		}
	}
	slices.SortStableFunc(packets, func(a, b packet) int { return a.info.Timestamp.Compare(b.info.Timestamp) })
	return packets
}

// writeParts writes the packets to n files, cut at random, into a folder.
func writeParts(t *testing.T, packets []packet, dir string, n int, r *rand.Rand) (names []string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cuts := []int{0, len(packets)}
	for len(cuts) < n+1 {
		if at := 1 + r.Intn(len(packets)-1); !slices.Contains(cuts, at) {
			cuts = append(cuts, at)
		}
	}
	slices.Sort(cuts)
	for i := range n {
		var b bytes.Buffer
		var w *pcapgo.NgWriter
		links := make(map[layers.LinkType]int)
		for _, p := range packets[cuts[i]:cuts[i+1]] {
			id, ok := links[p.link]
			var err error
			if intf := (pcapgo.NgInterface{LinkType: p.link, SnapLength: 1 << 18}); w == nil {
				w, err = pcapgo.NewNgWriterInterface(&b, intf, pcapgo.DefaultNgWriterOptions)
			} else if !ok {
				id, err = w.AddInterface(intf)
			}
			if err != nil {
				t.Fatal(err)
			}
			links[p.link], p.info.InterfaceIndex = id, id
			if err := w.WritePacket(p.info, p.data); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("part-%d.pcapng", i))
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// joinedRows returns the rows of tlsflags inspect --join, with the files of the frames.
func joinedRows(t *testing.T, names []string) (rows []string) {
	t.Helper()
	var files []capture.File
	for _, name := range names {
		files = append(files, capture.File{Name: name, Open: func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	r := capture.Join(capture.Options{}, files...)
	for h := range r.Hellos() {
		row := columns.Of("", h)
		for _, frame := range h.Frames {
			row.FrameFiles = append(row.FrameFiles, r.File(frame))
		}
		rows = append(rows, text(row))
	}
	slices.Sort(rows)
	return rows
}

// text returns a row without what is counted in another way.
func text(row columns.Row) string {
	row.Source, row.Frames, row.Contradicts = "", make([]int64, len(row.Frames)), make([]int64, len(row.Contradicts))
	var b strings.Builder
	w, _ := columns.NewWriter(&b)
	w.Write(&row)
	w.Close()
	return b.String()
}

// outputs returns the files in a folder with their content.
func outputs(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// writtenRows returns the rows of all files, and checks where they are.
func writtenRows(t *testing.T, dir, sensor string) (rows []columns.Row) {
	t.Helper()
	for name, content := range outputs(t, dir) {
		list, err := parquet.Read[columns.Row](strings.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, row := range list {
			if want := "/day=" + row.Time.Format(time.DateOnly) + "/sensor=" + sensor + "/"; !strings.HasPrefix(name, want) {
				t.Errorf("a row of %s is in %s", want, name)
			}
			if len(row.Frames) != len(row.FrameFiles) || len(row.Frames) > 0 && row.Source != row.FrameFiles[0] {
				t.Errorf("source %q, frames %v of %q", row.Source, row.Frames, row.FrameFiles)
			}
		}
		rows = append(rows, list...)
	}
	return rows
}

// TestJoin cuts the corpus at random packets, and compares the rows of the pipeline with those
// of tlsflags inspect --join.
func TestJoin(t *testing.T) {
	packets := corpusPackets(t)
	r := rand.New(rand.NewSource(1))
	for _, n := range []int{1, 2, 8, 40} {
		dir := t.TempDir()
		names := writeParts(t, packets, filepath.Join(dir, "sensor 1"), n, r)
		out := filepath.Join(dir, "out")
		job(t, filepath.Join(dir, "*", "*.pcapng"), out)
		var got []string
		crossing := 0
		for _, row := range writtenRows(t, out, "sensor%201") {
			got = append(got, text(row))
			if len(slices.Compact(row.FrameFiles)) > 1 {
				crossing++
			}
		}
		slices.Sort(got)
		want := joinedRows(t, names)
		if !slices.Equal(got, want) {
			t.Errorf("%d files: %d rows, want %d", n, len(got), len(want))
		}
		t.Logf("%d files: %d rows, %d of several files", n, len(got), crossing)
	}
}

// TestKilled kills a job at random points and runs it again: the files are those of a job that
// was not.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewSource(2))
	writeParts(t, corpusPackets(t), filepath.Join(dir, "a"), 8, r)
	patterns, clean := filepath.Join(dir, "a", "*"), filepath.Join(dir, "clean")
	start := time.Now()
	job(t, patterns, clean)
	took := time.Since(start)
	want := outputs(t, clean)
	killed := 0
	for i := range 4 {
		out := filepath.Join(dir, fmt.Sprint("killed", i))
		run := func(limit time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-input", patterns, "-output", out, "-shards", "3")
			cmd.Env = append(os.Environ(), runAsJob+"=1")
			b, err := cmd.CombinedOutput()
			if err != nil && ctx.Err() == nil {
				t.Fatalf("%v: %s", err, b)
			}
			return ctx.Err()
		}
		if err := run(time.Duration(r.Int63n(int64(2 * took)))); errors.Is(err, context.DeadlineExceeded) {
			killed++
		}
		if err := run(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, outputs(t, out)); diff != "" {
			t.Errorf("after it was killed, a job leaves other files")
		}
	}
	t.Logf("%d of 4 jobs were killed", killed)
}

// TestTwice calls each DoFn twice with the same element, as a runner does when a worker is
// lost.
func TestTwice(t *testing.T) {
	dir := t.TempDir()
	o := settings{Output: filepath.Join(dir, "out"), Sensor: parentFolder, Shards: 3}
	names := writeParts(t, corpusPackets(t), filepath.Join(dir, "a"), 4, rand.New(rand.NewSource(3)))
	pieces := make(map[string][]piece)
	for _, name := range names {
		var emitted [2]map[string][]piece
		var files [2]map[string]string
		for i := range emitted {
			emitted[i] = make(map[string][]piece)
			err := (&readFile{o}).ProcessElement(t.Context(), name, func(key string, p piece) { emitted[i][key] = append(emitted[i][key], p) })
			if err != nil {
				t.Fatal(err)
			}
			files[i] = outputs(t, o.Output)
		}
		if diff := cmp.Diff(emitted[0], emitted[1]); diff != "" || len(emitted[0]) == 0 || !cmp.Equal(files[0], files[1]) {
			t.Errorf("readFile gives something else the second time: %s", diff)
		}
		for key, list := range emitted[0] {
			pieces[key] = append(append(pieces[key], list...), list...) // and both arrive
		}
	}
	rows := make(map[string][][]byte)
	for key, list := range pieces {
		var emitted [2]map[string][]string
		for i := range emitted {
			emitted[i] = make(map[string][]string)
			rand.New(rand.NewSource(int64(i))).Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
			err := (&readPieces{o}).ProcessElement(t.Context(), key, iterate(list), func(key string, b []byte) {
				emitted[i][key] = append(emitted[i][key], string(b))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(emitted[0], emitted[1]); diff != "" {
			t.Errorf("readPieces gives something else the second time: %s", diff)
		}
		for key, list := range emitted[0] {
			for _, b := range list {
				rows[key] = append(rows[key], []byte(b))
			}
		}
	}
	for key, list := range rows {
		var files [2]map[string]string
		for i := range files {
			if err := (&writeRows{o}).ProcessElement(t.Context(), key, iterate(list), "hash"); err != nil {
				t.Fatal(err)
			}
			slices.Reverse(list)
			files[i] = outputs(t, o.Output)
		}
		if !cmp.Equal(files[0], files[1]) {
			t.Error("writeRows writes something else the second time")
		}
	}
	if len(rows) == 0 {
		t.Error("there are no rows of pieces")
	}
	a := hashNames(0, iterate(names))
	slices.Reverse(names)
	if b := hashNames(0, iterate(names)); a != b {
		t.Errorf("the hash of the names is %s and %s", a, b)
	}
}

// iterate returns the elements of a list as Beam does.
func iterate[T any](list []T) func(*T) bool {
	i := 0
	return func(x *T) bool {
		if i == len(list) {
			return false
		}
		*x = list[i]
		i++
		return true
	}
}

// TestSensor has names of files.
func TestSensor(t *testing.T) {
	for _, row := range []struct{ expression, name, want string }{
		{parentFolder, "gs://bucket/sensor-7/a.pcap", "sensor-7"},
		{parentFolder, "a.pcap", "unknown"},
		{`/([a-z]+)-\d+\.pcap`, "/captures/berlin-20261124.pcap", "berlin"},
		{`none`, "/captures/none.pcap", "unknown"},
	} {
		if got := (settings{Sensor: row.expression}).sensorOf(row.name); got != row.want {
			t.Errorf("%s in %s is %q, want %q", row.expression, row.name, got, row.want)
		}
	}
}

// TestBadFiles has inputs that are no captures, and one that is cut: what can be read is.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	for name, data := range map[string][]byte{"text": []byte("no capture"), "empty": nil, "cut.pcapng": entry.Data()[:len(entry.Data())-5]} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := t.TempDir()
	job(t, filepath.Join(dir, "*"), out)
	if rows := writtenRows(t, out, filepath.Base(dir)); len(rows) != 12 {
		t.Errorf("%d rows, want 12", len(rows))
	}
	err := (&readFile{settings{Output: out}}).ProcessElement(t.Context(), filepath.Join(dir, "missing"), nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
