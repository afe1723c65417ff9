package vectorrun

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Expected are the differences that are expected. The zero value expects none.
type Expected struct{ rules []rule }

type rule struct {
	*pattern
	reason string
}

// A pattern matches ids: each * stands for any characters.
type pattern struct {
	text string
	expr *regexp.Regexp
	used bool // it has matched
}

func newPattern(text string) *pattern {
	expr := "^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$"
	return &pattern{text: text, expr: regexp.MustCompile(expr)}
}

func (p *pattern) match(id string) bool {
	ok := p.expr.MatchString(id)
	p.used = p.used || ok
	return ok
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
		id, reason := text, ""
		if i := strings.IndexAny(text, " \t"); i >= 0 {
			id, reason = text[:i], strings.TrimSpace(text[i:])
		}
		if reason == "" {
			return Expected{}, fmt.Errorf("line %d: %s has no reason; say why the difference is expected", n, id)
		}
		e.rules = append(e.rules, rule{newPattern(id), reason})
	}
	return e, lines.Err()
}

// reason returns why a difference in the test is expected.
func (e Expected) reason(id string) (string, bool) {
	for _, r := range e.rules {
		if r.match(id) {
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
			patterns = append(patterns, r.text)
		}
	}
	return patterns
}
