package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// tlsOptions are the flags of commands that connect.
type tlsOptions struct {
	ca, cert, key string
	insecure      bool
	serverName    string
	timeout       time.Duration
}

func (o *tlsOptions) register(cmd *cobra.Command, timeout time.Duration, limits string) {
	f := cmd.Flags()
	f.StringVar(&o.ca, "ca", "", "`file` with the trusted authorities, in PEM (default those of the system)")
	f.StringVar(&o.cert, "cert", "", "`file` with the client's certificate and its chain, in PEM")
	f.StringVar(&o.key, "key", "", "`file` with the key of --cert, in PEM")
	f.BoolVar(&o.insecure, "insecure", false, "do not verify the server; excludes --cert")
	f.StringVar(&o.serverName, "server-name", "", "`name` to ask for and verify (default the host)")
	f.DurationVar(&o.timeout, "timeout", timeout, "`limit` for "+limits)
}

func (o *tlsOptions) check() error {
	switch {
	case o.cert != "" && o.key == "":
		return usageError("--cert needs --key")
	case o.key != "" && o.cert == "":
		return usageError("--key needs --cert")
	case o.insecure && o.cert != "":
		return usageError("--insecure and --cert exclude each other: a server that is not verified gets no certificate")
	case o.timeout <= 0:
		return usageError("--timeout has to be above 0")
	}
	return nil
}

// config reads the files.
func (o *tlsOptions) config(ctx context.Context) (*tls.Config, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: o.serverName, InsecureSkipVerify: o.insecure}
	if o.ca != "" {
		data, err := readFile(ctx, o.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s: no certificate in PEM", o.ca)
		}
	}
	if o.cert != "" {
		chain, err := readFile(ctx, o.cert)
		if err != nil {
			return nil, err
		}
		key, err := readFile(ctx, o.key)
		if err != nil {
			return nil, err
		}
		cert, err := tls.X509KeyPair(chain, key)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", o.cert, o.key, err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config, nil
}

// withTrustHint says what to do if the server's certificate was not accepted.
func (o *tlsOptions) withTrustHint(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if o.cert != "" { // which --insecure excludes
			return fmt.Errorf("%w; give its authority with --ca", err)
		}
		return fmt.Errorf("%w; give its authority with --ca, or --insecure not to verify the server", err)
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Errorf("%w; give the name to expect with --server-name", err)
	}
	return err
}

// getOptions are the flags of get.
type getOptions struct {
	tls     tlsOptions
	flag    flagValue
	flags   []string
	types   enum[[]extension.Type]
	preset  enum[client.Fingerprint]
	verbose bool
}

func getCommand() *cobra.Command {
	o := getOptions{
		flag:  flagValue{extension.RequestMTLS, true},
		types: typeOption("62"),
		preset: enumOf("preset", "go", []choice[client.Fingerprint]{
			{"go", ""}, {"chrome", "chrome"}, {"firefox", "firefox"}, {"safari", "safari"},
		}),
	}
	cmd := &cobra.Command{
		Use:   "get URL",
		Short: "Fetch a page as a client that sets TLS flags",
		Long: `Get fetches a page and prints its body. Its ClientHello has the TLS flags of --flags, by
default request_mtls, which says that the client has a certificate: give --cert and
--key, or --flags none.

Exit codes: 0 done, whatever the HTTP status; 2 wrong usage; 3 a file cannot be read, or
the network failed.`,
		Example: `  tlsflags get https://127.0.0.1:8443/json --ca demo/ca.pem --cert demo/client.pem --key demo/client.key
  tlsflags get https://127.0.0.1:8443/ --ca demo/ca.pem --flags none`,
		Args: oneArgument("give one URL, such as https://127.0.0.1:8443/"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return get(cmd, o, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	o.tls.register(cmd, 30*time.Second, "the whole request")
	f.StringSliceVar(&o.flags, "flags", nil, "`flags` to set, by number or name, with commas between them; none: no extension (default that of --flag)")
	f.Var(&o.flag, "flag", "number of the request_mtls flag")
	f.Var(&o.types, "type", "extension type to send them under")
	f.Var(&o.preset, "preset", "client whose hello to imitate")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "say on standard error what the server did")
	return cmd
}

// setFlags returns the flags that the hello has.
func (o getOptions) setFlags() ([]extension.Flag, error) {
	flags := []extension.Flag{}
	switch {
	case o.flags == nil:
		return append(flags, o.flag.flag), nil
	case slices.Equal(o.flags, []string{"none"}):
		return flags, nil
	}
	for _, s := range o.flags {
		f, err := parseFlag(s)
		if err != nil {
			return nil, usageError("--flags: %w", err)
		}
		flags = append(flags, f)
	}
	return flags, nil
}

func (o getOptions) client(cmd *cobra.Command) (*client.Client, error) {
	flags, err := o.setFlags()
	if err != nil {
		return nil, err
	}
	requests := slices.Contains(flags, o.flag.flag)
	if requests && o.tls.cert == "" {
		return nil, usageError("request_mtls says that the client has a certificate: give --cert and --key, or --flags none")
	}
	config, err := o.tls.config(cmd.Context())
	if err != nil {
		return nil, err
	}
	if len(config.Certificates) > 0 {
		config.GetClientCertificate = choose(cmd, &config.Certificates[0])
	}
	return client.New(client.Config{
		TLS: config, Flag: &o.flag.flag, NoRequestMTLS: !requests, ExtraFlags: flags, Type: o.types.value[0],
		Fingerprint: o.preset.value,
	})
}

// choose returns a function that gives cert to a server, or tells why it does not.
func choose(cmd *cobra.Command, cert *tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if err := request.SupportsCertificate(cert); err != nil {
			complain(cmd, "the server asked for a certificate, and that of --cert does not suit it: "+err.Error())
			return new(tls.Certificate), nil
		}
		return cert, nil
	}
}

func get(cmd *cobra.Command, o getOptions, url string) error {
	if !strings.HasPrefix(strings.ToLower(url), "https://") {
		return usageError("%s: TLS flags need a URL of https", url)
	}
	c, err := o.client(cmd)
	if err != nil {
		return err
	}
	transport := c.Transport()
	defer transport.CloseIdleConnections()
	web := &http.Client{Transport: transport, Timeout: o.tls.timeout}
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, url, nil)
	if err != nil {
		return usageError("%w", err)
	}
	resp, err := web.Do(req)
	if err != nil {
		return o.tls.withTrustHint(err)
	}
	defer resp.Body.Close()
	if o.verbose {
		tellReport(cmd.ErrOrStderr(), resp)
	}
	_, err = io.Copy(cmd.OutOrStdout(), resp.Body)
	return err
}

// tellReport prints what the server did, in one line.
func tellReport(w io.Writer, resp *http.Response) {
	report, _ := client.ReportOf(resp)
	fmt.Fprintf(w, "%s %s, certificate asked for: %s, given: %s, flag acknowledged: %s\n",
		printable(resp.Proto), printable(resp.Status), yesNo(report.Requested), yesNo(report.Given), yesNo(report.Acknowledged))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
