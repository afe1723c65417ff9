package fuzz

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
	"github.com/tlsflags/tlsflags/vectors"
)

// go-118-fuzz-build takes this file alone into the package, with a testing package of its
// own: it has all of the fuzz functions and nothing else.

var run = fuzzing.Run[*testing.T]

func FuzzFlags(f *testing.F) {
	run(f, fuzzing.Chain(flagsSeeds, vectorInputs(vectors.ExtensionData)), extensiontest.CheckFlags)
}
func FuzzExtensionList(f *testing.F)      { run(f, extensionListSeeds, checkExtensionListInput) }
func FuzzExtensionBody(f *testing.F)      { run(f, extensionBodySeeds, checkExtensionBodyInput) }
func FuzzClientHelloMessage(f *testing.F) { run(f, messageSeeds, checkClientHelloInput) }
func FuzzClientHelloBody(f *testing.F)    { run(f, bodySeeds, checkClientHelloBodyInput) }
func FuzzCryptoTLS(f *testing.F)          { run(f, messageSeeds, checkAgainstCryptoTLS) }
func FuzzRecords(f *testing.F)            { run(f, recordsSeeds, checkRecordsInput) }
func FuzzMessage(f *testing.F) {
	run(f, fuzzing.Chain(messageOfSeeds, vectorInputs(vectors.Handshake)), handshaketest.Check)
}
func FuzzRules(f *testing.F)         { run(f, rulesSeeds, checkRulesInput) }
func FuzzQUICDatagrams(f *testing.F) { run(f, quicSeeds, checkQUICInput) }
func FuzzQUICFrames(f *testing.F)    { run(f, quicFramesSeeds, checkQUICFramesInput) }
func FuzzQUICSealed(f *testing.F)    { run(f, quicFramesSeeds, checkQUICSealedInput) }
func FuzzQUICSchedule(f *testing.F)  { run(f, scheduleSeeds(4, false), checkQUICScheduleInput) }
func FuzzDTLSDatagrams(f *testing.F) { run(f, dtlsSeeds, checkDTLSInput) }
func FuzzCarriers(f *testing.F)      { run(f, carrierSeeds, checkCarriersInput) }
func FuzzDTLSSchedule(f *testing.F)  { run(f, scheduleSeeds(12, true), checkDTLSScheduleInput) }
func FuzzServerConn(f *testing.F)    { run(f, recordsSeeds, checkServerConnInput) }
func FuzzECH(f *testing.F)           { run(f, echSeeds, checkECHInput) }
func FuzzVectors(f *testing.F)       { run(f, vectorsSeeds, checkVectors) }
func FuzzRoundTrip(f *testing.F)     { run(f, roundTripSeeds, checkRoundTripInput) }
