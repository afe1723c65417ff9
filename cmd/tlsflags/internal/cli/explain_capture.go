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
		switch {
		case number != 0 && row != number:
			continue
		case number != 0 && !h.Found():
			return &exitError{ExitUnmet, fmt.Errorf("%s: hello %d cannot be explained: no reading of its packets is a whole ClientHello (%s)%s", source, row, strings.Join(doubtTexts(h), "; "), inFrames(h))}
		case number != 0 && !s.has(h):
			return &exitError{ExitUnmet, fmt.Errorf("%s: hello %d is not one that --frame, --sni and --ja4 select; leave them out", source, row)}
		case !h.Found() || !s.has(h):
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
		return fmt.Errorf("%s: no ClientHello in this capture%s", source, incomplete(c.Stats()))
	case number > row:
		return &exitError{ExitUnmet, fmt.Errorf("%s: there is no hello %d; the capture has %s%s", source, number, count(row, "hello"), incomplete(c.Stats()))}
	case shown == 0:
		return &exitError{ExitUnmet, fmt.Errorf("%s: none of %s is one that --frame, --sni and --ja4 select; tlsflags inspect lists them", source, count(row, "hello"))}
	}
	return nil
}

// incomplete says how many hellos have no row, because a part of them is not in the capture.
func incomplete(s capture.Stats) string {
	if s.Incomplete == 0 {
		return ""
	}
	return fmt.Sprintf(", and the beginning of %s whose other packets are missing", count(s.Incomplete, "hello"))
}

// flagsChanged is what people read of a second hello whose flags are not those of the first.
const flagsChanged = "tls_flags changed after a HelloRetryRequest"

// doubtTexts says what inspect finds in doubt or odd about a hello, and refuses nothing for.
func doubtTexts(h *capture.Hello) (parts []string) {
	if doubts := doubtsOf(h); len(doubts) > 0 {
		parts = append(parts, "ambiguous: "+strings.Join(doubts, ", "))
	}
	for _, f := range h.Faults {
		parts = append(parts, fmt.Sprintf("fault: %s at byte %d", f.Code, f.Offset))
	}
	if h.FlagsChanged {
		parts = append(parts, flagsChanged)
	}
	return parts
}

// inFrames names the packets of a hello, if it has some.
func inFrames(h *capture.Hello) string {
	if len(h.Frames) == 0 {
		return ""
	}
	return "; look at frames " + joinInts(h.Frames)
}

// helloNumber reads the number of a hello.
func helloNumber(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(text, "#"))
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
			input:   explainedInput{source: source},
			hello:   row,
			frames:  h.Frames,
			doubts:  doubtTexts(h),
			carried: carriedText(h),
			table:   annotate.ExplainCarried(kind, h.Message, h.Code, h.Offset),
		}
		if h.Transport == capture.QUIC {
			e.records.what = "QUIC packet"
		} else if h.Transport == capture.DTLS {
			e.records.what = "DTLS record"
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

// carriedText says when a hello came, and between whom, as far as that is known.
func carriedText(h *capture.Hello) string {
	var parts []string
	if hasTime(h.Time) {
		parts = append(parts, h.Time.UTC().Format("2006-01-02 15:04:05.000000 UTC"))
	}
	if h.Src.IsValid() && h.Dst.IsValid() {
		parts = append(parts, fmt.Sprintf("from %v to %v", h.Src, h.Dst))
	}
	return strings.Join(parts, ", ")
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
