// Package annotate explains every byte of a handshake message that can carry TLS flags, or
// of a TLS Flags extension: its field, its meaning, and the clause that defines it. It
// explains a refused input up to the fault.
//
// The parsers of extension and clienthello decide what a fault is and its offset.
package annotate

import (
	"errors"
	"iter"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
)

// Kind is what bytes are to be read as.
type Kind uint8

const (
	ClientHello Kind = iota + 1
	DTLSClientHello
	ServerHello // or HelloRetryRequest
	EncryptedExtensions
	CertificateRequest
	Certificate
	NewSessionTicket
	Extension // one whole extension: type, length, data
	Flags     // the extension_data of tls_flags
)

var kindNames = [...]string{
	ClientHello:         "clienthello",
	DTLSClientHello:     "dtls-clienthello",
	ServerHello:         "serverhello",
	EncryptedExtensions: "encryptedextensions",
	CertificateRequest:  "certificaterequest",
	Certificate:         "certificate",
	NewSessionTicket:    "newsessionticket",
	Extension:           "extension",
	Flags:               "flags",
}

// String names the kind, such as "clienthello".
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Kinds returns all kinds.
func Kinds() iter.Seq[Kind] {
	return func(yield func(Kind) bool) {
		for k := ClientHello; k <= Flags && yield(k); k++ {
		}
	}
}

// ErrUnknown is the error of Detect for bytes that do not tell what they are.
var ErrUnknown = errors.New("neither a handshake message nor a tls_flags extension")

// messageKinds are the kinds by msg_type (RFC 9846, Section 4).
var messageKinds = map[byte]Kind{
	1: ClientHello, 2: ServerHello, 4: NewSessionTicket, 8: EncryptedExtensions, 11: Certificate, 13: CertificateRequest,
}

// Detect finds out what data is. It tries, in this order: a handshake message with exactly
// the length in its header; a tls_flags extension; the data of one with exactly the length in
// it; and a handshake message that is cut short or that other bytes follow, in which the
// version of a hello must be a possible one.
func Detect(data []byte) (Kind, error) {
	if len(data) == 0 {
		return 0, errors.New("no bytes")
	}
	kind := messageKinds[data[0]]
	if len(data) >= 14 && data[0] == 1 && data[12] == 0xfe && string(data[1:4]) == string(data[9:12]) {
		kind = DTLSClientHello // RFC 9147, Section 5.2
	}
	exact := len(data) >= 4 && 4+number(data[1:4]) == len(data)
	switch {
	//mutation:equivalent a whole ClientHello is longer than flags that begin with 1
	case kind == DTLSClientHello, kind != 0 && exact:
		return kind, nil
	case len(data) >= 2 && (data[0] == 0 && data[1] == byte(extension.TLSFlags) || data[0] == 0xfe && data[1] == 0x01):
		return Extension, nil
	case 1+int(data[0]) == len(data):
		return Flags, nil
	case kind != 0 && (len(data) < 5 || hasVersion(kind, data)):
		return kind, nil
	}
	return 0, ErrUnknown
}

// hasVersion reports whether the version in a hello is a possible one. A ClientHello of DTLS
// that is cut before its version has its message_seq in that place.
func hasVersion(kind Kind, data []byte) bool {
	switch kind {
	case ClientHello:
		return data[4] == 3 || len(data) < 14 && data[4] == 0
	case ServerHello:
		return data[4] == 3
	}
	return true
}

// Field is some bytes of the input and what they are. The fields of a Table have all of
// its bytes, in order.
type Field struct {
	Offset int
	Bytes  []byte // may be empty if the fault is that something is missing
	// Path names the field in the terms of the standards, such as
	// "extensions[3].extension_data.flags[0]". It is empty for bytes after a fault, which
	// are not read.
	Path    string
	Meaning string // what it says; empty for a field that is opaque
	Clause  string // the document and section that define it
	Fault   *Fault // what is wrong here
}

// Has reports whether the byte at an offset is one of the field.
func (f Field) Has(offset int) bool { return f.Offset <= offset && offset < f.Offset+len(f.Bytes) }

// Fault is what is wrong with one field.
type Fault struct {
	Code   extension.Code
	Offset int
	Path   string
	// Extension tells that only the body of an extension is malformed, which is no
	// reason to refuse the message unless the extension matters.
	Extension bool
}

// Table is the annotated input.
type Table struct {
	Kind    Kind
	Message extension.MessageKind // 0 for an extension or its data
	// Fields has at most 100,000 fields, and one with the Path "..." for all others, so that
	// the table is not much larger than the message.
	Fields []Field
	// Refused is why the input as a whole is refused, nil if it is not.
	Refused *Fault
	// Carrier is why what carried the input is refused, at an offset there; see
	// ExplainCarried.
	Carrier *Fault
	// Bodies has the first 10,000 faults in the bodies of extensions; More counts the others.
	Bodies []Fault
	More   int
	// Block is the extension block of an accepted message or extension, of a Certificate
	// the first one.
	Block extension.List
	// Parsed is an accepted message, but for a ClientHello.
	Parsed handshake.Message

	check func(extension.Type) (int, error) // judges the bodies of a ClientHello
}

// Explain annotates data, read as kind.
func Explain(kind Kind, data []byte) Table {
	t := Table{Kind: kind}
	n, err := t.parse(data)
	w := walker{data: data, end: len(data), fault: -1, check: t.check, message: kind < Extension}
	if code, ok := err.(extension.Code); ok {
		w.fault, w.code = n, code
	}
	w.walk(kind, t.Message)
	t.Fields, t.Bodies, t.More = w.fields, w.bodies, w.more
	switch {
	case w.done:
		t.Refused = t.Fields[len(t.Fields)-1].Fault
	case !w.message && len(t.Bodies) > 0:
		t.Refused, t.Bodies, t.Block = &t.Bodies[0], nil, extension.List{}
	}
	if rest := data[w.at:]; len(rest) > 0 {
		meaning := "after it; not read"
		if t.Refused != nil {
			meaning = "not read"
		}
		t.Fields = append(t.Fields, Field{Offset: w.at, Bytes: rest, Meaning: meaning})
	}
	return t
}

// parse calls the strict parser of t.Kind. It returns the end of what that consumed, or the
// offset and code of the fault. Flags are left to the walker.
func (t *Table) parse(data []byte) (int, error) {
	var m handshake.Message
	var n int
	var err error
	switch t.Kind {
	case ClientHello, DTLSClientHello:
		parse := clienthello.Parse
		if t.Kind == DTLSClientHello {
			parse = clienthello.ParseDTLS
		}
		hello, n, err := parse(data)
		t.Message = extension.ClientHello
		if err == nil {
			t.Block = hello.Extensions()
			t.check = hello.CheckExtension
		}
		return n, err
	case ServerHello:
		m, n, err = handshake.ParseServerHello(data)
		t.Message = extension.ServerHello
	case EncryptedExtensions:
		m, n, err = handshake.ParseEncryptedExtensions(data)
		t.Message = extension.EncryptedExtensions
	case CertificateRequest:
		m, n, err = handshake.ParseCertificateRequest(data)
		t.Message = extension.CertificateRequest
	case Certificate:
		m, n, err = handshake.ParseCertificate(data)
		t.Message = extension.Certificate
	case NewSessionTicket:
		m, n, err = handshake.ParseNewSessionTicket(data)
		t.Message = extension.NewSessionTicket
	case Extension:
		return t.parseExtension(data)
	}
	if err != nil {
		return n, err
	}
	t.Message = m.Kind() // tells ServerHello and HelloRetryRequest apart
	t.Parsed, t.Block = m, m.Extensions()
	return n, nil
}

// parseExtension reads one extension.
func (t *Table) parseExtension(data []byte) (int, error) {
	if len(data) < 4 {
		return len(data), extension.ErrTruncated
	}
	end := 4 + (int(data[2])<<8 | int(data[3]))
	if end > len(data) {
		return len(data), extension.ErrTruncated
	}
	list, n, err := extension.ParseList(0, data[:end:end], 0)
	if err != nil {
		return n, err
	}
	t.Block = list
	return end, nil
}
