package vectorrun

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Expected are the differences that are expected. The zero value expects none.
type Expected struct{ rules []*rule }

type rule struct {
	pattern string
	match   *regexp.Regexp
	reason  string
	used    bool
}

// ReadExpected reads expected differences. Each line has the id of a test, in which *
// matches any characters, blanks, and a reason. It skips empty lines and those that begin
// with #.
func ReadExpected(r io.Reader) (Expected, error) {
	var e Expected
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		pattern, reason, _ := strings.Cut(text, " ")
		if id, rest, ok := strings.Cut(text, "\t"); ok && len(id) < len(pattern) {
			pattern, reason = id, rest
		}
		if reason = strings.TrimSpace(reason); reason == "" {
			return Expected{}, fmt.Errorf("line %d: %s has no reason; say why the difference is expected", n, pattern)
		}
		match := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
		e.rules = append(e.rules, &rule{pattern: pattern, match: regexp.MustCompile(match), reason: reason})
	}
	return e, lines.Err()
}

// reason returns why a difference in the test is expected.
func (e Expected) reason(id string) (string, bool) {
	for _, r := range e.rules {
		if r.match.MatchString(id) {
			r.used = true
			return r.reason, true
		}
	}
	return "", false
}

// stale lists the patterns that no difference needed.
func (e Expected) stale() []string {
	var patterns []string
	for _, r := range e.rules {
		if !r.used {
			patterns = append(patterns, r.pattern)
		}
	}
	return patterns
}
