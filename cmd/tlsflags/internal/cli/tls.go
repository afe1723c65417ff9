package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
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
