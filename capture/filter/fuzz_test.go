package filter_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzFilter(f *testing.F) { fuzzing.Run[*testing.T](f, filterSeeds, checkFilterInput) }
