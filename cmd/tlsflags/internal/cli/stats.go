package cli

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/extension"
)

// statsSchema is the value of "schema" in what --stats writes as JSON.
const statsSchema = "tlsflags.inspect-stats/1"

// flagStats counts hellos by what TLS flags they have.
type flagStats struct {
	hellos     int
	refused    int
	without    int
	standard   int // with tls_flags under code point 62
	experiment int // under 0xfe01
	malformed  int // of the two before
	ambiguous  int // that are in doubt
	flags      [extension.MaxFlag + 1]int
}

// add counts what was found, with its hello; the zero ClientHello was refused.
func (s *flagStats) add(found *capture.Hello, h clienthello.ClientHello) {
	if found.Ambiguous != 0 {
		s.ambiguous++
	}
	if !found.Found() {
		return
	}
	s.hellos++
	if h.Raw() == nil {
		s.refused++
		return
	}
	flags, under, err := h.Flags()
	switch under {
	case 0:
		s.without++
	case extension.TLSFlags:
		s.standard++
	default:
		s.experiment++
	}
	if err != nil {
		s.malformed++
	}
	for f := range flags.All() {
		s.flags[f]++
	}
}

func (s *flagStats) merge(more *flagStats) {
	s.hellos += more.hellos
	s.refused += more.refused
	s.without += more.without
	s.standard += more.standard
	s.experiment += more.experiment
	s.malformed += more.malformed
	s.ambiguous += more.ambiguous
	for f, n := range more.flags {
		s.flags[f] += n
	}
}

// statsInfo is the result of --stats: an object of tlsflags.inspect-stats/1.
type statsInfo struct {
	Schema     string          `json:"schema"`
	Hellos     int             `json:"hellos"`
	Refused    int             `json:"refused"`
	WithFlags  int             `json:"with_tls_flags"`
	Malformed  int             `json:"malformed_tls_flags"`
	Ambiguous  int             `json:"ambiguous"`
	Extensions []extensionStat `json:"extensions"`
	Flags      []flagStat      `json:"flags"`
	Captures   countsInfo      `json:"captures"`
	Links      []packetStat    `json:"unknown_link_types"`
	EtherTypes []packetStat    `json:"unknown_ethertypes"`
}

type extensionStat struct {
	codePoint
	Hellos int `json:"hellos"`
}

type flagStat = extensionStat

func (s *flagStats) info(c *capture.Stats) statsInfo {
	info := statsInfo{
		Schema:    statsSchema,
		Hellos:    s.hellos,
		Refused:   s.refused,
		WithFlags: s.standard + s.experiment,
		Malformed: s.malformed,
		Ambiguous: s.ambiguous,
		Extensions: []extensionStat{
			{codepoint.Of(extension.TLSFlags, extension.TLSFlags.Name()), s.standard},
			{codepoint.Of(extension.TLSFlagsExperimental, extension.TLSFlagsExperimental.Name()), s.experiment},
		},
		Flags:      []flagStat{},
		Captures:   countsInfo{c},
		Links:      packetStats(c.UnknownLinks, func(n uint16) string { return capture.LinkType(n).Name() }),
		EtherTypes: packetStats(c.UnknownEtherTypes, func(n uint16) string { return capture.EtherType(n).Name() }),
	}
	for f, n := range s.flags {
		if n > 0 {
			f := extension.Flag(f)
			info.Flags = append(info.Flags, flagStat{codepoint.Of(f, f.Name()), n})
		}
	}
	return info
}

// print writes the counts, and those of the captures, to a buffer, whose flush has the error.
func (s *flagStats) print(w *bufio.Writer, format string, c *capture.Stats, width int) {
	switch format {
	case "json", "jsonl":
		_ = terminal.WriteJSON(w, s.info(c), "")
	case "csv":
		s.printCSV(w, c)
	default:
		s.printTable(w, c, width)
	}
}

func (s *flagStats) printTable(w io.Writer, c *capture.Stats, width int) {
	info := s.info(c)
	t := screen.Table{Columns: []screen.Column{{Name: "FLAG", Right: true}, {Name: "HELLOS", Right: true}, {Name: "NAME", Least: 10}}}
	for _, f := range info.Flags {
		t.Row(strconv.Itoa(int(f.Value)), strconv.Itoa(f.Hellos), string(f.Name))
	}
	_ = t.Write(w, width) // the next flush has the error
	parts := []string{
		fmt.Sprintf("%s: %d with tls_flags(62),", count(s.hellos, "hello"), s.standard), fmt.Sprintf("%d with tls_flags(0xfe01),", s.experiment),
		fmt.Sprintf("%d malformed;", s.malformed), fmt.Sprintf("%d without;", s.without), fmt.Sprintf("%d refused", s.refused),
	}
	if s.ambiguous > 0 {
		parts[len(parts)-1] += ";"
		parts = append(parts, fmt.Sprintf("%d ambiguous", s.ambiguous))
	}
	fmt.Fprintln(w, screen.Fill(parts, " ", "  ", width))
	for _, line := range countLines(c) {
		fmt.Fprintln(w, screen.Fill(strings.Split(line, " "), " ", "  ", width))
	}
}

func (s *flagStats) printCSV(w io.Writer, captures *capture.Stats) {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"flag", "name", "hellos"})
	for _, f := range s.info(captures).Flags {
		_ = c.Write([]string{string(appendValue(nil, f.codePoint)), string(f.Name), strconv.Itoa(f.Hellos)})
	}
	c.Flush()
}
