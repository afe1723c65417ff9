package cli

import (
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

// parseFlag reads a flag number or the name of a known flag.
func parseFlag(s string) (extension.Flag, error) {
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		if n > uint64(extension.MaxFlag) {
			return 0, fmt.Errorf("flag %d is above %d, the highest there can be", n, extension.MaxFlag)
		}
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
	return 0, fmt.Errorf("no flag is called %q; give its number, from 0 to %d", s, extension.MaxFlag)
}

// flagName is the flag for people: its name, if it has one, and its number.
func flagName(f extension.Flag) string {
	if name := f.Name(); name != "" {
		return fmt.Sprintf("%s (%d)", name, f)
	}
	return fmt.Sprintf("%d", f)
}
