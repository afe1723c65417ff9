package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// aboutOption turns what pflag says of an option into the words of this package. It names
// the option first, then the value that is wrong.
func aboutOption(cmd *cobra.Command, err error) error {
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("--%s needs a value", missing.GetFlag().Name)
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := wrong.GetFlag()
		cause := errors.Unwrap(wrong)
		if form, ok := forms[f.Value.Type()]; ok {
			cause = &unknownValue{what: form[0], got: wrong.GetValue(), use: form[1]}
		}
		return fmt.Errorf("--%s: %w", f.Name, cause)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	switch {
	case !ok:
		return err
	case unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("unknown option -%s", unknown.GetSpecifiedName())
	}
	name := "--" + unknown.GetSpecifiedName()
	if f := cmd.Flags().Lookup("format"); f != nil {
		if e, ok := f.Value.(*enum[string]); ok && slices.Contains(e.words(), name[2:]) {
			return fmt.Errorf("unknown option %s (did you mean --format %s?)", name, name[2:])
		}
	}
	return errors.New("unknown option " + name + paths.Hint(strings.ToLower(name), optionNames(cmd)))
}

// forms has, by the types of pflag, what a value is called and what to do.
var forms = map[string][2]string{
	"bool":     {"value", "use true or false"},
	"int":      {"number", "use a whole number, such as 20"},
	"duration": {"time", "use a number and its unit, such as 90s or 10m"},
}

func optionNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// noEmptyValues returns an error for a name that is empty, as a variable of the shell that is
// not set makes it.
func noEmptyValues(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			err = usageError("--%s needs a value; the one given is empty", f.Name)
		}
	})
	return err
}

// noSuchCommand is for commands that have commands and do nothing themselves.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("unknown command %q%s", args[0], paths.Hint(strings.ToLower(args[0]), names))
}

// oldOption is an option under the name that it had in an earlier version.
type oldOption struct {
	pflag.Value
	now string
}

// addOldName lets f take an option under its old name, too, which help does not mention.
func addOldName(f *pflag.FlagSet, old, now string) {
	o := *f.Lookup(now)
	o.Name, o.Shorthand, o.Hidden, o.Value = old, "", true, oldOption{o.Value, now}
	f.AddFlag(&o)
}

// noteOldNames says which options have another name now.
func noteOldNames(cmd *cobra.Command) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if old, ok := f.Value.(oldOption); ok {
			complain(cmd, fmt.Sprintf("--%s is now called --%s; use that name", f.Name, old.now))
		}
	})
}
