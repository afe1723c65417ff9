package where

import (
	"regexp"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// compare translates == and the like.
func (c *translator) compare(n *ast.BinaryNode) ast.Node {
	l, r := c.operand(n.Left), c.operand(n.Right)
	equality := n.Operator == "==" || n.Operator == "!="
	switch {
	case c.err != nil:
		return n
	case l.t == nil && !r.named(), r.t == nil && !l.named():
		return c.fail(n, "only a name can be compared with nil")
	case (l.t == nil || r.t == nil) && !equality:
		return c.fail(n, "nil can only be compared with == and !=")
	case l.t == nil || r.t == nil:
		present := guarded(&ast.BoolNode{Value: true}, l, r)
		if n.Operator == "==" {
			return not(present)
		}
		return present
	}
	l, r = c.alike(l, r), c.alike(r, l)
	if n.Operator == "==" || n.Operator == "!=" {
		l, r = c.literal(l, r), c.literal(r, l)
	}
	switch k := l.t.Kind; {
	case c.err != nil:
		return n
	case k != r.t.Kind:
		return c.fail(n, "%s cannot be compared with %s%s", kind(l.t), kind(r.t), otherwise(l, r))
	case k == paths.List, k == paths.Object, k == paths.Truth && !equality:
		return c.fail(n, "%s cannot be compared with %s", kind(l.t), n.Operator)
	}
	return guarded(binary(n.Operator, l.node, r.node), l, r)
}

// alike makes o comparable with other: of a code point, it takes the number or the name,
// and of a string, the time.
func (c *translator) alike(o, other operand) operand {
	switch {
	case o.t.IsPoint() && other.t.Kind == paths.Number:
		return c.member(o, o.t.Field("value"))
	case o.t.IsPoint() && other.t.Kind == paths.Text:
		return c.member(o, o.t.Field("name"))
	case o.t.Kind == paths.Text && other.t.Kind == paths.Moment:
		text, ok := o.node.(*ast.StringNode)
		if !ok {
			c.fail(o.at, "time can only be compared with a string literal")
			return o
		}
		t, err := ParseTime(text.Value)
		if err != nil {
			c.fail(o.at, "%v", err)
		}
		return operand{node: &ast.ConstantNode{Value: t}, t: other.t, at: o.at}
	}
	return o
}

// ParseTime reads a time of RFC 3339. The time of day may be left out: it is then 00:00 in
// UTC.
func ParseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, &timeError{s}
	}
	return t, nil
}

type timeError struct{ text string }

func (e *timeError) Error() string {
	return "unknown time " + strconv.Quote(e.text) + "; use RFC 3339, such as 2026-11-24T10:00:00Z"
}

// search translates contains and the like.
func (c *translator) search(n *ast.BinaryNode) ast.Node {
	l, r := c.operand(n.Left), c.operand(n.Right)
	if c.err != nil {
		return n
	}
	for _, o := range []operand{l, r} {
		if o.t == nil || o.t.Kind != paths.Text {
			return c.fail(o.at, "%s needs a string here, not %s%s", n.Operator, kind(o.t), searchAdvice(o, l, r))
		}
	}
	if n.Operator == "matches" {
		text, ok := r.node.(*ast.StringNode)
		if !ok {
			return c.fail(r.at, "matches needs a string literal here")
		}
		if _, err := regexp.Compile(text.Value); err != nil {
			return c.fail(r.at, "%v", err)
		}
	}
	return guarded(binary(n.Operator, l.node, r.node), l, r)
}

// in translates the test whether a value is in a list of the row, a list of literals or a
// range.
func (c *translator) in(n *ast.BinaryNode) ast.Node {
	switch right := n.Right.(type) {
	case *ast.ArrayNode:
		var either ast.Node = &ast.BoolNode{}
		for i, x := range right.Nodes {
			same := ast.Node(&ast.BinaryNode{Operator: "==", Left: n.Left, Right: x})
			same.SetLocation(x.Location())
			if same = c.truth(same); i == 0 {
				either = same
			} else {
				either = binary("||", either, same)
			}
		}
		if len(right.Nodes) == 0 {
			c.operand(n.Left)
		}
		return either
	case *ast.BinaryNode:
		if right.Operator == ".." {
			low := &ast.BinaryNode{Operator: ">=", Left: n.Left, Right: right.Left}
			high := &ast.BinaryNode{Operator: "<=", Left: n.Left, Right: right.Right}
			low.SetLocation(n.Location())
			high.SetLocation(n.Location())
			return binary("&&", c.truth(low), c.truth(high))
		}
	}
	l, r := c.operand(n.Left), c.operand(n.Right)
	switch {
	case c.err != nil:
		return n
	case r.t == nil || r.t.Kind != paths.List:
		return c.fail(r.at, "in needs a list here, not %s%s", kind(r.t), listAdvice(l, r))
	case l.t == nil:
		return c.fail(l.at, "nil is never in a list")
	}
	if !r.t.Elem.IsPoint() {
		if l.t.Kind != r.t.Elem.Kind || l.t.Kind == paths.Object {
			return c.fail(n, "%s cannot be in a list whose elements are %s%s", kind(l.t), kind(r.t.Elem), elementAdvice(l, r))
		}
		return guarded(binary("in", l.node, r.node), l, r)
	}
	e := c.alike(operand{node: &ast.PointerNode{}, t: r.t.Elem, at: n.Left}, l)
	switch {
	case e.t.Kind != l.t.Kind || e.t.Kind == paths.Object:
		return c.fail(n, "a list of code points has numbers and names, not %s", kind(l.t))
	case l.inner:
		return c.fail(n, "in cannot compare elements of two lists")
	}
	same := guarded(binary("==", e.node, l.node), e)
	call := &ast.BuiltinNode{Name: "any", Arguments: []ast.Node{r.node, &ast.PredicateNode{Node: same}}}
	return guarded(call, l, r)
}
