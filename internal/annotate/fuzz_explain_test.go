package annotate

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
)

// CheckExplain holds the table that explains an input to what it promises of any, and to
// the verdicts of the parsers.
func CheckExplain(kind Kind, data []byte) error {
	t := Explain(kind, data)
	at := 0
	for _, f := range t.Fields {
		if f.Offset != at {
			return fmt.Errorf("field %q is at %d, want %d", f.Path, f.Offset, at)
		}
		if !bytes.Equal(f.Bytes, data[at:at+len(f.Bytes)]) {
			return fmt.Errorf("field %q has other bytes than the input", f.Path)
		}
		if (f.Path == "") != (f.Clause == "") && kind != Flags {
			return fmt.Errorf("field %q has the clause %q", f.Path, f.Clause)
		}
		at += len(f.Bytes)
		if f.Fault != nil && (f.Fault.Offset < f.Offset || f.Fault.Offset > f.Offset+len(f.Bytes)) {
			return fmt.Errorf("the fault at %d is marked in the field at %d", f.Fault.Offset, f.Offset)
		}
	}
	if at != len(data) {
		return fmt.Errorf("the fields hold %d of %d bytes", at, len(data))
	}
	n, code := strictVerdict(kind, data)
	switch {
	case code == 0 && t.Refused != nil:
		return fmt.Errorf("refused for %q, which the parser accepts", t.Refused.Code.Name())
	case code != 0 && (t.Refused == nil || t.Refused.Code != code || t.Refused.Offset != n):
		return fmt.Errorf("refused %+v, the parser has %q at %d", t.Refused, code.Name(), n)
	}
	return nil
}

// strictVerdict is what the parsers of the other packages say.
func strictVerdict(kind Kind, data []byte) (int, extension.Code) {
	var n int
	var err error
	switch kind {
	case ClientHello:
		_, n, err = clienthello.Parse(data)
	case DTLSClientHello:
		_, n, err = clienthello.ParseDTLS(data)
	case ServerHello:
		_, n, err = handshake.ParseServerHello(data)
	case EncryptedExtensions:
		_, n, err = handshake.ParseEncryptedExtensions(data)
	case CertificateRequest:
		_, n, err = handshake.ParseCertificateRequest(data)
	case Certificate:
		_, n, err = handshake.ParseCertificate(data)
	case NewSessionTicket:
		_, n, err = handshake.ParseNewSessionTicket(data)
	case Extension:
		if len(data) < 4 || len(data) < 4+int(data[2])<<8+int(data[3]) {
			return len(data), extension.ErrTruncated
		}
		if t := extension.Type(data[0])<<8 | extension.Type(data[1]); t != extension.TLSFlags && t != extension.TLSFlagsExperimental {
			return 0, 0
		}
		_, n, err = extension.ParseFlags(data[4 : 4+int(data[2])<<8+int(data[3])])
		n += 4
	case Flags:
		_, n, err = extension.ParseFlags(data)
	}
	return n, extensiontest.CodeOf(err)
}

// checkExplainInput takes what it is from the first byte, and the rest for it.
func checkExplainInput(data []byte) error {
	if len(data) == 0 || len(data) > 1<<17 {
		return nil
	}
	kind := Kind(data[0]%uint8(Flags) + 1)
	if err := CheckExplain(kind, data[1:]); err != nil {
		return fmt.Errorf("as %v: %w", kind, err)
	}
	return nil
}

// explainSeeds are recorded hellos, and other messages with the extensions of these.
func explainSeeds(yield func([]byte) bool) {
	as := func(kind Kind, inputs iter.Seq[[]byte]) iter.Seq[[]byte] {
		return fuzzing.Each(inputs, func(b []byte) []byte { return append([]byte{uint8(kind) - 1}, b...) })
	}
	hello := func(msg []byte) clienthellotest.Hello {
		h, _, _ := clienthellotest.Reference(msg, false)
		return h
	}
	n := 0
	flags := slices.Values([][]byte{{1, 1}, {2, 0, 128}, {11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, {1, 0}, {0}, {2, 1}, {}})
	fuzzing.Chain(
		as(ClientHello, fuzzing.Messages),
		as(DTLSClientHello, fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte {
			dtls, _ := hello(msg).Append(nil, true) // as short as what was recorded
			return dtls
		})),
		fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte {
			types := [...]uint8{2, 4, 8, 11, 13}
			kinds := [...]Kind{ServerHello, NewSessionTicket, EncryptedExtensions, Certificate, CertificateRequest}
			block := extensiontest.Block(hello(msg).Extensions)
			i := n % len(types)
			n++
			return append([]byte{uint8(kinds[i]) - 1}, handshaketest.Message(types[i], block, block)...)
		}),
		as(Extension, fuzzing.Each(flags, func(data []byte) []byte {
			return append([]byte{0, byte(extension.TLSFlags), byte(len(data) >> 8), byte(len(data))}, data...)
		})),
		as(Flags, flags),
	)(yield)
}
