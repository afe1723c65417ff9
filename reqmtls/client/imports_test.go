package client_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

func TestImportsNothingInternal(t *testing.T) { testenv.ImportsNothingInternal(t) }
