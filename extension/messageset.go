package extension

import "strings"

// MessageSet is a set of messages: bit m stands for Message m, so that
// 1<<ClientHello | 1<<CertificateRequest is a set of two. The zero value is empty.
type MessageSet uint8

// Has reports whether m is in the set.
func (s MessageSet) Has(m Message) bool { return s>>m&1 != 0 }

// String returns the abbreviations of the messages as the registries of IANA write
// them: "CH,CR".
func (s MessageSet) String() string {
	var names []string
	for _, m := range [...]Message{
		ClientHello, ServerHello, HelloRetryRequest, EncryptedExtensions, CertificateRequest, Certificate, NewSessionTicket,
	} {
		if s.Has(m) {
			names = append(names, m.Abbreviation())
		}
	}
	return strings.Join(names, ",")
}
