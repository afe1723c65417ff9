package cli

import (
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/probe"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/extension"
)

// probeOptions are the flags of probe.
type probeOptions struct {
	tls    tlsOptions
	format enum[string]
	expect enum[string]
	flag   flagValue
}

func probeCommand() *cobra.Command {
	o := probeOptions{
		flag:   flagValue{extension.RequestMTLS, true},
		format: documentFormat(),
		expect: enumOf("verdict", "", words("ignores", "asks everybody", "asks", "acknowledges", "refuses")),
	}
	cmd := &cobra.Command{
		Use:   "probe HOST:PORT",
		Short: "Find out what a server does with request_mtls",
		Long: `Probe makes a handshake without the flag, one with it under each code point (62 and
65025), and one with each of some malformed TLS Flags extensions, about twenty in all,
and compares the server's answers. The verdict about the flag is one of

  - ignores: the server does the same as without the flag
  - asks: it asks for a certificate because of the flag
  - acknowledges: it asks, and its CertificateRequest has the flag
  - asks everybody: it asks without the flag as well
  - refuses: it ends the handshake, although it does not without the flag

and about a malformed extension

  - ignores: the server does the same as without the extension
  - rejects: it ends the handshake, with an alert of the standards or without any
  - rejects with another alert
  - honours: it asks because of a flag in an extension that it should have refused

A server that does not know the extension has to ignore it, malformed or not (RFC 9846,
Section 4.2.2). A server that knows it refuses a malformed one with illegal_parameter
(draft-ietf-tls-tlsflags-16, Section 3) or decode_error (RFC 9846, Section 4.3). A
server that honours the flag asks for a certificate, and by the newest text of
draft-jhoyla-req-mtls-flag acknowledges the flag in its CertificateRequest.

Probe only servers that you are allowed to probe.

A server may demand a certificate from everybody and end the handshake without one. Its
verdict is asks everybody, or acknowledges.

Exit codes: 0 done; 1 the verdict is not that of --expect; 2 wrong usage; 3 a file
cannot be read, or the handshake without the flag failed for another reason than the
client's certificate.`,
		Example: `  tlsflags probe 127.0.0.1:8443 --ca demo/ca.pem --cert demo/client.pem --key demo/client.key
  tlsflags probe example.com:443 --expect ignores`,
		Args: oneArgument("give one server as HOST:PORT"),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runProbe(cmd, o, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	o.tls.register(cmd, 10*time.Second, "each connection")
	f.VarP(&o.format, "format", "f", "output format")
	f.Var(&o.expect, "expect", "exit with 1 unless the verdict is this")
	f.Var(&o.flag, "flag", "TLS flag to send, as request_mtls")
	return cmd
}

func runProbe(cmd *cobra.Command, o probeOptions, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return usageError("%s: give the server as HOST:PORT", addr)
	}
	config, err := o.tls.config(cmd.Context())
	if err != nil {
		return err
	}
	result, err := probe.Probe(cmd.Context(), probe.Options{Addr: addr, TLS: config, Flag: o.flag.flag, Timeout: o.tls.timeout})
	if err != nil {
		return o.tls.withTrustHint(err)
	}
	if o.format.value == "json" {
		err = terminal.WriteJSON(cmd.OutOrStdout(), result, "")
	} else {
		err = printProbe(cmd.OutOrStdout(), result, widthOf(cmd, cmd.OutOrStdout()))
	}
	if err != nil {
		return err
	}
	if expect := o.expect.value; expect != "" && string(result.Verdict) != expect {
		return &exitError{ExitUnmet, fmt.Errorf("%s: expected verdict %q, got %q", addr, expect, result.Verdict)}
	}
	return nil
}

// printProbe prints a table.
func printProbe(w io.Writer, r probe.Result, width int) error {
	title := []string{printable(r.Target) + ",", fmt.Sprintf("flag %s: %s", flagName(r.Flag), r.Verdict)}
	fmt.Fprintf(w, "%s\n\n", screen.Fill(title, " ", "  ", width))
	t := screen.Table{Columns: []screen.Column{
		{Name: "OFFER"}, {Name: "VERDICT"}, {Name: "ASKED"}, {Name: "GIVEN", Rank: 2}, {Name: "ACKNOWLEDGED"},
		{Name: "VERSION", Rank: 3}, {Name: "ENDED BY", Least: 12, Rank: 1},
	}}
	for _, run := range r.Runs {
		offer, verdict := "no flag", "-"
		if run.Offer != nil {
			offer, verdict = run.Offer.String(), string(*run.Verdict)
			if *run.Offer == extension.TLSFlagsExperimental {
				offer = "type 0xfe01"
			}
		}
		t.Row(offer, verdict, yesNo(run.CertificateRequested), yesNo(run.CertificateGiven),
			acknowledged(run, r.Flag), pointName(run.TLSVersion), endedBy(run.Handshake))
	}
	if err := t.Write(w, width); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = screen.Table{Columns: []screen.Column{
		{Name: "MALFORMED", Least: 24}, {Name: "VERDICT"}, {Name: "ASKED"}, {Name: "ENDED BY", Least: 12, Rank: 1},
	}}
	for _, c := range r.Malformed {
		t.Row(fmt.Sprintf("%s (%d)", c.Case, c.Type), string(c.Verdict), yesNo(c.CertificateRequested), endedBy(c.Handshake))
	}
	if err := t.Write(w, width); err != nil {
		return err
	}
	if plain := r.Runs[0]; !plain.Completed && !plain.CertificateGiven {
		fmt.Fprintf(w, "\n%s\n", screen.Fill([]string{"the server demands a certificate from everybody;", "give one with --cert and --key"}, " ", "  ", width))
	}
	return printAuthorities(w, r, width)
}

// acknowledged says whether the CertificateRequest has the flag, and whether unasked.
func acknowledged(run probe.Run, flag extension.Flag) string {
	if run.Offer == nil && slices.Contains(run.RequestFlags, flag) {
		return "unsolicited"
	}
	return yesNo(run.Acknowledged)
}

// printAuthorities prints whose certificates the server wants, once for each name.
func printAuthorities(w io.Writer, r probe.Result, width int) error {
	var names []string
	for _, run := range r.Runs {
		for _, name := range run.Authorities {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nauthorities that the server names:")
	for _, name := range names {
		if _, err := fmt.Fprintln(w, screen.Cut("  "+printable(name), width)); err != nil {
			return err
		}
	}
	return nil
}

// endedBy says what ended a handshake that was not completed.
func endedBy(h probe.Handshake) string {
	switch {
	case h.Alert != nil:
		return pointName(h.Alert)
	case h.Error != nil:
		return printable(*h.Error)
	}
	return "-"
}

func pointName(p *codepoint.Point) string {
	switch {
	case p == nil:
		return "-"
	case p.Name != "":
		return string(p.Name)
	}
	return fmt.Sprint(p.Value)
}
