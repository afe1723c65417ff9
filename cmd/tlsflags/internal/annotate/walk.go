package annotate

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"

	"github.com/tlsflags/tlsflags/extension"
)

// The sections that define the fields.
const (
	clauseHandshake = "RFC 9846, Section 4"
	clauseHello     = "RFC 9846, Section 4.2.2"
	clauseServer    = "RFC 9846, Section 4.2.3"
	clauseEE        = "RFC 9846, Section 4.4.1"
	clauseRequest   = "RFC 9846, Section 4.4.2"
	clauseCert      = "RFC 9846, Section 4.5.1"
	clauseTicket    = "RFC 9846, Section 4.7.1"
	clauseExtension = "RFC 9846, Section 4.3"
	clauseDTLS      = "RFC 9147, Section 5.2"
	clauseCookie    = "RFC 9147, Section 5.3"
	clauseFlags     = "draft-ietf-tls-tlsflags-16, Section 2"
)

// A walker goes through data and notes every field, up to the one with the parser's fault.
type walker struct {
	data   []byte
	at     int
	end    int // end of the vector that is open; in data that is cut short, beyond it
	fields []Field
	folded int // fields that the last one of maxFields+1 replaces
	bodies []Fault
	more   int // faults that did not fit into bodies

	fault int // offset of the parser's fault, -1: none
	code  extension.Code
	done  bool // the fault was reached
	short bool // a field did not fit into what contains it, without a fault

	message bool                              // data is a message
	check   func(extension.Type) (int, error) // judges the body of an extension; may be nil
}

// take notes the next n bytes as a field. say, if not nil, tells what they mean.
func (w *walker) take(n int, path, clause string, say func([]byte) string) []byte {
	if w.done {
		return nil
	}
	here := w.fault >= w.at && w.fault < w.at+n
	if left := max(min(w.end, len(w.data))-w.at, 0); n > left {
		n = left
		if w.fault >= 0 {
			// The message is cut short, and where it ends is the fault, even if what is
			// there makes no sense.
			n = max(min(w.fault, len(w.data))-w.at, n)
		}
		here = here || w.fault >= 0
		w.short = true
		say = nil
	}
	f := Field{Offset: w.at, Bytes: w.data[w.at : w.at+n : w.at+n], Path: path, Clause: clause}
	if say != nil && n > 0 {
		f.Meaning = say(f.Bytes)
	}
	if here {
		w.done = true
		f.Fault = &Fault{Code: w.code, Offset: w.fault, Path: path}
	}
	w.at += n
	if n > 0 || here {
		w.fields = append(w.fields, f)
	}
	return f.Bytes
}

// The limits of a table. A Certificate of 16 MB has eight million fields.
const (
	maxFields = 100_000
	maxBodies = 10_000
)

// fold joins the fields beyond maxFields to one. A fault that ends the walk stays.
func (w *walker) fold() {
	if w.done || len(w.fields) <= maxFields {
		return
	}
	joined := w.fields[maxFields:]
	f := Field{Offset: joined[0].Offset, Bytes: w.data[joined[0].Offset:w.at:w.at], Path: "...", Clause: joined[0].Clause}
	if i := slices.IndexFunc(joined, func(f Field) bool { return f.Fault != nil }); i >= 0 {
		f.Fault = joined[i].Fault
	}
	w.folded = max(w.folded-1, 0) + len(joined)
	f.Meaning = strconv.Itoa(w.folded) + " more fields"
	clear(joined)
	w.fields = append(w.fields[:maxFields], f)
}

// vector notes a vector whose length takes size bytes; inside notes what it holds, or is
// nil for opaque bytes.
func (w *walker) vector(size int, path, clause string, inside func()) {
	length := w.take(size, path+".length", clause, sayLength)
	if w.done || len(length) < size {
		return
	}
	outer := w.end
	if inside == nil {
		w.take(number(length), path, clause, nil)
		return
	}
	w.end = w.at + number(length)
	if w.end > outer && w.fault < 0 {
		w.end, w.short = outer, true
	}
	inside()
	w.stray(path, clause)
	w.end = outer
}

const leftOver = "left over"

// stray notes what is left of a vector.
func (w *walker) stray(path, clause string) {
	if !w.done && w.at < w.end {
		w.take(w.end-w.at, path, clause, func([]byte) string { return leftOver })
	}
}

// list notes a vector of elements of the given size.
func (w *walker) list(size, element int, path, clause string, say func([]byte) string) {
	w.vector(size, path, clause, func() {
		for i := 0; !w.done && w.end-w.at >= element; i++ {
			w.take(element, path+"["+strconv.Itoa(i)+"]", clause, say)
		}
	})
}

// walk notes the fields of kind.
func (w *walker) walk(kind Kind, m extension.MessageKind) {
	switch kind {
	case ClientHello, DTLSClientHello:
		w.clientHello(kind == DTLSClientHello)
	case ServerHello:
		w.serverHello()
	case EncryptedExtensions:
		w.header(8, "EncryptedExtensions")
		w.extensions("extensions", m, clauseEE)
	case CertificateRequest:
		w.header(13, "CertificateRequest")
		w.vector(1, "certificate_request_context", clauseRequest, nil)
		w.extensions("extensions", m, clauseRequest)
	case Certificate:
		w.certificate()
	case NewSessionTicket:
		w.newSessionTicket()
	case Extension:
		w.extension("", m)
		return
	case Flags:
		w.flags("")
	}
	w.stray("after extensions", clauseHandshake)
}

func (w *walker) header(msgType byte, name string) {
	w.take(1, "msg_type", clauseHandshake, func(b []byte) string {
		if b[0] != msgType {
			return "type " + strconv.Itoa(int(b[0])) + ", not " + name + " (" + strconv.Itoa(int(msgType)) + ")"
		}
		return name
	})
	length := w.take(3, "length", clauseHandshake, sayLength)
	if len(length) == 3 {
		w.end = w.at + number(length)
	}
}

func (w *walker) clientHello(dtls bool) {
	w.header(1, "ClientHello")
	if dtls {
		w.end += 8 // length does not count what follows it in the header
		w.take(2, "message_seq", clauseDTLS, sayNumber)
		w.take(3, "fragment_offset", clauseDTLS, sayNumber)
		w.take(3, "fragment_length", clauseDTLS, sayLength)
	}
	w.take(2, "legacy_version", clauseHello, sayVersion)
	w.take(32, "random", clauseHello, nil)
	w.vector(1, "legacy_session_id", clauseHello, nil)
	if dtls {
		w.vector(1, "legacy_cookie", clauseCookie, nil)
	}
	w.list(2, 2, "cipher_suites", clauseHello, sayCipherSuite)
	w.list(1, 1, "legacy_compression_methods", clauseHello, sayCompression)
	w.optionalExtensions(extension.ClientHello, clauseHello)
}

func (w *walker) serverHello() {
	m, name := extension.ServerHello, "ServerHello"
	retry := sha256.Sum256([]byte("HelloRetryRequest"))
	if len(w.data) >= 38 && string(w.data[6:38]) == string(retry[:]) {
		m, name = extension.HelloRetryRequest, "ServerHello, by its random a HelloRetryRequest"
	}
	w.header(2, name)
	w.take(2, "legacy_version", clauseServer, sayVersion)
	w.take(32, "random", clauseServer, func([]byte) string {
		if m == extension.HelloRetryRequest {
			return `SHA-256("HelloRetryRequest")`
		}
		return ""
	})
	w.vector(1, "legacy_session_id_echo", clauseServer, nil)
	w.take(2, "cipher_suite", clauseServer, sayCipherSuite)
	w.take(1, "legacy_compression_method", clauseServer, sayCompression)
	w.optionalExtensions(m, clauseServer)
}

// optionalExtensions notes the extension block of a hello, which TLS 1.2 may omit. A single
// byte does not begin one.
func (w *walker) optionalExtensions(m extension.MessageKind, clause string) {
	if w.end-w.at == 1 {
		w.stray("extensions.length", clause)
	}
	if w.at < w.end {
		w.extensions("extensions", m, clause)
	}
}

func (w *walker) certificate() {
	w.header(11, "Certificate")
	w.vector(1, "certificate_request_context", clauseCert, nil)
	w.vector(3, "certificate_list", clauseCert, func() {
		for i := 0; !w.done && w.at < w.end; i++ {
			path := "certificate_list[" + strconv.Itoa(i) + "]"
			w.vector(3, path+".cert_data", clauseCert, nil)
			//mutation:equivalent bodies differ in hellos alone
			w.extensions(path+".extensions", extension.Certificate, clauseCert)
			w.fold()
		}
	})
}

func (w *walker) newSessionTicket() {
	w.header(4, "NewSessionTicket")
	w.take(4, "ticket_lifetime", clauseTicket, func(b []byte) string { return sayNumber(b) + " seconds" })
	w.take(4, "ticket_age_add", clauseTicket, nil)
	w.vector(1, "ticket_nonce", clauseTicket, nil)
	w.vector(2, "ticket", clauseTicket, nil)
	//mutation:equivalent bodies differ in hellos alone
	w.extensions("extensions", extension.NewSessionTicket, clauseTicket)
}

func (w *walker) extensions(path string, m extension.MessageKind, clause string) {
	w.vector(2, path, clause, func() {
		for i := 0; !w.done && w.at < w.end; i++ {
			w.extension(path+"["+strconv.Itoa(i)+"].", m)
			w.fold()
		}
	})
}

// extension notes one extension, whose fields begin with path.
func (w *walker) extension(path string, m extension.MessageKind) {
	if w.end-w.at < 4 && w.code == extension.ErrStrayBytes {
		w.stray(path+"extension_type", clauseExtension)
		return
	}
	t := w.take(2, path+"extension_type", clauseExtension, sayType)
	length := w.take(2, path+"extension_data.length", clauseExtension, sayLength)
	if w.done || len(length) < 2 {
		return
	}
	outer := w.end
	w.end = w.at + number(length)
	w.body(extension.Type(number(t)), m, path+"extension_data")
	w.end = outer
}

// body notes the extension_data up to w.end.
func (w *walker) body(t extension.Type, m extension.MessageKind, path string) {
	inside, clause := bodyOf(t, m)
	switch {
	case w.fault >= 0 && w.fault < w.end: // it is cut short
	case t == extension.TLSFlags, t == extension.TLSFlagsExperimental:
		w.flags(path)
	case w.malformed(t, path, clause):
		return
	case inside != nil && w.fits(inside, path, clause):
		inside(w, path, clause)
		return
	}
	w.take(w.end-w.at, path, clause, nil)
}

// malformed notes a body that the accessor for it refuses, up to the fault and from there.
func (w *walker) malformed(t extension.Type, path, clause string) bool {
	if w.check == nil {
		return false
	}
	offset, err := w.check(t)
	code, ok := err.(extension.Code)
	if !ok {
		return false
	}
	w.take(offset-w.at, path, clause, nil)
	w.fields = append(w.fields, Field{Offset: w.at, Bytes: w.data[w.at:w.end:w.end], Path: path, Clause: clause})
	w.at = w.end
	w.object(&w.fields[len(w.fields)-1], offset, code)
	return true
}

// fits reports whether a whole body has the form that inside describes.
func (w *walker) fits(inside func(*walker, string, string), path, clause string) bool {
	try := &walker{data: w.data, at: w.at, end: w.end, fault: -1}
	inside(try, path, clause)
	stray := slices.ContainsFunc(try.fields, func(f Field) bool { return f.Meaning == leftOver })
	return try.at == w.end && !try.short && !stray
}

// flags notes the data of tls_flags, which ends at w.end, a row for each octet.
func (w *walker) flags(path string) {
	data := w.data[w.at:w.end:w.end]
	_, n, err := extension.ParseFlags(data)
	first, start := len(w.fields), w.at
	prefix := path
	if prefix != "" {
		prefix += "."
	}
	if len(data) > 0 {
		length := w.take(1, prefix+"flags.length", clauseFlags, sayLength)
		for i := 0; i < number(length) && w.at < w.end; i++ {
			w.take(1, fmt.Sprintf("%sflags[%d]", prefix, i), clauseFlags, func(b []byte) string { return sayFlags(i*8, b[0]) })
		}
	} else {
		w.fields = append(w.fields, Field{Offset: w.at, Bytes: data, Path: path, Clause: clauseFlags})
	}
	w.stray(path, clauseFlags)
	if code, ok := err.(extension.Code); ok {
		for i := first; i < len(w.fields); i++ {
			if f := &w.fields[i]; start+n < f.Offset+max(len(f.Bytes), 1) {
				w.object(f, start+n, code)
				return
			}
		}
	}
}

// object notes a fault in the body of an extension.
func (w *walker) object(f *Field, fault int, code extension.Code) {
	f.Fault = &Fault{Code: code, Offset: fault, Path: f.Path, Extension: w.message}
	if len(w.bodies) < maxBodies {
		w.bodies = append(w.bodies, *f.Fault)
	} else {
		w.more++
	}
}
