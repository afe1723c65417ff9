package cli

import "github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"

// printable is what every text that a stranger or the user wrote goes through.
func printable(s string) string { return terminal.Printable(s) }
