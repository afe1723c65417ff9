package wire_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/wire"
)

// TestFaults checks that the first fault stays, and that nothing is read after it, so that a
// loop over what is left ends.
func TestFaults(t *testing.T) {
	data := []byte{9, 9, 0, 3, 1}
	for name, tt := range map[string]struct {
		read   func(*wire.Reader)
		code   extension.Code
		offset int
	}{
		"a field that does not fit":   {func(r *wire.Reader) { r.Skip(4) }, extension.ErrFieldOverrun, 2},
		"a number that does not fit":  {func(r *wire.Reader) { r.Uint(4) }, extension.ErrFieldOverrun, 2},
		"a length that does not fit":  {func(r *wire.Reader) { r.Open(4, 1, 2) }, extension.ErrFieldOverrun, 2},
		"a vector that does not fit":  {func(r *wire.Reader) { r.Vector(2, 0, 1) }, extension.ErrFieldOverrun, 2},
		"an empty vector":             {func(r *wire.Reader) { r.Vector(1, 1, 1) }, extension.ErrVectorEmpty, 2},
		"a vector that is too short":  {func(r *wire.Reader) { r.Vector(2, 4, 1) }, extension.ErrVectorSize, 2},
		"a vector with half elements": {func(r *wire.Reader) { r.Vector(2, 0, 2) }, extension.ErrVectorSize, 2},
		"what the caller finds":       {func(r *wire.Reader) { r.Fail(extension.ErrStrayBytes, 7) }, extension.ErrStrayBytes, 7},
	} {
		t.Run(name, func(t *testing.T) {
			r := wire.NewReader(data, 2)
			tt.read(&r)
			if r.Code() != tt.code || r.Left() != 0 {
				t.Errorf("%v, %d bytes left", r.Code(), r.Left())
			}
			if v := r.Uint(1); v != 0 {
				t.Errorf("reads %d", v)
			}
			r.Close(r.Open(1, 0, 1))
			r.Fail(extension.ErrTruncated, 0)
			if n, err := r.Done(); n != tt.offset || err != tt.code || r.Left() != 0 {
				t.Errorf("%d, %v, %d bytes left; want %d, %v", n, err, r.Left(), tt.offset, tt.code)
			}
		})
	}
}
