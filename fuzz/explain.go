package fuzz

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/annotate"
)

// CheckExplain holds the table that explains an input to what it promises of any, and to
// the verdicts of the parsers.
func CheckExplain(kind annotate.Kind, data []byte) error {
	t := annotate.Explain(kind, data)
	at := 0
	for _, f := range t.Fields {
		if f.Offset != at {
			return fmt.Errorf("field %q is at %d, want %d", f.Path, f.Offset, at)
		}
		if !bytes.Equal(f.Bytes, data[at:at+len(f.Bytes)]) {
			return fmt.Errorf("field %q has other bytes than the input", f.Path)
		}
		if (f.Path == "") != (f.Clause == "") && kind != annotate.Flags {
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
func strictVerdict(kind annotate.Kind, data []byte) (int, extension.Code) {
	var n int
	var err error
	switch kind {
	case annotate.ClientHello:
		_, n, err = clienthello.Parse(data)
	case annotate.DTLSClientHello:
		_, n, err = clienthello.ParseDTLS(data)
	case annotate.ServerHello:
		_, n, err = handshake.ParseServerHello(data)
	case annotate.EncryptedExtensions:
		_, n, err = handshake.ParseEncryptedExtensions(data)
	case annotate.CertificateRequest:
		_, n, err = handshake.ParseCertificateRequest(data)
	case annotate.Certificate:
		_, n, err = handshake.ParseCertificate(data)
	case annotate.NewSessionTicket:
		_, n, err = handshake.ParseNewSessionTicket(data)
	case annotate.Extension:
		if len(data) < 4 || len(data) < 4+int(data[2])<<8+int(data[3]) {
			return len(data), extension.ErrTruncated
		}
		if t := extension.Type(data[0])<<8 | extension.Type(data[1]); t != extension.TLSFlags && t != extension.TLSFlagsExperimental {
			return 0, 0
		}
		_, n, err = extension.ParseFlags(data[4 : 4+int(data[2])<<8+int(data[3])])
		n += 4
	case annotate.Flags:
		_, n, err = extension.ParseFlags(data)
	}
	return n, codeOf(err)
}

// checkExplainInput takes what it is from the first byte, and the rest for it.
func checkExplainInput(data []byte) error {
	if len(data) == 0 || len(data) > 1<<17 {
		return nil
	}
	kind := annotate.Kind(data[0]%uint8(annotate.Flags) + 1)
	if err := CheckExplain(kind, data[1:]); err != nil {
		return fmt.Errorf("as %v: %w", kind, err)
	}
	return nil
}

func explainSeeds(yield func([]byte) bool) {
	as := func(kind annotate.Kind, inputs iter.Seq[[]byte]) iter.Seq[[]byte] {
		return each(inputs, func(b []byte) []byte { return append([]byte{uint8(kind) - 1}, b...) })
	}
	messageKinds := map[byte]annotate.Kind{
		2: annotate.ServerHello, 4: annotate.NewSessionTicket, 8: annotate.EncryptedExtensions,
		11: annotate.Certificate, 13: annotate.CertificateRequest,
	}
	chain(
		as(annotate.ClientHello, messages),
		as(annotate.DTLSClientHello, generated(13, 4, true)),
		each(messageOfSeeds, func(msg []byte) []byte { return append([]byte{uint8(messageKinds[msg[0]]) - 1}, msg...) }),
		as(annotate.Extension, each(flagsSeeds, func(data []byte) []byte {
			return append([]byte{0, byte(extension.TLSFlags), byte(len(data) >> 8), byte(len(data))}, data...)
		})),
		as(annotate.Flags, flagsSeeds),
	)(yield)
}
