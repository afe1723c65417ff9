package fuzz

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/ech"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// checkServerConn compares what a server of package reqmtls notes about a client that sends
// stream with what the parsers say, whether it reads all at once or in pieces.
func checkServerConn(stream, cuts []byte) error {
	base := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}
	server, err := reqmtls.New(base, reqmtls.Config{Mode: reqmtls.Request})
	if err != nil {
		return err
	}
	want, wantOK := referenceServerHello(stream)
	for _, sizes := range [][]byte{nil, cuts} { // the second connection gets the memory of the first
		conn := server.Wrap(&readConn{Reader: bytes.NewReader(stream)})
		for piece := range assembletest.Chop(stream, sizes) {
			read := make([]byte, len(piece))
			if n, err := conn.Read(read); err != nil || !bytes.Equal(read[:n], piece) {
				return fmt.Errorf("read %x instead of %x: %w", read[:n], piece, err)
			}
		}
		if got, ok := conn.Hello(); !want.is(got) || ok != wantOK {
			return fmt.Errorf("in pieces of %v: %+v, %t; the parsers have %+v, %t", sizes, got, ok, want, wantOK)
		}
	}
	return nil
}

// serverHello is what the parsers say of a client.
type serverHello struct {
	reqmtls.Hello
	extension extension.Type
}

// is reports whether a server has noted the same.
func (h serverHello) is(got reqmtls.Hello) bool {
	t, ok := got.Extension()
	return got.Flags == h.Flags && got.Err == h.Err && got.Flagged == h.Flagged && t == h.extension && ok == (t != 0) &&
		!got.ECH && !got.Applied && got.Policy == ""
}

// referenceServerHello is what a server should note about a client, and false if the
// ClientHello is incomplete.
func referenceServerHello(stream []byte) (h serverHello, ok bool) {
	var records assemble.Records
	records.Reset(make([]byte, reqmtls.DefaultLimit))
	result := records.Feed(stream)
	switch {
	case result.Outcome != assemble.Complete:
		if result.Code != 0 {
			h.Err = result.Code
		}
		return h, result.Outcome != assemble.NeedMore
	case len(result.Message) > reqmtls.DefaultLimit:
		h.Err = extension.ErrOverLimit
		return h, true
	}
	hello, _, err := clienthello.Parse(result.Message)
	if err != nil {
		h.Err = err
		return h, true
	}
	flags, t, err := hello.Flags()
	h.Flags, h.Err, h.Flagged = flags.Set(), err, hello.HasFlag(extension.RequestMTLS)
	h.extension = t
	return h, true
}

func checkServerConnInput(data []byte) error {
	cuts, stream, ok := assembletest.SplitCuts(data)
	if !ok || len(stream) > 1<<17 {
		return nil
	}
	return checkServerConn(stream, cuts)
}

// checkECHInput takes a length, an extension block of an outer ClientHello, and the rest as
// the encoded inner one.
func checkECHInput(data []byte) error {
	var outerBlock cryptobyte.String
	encoded := cryptobyte.String(data)
	if !encoded.ReadUint16LengthPrefixed(&outerBlock) {
		return nil
	}
	body := slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{0, 0, 2, 0x13, 1, 1, 0}, data[:2+len(outerBlock)])
	n := len(body)
	outer, _, err := clienthello.Parse(append([]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, body...))
	if err != nil {
		return nil
	}
	return checkECH(outer, encoded)
}

// checkECH checks that an outer ClientHello and what is encrypted in it are not changed, and
// that the extensions of the inner one are its own and those that it points to.
func checkECH(outer clienthello.ClientHello, encoded []byte) error {
	before := slices.Concat(outer.Raw(), encoded)
	key := tls.EncryptedClientHelloKey{Config: []byte("\xfe\x0d\x00\x04\x07\x00\x20\x00"), PrivateKey: make([]byte, 32)}
	ech.Open(outer, []tls.EncryptedClientHelloKey{key})
	got, ok := ech.InnerExtensions(encoded, outer.Extensions())
	if !bytes.Equal(before, slices.Concat(outer.Raw(), encoded)) {
		return errors.New("the input was written to")
	}
	want, wantOK := referenceInner(encoded, outer.Extensions())
	if ok != wantOK || !bytes.Equal(got.AppendTo(nil), want) {
		return fmt.Errorf("got %x, %t; the reference has %x, %t", got.AppendTo(nil), ok, want, wantOK)
	}
	return nil
}

// referenceInner returns the extension block of an EncodedClientHelloInner, with the
// extensions that it takes over from the outer ClientHello (RFC 9849, Section 5.1).
func referenceInner(encoded []byte, outer extension.List) (expanded []byte, ok bool) {
	var field []byte
	at := 2 + 32
	for _, lengthSize := range []int{1, 2, 1, 2} { // legacy_session_id, cipher_suites, legacy_compression_methods, extensions
		if len(encoded) < at+lengthSize {
			return nil, false
		}
		n := 0
		for _, b := range encoded[at : at+lengthSize] {
			n = n<<8 | int(b)
		}
		at += lengthSize
		if len(encoded) < at+n {
			return nil, false
		}
		field = encoded[at : at+n]
		at += n
	}
	inner, _, code := extensiontest.ReferenceList(extension.ClientHello, field, 0)
	if code != 0 {
		return nil, false
	}
	var list []extension.Extension
	for _, e := range inner {
		if e.Type != extension.ECHOuterExtensions {
			list = append(list, e)
			continue
		}
		if len(e.Data) == 0 || e.Data[0]%2 != 0 || len(e.Data) < 1+int(e.Data[0]) {
			return nil, false
		}
		for t := range slices.Chunk(e.Data[1:1+int(e.Data[0])], 2) {
			if o, ok := outer.Lookup(extension.Type(t[0])<<8 | extension.Type(t[1])); ok {
				list = append(list, o)
			}
		}
	}
	expanded = extensiontest.Block(list)
	if _, _, code := extensiontest.ReferenceList(extension.ClientHello, expanded, 0); code != 0 {
		return nil, false
	}
	return expanded, true
}

// echSeeds are the extensions of recorded clients, and an inner ClientHello that takes
// every other one over from them.
func echSeeds(yield func([]byte) bool) {
	for msg := range fuzzing.Messages {
		hello, _, _ := clienthellotest.Reference(msg, false)
		flags := extension.Extension{Type: extension.TLSFlags, Data: []byte{1, 1}}
		own, taken := []extension.Extension{flags}, []byte{0}
		for i, e := range hello.Extensions {
			switch {
			case e.Type == extension.PreSharedKey, e.Type == flags.Type:
			case i%2 == 0:
				own = append(own, e)
			default:
				taken = append(taken, byte(e.Type>>8), byte(e.Type))
			}
		}
		taken[0] = byte(len(taken) - 1)
		outer := extensiontest.Block(hello.Extensions)
		inner := extensiontest.Block(append(own, extension.Extension{Type: extension.ECHOuterExtensions, Data: taken}))
		if !yield(slices.Concat(
			[]byte{byte(len(outer) >> 8), byte(len(outer))}, outer,
			[]byte{3, 3}, hello.Random, []byte{0, 0, 2, 0x13, 1, 1, 0}, []byte{byte(len(inner) >> 8), byte(len(inner))}, inner,
			make([]byte, 16), // padding
		)) {
			return
		}
	}
}
