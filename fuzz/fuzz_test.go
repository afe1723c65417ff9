package fuzz

import "testing"

// go-118-fuzz-build turns this file into one of the package, with a testing package of
// its own: it needs all of the fuzz functions here, and nothing else.

func FuzzFlags(f *testing.F)              { run(f, "Flags") }
func FuzzExtensionList(f *testing.F)      { run(f, "ExtensionList") }
func FuzzExtensionBody(f *testing.F)      { run(f, "ExtensionBody") }
func FuzzClientHelloMessage(f *testing.F) { run(f, "ClientHelloMessage") }
func FuzzClientHelloBody(f *testing.F)    { run(f, "ClientHelloBody") }
func FuzzCryptoTLS(f *testing.F)          { run(f, "CryptoTLS") }
func FuzzRecords(f *testing.F)            { run(f, "Records") }
func FuzzMessage(f *testing.F)            { run(f, "Message") }
func FuzzRules(f *testing.F)              { run(f, "Rules") }
func FuzzQUICDatagrams(f *testing.F)      { run(f, "QUICDatagrams") }
func FuzzQUICFrames(f *testing.F)         { run(f, "QUICFrames") }
func FuzzQUICSealed(f *testing.F)         { run(f, "QUICSealed") }
func FuzzQUICSchedule(f *testing.F)       { run(f, "QUICSchedule") }
func FuzzDTLSDatagrams(f *testing.F)      { run(f, "DTLSDatagrams") }
func FuzzDTLSSchedule(f *testing.F)       { run(f, "DTLSSchedule") }
func FuzzTCP(f *testing.F)                { run(f, "TCP") }
func FuzzCapture(f *testing.F)            { run(f, "Capture") }
func FuzzInspect(f *testing.F)            { run(f, "Inspect") }
func FuzzExplain(f *testing.F)            { run(f, "Explain") }
func FuzzConversation(f *testing.F)       { run(f, "Conversation") }
func FuzzServerConn(f *testing.F)         { run(f, "ServerConn") }
func FuzzECH(f *testing.F)                { run(f, "ECH") }
func FuzzVectors(f *testing.F)            { run(f, "Vectors") }
func FuzzRoundTrip(f *testing.F)          { run(f, "RoundTrip") }

func run(f *testing.F, name string) {
	target, ok := Lookup(name)
	if !ok {
		f.Fatal("no target has this name")
	}
	if !LibFuzzer {
		for seed := range target.Seeds() {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := target.Check(data); err != nil {
			t.Fatal(err)
		}
	})
}
