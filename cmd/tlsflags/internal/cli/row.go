package cli

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

// row is what was found, from which a line is made if it is to be shown.
type row struct {
	source string
	hello  *capture.Hello
	number int                     // in its capture, from 1
	msg    clienthello.ClientHello // zero if it was refused
	code   extension.Code          // why it was refused, or 0
	offset int                     // of the code

	print string // the JA4 fingerprint, if it was asked for
	l     *line  // nil until it is asked for
}

// ja4 returns the fingerprint, or "" if the hello was refused.
func (r *row) ja4() string {
	if r.print == "" && r.msg.Raw() != nil {
		r.print = ja4(r.msg, r.hello.Transport).String()
	}
	return r.print
}

// ja4 returns the fingerprint of a row whose hello was not refused.
func (t *texts) ja4(r *row) string {
	if r.print == "" {
		f := ja4(r.msg, r.hello.Transport)
		r.print = t.of(f[:])
	}
	return r.print
}

// line describes a row. It is valid until the next row.
func (in *inspection) line(r *row) *line {
	if r.l != nil {
		return r.l
	}
	l := in.lists.describe(r.source, r.hello)
	r.l, l.Hello = l, r.number
	switch {
	case !r.hello.Found(): // a doubt, and no more
	case r.code != 0:
		l.Error, l.Partial = refuse(r.code, r.offset), in.lists.describePartial(r.hello)
		if r.code == extension.ErrDuplicateExtension {
			t := extension.Type(binary.BigEndian.Uint16(r.hello.Message[r.offset:]))
			l.Error.Message += ": " + t.String()
		}
	default:
		l.ClientHello = in.lists.describeHello(r.msg, in.parts)
		if l.DTLS != nil {
			l.DTLS.CookieLength = new(len(r.msg.LegacyCookie()))
		}
		l.TLSFlags = describeFlags(r.msg.Extensions())
		l.Faults = append(l.Faults, flagFaults(r.msg)...)
		l.RequestMTLS = r.msg.HasFlag(extension.RequestMTLS)
		if in.parts.has(partJA4) {
			l.JA4 = optional(in.lists.texts.ja4(r))
		}
		in.followed.describe(l, r.msg)
	}
	return l
}

// flagFaults returns the fault of a hello that has a TLS flag whose document does not allow it
// there. A server decides what to do with the flag; the hello is not refused for it.
func flagFaults(msg clienthello.ClientHello) []oddInfo {
	v := rules.Handshake{}.Check(extension.ClientHello, handshake.FromClient, msg.Extensions())
	if v.Code != extension.ErrFlagMisplaced { // a malformed extension has an error of its own
		return nil
	}
	return []oddInfo{{v.Code.Name(), v.Offset}}
}
