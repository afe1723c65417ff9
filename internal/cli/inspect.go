package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func inspectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect [FILE|DIRECTORY|-]...",
		Short: "Show the ClientHellos of captures and raw files",
		RunE: func(cmd *cobra.Command, args []string) error {
			return errors.New("inspect is not there yet")
		},
	}
	return cmd
}
