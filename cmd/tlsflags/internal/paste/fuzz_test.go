package paste

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzPaste(f *testing.F) { fuzzing.Run[*testing.T](f, pasteSeeds, checkPaste) }
