package demo

import (
	"crypto/tls"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/report"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

//go:embed page.html
var pageSource string

// Certificate is what the visitor showed.
type Certificate struct {
	Subject  string `json:"subject"`
	Issuer   string `json:"issuer"`
	Serial   string `json:"serial"`
	Verified bool   `json:"verified"`
}

// ClientHello is what the visitor's hello had, as it was on the wire.
type ClientHello struct {
	Length            int               `json:"length"`
	CipherSuites      []codepoint.Point `json:"cipher_suites"`
	Extensions        []codepoint.Point `json:"extensions"`
	SupportedVersions []codepoint.Point `json:"supported_versions"`
}

// Answer is what /json tells a visitor.
type Answer struct {
	Schema               string           `json:"schema"`
	TLSFlags             []extension.Flag `json:"tls_flags"`
	TLSFlagsType         *codepoint.Point `json:"tls_flags_type"`
	TLSFlagsError        *string          `json:"tls_flags_error"`
	RequestMTLS          bool             `json:"request_mtls"`
	CertificateRequested bool             `json:"certificate_requested"`
	CertificateGiven     bool             `json:"certificate_given"`
	Certificate          *Certificate     `json:"certificate"`
	Resumed              bool             `json:"resumed"`
	Verdict              string           `json:"verdict"`
	TLSVersion           codepoint.Point  `json:"tls_version"`
	CipherSuite          codepoint.Point  `json:"cipher_suite"`
	ServerName           string           `json:"server_name"`
	HTTP                 string           `json:"http"`
	ClientHello          *ClientHello     `json:"client_hello"`
}

func handler() http.Handler {
	page := template.Must(template.New("page").Parse(pageSource))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer(r))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", report.Policy())
		page.Execute(w, pageData{answer(r), report.Style(), bytesOf(r)})
	})
	return mux
}

// pageData is what the page says.
type pageData struct {
	Answer
	Style template.CSS
	Bytes template.HTML // of the ClientHello
}

// bytesOf explains the visitor's ClientHello.
func bytesOf(r *http.Request) template.HTML {
	v, ok := r.Context().Value(visitorKey{}).(*visitor)
	if !ok || len(v.hello) == 0 {
		return ""
	}
	return report.Bytes(annotate.ClientHello, v.hello)
}

// answer says what is known about the visitor.
func answer(r *http.Request) Answer {
	hello, _ := reqmtls.FromContext(r.Context())
	a := Answer{
		Schema:               "tlsflags.serve/1",
		TLSFlags:             []extension.Flag{},
		RequestMTLS:          hello.Flagged,
		CertificateRequested: hello.Applied && !r.TLS.DidResume,
		CertificateGiven:     len(r.TLS.PeerCertificates) > 0,
		Resumed:              r.TLS.DidResume,
		TLSVersion:           codepoint.Of(r.TLS.Version, clienthello.Version(r.TLS.Version).Name()),
		CipherSuite:          codepoint.Of(r.TLS.CipherSuite, clienthello.CipherSuite(r.TLS.CipherSuite).Name()),
		ServerName:           r.TLS.ServerName,
		HTTP:                 r.Proto,
	}
	for f := range hello.Flags.All() {
		a.TLSFlags = append(a.TLSFlags, f)
	}
	if t, ok := hello.Extension(); ok {
		a.TLSFlagsType = new(codepoint.Of(t, t.Name()))
	}
	if hello.Err != nil {
		s := hello.Err.Error()
		a.TLSFlagsError = &s
	}
	a.Certificate = certificate(r.TLS)
	a.Verdict = verdict(hello, a)
	if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
		a.ClientHello = describe(v.hello)
	}
	return a
}

func certificate(state *tls.ConnectionState) *Certificate {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	return &Certificate{
		Subject:  leaf.Subject.String(),
		Issuer:   leaf.Issuer.String(),
		Serial:   leaf.SerialNumber.Text(16),
		Verified: len(state.VerifiedChains) > 0,
	}
}

// verdict puts it in words.
func verdict(hello reqmtls.Hello, a Answer) string {
	switch {
	case a.Resumed && a.CertificateGiven:
		return "The session was resumed, so you were not asked again; your certificate is that of the first connection."
	case hello.Flagged && a.CertificateGiven:
		return "You set the flag, were asked for a certificate, and gave one."
	case hello.Flagged && a.CertificateRequested:
		return "You set the flag, were asked for a certificate, and gave none."
	case hello.Flagged:
		return "You set the flag, but this server does not act on it here."
	case a.CertificateGiven:
		return "You did not set the flag. This server asks everybody, and you gave a certificate."
	case a.CertificateRequested:
		return "You did not set the flag. This server asks everybody, and you gave no certificate."
	case hello.Err != nil:
		return "You sent TLS flags that cannot be read, so they are ignored, and you were not asked."
	}
	return "You did not set the flag, and were not asked for a certificate."
}

// describe reads the hello once more.
func describe(msg []byte) *ClientHello {
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		return nil
	}
	d := &ClientHello{Length: len(msg)}
	for s := range hello.CipherSuites().All() {
		d.CipherSuites = append(d.CipherSuites, codepoint.Of(s, s.Name()))
	}
	for e := range hello.Extensions().All() {
		d.Extensions = append(d.Extensions, codepoint.Of(e.Type, e.Type.Name()))
	}
	if versions, err := hello.SupportedVersions(); err == nil {
		for v := range versions.All() {
			d.SupportedVersions = append(d.SupportedVersions, codepoint.Of(v, v.Name()))
		}
	}
	return d
}
