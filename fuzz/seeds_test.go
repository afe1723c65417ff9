package fuzz

import (
	"iter"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/fingerprinttest"
	"github.com/tlsflags/tlsflags/vectors"
)

// generated yields n generated ClientHellos.
func generated(seed int64, n int, dtls bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		g := newGenerator(seed)
		for range n {
			if msg, err := g.randomHello().Append(nil, dtls); err == nil && !yield(msg) {
				return
			}
		}
	}
}

func messageSeeds(yield func([]byte) bool) {
	fuzzing.Chain(fuzzing.Messages, generated(1, 32, false), generated(1, 8, true), vectorInputs(vectors.Handshake))(yield)
}

func checkClientHelloInput(msg []byte) error {
	if err := clienthellotest.Check(msg, false); err != nil {
		return err
	}
	if hello, _, err := clienthello.Parse(msg); err == nil {
		if err := fingerprinttest.Check(hello); err != nil {
			return err
		}
	}
	return clienthellotest.Check(msg, true)
}

func bodySeeds(yield func([]byte) bool) {
	fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte { return msg[4:] })(yield)
}

// checkClientHelloBodyInput puts a header that fits before the body, so that all mutation
// goes into the body.
func checkClientHelloBodyInput(body []byte) error {
	length := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	msg := append([]byte{1, length[0], length[1], length[2]}, body...)
	if err := clienthellotest.Check(msg, false); err != nil {
		return err
	}
	msg = append([]byte{1, length[0], length[1], length[2], 0, 0, 0, 0, 0, length[0], length[1], length[2]}, body...)
	return clienthellotest.Check(msg, true)
}

func flagsSeeds(yield func([]byte) bool) {
	g := newGenerator(2)
	for range 16 {
		if data, err := g.randomFlagSet().AppendTo(nil); err == nil && !yield(data) {
			return
		}
	}
}

func extensionListSeeds(yield func([]byte) bool) {
	fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte {
		hello, _, _ := clienthellotest.Reference(msg, false)
		return append([]byte{byte(extension.ClientHello)}, extensiontest.Block(hello.Extensions)...)
	})(yield)
}

// checkExtensionListInput takes the message from the first byte, and the block from the rest.
func checkExtensionListInput(data []byte) error {
	if len(data) == 0 || len(data) > 1<<16 {
		return nil
	}
	return extensiontest.CheckList(extension.MessageKind(data[0]%8), data[1:])
}

func extensionBodySeeds(yield func([]byte) bool) {
	types := slices.Collect(clienthello.BodyTypes())
	for msg := range fuzzing.Messages {
		hello, _, _ := clienthellotest.Reference(msg, false)
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
	return clienthellotest.CheckBody(types[int(data[0])%len(types)], data[1:])
}
