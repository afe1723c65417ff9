// Command tlsflags sees, explains, probes and serves the TLS Flags extension.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
