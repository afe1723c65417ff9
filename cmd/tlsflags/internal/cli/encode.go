package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/extension"
)

func encodeCommand() *cobra.Command {
	codePoint := typeValue(extension.TLSFlags)
	cmd := &cobra.Command{
		Use:   "encode NUMBER|NAME...",
		Short: "Print the TLS Flags extension for some flags",
		Long: `Encode prints the TLS Flags extension with the given flags: type, length and data, in
lower-case hexadecimal.`,
		Example: `  tlsflags encode 80 8
  tlsflags encode --code-point 0xfe01 request_mtls
  tlsflags encode 80 | tlsflags explain -`,
		Args: someArguments("give at least one flag, by number or name"),

		ValidArgsFunction: oneOf(flagCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return encode(cmd, extension.Type(codePoint), args)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().Var(&codePoint, "code-point", "type of the extension")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			if _, err := strconv.Atoi(unknown.GetSpecifiedShortnames()); err == nil {
				return fmt.Errorf("-%s is not a flag: numbers go from 0 to %d", unknown.GetSpecifiedShortnames(), extension.MaxFlag)
			}
		}
		return aboutOption(cmd, err)
	})
	return cmd
}

func encode(cmd *cobra.Command, t extension.Type, args []string) error {
	var set extension.FlagSet
	for _, arg := range args {
		f, err := parseFlag(arg)
		if err != nil {
			return usageError("%w", err)
		}
		if err := set.Add(f); err != nil {
			return usageError("%w", err)
		}
	}
	b, err := set.AppendExtension(nil, t)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), hex.EncodeToString(b))
	return err
}

// typeValue is a command-line option that takes an extension type by its number.
type typeValue extension.Type

func (v *typeValue) Type() string { return "NUMBER" }

func (v *typeValue) String() string { return fmt.Sprintf("0x%04x", uint16(*v)) }

func (v *typeValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 0, 16)
	if err != nil {
		return &unknownValue{what: "extension type", got: s, use: "use a number from 0 to 65535"}
	}
	*v = typeValue(n)
	return nil
}
