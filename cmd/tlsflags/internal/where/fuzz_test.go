package where

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzCondition(f *testing.F) { fuzzing.Run[*testing.T](f, conditionSeeds, checkCondition) }
