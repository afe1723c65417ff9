package main

import (
	"fmt"
	"path"
	"strings"
)

// A rule is a sentence of a document that says must, must not, should or may about
// bytes or messages, in other words than there.
type rule struct {
	document, section string
	sentence          string
	tests             []string // patterns of ids, * stands for one part of an id or several
	unseen            string   // why no test can show it
}

const (
	d16    = "draft-ietf-tls-tlsflags-16"
	rm02   = "draft-jhoyla-req-mtls-flag-02"
	editor = "draft-jhoyla-req-mtls-flag, editors' copy"
)

var rules = []rule{
	{document: d16, section: "2", sentence: "The extension has one vector of 1 to 255 octets.",
		tests: []string{"flags/length/*", "flags/empty-data", "flags/empty-vector/*", "flags/inner-too-long/*", "flags/trailing-bytes/*"}},
	{document: d16, section: "2", sentence: "Flag f is bit f mod 8 of octet f div 8, the least significant bit first.",
		tests: []string{"flags/example/*", "flags/octet/*", "flags/pattern/*", "flags/every/*", "flags/draft-00/flag-*"}},
	{document: d16, section: "2", sentence: "A sender uses as few octets as it can: the last one is not zero.",
		tests: []string{"flags/trailing-zero/*", "flags/example/*", "hello/set/*"}},
	{document: d16, section: "2", sentence: "A receiver of a vector whose last octets are zero ends the handshake with illegal_parameter.",
		tests: []string{"flags/trailing-zero/*", "flags/all-zero/*", "hello/malformed-flags/*/trailing-zero/*", "hello/malformed-flags/*/all-zero/*", "messages/malformed-flags/*/trailing-zero", "messages/malformed-flags/*/all-zero"}},
	{document: d16, section: "3", sentence: "A sender with no flag to set leaves the extension out.",
		tests: []string{"flags/all-zero/*", "flags/empty-data", "flags/empty-vector/*", "messages/answer/*/none", "messages/unasked/*/none"}},
	{document: d16, section: "3", sentence: "A sender sets the flags that it means, and sends the extension if there is one.", unseen: "What a sender means is not in its bytes."},
	{document: d16, section: "3", sentence: "A receiver of an invalid extension ends the handshake with illegal_parameter.",
		tests: []string{"flags/empty-data", "flags/empty-vector/*", "flags/inner-too-long/*", "flags/trailing-bytes/*", "hello/malformed-flags/*", "messages/malformed-flags/*"}},
	{document: d16, section: "3", sentence: "ClientHello, CertificateRequest and NewSessionTicket may have flags that nobody asked for.",
		tests: []string{"hello/set/*", "messages/unasked/*"}},
	{document: d16, section: "3", sentence: "ServerHello, HelloRetryRequest, EncryptedExtensions and Certificate have no flag that was not proposed; a receiver of one ends the handshake with illegal_parameter.",
		tests: []string{"messages/unsolicited/*", "messages/unrequested/*"}},
	{document: d16, section: "3", sentence: "A flag of the ClientHello that asks for an answer is answered in one of these four messages, as its document says.",
		tests: []string{"messages/answer/server-hello/*", "messages/answer/hello-retry-request/*", "messages/answer/encrypted-extensions/*", "messages/answer/server-certificate/*"}},
	{document: d16, section: "3", sentence: "A flag of the CertificateRequest that asks for an answer is answered in the client's Certificate.",
		tests: []string{"messages/answer/client-certificate/*", "messages/unsolicited/client-certificate/*", "messages/certificates/client-certificate/*"}},
	{document: d16, section: "3", sentence: "A flag is answered with the same flag, not with an extension that has content.",
		tests: []string{"messages/answer/*"}},
	{document: d16, section: "3", sentence: "All flags of a message share one extension.",
		tests: []string{"hello/duplicate/flags-*", "messages/duplicate/*/flags", "messages/answer/*/all"}},
	{document: d16, section: "3", sentence: "Nothing answers the flags of a NewSessionTicket.", unseen: "There is no message that could."},
	{document: d16, section: "3.1", sentence: "The extension may stand in a ClientHello with early data.", tests: []string{"hello/pre-shared-key/early-data"}},
	{document: d16, section: "4", sentence: "Flags are numbered from 0 to 2039.", tests: []string{"flags/every/*", "flags/trailing-bytes/256-octets", "hello/set/*/2039", "hello/set/*/all"}},
	{document: d16, section: "4", sentence: "resumption_across_names is flag 8, and stands in NewSessionTicket.", tests: []string{"messages/known/*/resumption-across-names*"}},
	{document: d16, section: "5", sentence: "Flags in ServerHello and HelloRetryRequest are not encrypted, and better sent elsewhere.", unseen: "Advice to who defines a flag."},

	{document: rm02, section: "3", sentence: "A client that has a certificate may set the flag in its ClientHello.", tests: []string{"messages/known/client-hello/request-mtls", "hello/shape/*/request-mtls-*"}},
	{document: rm02, section: "3", sentence: "A server that receives the flag may send a CertificateRequest.", tests: []string{"request-mtls/request/draft-02/*"}},
	{document: rm02, section: "4", sentence: "If the client then has no certificate, the server may end the handshake with bad_certificate.", tests: []string{"request-mtls/empty-certificate/draft-02/*"}},

	{document: editor, section: "3", sentence: "A server that honours the flag sends a CertificateRequest with the flag.", tests: []string{"request-mtls/request/editors-copy/offered*"}},
	{document: editor, section: "3", sentence: "A server may ask for another reason; then the CertificateRequest does not have the flag.", tests: []string{"request-mtls/request/editors-copy/always*"}},
	{document: editor, section: "3", sentence: "A server does not set the flag in a CertificateRequest if the ClientHello did not have it.", tests: []string{"request-mtls/request/editors-copy/not-offered", "request-mtls/request/editors-copy/always-not-offered"}},
	{document: editor, section: "3", sentence: "A client that receives the flag unasked ends the handshake with illegal_parameter.", tests: []string{"request-mtls/answer/editors-copy/not-offered-flag", "messages/known/certificate-request/not-offered"}},
	{document: editor, section: "3", sentence: "A client that is asked with the flag sends a Certificate, if need be an empty one, and does not quit for lack of one.", tests: []string{"request-mtls/answer/editors-copy/acknowledged-*"}},
	{document: editor, section: "3", sentence: "The flag in any other message is illegal_parameter.", tests: []string{"request-mtls/misplaced/editors-copy/*", "messages/known/*/request-mtls"}},
	{document: editor, section: "3", sentence: "A client sets the flag only with a certificate at hand, and prompts nobody.", unseen: "What a client has is not in its bytes."},

	{document: "RFC 9846", section: "4.2.2", sentence: "The second ClientHello repeats all extensions of the first but those that the HelloRetryRequest concerns.", tests: []string{"messages/second-hello/*"}},
	{document: "RFC 9846", section: "4.2.2", sentence: "Unknown cipher suites and extensions are ignored.", tests: []string{"hello/unknown/*", "hello/grease/*", "hello/cipher-suites/unknown"}},
	{document: "RFC 9846", section: "4.3", sentence: "No extension type stands twice in a block.", tests: []string{"hello/duplicate/*", "messages/duplicate/*", "hello/largest/extensions-duplicate"}},
	{document: "RFC 9846", section: "4.3", sentence: "An extension that answers one that was not sent is unsupported_extension.", tests: []string{"messages/unrequested/*"}},
	{document: "RFC 9846", section: "4.3", sentence: "Bytes left over in an extension are a decode_error.", tests: []string{"flags/trailing-bytes/*", "hello/malformed-flags/*/trailing-byte/*", "bodies/malformed/*/trailing-byte"}},
	{document: "RFC 9846", section: "4.3.11", sentence: "pre_shared_key is the last extension of a ClientHello; else illegal_parameter.", tests: []string{"hello/pre-shared-key/*"}},
	{document: "RFC 9846", section: "4.4.2", sentence: "A server that authenticates with a PSK sends no CertificateRequest.", tests: []string{"request-mtls/request/*/resumed"}},
	{document: "RFC 9846", section: "4.5.1", sentence: "A Certificate has extensions in each entry, and a client without a certificate sends one without entries.", tests: []string{"messages/certificates/*", "request-mtls/answer/*/*-nothing"}},
	{document: "RFC 9846", section: "5.1", sentence: "A handshake message may be spread over records, with no other record between, none of them empty or over 2^14 bytes.", tests: []string{"records/split/*", "records/faults/*", "records/limits/*"}},
	{document: "RFC 9846", section: "5.1", sentence: "legacy_record_version is ignored.", tests: []string{"records/versions/*"}},
	{document: "RFC 9000", section: "7.5, 19.6", sentence: "CRYPTO data may arrive in any order, repeated and overlapping.", tests: []string{"quic/frames/*", "quic/datagrams/*"}},
	{document: "RFC 9147", section: "5.5", sentence: "Fragments may arrive in any order, repeated and overlapping.", tests: []string{"dtls/fragments/*", "dtls/faults/*"}},
}

// traceability is a table with a row for each rule. It fails where a pattern has no test.
func traceability(ids map[string]bool) (string, error) {
	var b strings.Builder
	b.WriteString("| document | section | rule | tests |\n| --- | --- | --- | --- |\n")
	for _, r := range rules {
		var cells []string
		for _, pattern := range r.tests {
			n := count(ids, pattern)
			if n == 0 {
				return "", fmt.Errorf("%s, Section %s: no test is %s", r.document, r.section, pattern)
			}
			cells = append(cells, fmt.Sprintf("`%s` (%d)", pattern, n))
		}
		if r.unseen != "" {
			cells = append(cells, "none: "+r.unseen)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.document, r.section, r.sentence, strings.Join(cells, ", "))
	}
	return b.String(), nil
}

func count(ids map[string]bool, pattern string) int {
	n := 0
	for id := range ids {
		if matches(pattern, id) {
			n++
		}
	}
	return n
}

// matches reports whether an id, or what its first parts are, fits the pattern.
func matches(pattern, id string) bool {
	for {
		if ok, err := path.Match(pattern, id); ok || err != nil {
			return ok
		}
		i := strings.LastIndexByte(id, '/')
		if i < 0 || !strings.HasSuffix(pattern, "*") {
			return false
		}
		id = id[:i]
	}
}
