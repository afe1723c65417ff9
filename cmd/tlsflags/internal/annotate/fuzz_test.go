package annotate

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzExplain(f *testing.F) { fuzzing.Run[*testing.T](f, explainSeeds, checkExplainInput) }
