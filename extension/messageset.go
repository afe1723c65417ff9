package extension

import "strings"

// MessageSet is a set of kinds of messages, made by [MessagesOf]. It can be compared
// with ==. The zero value is empty.
type MessageSet struct {
	bits uint8 // bit k for MessageKind k
}

// MessagesOf returns the set of the given kinds. Numbers that are no kind of message
// are left out.
func MessagesOf(kinds ...MessageKind) MessageSet {
	var s MessageSet
	for _, k := range kinds {
		if k != 0 {
			s.bits |= 1 << k // 0 for those that are too large
		}
	}
	return s
}

// Has reports whether k is in the set.
func (s MessageSet) Has(k MessageKind) bool { return s.bits>>k&1 != 0 }

// IsEmpty reports whether no kind is in the set.
func (s MessageSet) IsEmpty() bool { return s.bits == 0 }

// String returns the abbreviations of the kinds as the registries of IANA write them:
// "CH,CR".
func (s MessageSet) String() string {
	var names []string
	for _, m := range [...]struct {
		kind         MessageKind
		abbreviation string
	}{
		{ClientHello, "CH"}, {ServerHello, "SH"}, {HelloRetryRequest, "HRR"}, {EncryptedExtensions, "EE"},
		{CertificateRequest, "CR"}, {Certificate, "CT"}, {NewSessionTicket, "NST"},
	} {
		if s.Has(m.kind) {
			names = append(names, m.abbreviation)
		}
	}
	return strings.Join(names, ",")
}
