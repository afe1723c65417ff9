package capture

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrDamaged says that a capture file is damaged or cut short. The error that
// [Reader.Err] returns says where. What was found is right all the same.
var ErrDamaged = errors.New("the capture is damaged")

// damage is what is wrong with a capture file.
type damage struct {
	places  int
	first   int64 // offset of the first place
	skipped int64 // bytes
	cut     bool
	end     int64 // offset of what the file lacks the end of, if it is cut
	unpack  error // of the decompressor
}

// note counts a damaged place, of which n bytes were passed over.
func (d *damage) note(at, n int64) {
	if d.places == 0 {
		d.first = at
	}
	d.places++
	d.skipped += max(n, 0)
}

// err returns the damage as an error, or nil.
func (d *damage) err() error {
	if d.places == 0 && !d.cut && d.unpack == nil {
		return nil
	}
	return damageError{*d}
}

func (d *damage) count(s *Stats) {
	s.Damaged += d.places
	s.Skipped += int(d.skipped)
	if d.cut {
		s.Cut++
	}
	if d.unpack != nil {
		s.Damaged++
	}
}

type damageError struct{ damage }

func (e damageError) Error() string {
	var parts []string
	switch {
	case e.places == 1:
		parts = append(parts, fmt.Sprintf("the capture is damaged at byte %d: %d bytes skipped", e.first, e.skipped))
	case e.places > 1:
		parts = append(parts, fmt.Sprintf("the capture is damaged in %d places, first at byte %d: %d bytes skipped", e.places, e.first, e.skipped))
	}
	if e.cut {
		parts = append(parts, fmt.Sprintf("the capture is cut short: what begins at byte %d is not whole", e.end))
	}
	if e.unpack != nil {
		parts = append(parts, e.unpack.Error())
	}
	return strings.Join(parts, "; ")
}

// Is makes a cut capture an [io.ErrUnexpectedEOF], too.
func (e damageError) Is(target error) bool {
	return target == ErrDamaged || target == io.ErrUnexpectedEOF && e.cut
}
