package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/capture/columns"
)

const (
	// pairBytes is how much of the pieces of an address pair is read, in the order of the
	// files. A worker holds twice as much.
	pairBytes = 128 << 20
	// pieceCost is what a piece takes besides its data.
	pieceCost = 160
)

// readPieces reads the packets between two addresses that came from several files, in the
// order of capture.Join, and emits rows by sensor, day and shard.
type readPieces struct{ Settings settings }

// ProcessElement reads the pieces of a sensor and address pair.
func (f *readPieces) ProcessElement(ctx context.Context, key string, next func(*piece) bool, emit func(string, []byte)) error {
	sensor := key[:strings.LastIndexByte(key, '/')]
	var (
		scanner = capture.NewScanner(capture.Options{})
		frames  []frame // that were scanned
		failed  error
	)
	found := func(h *capture.Hello) bool {
		row := rowOf(h, frames)
		b, err := json.Marshal(row)
		if err != nil {
			failed = err
			return false
		}
		hellosOthers.Inc(ctx, 1)
		shard := fnv.New32a()
		shard.Write([]byte(key))
		emit(fmt.Sprintf("%s/%s/%d", sensor, dayOf(row.Time), shard.Sum32()%uint32(f.Settings.Shards)), b)
		return true
	}
	pieces, dropped := collect(next)
	piecesDropped.Inc(ctx, int64(dropped))
	for i := range pieces {
		p := &pieces[i]
		frames = append(frames, frame{p.File, p.Frame})
		packet := capture.Packet{Data: p.Data, Length: int(p.Length), Link: capture.LinkType(p.Link), Time: timeOf(p.Time, p.TimeN)}
		if !scanner.Scan(packet, found) {
			return failed
		}
	}
	scanner.Flush(found)
	return failed
}

// frame is a packet of a file.
type frame struct {
	file   string
	number int64
}

// rowOf returns the row of a hello whose frames count the packets that were scanned.
func rowOf(h *capture.Hello, frames []frame) columns.Row {
	row := columns.Of("", h)
	for i, n := range row.Frames {
		f := frames[n-1]
		row.Frames[i] = f.number
		row.FrameFiles = append(row.FrameFiles, f.file)
	}
	for i, n := range row.Contradicts {
		row.Contradicts[i] = frames[n-1].number
	}
	if len(row.FrameFiles) > 0 {
		row.Source = row.FrameFiles[0]
	}
	return row
}

// collect returns the pieces in order, up to pairBytes of them, and how many it has dropped.
func collect(next func(*piece) bool) (pieces []piece, dropped int) {
	held := 0
	tidy := func() {
		slices.SortFunc(pieces, comparePieces)
		// A retry may have emitted a piece twice.
		pieces = slices.CompactFunc(pieces, func(a, b piece) bool { return comparePieces(a, b) == 0 })
		held = 0
		for i := range pieces {
			if held += len(pieces[i].Data) + pieceCost; held > pairBytes {
				dropped += len(pieces) - i
				clear(pieces[i:])
				pieces = pieces[:i]
				return
			}
		}
	}
	for p := (piece{}); next(&p); p = (piece{}) {
		pieces = append(pieces, p)
		if held += len(p.Data) + pieceCost; held > 2*pairBytes {
			tidy()
		}
	}
	tidy()
	return pieces, dropped
}

func comparePieces(a, b piece) int {
	return cmp.Or(cmp.Compare(a.Began, b.Began), cmp.Compare(a.BeganN, b.BeganN), capture.CompareNames(a.File, b.File),
		cmp.Compare(a.File, b.File), cmp.Compare(a.Frame, b.Frame))
}

// noDay is the day of rows without a time, as Hive names it.
const noDay = "__HIVE_DEFAULT_PARTITION__"

func dayOf(t time.Time) string {
	if t.IsZero() {
		return noDay
	}
	return t.UTC().Format(time.DateOnly)
}
