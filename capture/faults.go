package capture

import (
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// parse parses the message of a hello that is about to be reported, and adds its faults.
// servers are those that read what is around it. What none of them takes is refused as by a
// strict reader.
func (h *Hello) parse(servers clienthello.Servers) (clienthello.ClientHello, error) {
	h.servers = servers
	hello, faults, _, err := h.parseTolerant()
	h.view = hello
	if len(faults) > 0 {
		h.Ambiguous = h.Ambiguous.With(Malformed)
		for _, f := range faults {
			h.Faults = append(h.Faults, Fault{f.Code, f.Offset})
		}
	}
	if err == nil && h.Transport != DTLS && hasOldVersion(hello) {
		const versionAt = 4
		h.Ambiguous = h.Ambiguous.With(Malformed)
		h.Faults = append(h.Faults, Fault{FaultVersion, versionAt})
	}
	return hello, err
}

// hasOldVersion reports whether servers have to refuse the legacy_version (RFC 9846,
// Appendix E.5): it is below 0x0300, or 0x0300 in a hello with supported_versions.
// crypto/tls passes over it.
func hasOldVersion(hello clienthello.ClientHello) bool {
	const ssl3 = 0x0300
	if hello.LegacyVersion() == ssl3 {
		_, newer := hello.Extensions().Lookup(extension.SupportedVersions)
		return newer
	}
	return hello.LegacyVersion() < ssl3
}

// parseTolerant parses the message as servers do.
func (h *Hello) parseTolerant() (clienthello.ClientHello, []clienthello.Fault, int, error) {
	if h.Transport == DTLS {
		return clienthello.ParseTolerantDTLS(h.Message, h.servers)
	}
	return clienthello.ParseTolerant(h.Message, h.servers)
}

// oddHello are the reasons for doubt that an answer of the server alone can remove.
const oddHello = Reasons(1<<Records | 1<<Malformed)

// checkBodies casts doubt on a hello with a malformed extension, which servers refuse. It is
// for hellos that are odd in another way: each server knows other extensions.
func (h *Hello) checkBodies() {
	if hello, _, err := h.Parse(); err == nil {
		if offset, code := malformedBody(hello); code != 0 {
			h.Ambiguous = h.Ambiguous.With(Malformed)
			h.Faults = append(h.Faults, Fault{code.Name(), offset})
		}
	}
}

// malformedBody reports whether checkBodies casts doubt on the hello.
func (h *Hello) malformedBody() bool {
	hello, _, err := h.Parse()
	if err != nil {
		return false
	}
	_, code := malformedBody(hello)
	return code != 0
}

// malformedBody returns what is wrong with the first extension that is malformed, and where
// in the message. The code is 0 if there is none.
func malformedBody(hello clienthello.ClientHello) (offset int, code extension.Code) {
	for e := range hello.Extensions().All() {
		if e.Type == extension.TLSFlags || e.Type == extension.TLSFlagsExperimental {
			continue // rows say this
		}
		if offset, err := hello.CheckExtension(e.Type); err != nil {
			return offset, err.(extension.Code)
		}
	}
	return 0, 0
}

// lost are the reasons for doubt whether the only reading came to the server: its ServerHello
// shows that a hello did.
const lost = Reasons(1<<Checksum | 1<<IPHeader | 1<<Segment)

// serversOf returns the servers that speak TLS over t.
func serversOf(t Transport) clienthello.Servers {
	if t == DTLS {
		return clienthello.OpenSSL | clienthello.GnuTLS
	}
	return clienthello.AllServers
}

// parseRecords is parse for a hello in records, and adds their faults too. start is the
// offset in the stream at which they begin, end that of the end of the message.
func (h *Hello) parseRecords(r *assemble.Records, start, end int) (clienthello.ClientHello, error) {
	for _, f := range r.Faults() {
		h.Ambiguous = h.Ambiguous.With(Records)
		h.Faults = append(h.Faults, Fault{f.Code, start + f.Offset})
	}
	servers := r.Servers()
	if servers == 0 { // only the standard has them read
		servers = clienthello.AllServers
	}
	hello, err := h.parse(servers)
	if err != nil { // no server takes it, whatever is around it
		h.Ambiguous, h.Faults = 0, h.Faults[:0]
		return hello, err
	}
	if h.Trailing > 0 {
		h.Faults = append(h.Faults, Fault{FaultTrailing, end})
		if hello.OffersTLS13() {
			h.Ambiguous = h.Ambiguous.With(Records) // OpenSSL refuses it, up to TLS 1.2 it does not
		}
	}
	return hello, nil
}

// oddBeginning reports whether a stream may be of another protocol than TLS, since its
// first record has another major version.
func oddBeginning(r *assemble.Records) bool {
	for _, f := range r.Faults() {
		if f.Code == assemble.FaultRecordVersion {
			return f.Offset <= r.Info().Start+1
		}
	}
	return false
}
