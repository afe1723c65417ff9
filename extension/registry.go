package extension

import (
	"iter"
	"slices"
)

// FlagInfo is one row of the registry "TLS Flags" that draft-ietf-tls-tlsflags-16,
// Section 4 defines, with what is known besides.
type FlagInfo struct {
	Number     Flag
	Unnumbered bool      // no number is assigned, proposed or in use; Number is 0
	Name       string    // as the newest text that asks for a registration writes it
	Aliases    [3]string // other names of the same flag; "" if there are fewer

	// Messages are those in which the flag's document allows it. If it is empty the
	// document does not say, and only the rules of draft-ietf-tls-tlsflags apply.
	Messages MessageSet
	// Answers is the subset of Messages in which the flag may only echo an offer: the
	// ClientHello's or, in a client's Certificate, the CertificateRequest's.
	Answers MessageSet

	Recommended string // "Y", "N" or, if no document says it, ""
	Reference   string // the document that defines the flag, with its section if one fits
	Status      Status
}

// Status says how far the definition of a flag has come.
type Status uint8

const (
	// StatusLocal: added by the application, not known to the standards.
	StatusLocal Status = iota
	// StatusProposed: in an Internet-Draft that is being worked on, or was last.
	StatusProposed
	// StatusExperimental: proposed, and the number is one that experiments use.
	StatusExperimental
	// StatusWithdrawn: the document went another way.
	StatusWithdrawn
	// StatusRejected: the change that would have defined it was turned down.
	StatusRejected
)

// String returns the status in lower case.
func (s Status) String() string {
	switch s {
	case StatusLocal:
		return "local"
	case StatusProposed:
		return "proposed"
	case StatusExperimental:
		return "experimental"
	case StatusWithdrawn:
		return "withdrawn"
	case StatusRejected:
		return "rejected"
	}
	return "unknown status"
}

// registered are the flags of published texts and implementations, those with a number
// first, in the order of the numbers. IANA has not registered any yet.
var registered = [...]FlagInfo{
	{Number: ResumptionAcrossNames, Name: "resumption_across_names",
		Messages: MessagesOf(NewSessionTicket), Recommended: "N",
		Reference: "draft-ietf-tls-tlsflags-16, Section 4", Status: StatusProposed},
	{Number: RequestMTLS, Name: "request_mtls", Aliases: [3]string{"request_client_auth", "req_client_auth", "req_mtls"},
		Messages: MessagesOf(ClientHello, CertificateRequest), Answers: MessagesOf(CertificateRequest), Recommended: "N",
		Reference: "draft-jhoyla-req-mtls-flag, Section 3", Status: StatusExperimental},
	{Unnumbered: true, Name: "extended_key_update",
		Messages: MessagesOf(ClientHello, EncryptedExtensions), Answers: MessagesOf(EncryptedExtensions), Recommended: "Y",
		Reference: "draft-ietf-tls-extended-key-update", Status: StatusProposed},
	{Unnumbered: true, Name: "supplemental_certificate",
		Messages: MessagesOf(Certificate), Recommended: "Y",
		Reference: "draft-rosomakho-tls-supplemental-auth", Status: StatusProposed},
	{Unnumbered: true, Name: "CMW_Attestation",
		Messages: MessagesOf(ClientHello, EncryptedExtensions), Answers: MessagesOf(EncryptedExtensions), Recommended: "Y",
		Reference: "attested TLS by exported authenticators", Status: StatusProposed},
	{Unnumbered: true, Name: "dual_cert",
		Messages: MessagesOf(ClientHello, EncryptedExtensions), Answers: MessagesOf(EncryptedExtensions), Recommended: "Y",
		Reference: "draft-yusef-tls-dual-certs", Status: StatusProposed},
	{Unnumbered: true, Name: "post_handshake_auth_mutual",
		Messages: MessagesOf(ClientHello, EncryptedExtensions), Answers: MessagesOf(EncryptedExtensions), Recommended: "Y",
		Reference: "draft-tschofenig-tls-post-handshake-00", Status: StatusProposed},
	{Unnumbered: true, Name: "ca_suppression", // the draft gives it no name
		Messages:  MessagesOf(ClientHello, CertificateRequest),
		Reference: "draft-kampanakis-tls-scas", Status: StatusProposed},
	{Unnumbered: true, Name: "large_record_size",
		Messages: MessagesOf(ClientHello, EncryptedExtensions), Answers: MessagesOf(EncryptedExtensions), Recommended: "Y",
		Reference: "draft-mattsson-tls-super-jumbo-record-limit", Status: StatusWithdrawn},
	{Unnumbered: true, Name: "rrc",
		Reference: "draft-ietf-tls-dtls-rrc-01", Status: StatusWithdrawn},
	{Unnumbered: true, Name: "request_bot_auth",
		Messages: MessagesOf(ClientHello, CertificateRequest), Answers: MessagesOf(CertificateRequest), Recommended: "N",
		Reference: "draft-jhoyla-req-mtls-flag, an unmerged change", Status: StatusRejected},
}

// Registry knows flags by number and by name. A Registry is immutable; With returns
// an extended copy. The zero value has the flags of published texts.
type Registry struct {
	rows []FlagInfo // nil: registered
}

func (r Registry) table() []FlagInfo {
	if r.rows == nil {
		return registered[:]
	}
	return r.rows
}

// All yields the flags: those with a number in ascending order, then the others.
func (r Registry) All() iter.Seq[FlagInfo] {
	return func(yield func(FlagInfo) bool) {
		for _, info := range r.table() {
			if !yield(info) {
				return
			}
		}
	}
}

// ByNumber returns the flag with number f, and whether there is one.
func (r Registry) ByNumber(f Flag) (FlagInfo, bool) {
	for _, info := range r.table() {
		if !info.Unnumbered && info.Number == f {
			return info, true
		}
	}
	return FlagInfo{}, false
}

// ByName returns the flag with the given name, or else the one with it as an alias, and
// whether there is one.
func (r Registry) ByName(name string) (FlagInfo, bool) {
	if name == "" {
		return FlagInfo{}, false
	}
	rows := r.table()
	i := slices.IndexFunc(rows, func(info FlagInfo) bool { return info.Name == name })
	if i < 0 {
		i = slices.IndexFunc(rows, func(info FlagInfo) bool { return slices.Contains(info.Aliases[:], name) })
	}
	if i < 0 {
		return FlagInfo{}, false
	}
	return rows[i], true
}

// With returns a copy of the registry with info added; flags with the same number or
// name are replaced. A name that another flag has as an alias means info from then on.
// It returns r and ErrFlagTooLarge if the number is above MaxFlag, and r and ErrFlagUnnamed
// if info has no name.
func (r Registry) With(info FlagInfo) (Registry, error) {
	if info.Unnumbered {
		info.Number = 0
	}
	switch {
	case info.Number > MaxFlag:
		return r, ErrFlagTooLarge
	case info.Name == "":
		return r, ErrFlagUnnamed
	}
	rows := slices.DeleteFunc(slices.Clone(r.table()), func(old FlagInfo) bool {
		sameNumber := !old.Unnumbered && !info.Unnumbered && old.Number == info.Number
		return sameNumber || old.Name == info.Name
	})
	i := 0
	//mutation:equivalent no two numbers are equal
	for i < len(rows) && (info.Unnumbered || !rows[i].Unnumbered && rows[i].Number < info.Number) {
		i++
	}
	return Registry{slices.Insert(rows, i, info)}, nil
}
