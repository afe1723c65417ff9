package where

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// ranges is what to use for a range of addresses.
const ranges = `use startsWith "10.", or --filter 'net 10.0.0.0/8'`

// mistakes say what to write instead of what expr does not understand. Before and at match the
// condition before the fault, and from there on.
var mistakes = []struct {
	before, at string // regular expressions
	advice     string
}{
	{"", `^=?~`, `use matches and a regular expression, such as ja4 matches "^t13"`},
	{`[^|]\|\s*[\w.]+\s*$`, "", "use or, or ||, between conditions"},
	{"", `^=`, "use == to compare"},
	{`<$`, `^>`, "use !="},
	{"", `^!`, "use !=, without a space, or not"},
	{"", `^[\x{2018}-\x{201f}]`, `use straight quotes, such as "a.example"`},
	{"", `^&`, "use and, or &&"},
	{"", `^(AND|OR|NOT|IN|And|Or|Not|In)\b`, "and, or, not and in have lower case"},
	{"", `^(is|IS|exists|EXISTS)\b`, "use == nil or != nil"},
	{"", `^(like|LIKE|includes)\b`, `use contains, startsWith, endsWith or matches, such as ja4 startsWith "t13"`},
	{"", `^has\b`, `use in for a list, such as "h2" in client_hello.alpn, and contains for a string`},
	{"", `^(starts|begins|startswith|starts_with|beginsWith)\b`, "use startsWith"},
	{"", `^(ends|endswith|ends_with)\b`, "use endsWith"},
	{"", `^(startsWith|endsWith|contains|matches)\s*\(`, `it is between two values, such as ja4 startsWith "t13"`},
	{`\bmatches\s*$`, "", `put quotes around the regular expression, such as ja4 matches "^t13"`},
	{`\bin\s+[0-9.]*$`, `^[.0-9]+/`, ranges},
	{`[0-9]$`, `^\.[0-9]`, `put quotes around an address, such as "192.0.2.1"`},
	{`\bin\s*[({]?[^])}]*$`, `^,`, "put brackets around a list, such as dst_port in [443, 8443]"},
	{`^\s*(host|port|net|tcp|udp|src|dst|ip6?)\s+$`, "", "expressions of tcpdump are for --filter; here, use src_ip, dst_ip, src_port and dst_port"},
}

// Messages of expr.
const (
	atEnd   = "unexpected token EOF"
	inQuote = "literal not terminated"
)

// advise says what to write instead of what is at a character of a condition, or "".
func advise(condition string, at int, message string) string {
	switch {
	case message == inQuote:
		return "; a quotation mark is missing"
	case message == atEnd && strings.TrimSpace(condition) == "":
		return `; write one, such as ja4 startsWith "t13"`
	case message == atEnd && strings.Count(condition, "(") > strings.Count(condition, ")"):
		return "; a ) is missing"
	case message == atEnd:
		return "; something is missing after that"
	}
	text := []rune(condition)
	at = max(0, min(at, len(text)))
	before, rest := string(text[:at]), string(text[at:])
	for _, m := range mistakes {
		if regexp.MustCompile(m.before).MatchString(before) && regexp.MustCompile(m.at).MatchString(rest) {
			return "; " + m.advice
		}
	}
	return ""
}

// reworded says what is unexpected without the terms of expr.
func reworded(message string) string {
	token := regexp.MustCompile(`^unexpected token (?:EOF|\w+\((".*")\))$`)
	switch m := token.FindStringSubmatch(message); {
	case m == nil:
		return message
	case m[1] == "":
		return "the condition ends here"
	default:
		return "unexpected " + m[1]
	}
}

// otherwise says what to write instead of a comparison of values that are not alike, or "".
func otherwise(l, r operand) string {
	if text, ok := l.at.(*ast.StringNode); ok && r.t != nil && r.t.Kind != paths.Text {
		return otherwise(r, operand{at: text, t: l.t})
	}
	literal, isText := r.at.(*ast.StringNode)
	switch name := l.name(); {
	case l.t == nil || name == "":
		return ""
	case l.t.Kind == paths.List && r.t != nil && l.t.Elem.IsPoint(), l.t.Kind == paths.List && r.t != nil && l.t.Elem.Kind == r.t.Kind:
		return fmt.Sprintf("; write %s in %s", r.at, name)
	case l.t.IsPoint():
		return "; compare it with a number or a name"
	case l.t.Kind == paths.List || l.t.Kind == paths.Object:
		return presence(l)
	case l.t.Kind == paths.Truth:
		return fmt.Sprintf("; write %s or not %s", name, name)
	case l.t.Kind == paths.Moment:
		return `; write a time in quotes, such as "2026-11-24T10:00:00Z"`
	case l.t.Kind == paths.Text && r.t != nil && r.t.Kind == paths.Number:
		return inQuotes(r)
	case l.t.Kind == paths.Number && isText:
		if _, err := strconv.Atoi(literal.Value); err == nil {
			return "; write " + literal.Value + ", without quotes"
		}
	}
	return ""
}

// inQuotes says that a number is needed as text.
func inQuotes(o operand) string { return fmt.Sprintf("; write %q, in quotes", o.at) }

// searchAdvice says what to write instead of a search in something else than a string.
func searchAdvice(wrong, l, r operand) string {
	_, literal := wrong.at.(*ast.IntegerNode)
	switch {
	case wrong.t != nil && wrong.t.Kind == paths.List:
		return otherwise(l, r)
	case literal:
		return inQuotes(wrong)
	}
	return ""
}

// elementAdvice says what to write instead of a value that cannot be in a list.
func elementAdvice(value, list operand) string {
	_, literal := value.at.(*ast.IntegerNode)
	switch elem := list.t.Elem; {
	case elem.Kind == paths.Object:
		return presence(list)
	case elem.Kind == paths.Text && literal:
		return inQuotes(value)
	}
	return ""
}

// presence says how to use a value that is neither a condition nor comparable.
func presence(o operand) string {
	name := o.name()
	if name == "" || o.t == nil {
		return ""
	}
	advice := fmt.Sprintf("; write %s != nil", name)
	if o.t.Kind == paths.Object && !o.t.IsPoint() {
		advice += ", or one of its keys, such as " + name + "." + firstKey(o.t)
	}
	if o.t.Kind == paths.List && o.t.Elem.Kind == paths.Object && !o.t.Elem.IsPoint() {
		advice += fmt.Sprintf(", or any(%s, .%s == ...)", name, firstKey(o.t.Elem))
	}
	return advice
}

// firstKey is the key of an object that people look for most.
func firstKey(t *paths.Type) string {
	for _, name := range []string{"code", "flags", "server_name", "value"} {
		if t.Field(name) != nil {
			return name
		}
	}
	return t.Fields[0].Name
}

// name returns the name of a value of the row, or "".
func (o operand) name() string {
	if id, ok := o.node.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return ""
}

// nameAdvice says what to write instead of an unknown name, unless err says that.
func nameAdvice(name string, err error) string {
	switch lower := strings.ToLower(name); {
	case lower == "null" || lower == "none" || lower == "undefined":
		return "; use nil"
	case strings.HasPrefix(err.Error(), "unknown name") && !strings.Contains(err.Error(), "did you mean"):
		return "; names are keys of the JSON, and text is in quotes"
	}
	return ""
}

// callAdvice says what to write instead of an unknown function.
func callAdvice(name string, arguments []ast.Node) string {
	object, method, nested := cutLast(name)
	argument := "..."
	if len(arguments) > 0 {
		argument = arguments[0].String()
	}
	switch {
	case nested && strings.Contains(" contains startsWith endsWith matches ", " "+method+" "):
		return fmt.Sprintf(`; write %s %s %s`, object, method, argument)
	case nested && strings.Contains(" len lower upper ", " "+method+" "):
		return fmt.Sprintf("; write %s(%s)", method, object)
	case strings.Contains(" exists has isset defined ", " "+name+" "):
		return fmt.Sprintf("; write %s != nil", argument)
	case strings.Contains(" cidr net ip_in_range inCIDR ", " "+name+" "):
		return "; for addresses, " + ranges
	case name == "now" || name == "date" || name == "duration":
		return `; write a time, such as "2026-11-24T10:00:00Z"`
	}
	return " (use len, lower, upper, any, all, none, one or count)"
}

func cutLast(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// literal checks a text that a value of the row is compared with, and returns it as the row has
// it. A text that the value can never be is an error.
func (c *translator) literal(o, value operand) operand {
	text, ok := o.at.(*ast.StringNode)
	if !ok || o.node != ast.Node(text) {
		return o
	}
	switch name := value.name(); {
	case strings.HasSuffix(name, "_ip"):
		address, err := netip.ParseAddr(text.Value)
		if _, wrong := netip.ParsePrefix(text.Value); wrong == nil {
			c.fail(o.at, "%q is a range of addresses; %s", text.Value, ranges)
		} else if _, wrong := netip.ParseAddrPort(text.Value); wrong == nil {
			c.fail(o.at, "%q has a port; compare %s and %s", text.Value, name, strings.TrimSuffix(name, "ip")+"port")
		} else if err != nil {
			c.fail(o.at, "%q is not an IP address; write all of it, or use startsWith", text.Value)
		}
		o.node = &ast.StringNode{Value: address.String()}
	case strings.HasSuffix(name, "ja4") && strings.ContainsAny(text.Value, "*%?"):
		c.fail(o.at, `== takes the whole text; write %s startsWith %q`, name, strings.TrimRight(text.Value, "*%?"))
	case strings.HasSuffix(name, "server_name") && strings.HasPrefix(text.Value, "*"):
		c.fail(o.at, `== takes the whole text; write %s endsWith %q`, name, strings.TrimLeft(text.Value, "*"))
	}
	return o
}

// listAdvice says what to write instead of something else than a list.
func listAdvice(l, r operand) string {
	text, ok := r.at.(*ast.StringNode)
	if !ok {
		return ""
	}
	if _, err := netip.ParsePrefix(text.Value); err == nil && strings.HasSuffix(l.name(), "_ip") {
		return "; for addresses, " + ranges
	}
	return fmt.Sprintf("; write [%q]", text.Value)
}
