package cli

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/demo"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func serveCommand() *cobra.Command {
	c := demo.Config{}
	flag := flagValue{extension.RequestMTLS, true}
	var mode, types string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a demo server that honours request_mtls",
		Long: `Serve runs a web server that asks a visitor for a certificate if the ClientHello has
the flag. Its page, and /json, tell every visitor what the hello said and what
happened.

At start it makes an authority and writes files to the folder: ca.pem has the authority
that issued the server's certificate, client.pem and client.key are for a client. They
are for tests: the client's key is not encrypted.

The first line of standard output says where it listens. The log goes to standard
error. Ctrl-C stops it.`,
		Example: `  tlsflags serve --dir demo
  tlsflags get https://127.0.0.1:8443/json --ca demo/ca.pem --cert demo/client.pem --key demo/client.key
  curl --cacert demo/ca.pem https://127.0.0.1:8443/json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if c.Mode, err = parseMode(mode); err != nil {
				return err
			}
			if c.Types, err = parseTypes(types); err != nil {
				return err
			}
			if c.MaxConnections < 1 {
				return usageError("--max-connections has to be at least 1")
			}
			if flag.flag == 0 {
				return usageError("--flag 0 cannot be served")
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
	f.StringVar(&c.Dir, "dir", "", "`folder` for the certificates (default a new one for temporary files)")
	f.StringVar(&mode, "mode", "verify", "`mode` for clients with the flag: "+strings.Join(modeNames, ", "))
	f.BoolVar(&c.AskAll, "everybody", false, "ask every client, flag or not")
	f.Var(&flag, "flag", "the flag to honour")
	f.StringVar(&types, "type", "any", "extension `type` to find flags in: any, 62 or 65025")
	f.BoolVar(&c.Strict, "strict", false, "end handshakes over malformed flags, with illegal_parameter")
	f.IntVar(&c.MaxConnections, "max-connections", 1000, "serve `n` connections at once at most")
	f.BoolVarP(&quiet, "quiet", "q", false, "log nothing but trouble")
	completeWith(cmd, "mode", modeNames)
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

// modeNames are the values of --mode.
var modeNames = []string{"verify", "request", "require"}

func parseMode(s string) (reqmtls.Mode, error) {
	switch s {
	case "verify":
		return reqmtls.VerifyIfGiven, nil
	case "request":
		return reqmtls.Request, nil
	case "require":
		return reqmtls.Require, nil
	}
	return 0, usageError("--mode %s: it is one of %s", s, strings.Join(modeNames, ", "))
}

// parseTypes reads a value of --type; nil stands for both types.
func parseTypes(s string) ([]extension.Type, error) {
	switch s {
	case "any":
		return nil, nil
	case "62", "0x3e", "0x003e":
		return []extension.Type{extension.TLSFlags}, nil
	case "65025", "0xfe01":
		return []extension.Type{extension.TLSFlagsExperimental}, nil
	}
	return nil, usageError("--type %s: the types that hold TLS flags are 62 and 65025 (0xfe01)", s)
}
