package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/tlsflags/tlsflags/capture/columns"
)

// writeRows writes the rows of a sensor, day and shard to a file.
type writeRows struct{ Settings settings }

// ProcessElement writes the rows, in an order that does not depend on how they come. hash is
// of the names of all inputs.
func (f *writeRows) ProcessElement(ctx context.Context, key string, next func(*[]byte) bool, hash string) error {
	var rows [][]byte
	for b := []byte(nil); next(&b); b = nil {
		rows = append(rows, bytes.Clone(b))
	}
	slices.SortFunc(rows, bytes.Compare)
	parts := strings.Split(key, "/")
	n := len(parts)
	sensor, shard := strings.Join(parts[:n-2], "/"), parts[n-1]
	out := newPartitions(ctx, f.Settings.Output, sensor, "pieces-"+hash+"-"+shard)
	defer out.abandon()
	for _, b := range rows {
		var row columns.Row
		if err := json.Unmarshal(b, &row); err != nil {
			return err
		}
		if err := out.write(&row); err != nil {
			return err
		}
	}
	return out.commit()
}

// mostDays is how many days a file may have hellos of. Those of further ones go to noDay.
const mostDays = 8

// partitions are the files of some rows, one for each day.
type partitions struct {
	ctx                  context.Context
	folder, sensor, name string
	days                 map[string]*outFile
}

func newPartitions(ctx context.Context, folder, sensor, name string) *partitions {
	return &partitions{ctx, folder, sensor, name, make(map[string]*outFile)}
}

func (p *partitions) write(row *columns.Row) error {
	day := dayOf(row.Time)
	if p.days[day] == nil && len(p.days) >= mostDays {
		day = noDay
	}
	out := p.days[day]
	if out == nil {
		name := strings.TrimSuffix(p.folder, "/") + "/day=" + day + "/sensor=" + url.PathEscape(p.sensor) + "/" + p.name + ".parquet"
		var err error
		if out, err = create(p.ctx, name); err != nil {
			return err
		}
		p.days[day] = out
	}
	return out.rows.Write(row)
}

// commit completes the files.
func (p *partitions) commit() error {
	var errs []error
	for day, out := range p.days {
		errs = append(errs, out.commit())
		delete(p.days, day)
	}
	return errors.Join(errs...)
}

// abandon gives up the files that are not complete.
func (p *partitions) abandon() {
	for _, out := range p.days {
		out.abandon()
	}
}

// outFile is a file of Parquet that appears when it is complete: an object of a store does by
// itself, and another file has a name that begins with a dot until then. That name is always
// the same, so a retry leaves none behind.
type outFile struct {
	ctx       context.Context
	cancel    context.CancelFunc
	fs        filesystem.Interface
	name, now string
	w         io.WriteCloser
	rows      *columns.Writer
}

func create(ctx context.Context, name string) (*outFile, error) {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return nil, err
	}
	out := &outFile{fs: fs, name: name, now: name}
	if !strings.Contains(name, "://") {
		out.now = path.Dir(name) + "/." + path.Base(name) + ".part"
	}
	out.ctx, out.cancel = context.WithCancel(ctx)
	if out.w, err = fs.OpenWrite(out.ctx, out.now); err == nil {
		out.rows, err = columns.NewWriter(out.w)
	}
	if err != nil {
		out.cancel()
		fs.Close()
		return nil, err
	}
	return out, nil
}

func (o *outFile) commit() error {
	defer o.fs.Close()
	defer o.cancel()
	if err := o.rows.Close(); err != nil {
		o.cancel() // so that a store does not keep it
		return errors.Join(err, o.w.Close())
	}
	if err := o.w.Close(); err != nil || o.now == o.name {
		return err
	}
	return filesystem.Rename(o.ctx, o.fs, o.now, o.name)
}

func (o *outFile) abandon() {
	o.cancel()
	o.w.Close()
	if remover, ok := o.fs.(filesystem.Remover); ok && o.now != o.name {
		remover.Remove(context.WithoutCancel(o.ctx), o.now)
	}
	o.fs.Close()
}
