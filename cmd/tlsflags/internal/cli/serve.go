package cli

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/demo"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func serveCommand() *cobra.Command {
	c := demo.Config{}
	flag := flagValue{extension.RequestMTLS, true}
	mode, types := modeOption(), typeOption("any", typeChoice{"any", nil})
	var quiet bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a demo server that honours request_mtls",
		Long: `Serve runs a web server that asks for a certificate if the ClientHello has request_mtls.
Its page and /json tell every visitor what the ClientHello said and what happened.

With --mode verify, a client that gives no certificate is served, and one whose
certificate is from another authority is refused. With request, both are served. With
require, both are refused.

The folder of --dir keeps the certificates from one start to the next: ca.pem and ca.key
are the authority that issues the server's certificate; client.pem and client.key are for
a client. They are valid for a year. If there are none, or on their last day, serve makes
new ones. Use them for tests only: the keys are not encrypted. Without --dir, they are in
a temporary folder until serve ends.

The first line of standard output is the address that it listens on. The log goes to
standard error. ^C stops it.`,
		Example: `  tlsflags serve --dir demo
  tlsflags get https://127.0.0.1:8443/json --ca demo/ca.pem --cert demo/client.pem --key demo/client.key
  curl --cacert demo/ca.pem https://127.0.0.1:8443/json`,
		Args: noArguments,

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Mode, c.Types = mode.value, types.value
			if c.MaxConnections < 1 {
				return usageError("--max-connections has to be at least 1")
			}
			if _, _, err := net.SplitHostPort(c.Listen); err != nil {
				return usageError("--listen %s: give host:port, such as 127.0.0.1:18444", c.Listen)
			}
			c.Flags = []extension.Flag{flag.flag}
			level := slog.LevelInfo
			if quiet {
				level = slog.LevelWarn
			}
			c.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
			return serve(cmd, c)
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8443", "`host:port` to listen on; port 0 is any free one")
	f.StringVar(&c.Dir, "dir", "", "`folder` of the certificates (default a temporary one)")
	f.Var(&mode, "mode", "what clients with the flag get")
	f.BoolVar(&c.AskAll, "everybody", false, "ask every client, with or without the flag")
	f.Var(&flag, "flag", "TLS flag to honour, as request_mtls")
	f.Var(&types, "type", "extension type to find flags in")
	f.BoolVar(&c.Strict, "refuse-malformed", false, "end handshakes with malformed flags, with the alert illegal_parameter")
	addOldName(f, "strict", "refuse-malformed")
	f.IntVar(&c.MaxConnections, "max-connections", 1000, "serve at most `n` connections at once")
	f.BoolVarP(&quiet, "quiet", "q", false, "log only what goes wrong")
	return cmd
}

func serve(cmd *cobra.Command, c demo.Config) error {
	if c.Dir == "" {
		dir, err := os.MkdirTemp("", "tlsflags-serve-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		c.Dir = dir
	}
	s, err := demo.New(c)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "listening on %s\n", s.URL()); err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(c.Dir, name) }
	c.Log.Info("certificates", "ca", file(demo.FileCA), "cert", file(demo.FileCert), "key", file(demo.FileKey))
	return s.Serve(cmd.Context())
}

func modeOption() enum[reqmtls.Mode] {
	return enumOf("mode", "verify", []choice[reqmtls.Mode]{
		{"verify", reqmtls.VerifyIfGiven}, {"request", reqmtls.Request}, {"require", reqmtls.Require},
	})
}

type typeChoice = choice[[]extension.Type]

// typeOption takes the number of an extension type that carries flags, or another choice.
func typeOption(def string, others ...typeChoice) enum[[]extension.Type] {
	return enumOf("type", def, append(others,
		typeChoice{"62", []extension.Type{extension.TLSFlags}},
		typeChoice{"65025", []extension.Type{extension.TLSFlagsExperimental}},
	))
}
