package capture

import (
	"slices"

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

// settleOdd removes doubts of oddHello which the first bytes of the server's answer decide:
// after a ServerHello the hello was read, after an alert for what is odd about it it was
// not.
func (h *Hello) settleOdd(b []byte) {
	const fatal = 2
	if answer, ok := readServerHello(b); ok && answer.fits(h) {
		h.Ambiguous &^= oddHello
		return
	}
	if len(b) < 7 || b[0] != recordAlert || b[5] != fatal {
		return
	}
	refuses := slices.Contains([]extension.Alert{extension.AlertIllegalParameter, extension.AlertDecodeError, extension.AlertUnsupportedExtension}, extension.Alert(b[6]))
	byVersion := slices.ContainsFunc(h.Faults, func(f Fault) bool { return f.Code == FaultVersion })
	if refuses && !byVersion && h.Ambiguous == Reasons(1<<Malformed) {
		h.Ambiguous, h.Faults, h.servers = 0, nil, 0
	}
}

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
