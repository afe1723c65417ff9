package annotate

import (
	"strconv"

	"github.com/tlsflags/tlsflags/extension"
)

// opaqueBodies has the sections that define the extensions whose bodies are left opaque.
var opaqueBodies = map[extension.Type]string{
	extension.TLSFlags:                clauseFlags,
	extension.TLSFlagsExperimental:    clauseFlags,
	extension.PreSharedKey:            "RFC 9846, Section 4.3.11",
	extension.CertificateAuthorities:  "RFC 9846, Section 4.3.4",
	extension.EncryptedClientHello:    "RFC 9849, Section 5",
	extension.StatusRequest:           "RFC 6066, Section 8",
	extension.ECPointFormats:          "RFC 8422, Section 5.1.2",
	extension.ExtendedMasterSecret:    "RFC 7627, Section 5.1",
	extension.CompressCertificate:     "RFC 8879, Section 3",
	extension.RecordSizeLimit:         "RFC 8449, Section 4",
	extension.SessionTicket:           "RFC 5077, Section 3.2",
	extension.EarlyData:               "RFC 9846, Section 4.3.10",
	extension.PSKKeyExchangeModes:     "RFC 9846, Section 4.3.9",
	extension.QUICTransportParameters: "RFC 9001, Section 8.2",
}

// bodyOf returns what notes the body of an extension of type t in message m, nil if it
// is left opaque, and the section that defines it. Each type of clienthello.BodyTypes has a
// case or a row of opaqueBodies.
func bodyOf(t extension.Type, m extension.MessageKind) (inside func(*walker, string, string), clause string) {
	switch t {
	case extension.ServerName:
		if m == extension.ClientHello {
			return serverName, "RFC 6066, Section 3"
		}
		return nil, "RFC 6066, Section 3"
	case extension.ALPN:
		return protocolNames, "RFC 7301, Section 3.1"
	case extension.SupportedVersions:
		if m == extension.ClientHello {
			return values(1, ".versions", sayVersion), "RFC 9846, Section 4.3.1"
		}
		return value(".selected_version", sayVersion), "RFC 9846, Section 4.3.1"
	case extension.SupportedGroups:
		return values(2, ".named_group_list", sayGroup), "RFC 9846, Section 4.3.7"
	case extension.SignatureAlgorithms, extension.SignatureAlgorithmsCert:
		return values(2, ".supported_signature_algorithms", sayScheme), "RFC 9846, Section 4.3.3"
	case extension.KeyShare:
		switch m {
		case extension.ClientHello:
			return clientShares, "RFC 9846, Section 4.3.8"
		case extension.HelloRetryRequest:
			return value(".selected_group", sayGroup), "RFC 9846, Section 4.3.8"
		}
		return serverShare, "RFC 9846, Section 4.3.8"
	case extension.Cookie:
		return opaque(2, ".cookie"), "RFC 9846, Section 4.3.2"
	case extension.RenegotiationInfo:
		return opaque(1, ".renegotiated_connection"), "RFC 5746, Section 3.2"
	}
	if clause, ok := opaqueBodies[t]; ok {
		return nil, clause
	}
	if t.IsGREASE() {
		return nil, "RFC 8701, Section 2"
	}
	return nil, clauseExtension
}

func values(size int, name string, say func([]byte) string) func(*walker, string, string) {
	return func(w *walker, path, clause string) { w.list(size, 2, path+name, clause, say) }
}

func value(name string, say func([]byte) string) func(*walker, string, string) {
	return func(w *walker, path, clause string) { w.take(2, path+name, clause, say) }
}

func opaque(size int, name string) func(*walker, string, string) {
	return func(w *walker, path, clause string) { w.vector(size, path+name, clause, nil) }
}

func serverName(w *walker, path, clause string) {
	path += ".server_name_list"
	w.vector(2, path, clause, func() {
		for i := 0; !w.done && w.at < w.end; i++ {
			element := path + "[" + strconv.Itoa(i) + "]."
			w.take(1, element+"name_type", clause, func(b []byte) string {
				if b[0] == 0 {
					return "host_name"
				}
				return sayNumber(b)
			})
			w.text(2, element+"name", clause)
		}
	})
}

func protocolNames(w *walker, path, clause string) {
	path += ".protocol_name_list"
	w.vector(2, path, clause, func() {
		for i := 0; !w.done && w.at < w.end; i++ {
			w.text(1, path+"["+strconv.Itoa(i)+"]", clause)
		}
	})
}

// text notes a vector of characters.
func (w *walker) text(size int, path, clause string) {
	w.vector(size, path, clause, func() { w.take(w.end-w.at, path, clause, sayText) })
}

func clientShares(w *walker, path, clause string) {
	path += ".client_shares"
	w.vector(2, path, clause, func() {
		for i := 0; !w.done && w.at < w.end; i++ {
			keyShare(w, path+"["+strconv.Itoa(i)+"]", clause)
		}
	})
}

func serverShare(w *walker, path, clause string) { keyShare(w, path+".server_share", clause) }

func keyShare(w *walker, path, clause string) {
	w.take(2, path+".group", clause, sayGroup)
	w.vector(2, path+".key_exchange", clause, nil)
}
