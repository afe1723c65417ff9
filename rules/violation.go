package rules

import (
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
)

// Violation is the first rule that a message breaks. The zero value is none.
type Violation struct {
	// Code is the rule that was broken, or 0.
	Code extension.Code
	// Offset is where in the message the offending bytes begin: the extension or, if one
	// flag offends, the octet that holds it. Bytes that are missing have offset 0.
	Offset int

	flag    extension.Flag
	hasFlag bool
	clause  string
}

// violation returns the violation by flag f in extension e. An empty clause means that of
// the code.
func violation(code extension.Code, f extension.Flag, e extension.Extension, clause string) Violation {
	return Violation{Code: code, Offset: e.Offset + 1 + int(f>>3), flag: f, hasFlag: true, clause: clause}
}

// OK reports whether no rule was broken.
func (v Violation) OK() bool { return v.Code == 0 }

// Err returns Code as an error, or nil if no rule was broken. A zero Code in a variable
// of type error would not be nil.
func (v Violation) Err() error { return v.Code.Err() }

// Alert returns the alert that the receiver of the message sends. It is only
// meaningful if OK is false.
func (v Violation) Alert() extension.Alert { return v.Code.Alert() }

// AlternativeAlert returns the alert that another reading of the standards gives, and
// whether there is one.
func (v Violation) AlternativeAlert() (extension.Alert, bool) { return v.Code.AlternativeAlert() }

// Clause names the document and section that was broken; "" if OK is true.
func (v Violation) Clause() string {
	if v.clause != "" {
		return v.clause
	}
	return v.Code.Clause()
}

// Flag returns the offending flag, the lowest if several offend, and whether a flag
// offends and not the extension.
func (v Violation) Flag() (extension.Flag, bool) { return v.flag, v.hasFlag }

// String returns the violation as one line of text, or "accepted" if OK is true. It
// allocates.
func (v Violation) String() string {
	if v.OK() {
		return "accepted"
	}
	place := "byte " + strconv.Itoa(v.Offset)
	if v.hasFlag {
		place += " (" + v.flag.String() + ")"
	}
	return place + ": " + strings.TrimPrefix(v.Code.Error(), "tlsflags: ") + "; alert " + v.Alert().String() + "; " + v.Clause()
}
