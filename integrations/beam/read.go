package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/capture/columns"
)

// piece is a packet of a connection that may be in several files.
type piece struct {
	File          string
	Began, BeganN int64 // time of the first packet of the file, in seconds and nanoseconds
	Frame         int64
	Time, TimeN   int64
	Link, Length  int64
	Data          []byte
}

// The counters of a job.
var (
	filesRead     = beam.NewCounter("tlsflags", "files")
	filesRefused  = beam.NewCounter("tlsflags", "files_not_captures")
	filesDamaged  = beam.NewCounter("tlsflags", "files_damaged_or_cut")
	hellosWhole   = beam.NewCounter("tlsflags", "hellos_in_one_file")
	hellosOthers  = beam.NewCounter("tlsflags", "hellos_of_pieces")
	piecesRead    = beam.NewCounter("tlsflags", "pieces")
	piecesDropped = beam.NewCounter("tlsflags", "pieces_dropped")
	flowsEvicted  = beam.NewCounter("tlsflags", "flows_evicted")
)

// readFile reads a capture. It writes the hellos of connections that are whole in it to one
// file a day, and emits the packets of the others, by sensor and address pair. A file that is
// no capture is counted and logged; the rest of one that is damaged is read.
type readFile struct{ Settings settings }

// ProcessElement reads the file of a name.
func (f *readFile) ProcessElement(ctx context.Context, name string, emit func(string, piece)) error {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return err
	}
	defer fs.Close()
	var failed error // of the storage, which is tried again
	file := capture.File{Name: name, Open: func() (io.ReadCloser, error) {
		r, err := fs.OpenRead(ctx, name)
		if err != nil {
			failed = err
			return nil, err
		}
		return &watched{r, &failed}, nil
	}}
	part, err := capture.ReadPart(capture.Options{}, file)
	switch {
	case failed != nil:
		return failed
	case err != nil:
		filesRefused.Inc(ctx, 1)
		log.Warnf(ctx, "%s: %v", name, err)
		return nil
	case part.Err() != nil:
		filesDamaged.Inc(ctx, 1)
		log.Warnf(ctx, "%s: %v", name, part.Err())
	}
	filesRead.Inc(ctx, 1)
	flowsEvicted.Inc(ctx, int64(part.Stats().Evicted))
	sensor := f.Settings.sensorOf(name)
	out := newPartitions(ctx, f.Settings.Output, sensor, "file-"+hashOf(name))
	defer out.abandon()
	err = part.Read(func(h *capture.Hello) error {
		row := columns.Of(name, h)
		row.FrameFiles = slices.Repeat([]string{name}, len(row.Frames))
		hellosWhole.Inc(ctx, 1)
		return out.write(&row)
	}, func(p capture.PartPacket) error {
		piecesRead.Inc(ctx, 1)
		emit(sensor+"/"+hex.EncodeToString([]byte(p.Pair)), piece{
			File: name, Began: part.Began.Unix(), BeganN: int64(part.Began.Nanosecond()), Frame: int64(p.Frame),
			Time: p.Time.Unix(), TimeN: int64(p.Time.Nanosecond()),
			Link: int64(p.Link), Length: int64(p.Length), Data: slices.Clone(p.Data),
		})
		return nil
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	return out.commit()
}

// watched notes an error of reading, other than the end.
type watched struct {
	io.ReadCloser
	failed *error
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		*w.failed = err
	}
	return n, err
}

// timeOf returns a time that a piece has; the zero Time comes back as it was.
func timeOf(seconds, nanoseconds int64) time.Time {
	return time.Unix(seconds, nanoseconds).UTC()
}
