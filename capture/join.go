package capture

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// File is a capture file that [Join] opens when its turn comes.
type File struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// FileError is what was wrong with a file of [Join].
type FileError struct {
	Name string
	Err  error
}

func (e *FileError) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// Join reads several files as one capture: those that tcpdump -G or -C or dumpcap -b wrote one
// after the other. It sorts them by the time of their first packet, and by name if that is
// equal; numbers in names count as numbers. Formats, compressions and link types may differ.
// The frames of a [Hello] are counted over all files; [Reader.File] tells which file has one.
//
// Each file is opened and closed twice, and one is open at a time. If a file cannot be read,
// or not to its end, the next one is read: [Reader.Err] joins a [*FileError] of each.
func Join(o Options, files ...File) *Reader {
	j := &joined{}
	times := make(map[string]time.Time)
	for _, f := range files {
		t, err := firstTime(f)
		if err != nil {
			j.errs = append(j.errs, &FileError{f.Name, err})
			continue
		}
		times[f.Name] = t
		j.files = append(j.files, f)
	}
	slices.SortStableFunc(j.files, func(a, b File) int {
		return cmp.Or(times[a.Name].Compare(times[b.Name]), CompareNames(a.Name, b.Name))
	})
	return newReader(j, NewScanner(o), o)
}

// firstTime returns the time of the first packet of a file. It is zero if there is none.
// Then damage is reported when the file is read.
func firstTime(f File) (time.Time, error) {
	r, err := f.Open()
	if err != nil {
		return time.Time{}, err
	}
	defer r.Close()
	s, err := open(r)
	if err != nil {
		return time.Time{}, err
	}
	p, err := s.next()
	if err != nil && err != io.EOF && !errors.Is(err, ErrDamaged) {
		return time.Time{}, err
	}
	return p.Time, nil
}

// CompareNames compares names of files as [Join] does: runs of digits are numbers.
func CompareNames(a, b string) int {
	const digits = "0123456789"
	for a != "" && b != "" {
		i, j := strings.IndexAny(a, digits), strings.IndexAny(b, digits)
		if i != 0 || j != 0 {
			i, j = max(i, 1), max(j, 1)
			if i = min(i, j); a[:i] != b[:i] {
				break
			}
			a, b = a[i:], b[i:]
			continue
		}
		i, j = len(a)-len(strings.TrimLeft(a, digits)), len(b)-len(strings.TrimLeft(b, digits))
		x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return cmp.Compare(a, b)
}

// joined reads files one after the other.
type joined struct {
	files   []File
	opened  int
	before  []int // packets before each file that was opened
	packets int
	current source
	file    io.Closer // of current
	stats   Stats     // of files that were read
	errs    []error
}

func (j *joined) next() (Packet, error) {
	for {
		if j.current == nil {
			if j.opened == len(j.files) {
				return Packet{}, cmp.Or(errors.Join(j.errs...), io.EOF)
			}
			j.advance()
			continue
		}
		p, err := j.current.next()
		if err == nil {
			j.packets++
			return p, nil
		}
		j.end(err)
	}
}

// end ends the file that is open, with the error why, or io.EOF.
func (j *joined) end(err error) {
	if err != io.EOF {
		j.fail(err)
	}
	j.current.count(&j.stats)
	j.Close()
}

// advance opens the next file.
func (j *joined) advance() {
	f, err := j.files[j.opened].Open()
	j.opened++
	j.before = append(j.before, j.packets)
	if err != nil {
		j.fail(err)
		return
	}
	j.file = f
	if j.current, err = open(f); err != nil {
		j.fail(err)
		j.current = nil
		j.Close()
	}
}

// fail notes an error of the file that was opened last.
func (j *joined) fail(err error) {
	j.errs = append(j.errs, &FileError{j.files[j.opened-1].Name, err})
}

func (j *joined) count(s *Stats) {
	s.Cut += j.stats.Cut
	s.Damaged += j.stats.Damaged
	s.Skipped += j.stats.Skipped
	s.Dropped += j.stats.Dropped
	if j.current != nil {
		j.current.count(s)
	}
}

// Close closes the file that is open.
func (j *joined) Close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file, j.current = nil, nil
	return err
}

// nameOf returns the name of the file that has a frame.
func (j *joined) nameOf(frame int) string {
	if frame < 1 || frame > j.packets {
		return ""
	}
	i, _ := slices.BinarySearchFunc(j.before, frame, func(before, frame int) int {
		if before < frame {
			return -1
		}
		return 1
	})
	return j.files[i-1].Name
}
