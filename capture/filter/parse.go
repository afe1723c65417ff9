package filter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of an expression. A program for the kernel has at most 4,096 instructions.
const (
	maxTests = 1000
	maxDepth = 100 // of brackets and negations
)

// node is an expression: a test, or others that op joins.
type node struct {
	op   op
	x, y *node // y is nil for negation
	test test
}

type op uint8

const (
	isTest op = iota
	isAnd
	isOr
	isNot
)

// test is a condition without and, or and not.
type test struct {
	qualifiers
	prefix      netip.Prefix // of host
	first, last uint32       // of port; first is the number of proto
	vlan        int          // number of a VLAN, -1: any
	depth       int          // tags around what is tested
}

// qualifiers are the words before a value.
type qualifiers struct {
	proto     string // "", "ip", "tcp" and others
	direction direction
	kind      kind
}

type direction uint8

const (
	either direction = iota
	source
	destination
	both
)

type kind uint8

const (
	isProtocol kind = iota // the protocol itself
	isHost                 // or a network
	isPort                 // or a range of ports
	isNumber               // of an IP protocol
	isVLAN
)

// The words that a test begins with.
const words = "host, net, port, portrange, proto, src, dst, ip, ip6, arp, tcp, udp, icmp, vlan, not and brackets"

// Parse parses an expression. An error is a [*SyntaxError].
func Parse(text string) (*Filter, error) {
	p := &parser{}
	if err := p.split(text); err != nil {
		return nil, err
	}
	root, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.next(); t.text != "" {
		return nil, t.error("%q is after the end of the expression; put and or or before it", t.text)
	}
	return &Filter{text, root}, nil
}

type parser struct {
	tokens []token // the last one is empty
	tests  int
	depth  int
	vlans  int
	last   *typed // of the test before, for values without words of their own
	listed bool   // inside the brackets of a list of values
}

// typed are the words of a test, and which of them said what value it has.
type typed struct {
	qualifiers
	word string
}

// token is a word or sign. It is empty at the end of the expression.
type token struct {
	text   string
	column int
}

func (t token) error(format string, args ...any) error {
	return &SyntaxError{t.column, fmt.Sprintf(format, args...)}
}

func (p *parser) split(text string) error {
	const space, signs = " \t\r\n", "()!&|"
	for i := 0; ; {
		for i < len(text) && strings.IndexByte(space, text[i]) >= 0 {
			i++
		}
		n := 1
		switch rest := text[i:]; {
		case rest == "":
			p.tokens = append(p.tokens, token{"", i + 1})
			return nil
		case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
			n = 2
		case rest[0] == '&' || rest[0] == '|':
			return token{"", i + 1}.error("%q is not known; use and (&&), or (||)", rest[:1])
		case strings.IndexByte(signs, rest[0]) < 0:
			if n = strings.IndexAny(rest, space+signs); n < 0 {
				n = len(rest)
			}
		}
		p.tokens = append(p.tokens, token{text[i : i+n], i + 1})
		i += n
	}
}

func (p *parser) peek(n int) string {
	if n < len(p.tokens) {
		return p.tokens[n].text
	}
	return ""
}

// next takes a token. The last one stays.
func (p *parser) next() token {
	t := p.tokens[0]
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// joins returns what "and" or "or" means, or isTest for other words.
func joins(word string) op {
	switch word {
	case "and", "&&":
		return isAnd
	case "or", "||":
		return isOr
	}
	return isTest
}

func (p *parser) expression() (*node, error) {
	x, err := p.term()
	for err == nil && joins(p.peek(0)) != isTest {
		op := joins(p.next().text)
		var y *node
		y, err = p.term()
		x = &node{op: op, x: x, y: y}
	}
	return x, err
}

func (p *parser) term() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.tokens[0].error("brackets and negations are more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	switch p.peek(0) {
	case "not", "!":
		p.next()
		x, err := p.term()
		return &node{op: isNot, x: x}, err
	case "(":
		open := p.next()
		x, err := p.expression()
		if err == nil && p.next().text != ")" {
			err = open.error("this bracket is not closed")
		}
		return x, err
	}
	if p.tests++; p.tests > maxTests {
		return nil, p.tokens[0].error("more than %d tests", maxTests)
	}
	return p.primitive()
}

// primitive reads a test, with its words or with those of the test before.
func (p *parser) primitive() (*node, error) {
	begin := p.tokens[0]
	t, err := p.words()
	if err != nil {
		return nil, err
	}
	switch {
	case p.listed && t != nil:
		return nil, begin.error("%q is not a value; this bracket has values of %s only", begin.text, p.last.word)
	case t == nil && (p.last == nil || !strings.ContainsAny(begin.text, "0123456789:")):
		return nil, begin.error("%s is not known here; the words are %s", quoted(begin.text), words)
	case t == nil:
		t = p.last
	case t.kind == isProtocol || t.kind == isVLAN:
		p.last = nil
		return p.wordOnly(t)
	}
	p.last = t
	if p.peek(0) == "(" && !p.listed {
		p.listed = true
		defer func() { p.listed = false }()
		return p.term()
	}
	return p.value(t)
}

// quoted is how an error names a word.
func quoted(word string) string {
	if word == "" {
		return "the end"
	}
	return strconv.Quote(word)
}

// wordOnly returns the test of a protocol, or of a VLAN with or without its number.
func (p *parser) wordOnly(t *typed) (*node, error) {
	n := &node{test: test{qualifiers: t.qualifiers, depth: p.vlans, vlan: -1}}
	if t.kind == isVLAN {
		p.vlans++
		if word := p.peek(0); word != "" && word[0] >= '0' && word[0] <= '9' {
			number, err := p.number(p.next(), "vlan", 4095)
			n.test.vlan = int(number)
			return n, err
		}
	}
	return n, nil
}

// words reads the words before a value. It returns nil if there are none.
func (p *parser) words() (*typed, error) {
	t, begin := &typed{}, p.tokens[0]
	switch begin.text {
	case "vlan":
		p.next()
		t.kind = isVLAN
		return t, nil
	case "ip", "ip6", "arp", "tcp", "udp", "icmp":
		t.proto = p.next().text
	}
	directed := p.peek(0) == "src" || p.peek(0) == "dst"
	if directed {
		t.direction = p.direction()
	}
	var fits string // protocols that go with the value
	switch word := p.peek(0); word {
	case "host", "net":
		t.kind, t.word, fits = isHost, word, " ip ip6 arp "
	case "port", "portrange":
		t.kind, t.word, fits = isPort, word, " tcp udp "
	case "proto":
		t.kind, t.word, fits = isNumber, word, " ip ip6 "
	default:
		switch {
		case directed:
			t.kind, t.word = isHost, "host"
			return t, p.fits(begin, t, " ip ip6 arp ")
		case t.proto != "":
			return t, nil
		}
		return nil, nil
	}
	p.next()
	if t.kind == isNumber && directed {
		return nil, begin.error("a protocol has no direction")
	}
	return t, p.fits(begin, t, fits)
}

func (p *parser) fits(begin token, t *typed, protocols string) error {
	if t.proto != "" && !strings.Contains(protocols, " "+t.proto+" ") {
		return begin.error("%q does not go with %s", t.proto, t.word)
	}
	return nil
}

// direction reads src, dst, or both with a word between.
func (p *parser) direction() direction {
	first, second := p.next().text, p.peek(1)
	if op := joins(p.peek(0)); op != isTest && (second == "src" || second == "dst") && second != first {
		p.next()
		p.next()
		if op == isAnd {
			return both
		}
		return either
	}
	if first == "src" {
		return source
	}
	return destination
}

// value reads the value of a test.
func (p *parser) value(t *typed) (*node, error) {
	v := p.next()
	n := &node{test: test{qualifiers: t.qualifiers, depth: p.vlans}}
	var err error
	switch {
	case t.kind == isHost:
		n.test.prefix, err = p.prefix(v, t)
	case t.word == "portrange":
		first, last, _ := strings.Cut(v.text, "-")
		if n.test.first, err = p.number(token{first, v.column}, "portrange", 0xffff); err == nil {
			n.test.last, err = p.number(token{last, v.column + len(v.text) - len(last)}, "portrange", 0xffff)
		}
		if err == nil && n.test.first > n.test.last {
			err = v.error("the first port is over the last one")
		}
	case t.kind == isPort:
		n.test.first, err = p.number(v, "port", 0xffff)
		n.test.last = n.test.first
	default:
		n.test.first, err = p.number(v, "proto", 0xff)
	}
	return n, err
}

func (p *parser) number(t token, word string, limit uint64) (uint32, error) {
	v, err := strconv.ParseUint(t.text, 10, 32)
	if err != nil || v > limit || len(t.text) > 1 && t.text[0] == '0' {
		takes := fmt.Sprintf("a number from 0 to %d", limit)
		if word == "portrange" {
			takes = "two numbers from 0 to 65535, such as 8000-8100"
		}
		return 0, t.error("%s takes %s, not %s", word, takes, quoted(t.text))
	}
	return uint32(v), nil
}

// prefix reads an address or a prefix. Of an IPv4 network, numbers at the end may be left out.
func (p *parser) prefix(t token, of *typed) (netip.Prefix, error) {
	text, length, slash := strings.Cut(t.text, "/")
	bits := 0
	if of.word == "net" && !strings.Contains(text, ":") {
		given := strings.Count(text, ".") + 1
		for range 4 - given {
			text += ".0"
		}
		bits = 8 * given
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, t.error("%s takes an IP address, such as 192.0.2.1 or 2001:db8::/32, not %s", of.word, quoted(t.text))
	}
	if bits == 0 {
		bits = addr.BitLen()
	}
	if slash {
		n, err := p.number(token{length, t.column + len(t.text) - len(length)}, "the length of a prefix", uint64(addr.BitLen()))
		if err != nil {
			return netip.Prefix{}, err
		}
		bits = int(n)
	}
	prefix := netip.PrefixFrom(addr, bits)
	switch {
	case prefix.Masked() != prefix:
		return prefix, t.error("%s has bits after its first %d; use %v", addr, bits, prefix.Masked())
	case addr.Is4() && of.proto == "ip6", addr.Is6() && (of.proto == "ip" || of.proto == "arp"):
		return prefix, t.error("%q does not go with %s", of.proto, addr)
	}
	return prefix, nil
}
