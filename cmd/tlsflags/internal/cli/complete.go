package cli

import (
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/extension"
)

// completeValues lets the shell complete the values of all options and arguments that are
// not files.
func completeValues(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if complete := completionOf(f); complete != nil {
			if err := c.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
				panic(err) // the option has a completion already
			}
		}
	})
	for _, sub := range c.Commands() {
		completeValues(sub)
	}
}

// completionOf returns the completion of an option; nil for files.
func completionOf(f *pflag.Flag) cobra.CompletionFunc {
	switch v := f.Value.(type) {
	case *flagValue:
		return oneOf(flagCompletions)
	case *flagList:
		return someOf(func() []string { return append(flagCompletions(), "none") })
	case *fieldList:
		return someOf(lineType().Names)
	case interface {
		words() []string
		several()
	}:
		return someOf(v.words)
	case interface{ words() []string }:
		return oneOf(v.words)
	}
	switch what := f.Value.Type(); {
	case f.Name == "interface":
		return oneOf(interfaceNames)
	case f.Name == "code-point":
		return cobra.FixedCompletions([]string{"62", "0xfe01"}, cobra.ShellCompDirectiveNoFileComp)
	case f.Name == "dir", f.Name == "write-hellos":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case what == "string", what == "stringArray":
		if name, _ := pflag.UnquoteUsage(f); strings.Contains(strings.ToLower(name), "file") {
			return nil
		}
	}
	return cobra.NoFileCompletions
}

// oneOf completes a value.
func oneOf(words func() []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	}
}

// someOf completes the last of some values with commas between them.
func someOf(words func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var list []string
		for _, word := range words() {
			if !slices.Contains(strings.Split(before, ","), word) {
				list = append(list, before+word)
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// flagCompletions are the names of flags with their numbers.
func flagCompletions() []string {
	var list []string
	for info := range (extension.Registry{}).All() {
		if !info.Unnumbered {
			list = append(list, info.Name)
		}
	}
	return list
}

func interfaceNames() []string {
	names := []string{"any"}
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	return names
}
