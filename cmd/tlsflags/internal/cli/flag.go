package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
)

const requestMTLS = uint32(extension.RequestMTLS)

// flagValue is a command-line option that takes a TLS flag by number or name.
type flagValue struct {
	flag extension.Flag
	set  bool
}

func (v *flagValue) Type() string { return "NUMBER|NAME" }

func (v *flagValue) String() string {
	switch {
	case !v.set:
		return ""
	case v.flag.Name() != "":
		return v.flag.Name()
	}
	return strconv.Itoa(int(v.flag))
}

func (v *flagValue) Set(s string) error {
	f, err := parseFlag(s)
	if err != nil {
		return err
	}
	*v = flagValue{f, true}
	return nil
}

// flagList is a command-line option that takes TLS flags, with commas between them or in
// options of their own, or none.
type flagList struct {
	flags []extension.Flag
	set   bool // the option was given: flags is not the default
	none  bool
}

const noFlags = "none"

func (l *flagList) Type() string { return "FLAG,..." }

func (l *flagList) String() string {
	names := make([]string, len(l.flags))
	for i, f := range l.flags {
		names[i] = (&flagValue{f, true}).String()
	}
	return strings.Join(names, ",")
}

func (l *flagList) Set(s string) error {
	if !l.set {
		*l = flagList{set: true}
	}
	if s == noFlags {
		l.none = true
	} else {
		for word := range strings.SplitSeq(s, ",") {
			f, err := parseFlag(word)
			if err != nil {
				return err
			}
			l.flags = append(l.flags, f)
		}
	}
	if l.none && len(l.flags) > 0 {
		return errors.New("none excludes other flags")
	}
	return nil
}

// parseFlag reads a flag number or the name of a known flag.
func parseFlag(s string) (extension.Flag, error) {
	if n, err := strconv.ParseUint(s, 0, 64); err == nil && n <= uint64(extension.MaxFlag) {
		return extension.Flag(n), nil
	}
	if info, ok := (extension.Registry{}).ByName(s); ok {
		if info.Unnumbered {
			return 0, fmt.Errorf("%s has no number yet", info.Name)
		}
		return info.Number, nil
	}
	if strings.Contains(s, ",") {
		return 0, fmt.Errorf("%q is more than one flag; give one at a time", s)
	}
	use := fmt.Sprintf("use a number from 0 to %d, or a name that tlsflags flags prints", extension.MaxFlag)
	return 0, &unknownValue{what: "flag", got: s, words: flagNames(), use: use}
}

// flagNames are the names that parseFlag takes.
func flagNames() []string {
	var names []string
	for info := range (extension.Registry{}).All() {
		if !info.Unnumbered {
			names = append(append(names, info.Name), aliases(info)...)
		}
	}
	return names
}

// flagName is the flag for people: its name, if it has one, and its number.
func flagName(f extension.Flag) string {
	if name := f.Name(); name != "" {
		return fmt.Sprintf("%s (%d)", name, f)
	}
	return fmt.Sprintf("%d", f)
}
