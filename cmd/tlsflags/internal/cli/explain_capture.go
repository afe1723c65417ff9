package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
)

// selection says which hellos of a capture are meant.
type selection struct {
	frame int
	sni   string
	ja4   string
}

func (s *selection) register(f *pflag.FlagSet) {
	f.IntVar(&s.frame, "frame", 0, "of a capture, the hellos in the frame with this `number`")
	f.StringVar(&s.sni, "sni", "", "of a capture, the hellos with this server `name`")
	f.StringVar(&s.ja4, "ja4", "", "of a capture, the hellos with this JA4 `fingerprint`")
}

// captureOnly are the options of a selection.
var captureOnly = []string{"frame", "sni", "ja4"}

// has reports whether a hello is meant.
func (s selection) has(h *capture.Hello) bool {
	if s.frame != 0 && !slices.Contains(h.Frames, s.frame) {
		return false
	}
	if s.sni == "" && s.ja4 == "" {
		return true
	}
	msg, whole := readable(h)
	if s.sni != "" {
		name, err := msg.ServerName()
		if err != nil || !strings.EqualFold(string(name), s.sni) {
			return false
		}
	}
	return s.ja4 == "" || whole && ja4(msg, h.Transport).String() == s.ja4
}

// readable returns the hello, as far as it can be read, and whether it is whole.
func readable(h *capture.Hello) (clienthello.ClientHello, bool) {
	if msg, _, err := h.Parse(); err == nil {
		return msg, true
	}
	parse := clienthello.ParsePartial
	if h.Transport == capture.DTLS {
		parse = clienthello.ParsePartialDTLS
	}
	p := parse(h.Message)
	return p.Hello, p.Whole
}

// matches yields the hellos of a capture that are meant, with their numbers, which count the
// rows of inspect. If number is not 0, it is the only one. An error says that
// the capture cannot be read, or has no such hello.
func (s selection) matches(cmd *cobra.Command, source string, r io.Reader, number int, show func(int, *capture.Hello) error) error {
	c, err := capture.Open(r, capture.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	row, shown := 0, 0
	for h := range c.Hellos() {
		row++
		if number != 0 && row != number || !h.Found() || !s.has(h) {
			continue
		}
		shown++
		if err := show(row, h); err != nil || number != 0 {
			return err
		}
	}
	switch err := c.Err(); {
	case shown > 0 && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, capture.ErrDamaged)):
		complain(cmd, fmt.Sprintf("%s: warning: %v", source, err))
	case err != nil:
		return fmt.Errorf("%s: %w", source, err)
	case row == 0:
		return fmt.Errorf("%s: no ClientHello in this capture", source)
	case shown == 0:
		return &exitError{ExitUnmet, fmt.Errorf("%s: none of %s is meant by the options; tlsflags inspect lists them", source, count(row, "hello"))}
	}
	return nil
}

// helloNumber reads the number of a hello.
func helloNumber(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usageError("--hello %s: of a capture it is the number of a hello, from 1, as inspect lists them", text)
	}
	return n, nil
}

// explainCapture explains the hellos of a capture that the options select.
func explainCapture(cmd *cobra.Command, o explainOptions, source string, r io.Reader) error {
	for _, option := range []string{"as", "request", "from"} {
		if cmd.Flags().Changed(option) {
			return usageError("--%s is for a message, not for a capture", option)
		}
	}
	number, err := helloNumber(o.hello)
	if err != nil {
		return err
	}
	o.hello = ""
	first := true
	return o.selection.matches(cmd, source, r, number, func(row int, h *capture.Hello) error {
		kind := annotate.ClientHello
		if h.Transport == capture.DTLS {
			kind = annotate.DTLSClientHello
		}
		e := explanation{
			input:  explainedInput{source: source},
			hello:  row,
			frames: h.Frames,
			table:  annotate.Explain(kind, h.Message),
		}
		var err error
		if e.verdict, err = o.judge(cmd, e.table); err != nil {
			return err
		}
		if o.format.value != "json" && !first {
			if _, err := io.WriteString(cmd.OutOrStdout(), "\n"); err != nil {
				return err
			}
		}
		first = false
		return e.write(cmd, o)
	})
}

// inCapture says which hello of a capture the table is about.
func (e explanation) inCapture() string {
	text := fmt.Sprintf(", hello %d", e.hello)
	if len(e.frames) == 1 {
		return text + fmt.Sprintf(" in frame %d", e.frames[0])
	}
	list := make([]string, len(e.frames))
	for i, f := range e.frames {
		list[i] = strconv.Itoa(f)
	}
	return text + " in frames " + strings.Join(list, ", ")
}
