// Package probe finds out what a TLS server does about request_mtls. It makes one
// handshake without the flag, one with it under each code point, and some with malformed
// TLS Flags extensions, and compares what the server does.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

// Options say what to probe.
type Options struct {
	Addr    string      // host:port
	TLS     *tls.Config // whom to trust, what to show; ServerName may be empty
	Flag    extension.Flag
	Timeout time.Duration // of each connection
}

// Verdict sums up what a server does with the flag, or with something malformed.
type Verdict string

const (
	// Ignores: the server did the same as without the flag. A server that does not know
	// the extension must do so, malformed or not (RFC 9846, Section 4.2.2); one that
	// knows it may.
	Ignores Verdict = "ignores"
	// AsksEverybody: it asks for a certificate without the flag as well. Its
	// CertificateRequest does not have the flag, or has it without the offer too.
	AsksEverybody Verdict = "asks everybody"
	// Asks: it asks because of the flag (draft-jhoyla-req-mtls-flag-00 to -02,
	// Section 3).
	Asks Verdict = "asks"
	// Acknowledges: it asks, and its CertificateRequest echoes the client's flag (the
	// editors' copy after -02).
	Acknowledges Verdict = "acknowledges"
	// Refuses: it ended the handshake, which it did not without the flag.
	Refuses Verdict = "refuses"

	// Rejects: it ended the handshake because of a malformed extension, with an alert
	// that the standards name or without any. A server that knows the extension must.
	Rejects Verdict = "rejects"
	// RejectsOddly: it ended the handshake with another alert.
	RejectsOddly Verdict = "rejects with another alert"
	// Honours: it asked because of a flag in a malformed extension, which it should
	// have refused (draft-ietf-tls-tlsflags-16, Section 3).
	Honours Verdict = "honours"
)

// Handshake is the outcome of a handshake.
type Handshake struct {
	Completed            bool             `json:"completed"`
	Error                *string          `json:"error"`
	Alert                *codepoint.Point `json:"alert"`
	TLSVersion           *codepoint.Point `json:"tls_version"`
	CertificateRequested bool             `json:"certificate_requested"`
	CertificateGiven     bool             `json:"certificate_given"`
	Acknowledged         bool             `json:"acknowledged"` // the flag was offered, and is in RequestFlags
	RequestFlags         []extension.Flag `json:"request_flags"`
	Authorities          []string         `json:"authorities"`
}

// Run is a handshake with the flag, or without it if Offer is nil.
type Run struct {
	Offer   *extension.Type `json:"offer"`
	Verdict *Verdict        `json:"verdict"` // nil if Offer is
	Handshake
}

// Case is a handshake with a malformed extension.
type Case struct {
	Case    string         `json:"case"`
	Type    extension.Type `json:"type"`
	Verdict Verdict        `json:"verdict"`
	// Expected are the alerts that a server that knows the extension may send.
	Expected []codepoint.Point `json:"expected_alerts"`
	Handshake
}

// Result is what a probe found.
type Result struct {
	Schema    string         `json:"schema"`
	Target    string         `json:"target"`
	Flag      extension.Flag `json:"flag"`
	Verdict   Verdict        `json:"verdict"` // the best of the runs
	Runs      []Run          `json:"runs"`
	Malformed []Case         `json:"malformed"`
}

// types are the code points to try.
var types = [...]extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental}

// Probe makes the handshakes, one after the other. It fails if the one without the flag
// fails, because then there is nothing to compare with, unless the server asked for a
// certificate, got none that it likes, and so ended it.
func Probe(ctx context.Context, o Options) (Result, error) {
	result := Result{Schema: "tlsflags.probe/1", Target: o.Addr, Flag: o.Flag}
	plain, err := o.handshake(ctx, nil)
	if err != nil && !plain.demands(err) {
		return result, fmt.Errorf("%s: without the flag: %w", o.Addr, err)
	}
	result.Runs = append(result.Runs, Run{Handshake: plain})

	set, err := extension.NewFlagSet(o.Flag)
	if err != nil {
		return result, err
	}
	data, _ := set.AppendTo(nil) // a set with a flag has an encoding
	for _, t := range types {
		h, err := o.handshake(ctx, []extension.Extension{{Type: t, Data: data}})
		if err != nil && ctx.Err() != nil {
			return result, ctx.Err()
		}
		v := judge(o.Flag, plain, h)
		result.Runs = append(result.Runs, Run{&t, &v, h})
		if better(v, result.Verdict) {
			result.Verdict = v
		}
	}
	err = o.malformed(ctx, &result) // before result is copied
	return result, err
}

// malformed tries the malformed extensions under the code points that the server honours,
// or under the registered one if it honours none.
func (o Options) malformed(ctx context.Context, result *Result) error {
	var honoured []extension.Type
	for _, r := range result.Runs[1:] {
		if *r.Verdict == Asks || *r.Verdict == Acknowledges {
			honoured = append(honoured, *r.Offer)
		}
	}
	if len(honoured) == 0 {
		honoured = types[:1]
	}
	plain := result.Runs[0].Handshake
	for _, t := range honoured {
		for _, c := range malformedCases(o.Flag) {
			h, err := o.handshake(ctx, c.extensions(t))
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			result.Malformed = append(result.Malformed, Case{
				Case: c.name, Type: t, Verdict: judgeMalformed(o.Flag, plain, h), Handshake: h,
				Expected: []codepoint.Point{alertPoint(extension.AlertIllegalParameter), alertPoint(extension.AlertDecodeError)},
			})
		}
	}
	return nil
}

// judge compares a handshake with the flag to one without.
func judge(flag extension.Flag, plain, flagged Handshake) Verdict {
	switch {
	case !flagged.Completed && !flagged.CertificateRequested:
		return Refuses
	case flagged.acknowledges(flag, plain):
		return Acknowledges
	case flagged.CertificateRequested && !plain.CertificateRequested:
		return Asks
	case flagged.CertificateRequested:
		return AsksEverybody
	}
	return Ignores
}

// judgeMalformed compares a handshake with a malformed extension to one without any.
func judgeMalformed(flag extension.Flag, plain, h Handshake) Verdict {
	switch {
	case h.acknowledges(flag, plain), h.CertificateRequested && !plain.CertificateRequested:
		return Honours
	case h.Completed, h.endsLike(plain):
		return Ignores
	case h.Alert == nil,
		h.Alert.Value == uint32(extension.AlertIllegalParameter),
		h.Alert.Value == uint32(extension.AlertDecodeError):
		return Rejects
	}
	return RejectsOddly
}

// acknowledges reports whether the flag of the CertificateRequest is an answer, and not
// sent without the offer as well.
func (h Handshake) acknowledges(flag extension.Flag, plain Handshake) bool {
	return h.Acknowledged && !slices.Contains(plain.RequestFlags, flag)
}

// demands reports whether the server ended the handshake, after it asked for a certificate.
func (h Handshake) demands(err error) bool {
	return h.CertificateRequested && (h.Alert != nil || errors.Is(err, io.EOF))
}

// endsLike reports whether the server ended both handshakes in the same way after it asked
// for a certificate.
func (h Handshake) endsLike(plain Handshake) bool {
	same := h.Alert == nil && plain.Alert == nil || h.Alert != nil && plain.Alert != nil && h.Alert.Value == plain.Alert.Value
	return same && !plain.Completed && h.CertificateRequested
}

// better orders the verdicts of runs.
func better(a, b Verdict) bool {
	order := []Verdict{Refuses, Ignores, AsksEverybody, Asks, Acknowledges}
	return slices.Index(order, a) > slices.Index(order, b)
}

// handshake makes one connection. On error the Handshake says how it failed.
func (o Options) handshake(ctx context.Context, extensions []extension.Extension) (Handshake, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return Handshake{}, err
	}
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		return failed(err), err
	}
	defer tcp.Close()
	config := o.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	conn, report, err := flagconn.Handshake(ctx, tcp, flagconn.Config{TLS: config, Extensions: extensions})
	h := Handshake{}
	if err == nil {
		h.Completed = true
		version := conn.ConnectionState().Version
		p := codepoint.Of(uint32(version), clienthello.Version(version).Name())
		h.TLSVersion = &p
		err = aftermath(conn)
	}
	h.report(report)
	h.Acknowledged = len(extensions) > 0 && slices.Contains(h.RequestFlags, o.Flag)
	if err == nil {
		return h, nil
	}
	f := failed(err)
	h.Completed, h.Error, h.Alert = false, f.Error, f.Alert
	return h, err
}

// patience is how long to wait for what the server sends after the handshake.
const patience = 2 * time.Second

// aftermath waits for the alert of a server of TLS 1.3 that refuses the client's
// certificate, which comes after the client's handshake is over. The close_notify makes
// the server close the connection if it has accepted the certificate.
func aftermath(conn *flagconn.Conn) error {
	conn.SetReadDeadline(time.Now().Add(patience))
	conn.CloseWrite() // it fails if the server has closed the connection
	for {
		if _, err := conn.Read(make([]byte, 512)); err != nil {
			if _, ok := flagconn.Alert(err); ok {
				return err
			}
			return nil // it closed the connection or sent nothing: not a refusal
		}
	}
}

func (h *Handshake) report(r flagconn.Report) {
	flags, _, _ := r.Extensions.Flags()
	h.CertificateRequested = r.Requested
	h.CertificateGiven = r.Given
	for f := range flags.All() {
		h.RequestFlags = append(h.RequestFlags, f)
	}
	for _, der := range r.Authorities {
		h.Authorities = append(h.Authorities, DistinguishedName(der))
	}
}

// failed is a handshake that err ended.
func failed(err error) Handshake {
	s := err.Error()
	h := Handshake{Error: &s}
	if a, ok := flagconn.Alert(err); ok {
		p := alertPoint(a)
		h.Alert = &p
	}
	return h
}

// DistinguishedName returns a name of DER as text, or in hexadecimal if it is malformed.
func DistinguishedName(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return fmt.Sprintf("%x", der)
	}
	return name.String()
}

func alertPoint(a extension.Alert) codepoint.Point { return codepoint.Of(uint32(a), a.String()) }
