package cli

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/probe"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// getOptions are the flags of get.
type getOptions struct {
	tls     tlsOptions
	flags   flagList
	types   enum[[]extension.Type]
	preset  enum[client.Fingerprint]
	request requestOptions
	output  fileOptions
	verbose bool
}

func getCommand() *cobra.Command {
	o := getOptions{
		flags: flagList{flags: []extension.Flag{extension.RequestMTLS}},
		types: typeOption("62"),
		preset: enumOf("preset", "go", []choice[client.Fingerprint]{
			{"go", ""}, {"chrome", "chrome"}, {"firefox", "firefox"}, {"safari", "safari"},
		}),
	}
	cmd := &cobra.Command{
		Use:   "get URL",
		Short: "Fetch a page as a client that sets TLS flags",
		Long: `Get fetches a page and prints its body. Its ClientHello has the TLS flags of --flag, by
default request_mtls, which says that the client has a certificate: give --cert and
--key, or --flag none. If the server asks for a certificate and gets none, get says which
authorities it named.

Exit codes: 0 done, whatever the HTTP status; 2 wrong usage; 3 a file cannot be read or
written, or the network failed.`,
		Example: `  tlsflags get https://127.0.0.1:8443/json --ca demo/ca.pem --cert demo/client.pem --key demo/client.key
  tlsflags get https://127.0.0.1:8443/ --ca demo/ca.pem --flag none -o page.html
  tlsflags get https://localhost:443/json --resolve localhost:443:127.0.0.1:8443 --ca demo/ca.pem --flag none`,
		Args: oneArgument("give one URL, such as https://127.0.0.1:8443/"),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return get(cmd, o, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	o.tls.register(cmd, 30*time.Second, "the whole request")
	f.Var(&o.flags, "flag", "TLS flags to send, by number or name; none: no extension")
	addOldName(f, "flags", "flag")
	f.Var(&o.types, "type", "extension type to send the flags under")
	f.Var(&o.preset, "preset", "client whose hello to imitate")
	o.request.register(f)
	f.StringVarP(&o.output.name, "output", "o", "", "write the body to this `file`, which appears when it is complete")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "say on standard error what the server did")
	return cmd
}

// checkOutput checks that the page replaces no file that the request needs.
func (o getOptions) checkOutput() error {
	if !o.output.on() {
		return nil
	}
	for _, input := range [][2]string{{"--ca", o.tls.ca}, {"--cert", o.tls.cert}, {"--key", o.tls.key}} {
		if input[1] != "" && sameFile(o.output.name, input[1]) {
			return usageError("-o would replace %s, the file of %s", o.output.name, input[0])
		}
	}
	return nil
}

// client returns the client and, after a connection, what the server wanted.
func (o getOptions) client(cmd *cobra.Command) (*client.Client, *wanted, error) {
	flags := o.flags.flags
	requests := slices.Contains(flags, extension.RequestMTLS)
	if requests && o.tls.cert == "" {
		return nil, nil, usageError("request_mtls says that the client has a certificate: give --cert and --key, or --flag none")
	}
	config, err := o.tls.config(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	want := new(wanted)
	config.GetClientCertificate = want.choose(cmd, config.Certificates)
	c := client.Config{
		TLS: config, NoRequestMTLS: !requests, ExtraFlags: flags, Type: o.types.value[0], Fingerprint: o.preset.value,
		DialContext: o.request.dial(o.tls.timeout),
	}
	if !requests && o.tls.cert != "" && len(flags) > 0 { // in the place of request_mtls
		c.Flag, c.NoRequestMTLS = &flags[0], false
	}
	made, err := client.New(c)
	return made, want, err
}

// wanted has the authorities that a server named when it asked for a certificate. The
// connection may outlive the request, so it is safe for concurrent use.
type wanted struct{ authorities atomic.Pointer[[][]byte] }

func (w *wanted) asked() bool { return w.authorities.Load() != nil }

// String names the authorities, but not more than can be read.
func (w *wanted) String() string {
	const most = 5
	list := w.authorities.Load()
	if list == nil || len(*list) == 0 {
		return "it names no authority"
	}
	var names []string
	for _, der := range (*list)[:min(most, len(*list))] {
		names = append(names, probe.DistinguishedName(der))
	}
	text := "it wants one from " + strings.Join(names, " or ")
	if more := len(*list) - most; more > 0 {
		text += " or " + count(more, "other")
	}
	return text
}

// choose returns a function that gives one of the certificates to a server. If none suits,
// it says why.
func (w *wanted) choose(cmd *cobra.Command, certificates []tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		w.authorities.Store(&request.AcceptableCAs)
		for i := range certificates {
			err := request.SupportsCertificate(&certificates[i])
			if err == nil {
				return &certificates[i], nil
			}
			complain(cmd, fmt.Sprintf("the server asked for a certificate, and that of --cert does not suit it: %v; it is from %s, %s",
				err, certificates[i].Leaf.Issuer, w))
		}
		return new(tls.Certificate), nil
	}
}

func get(cmd *cobra.Command, o getOptions, url string) error {
	if !strings.HasPrefix(strings.ToLower(url), "https://") {
		return usageError("%s: TLS flags need a URL of https", url)
	}
	req, err := o.request.build(cmd.Context(), url)
	if err != nil {
		return err
	}
	if err := o.checkOutput(); err != nil {
		return err
	}
	c, want, err := o.client(cmd)
	if err != nil {
		return err
	}
	transport := c.Transport()
	defer transport.CloseIdleConnections()
	web := &http.Client{Transport: transport, Timeout: o.tls.timeout}
	resp, err := web.Do(req)
	switch {
	case err != nil && want.asked() && o.tls.cert == "":
		return fmt.Errorf("%w; the server asked for a certificate, and %s: give --cert and --key", o.tls.withTrustHint(err), want)
	case err != nil:
		return o.tls.withTrustHint(err)
	}
	defer resp.Body.Close()
	if o.verbose {
		tellReport(cmd.ErrOrStderr(), resp, want)
	}
	return o.output.write(cmd, func(*resultFiles) error {
		_, err := io.Copy(cmd.OutOrStdout(), resp.Body)
		return err
	})
}

// tellReport prints what the server did, in one line.
func tellReport(w io.Writer, resp *http.Response, want *wanted) {
	report, _ := client.ReportOf(resp)
	asked := yesNo(report.Requested)
	if report.Requested && !report.Given {
		asked += " (" + printable(want.String()) + ")"
	}
	fmt.Fprintf(w, "%s %s, certificate asked for: %s, given: %s, flag acknowledged: %s\n",
		printable(resp.Proto), printable(resp.Status), asked, yesNo(report.Given), yesNo(report.Acknowledged))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
