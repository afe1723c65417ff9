package cli

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzInspect(f *testing.F) { fuzzing.Run[*testing.T](f, inspectSeeds, checkInspectInput) }
