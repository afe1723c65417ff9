package cli

import "github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"

// printable escapes text that a stranger or the user wrote. All such text goes through it.
func printable(s string) string { return terminal.Printable(s) }
