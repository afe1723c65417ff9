package fuzz

import (
	"iter"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// A Target is one thing to fuzz. Its input is a slice of bytes, and what is wrong with
// the module shows as a panic or as an error of Check; no input is itself an error. The
// fuzz function of the same name, behind "Fuzz", hands it over to Go's engine.
type Target struct {
	Name  string
	Check func(data []byte) error
	// seeds yields inputs made of the recordings in the corpus, and generated ones.
	seeds iter.Seq[[]byte]
}

// Seeds yields the inputs to start from: real clients, generated structures, the test
// vectors, and what runs of this target have found before, see [corpus.FuzzKind].
func (t Target) Seeds() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for seed := range t.seeds {
			if !yield(seed) {
				return
			}
		}
		for e := range corpus.OfKind(corpus.FuzzKind("Fuzz" + t.Name)) {
			if !yield(e.Data()) {
				return
			}
		}
	}
}

// Lookup returns the target of the given name, and whether there is one.
func Lookup(name string) (Target, bool) {
	targets := Targets()
	i := slices.IndexFunc(targets, func(t Target) bool { return t.Name == name })
	if i < 0 {
		return Target{}, false
	}
	return targets[i], true
}

// Targets returns all targets.
func Targets() []Target {
	return []Target{
		{"Flags", CheckFlags, chain(flagsSeeds, vectorInputs(vectors.ExtensionData))},
		{"ExtensionList", checkExtensionListInput, extensionListSeeds},
		{"ExtensionBody", checkExtensionBodyInput, extensionBodySeeds},
		{"ClientHelloMessage", checkClientHelloInput, messageSeeds},
		{"ClientHelloBody", checkClientHelloBodyInput, bodySeeds},
		{"CryptoTLS", CheckAgainstCryptoTLS, messageSeeds},
		{"Records", checkRecordsInput, recordsSeeds},
		{"Message", CheckMessage, chain(messageOfSeeds, vectorInputs(vectors.Handshake))},
		{"Rules", checkRulesInput, rulesSeeds},
		{"QUICDatagrams", checkQUICInput, quicSeeds},
		{"QUICFrames", checkQUICFramesInput, quicFramesSeeds},
		{"QUICSealed", checkQUICSealedInput, quicFramesSeeds},
		{"QUICSchedule", checkQUICScheduleInput, scheduleSeeds(4, false)},
		{"DTLSDatagrams", checkDTLSInput, dtlsSeeds},
		{"DTLSSchedule", checkDTLSScheduleInput, scheduleSeeds(12, true)},
		{"TCP", checkTCPInput, tcpSeeds},
		{"Capture", CheckCapture, captureSeeds},
		{"Inspect", checkInspectInput, inspectSeeds},
		{"Explain", checkExplainInput, explainSeeds},
		{"Conversation", checkConversationInput, conversationSeeds},
		{"ServerConn", checkServerConnInput, recordsSeeds},
		{"ECH", checkECHInput, echSeeds},
		{"Vectors", CheckVectors, vectorsSeeds},
		{"RoundTrip", checkRoundTripInput, roundTripSeeds},
	}
}

// messages yields the handshake messages of the recorded clients.
func messages(yield func([]byte) bool) {
	for e := range corpus.OfKind(corpus.Records) {
		if !yield(e.Data()[5:]) {
			return
		}
	}
}

// generated yields n generated ClientHellos.
func generated(seed int64, n int, dtls bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		g := NewGenerator(seed)
		for range n {
			if msg, err := g.Hello().Append(nil, dtls); err == nil && !yield(msg) {
				return
			}
		}
	}
}

// chain yields what the sequences yield, one after the other.
func chain(sequences ...iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, s := range sequences {
			for b := range s {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// each yields f of what s yields.
func each(s iter.Seq[[]byte], f func([]byte) []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for b := range s {
			if !yield(f(b)) {
				return
			}
		}
	}
}

func messageSeeds(yield func([]byte) bool) {
	chain(messages, generated(1, 32, false), generated(1, 8, true), vectorInputs(vectors.Handshake))(yield)
}

func checkClientHelloInput(msg []byte) error {
	if err := CheckClientHello(msg, false); err != nil {
		return err
	}
	return CheckClientHello(msg, true)
}

func bodySeeds(yield func([]byte) bool) {
	each(messages, func(msg []byte) []byte { return msg[4:] })(yield)
}

// checkClientHelloBodyInput puts a header that fits before the body, so that all mutation
// goes into the body.
func checkClientHelloBodyInput(body []byte) error {
	length := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	msg := append([]byte{1, length[0], length[1], length[2]}, body...)
	if err := CheckClientHello(msg, false); err != nil {
		return err
	}
	msg = append([]byte{1, length[0], length[1], length[2], 0, 0, 0, 0, 0, length[0], length[1], length[2]}, body...)
	return CheckClientHello(msg, true)
}

func flagsSeeds(yield func([]byte) bool) {
	g := NewGenerator(2)
	for range 16 {
		if data, err := g.FlagSet().AppendTo(nil); err == nil && !yield(data) {
			return
		}
	}
}

func extensionListSeeds(yield func([]byte) bool) {
	each(messages, func(msg []byte) []byte {
		hello, _, _ := ReferenceClientHello(msg, false)
		return append([]byte{byte(extension.ClientHello)}, block(hello.Extensions)...)
	})(yield)
}

// checkExtensionListInput takes the message from the first byte, and the block from the rest.
func checkExtensionListInput(data []byte) error {
	if len(data) == 0 || len(data) > 1<<16 {
		return nil
	}
	return CheckList(extension.MessageKind(data[0]%8), data[1:])
}

func extensionBodySeeds(yield func([]byte) bool) {
	types := slices.Collect(clienthello.BodyTypes())
	for msg := range messages {
		hello, _, _ := ReferenceClientHello(msg, false)
		for _, e := range hello.Extensions {
			i := slices.Index(types, e.Type)
			if i >= 0 && !yield(append([]byte{byte(i)}, e.Data...)) {
				return
			}
		}
	}
}

// checkExtensionBodyInput takes the extension from the first byte, and its
// extension_data from the rest.
func checkExtensionBodyInput(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	types := slices.Collect(clienthello.BodyTypes())
	return CheckExtensionBody(types[int(data[0])%len(types)], data[1:])
}

// withCuts puts sizes of pieces before a stream, in the form of splitCuts.
func withCuts(cuts, stream []byte) []byte {
	return slices.Concat([]byte{byte(len(cuts))}, cuts, stream)
}

// splitCuts takes an input apart: how many sizes of pieces there are, these, the rest.
func splitCuts(data []byte) (cuts, stream []byte, ok bool) {
	if len(data) == 0 || int(data[0]) >= len(data) {
		return nil, nil, false
	}
	n := 1 + int(data[0])
	return data[1:n], data[n:], true
}

func recordsSeeds(yield func([]byte) bool) {
	g := NewGenerator(3)
	chain(
		each(messages, func(msg []byte) []byte { return withCuts(g.Cuts(), InRecords(msg, nil)) }),
		each(generated(3, 16, false), func(msg []byte) []byte { return withCuts([]byte{1, 7}, InRecords(msg, g.Cuts())) }),
		each(generated(3, 8, false), func(msg []byte) []byte {
			twice := slices.Concat(InRecords(msg, g.Cuts()), []byte{20, 3, 3, 0, 1, 1}, InRecords(msg, g.Cuts()))
			return withCuts(g.Cuts(), twice)
		}),
		slices.Values([][]byte{
			withCuts(nil, startOfRecord(1<<14)),
			withCuts(nil, startOfRecord(1<<14+1)),
		}),
	)(yield)
}

// startOfRecord is where a record of n bytes begins; 2^14 is the most that may be.
func startOfRecord(n int) []byte {
	return []byte{22, 3, 1, byte(n >> 8), byte(n), 1, 0, 0x40, 0, 3, 3}
}

func checkRecordsInput(data []byte) error {
	cuts, stream, ok := splitCuts(data)
	if !ok {
		return nil
	}
	return CheckRecords(stream, cuts)
}
