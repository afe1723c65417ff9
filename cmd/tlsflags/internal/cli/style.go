package cli

import (
	"io"
	"os"

	"github.com/fatih/color"
)

// colorMode is when text has colour.
func colorMode() enum[string] { return enumOf("color", "auto", words("auto", "always", "never")) }

// useColor reports whether to write colours to w. NO_COLOR and TERM=dumb turn off the
// default.
func useColor(mode string, w io.Writer) painter {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return painter(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// painter says whether text has colour.
type painter bool

func (p painter) paint(s string, attributes ...color.Attribute) string {
	if !p {
		return s
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(s)
}
