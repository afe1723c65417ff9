package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/capture"
)

// captureCount is one of the counts of captures. Text, JSON and documents call it the same.
type captureCount struct {
	key    string // in JSON
	one    string // of it, in text; an s makes more
	suffix string
	of     func(*capture.Stats) *int
	use    countUse
}

type countUse uint8

const (
	general countUse = iota // always told
	normal                  // in sound captures, too
	warned                  // hellos may be missing
	lost                    // likewise, and packets were not read
	damage                  // likewise, of the file, whose error tells it
)

// captureCounts are the counts of captures, in the order of their output.
var captureCounts = []captureCount{
	{"packets", "packet", "", func(s *capture.Stats) *int { return &s.Packets }, general},
	{"flows", "flow", "", func(s *capture.Stats) *int { return &s.Flows }, general},
	{"incomplete", "incomplete hello", "", func(s *capture.Stats) *int { return &s.Incomplete }, warned},
	{"evicted", "evicted flow", "", func(s *capture.Stats) *int { return &s.Evicted }, lost},
	{"dropped", "packet", " dropped by the kernel", func(s *capture.Stats) *int { return &s.Dropped }, lost},
	{"other", "other packet", "", func(s *capture.Stats) *int { return &s.Other }, normal},
	{"encrypted", "encrypted packet", "", func(s *capture.Stats) *int { return &s.Encrypted }, lost},
	{"unknown_link", "packet", " of an unknown link type", func(s *capture.Stats) *int { return &s.UnknownLink }, lost},
	{"broken", "broken packet", "", func(s *capture.Stats) *int { return &s.Broken }, lost},
	{"truncated", "truncated packet", "", func(s *capture.Stats) *int { return &s.Truncated }, lost},
	{"too_deep", "packet", " with too many headers", func(s *capture.Stats) *int { return &s.TooDeep }, lost},
	{"cut", "cut file", "", func(s *capture.Stats) *int { return &s.Cut }, damage},
	{"damaged", "damaged place", "", func(s *capture.Stats) *int { return &s.Damaged }, damage},
	{"skipped", "skipped byte", "", func(s *capture.Stats) *int { return &s.Skipped }, damage},
}

func (c captureCount) text(s *capture.Stats) string { return count(*c.of(s), c.one) + c.suffix }

// addStats adds the counts of a capture to those of all.
func addStats(total *capture.Stats, s capture.Stats) {
	for _, c := range captureCounts {
		*c.of(total) += *c.of(&s)
	}
	for number, n := range s.UnknownLinks.All() {
		total.UnknownLinks.Add(number, n)
	}
	for number, n := range s.UnknownEtherTypes.All() {
		total.UnknownEtherTypes.Add(number, n)
	}
}

// hasLost reports whether a capture was damaged, cut or not readable in part.
func hasLost(s *capture.Stats) bool {
	for _, c := range captureCounts {
		if c.use >= lost && *c.of(s) > 0 {
			return true
		}
	}
	return false
}

// warnings lists why hellos of a capture may be missing.
func warnings(s *capture.Stats) string {
	var parts []string
	for _, c := range captureCounts {
		if (c.use == warned || c.use == lost) && *c.of(s) > 0 {
			text := c.text(s)
			if c.key == "unknown_link" {
				text += " (" + strings.Join(linkTypes(s), "; ") + ")"
			}
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

// linkTypes lists the link types that are not read.
func linkTypes(s *capture.Stats) []string {
	var list []string
	for number := range s.UnknownLinks.All() {
		list = append(list, strings.TrimSpace(strconv.Itoa(int(number))+" "+capture.LinkType(number).Name()))
	}
	return list
}

// countLines has a line for each count of captures, without those that are 0.
func countLines(s *capture.Stats) []string {
	var lines, head []string
	for _, c := range captureCounts {
		n := *c.of(s)
		switch {
		case c.use == general:
			head = append(head, c.text(s))
			continue
		case n == 0:
			continue
		}
		line := c.text(s)
		switch c.key {
		case "unknown_link":
			for number, n := range s.UnknownLinks.All() {
				name := capture.LinkType(number).Name()
				line += fmt.Sprintf("; %d of %s", n, strings.TrimSpace(strconv.Itoa(int(number))+" "+name))
			}
		case "other":
			for number, n := range s.UnknownEtherTypes.All() {
				line += fmt.Sprintf("; %d of EtherType %v", n, capture.EtherType(number))
			}
		}
		lines = append(lines, line)
	}
	return append([]string{strings.Join(head, ", ")}, lines...)
}

// countsInfo is the counts of captures as JSON.
type countsInfo struct{ stats *capture.Stats }

func (i countsInfo) MarshalJSON() ([]byte, error) {
	b := []byte("{")
	for n, c := range captureCounts {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendInt(append(appendString(b, c.key), ':'), *c.of(i.stats))
	}
	return append(b, '}'), nil
}

var _ json.Marshaler = countsInfo{}

// packetStat is how many packets have a number.
type packetStat struct {
	codePoint
	Packets int `json:"packets"`
}

// packetStats lists counts with the names of their numbers.
func packetStats(counts capture.Counts, name func(uint16) string) []packetStat {
	list := []packetStat{}
	for number, n := range counts.All() {
		list = append(list, packetStat{codePoint{Value: uint32(number), Name: optional(name(number))}, n})
	}
	return list
}
