package capture

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzTCP(f *testing.F)     { fuzzing.Run[*testing.T](f, tcpSeeds, checkTCPInput) }
func FuzzCapture(f *testing.F) { fuzzing.Run[*testing.T](f, captureSeeds, CheckCapture) }
func FuzzReader(f *testing.F)  { fuzzing.Run[*testing.T](f, readerSeeds, checkReaderInput) }
func FuzzOrder(f *testing.F)   { fuzzing.Run[*testing.T](f, tcpSeeds, checkOrderInput) }
func FuzzIsolation(f *testing.F) {
	fuzzing.Run[*testing.T](f, isolationSeeds, checkIsolationInput)
}
