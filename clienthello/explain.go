package clienthello

import (
	"strconv"

	"github.com/tlsflags/tlsflags/extension"
)

// Explanation says why a message was refused, and where.
type Explanation struct {
	Code   extension.Code // knows the alert and the clause
	Offset int            // as Parse or CheckExtension reports it
	// Path names the field at Offset with the names of RFC 9846, Section 4.2.2, such
	// as "legacy_session_id.length" or "extensions[3].extension_data.length".
	Path string
	// Hint says what the bytes may be instead, or is empty.
	Hint string
}

// String returns the explanation as one line of text.
func (e Explanation) String() string {
	text := "byte " + strconv.Itoa(e.Offset) + " (" + e.Path + "): " + e.Code.Error()[len("tlsflags: "):] +
		"; alert " + e.Code.Alert().String() + "; " + e.Code.Clause()
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Explain says why Parse refuses msg; ok is false where it does not. It is meant for
// people who look at one message: it allocates and is slower than Parse.
func Explain(msg []byte) (e Explanation, ok bool) { return explain(msg, headerLen) }

// ExplainDTLS says why ParseDTLS refuses msg; ok is false where it does not.
func ExplainDTLS(msg []byte) (e Explanation, ok bool) { return explain(msg, headerLenDTLS) }

func explain(msg []byte, header int) (Explanation, bool) {
	_, offset, err := parse(msg, header)
	code, refused := err.(extension.Code)
	if !refused {
		return Explanation{}, false
	}
	e := Explanation{Code: code, Offset: offset, Path: path(msg, header, offset)}
	const handshakeRecord = 22 // the ContentType of RFC 9846, Section 5.1
	if code == extension.ErrMessageType && msg[0] == handshakeRecord {
		e.Hint = "this looks like a TLS record; the message begins after its header (package assemble takes records)"
	}
	return e, true
}

// ExplainExtension says why CheckExtension refuses the body of the extension of type
// t; ok is false where it does not.
func (h ClientHello) ExplainExtension(t extension.Type) (e Explanation, ok bool) {
	offset, err := h.CheckExtension(t)
	code, refused := err.(extension.Code)
	if !refused {
		return Explanation{}, false
	}
	index, at := 0, 0
	for e := range h.extensions.All() {
		if e.Type == t {
			at = offset - e.Offset
			break
		}
		index++
	}
	p := "extensions[" + strconv.Itoa(index) + "].extension_data"
	if t == extension.TLSFlags || t == extension.TLSFlagsExperimental {
		p += flagsPath(code, at)
	} else {
		p += "[" + strconv.Itoa(at) + "]"
	}
	return Explanation{Code: code, Offset: offset, Path: p}, true
}

// flagsPath names the byte at offset of the extension_data of tls_flags.
func flagsPath(code extension.Code, offset int) string {
	switch {
	case code == extension.ErrFlagsEmptyData:
		return ""
	case code == extension.ErrFlagsTrailingBytes:
		return "[" + strconv.Itoa(offset) + "]"
	case offset == 0:
		return ".flags.length"
	}
	return ".flags[" + strconv.Itoa(offset-1) + "]"
}

// path names the field at offset of a message that is valid up to there.
func path(msg []byte, header, offset int) string {
	type field struct {
		name string
		size int
	}
	fixed := []field{{"msg_type", 1}, {"length", 3}, {"legacy_version", 2}, {"random", randomLen}}
	vectors := []field{{"legacy_session_id", 1}, {"cipher_suites", 2}, {"legacy_compression_methods", 1}}
	if header == headerLenDTLS {
		fixed = []field{{"msg_type", 1}, {"length", 3}, {"message_seq", 2}, {"fragment_offset", 3},
			{"fragment_length", 3}, {"legacy_version", 2}, {"random", randomLen}}
		vectors = []field{{"legacy_session_id", 1}, {"legacy_cookie", 1}, {"cipher_suites", 2}, {"legacy_compression_methods", 1}}
	}

	i := 0
	reaches := func(n int) bool { // passes n bytes, and tells whether offset is one of them
		i += n
		return offset < i
	}
	length := func(size int) (n int) { // the size bytes just passed, as a number
		for _, b := range msg[i-size : i] {
			n = n<<8 | int(b)
		}
		return n
	}
	for _, f := range fixed {
		if reaches(f.size) {
			return f.name
		}
	}
	for _, v := range vectors {
		if reaches(v.size) {
			return v.name + ".length"
		}
		if reaches(length(v.size)) {
			return v.name
		}
	}
	if reaches(2) {
		return "extensions.length"
	}
	end := i + length(2)
	for k := 0; i < end; k++ {
		name := "extensions[" + strconv.Itoa(k) + "]."
		if reaches(2) {
			return name + "extension_type"
		}
		if reaches(2) {
			return name + "extension_data.length"
		}
		if reaches(length(2)) {
			return name + "extension_data"
		}
	}
	return "after extensions"
}
