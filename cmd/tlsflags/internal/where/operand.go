package where

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

var (
	text   = &paths.Type{Kind: paths.Text}
	number = &paths.Type{Kind: paths.Number}
	truth  = &paths.Type{Kind: paths.Truth}
)

// operand translates a value in a comparison.
func (c *translator) operand(n ast.Node) operand {
	switch n := n.(type) {
	case *ast.NilNode:
		return operand{node: n, at: n}
	case *ast.BoolNode:
		return operand{node: n, t: truth, at: n}
	case *ast.StringNode:
		return operand{node: n, t: text, at: n}
	case *ast.IntegerNode, *ast.FloatNode:
		return operand{node: n, t: number, at: n}
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode:
		return c.name(n)
	case *ast.BuiltinNode:
		return c.call(n)
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			x := c.number(n.Node)
			x.node, x.at = &ast.UnaryNode{Operator: n.Operator, Node: x.node}, n
			return x
		}
		return operand{node: c.truth(n), t: truth, at: n}
	case *ast.BinaryNode:
		return c.sum(n)
	case *ast.CallNode:
		name := n.Callee.String()
		return c.refused(n, "there is no function %s%s", name, callAdvice(name, n.Arguments))
	}
	return c.refused(n, "%s is not supported in a condition", n.String())
}

func (c *translator) refused(n ast.Node, format string, args ...any) operand {
	return operand{node: c.fail(n, format, args...), t: truth, at: n}
}

// number translates an operand that must be a number.
func (c *translator) number(n ast.Node) operand {
	o := c.operand(n)
	if o.t == nil || o.t.Kind != paths.Number {
		c.fail(n, "a number is needed here, not %s", kind(o.t))
	}
	return o
}

// sum translates arithmetic. Division is left out, because it can fail.
func (c *translator) sum(n *ast.BinaryNode) operand {
	switch n.Operator {
	case "+", "-", "*":
		l, r := c.number(n.Left), c.number(n.Right)
		return operand{
			node:   binary(n.Operator, l.node, r.node),
			t:      number,
			absent: slices.Concat(l.absent, r.absent),
			inner:  l.inner || r.inner,
			at:     n,
		}
	case "/", "%", "**", "^", "..", "??":
		return c.refused(n, "%s is not supported in a condition", n.Operator)
	}
	return operand{node: c.truth(n), t: truth, at: n}
}

// call translates a function.
func (c *translator) call(n *ast.BuiltinNode) operand {
	switch n.Name {
	case "any", "all", "none", "one":
		return operand{node: c.truth(n), t: truth, at: n}
	case "count":
		call, list := c.predicate(n)
		return operand{node: call, t: number, absent: list.absent, inner: list.inner, at: n}
	case "len", "lower", "upper":
	default:
		return c.refused(n, "there is no function %s%s", n.Name, callAdvice(n.Name, n.Arguments))
	}
	if len(n.Arguments) != 1 {
		return c.refused(n, "%s takes one argument", n.Name)
	}
	o := c.operand(n.Arguments[0])
	isList := o.t != nil && o.t.Kind == paths.List && n.Name == "len"
	if o.t == nil || o.t.Kind != paths.Text && !isList {
		return c.refused(o.at, "%s cannot be used for %s", n.Name, kind(o.t))
	}
	result := text
	if n.Name == "len" {
		result = number
	}
	call := &ast.BuiltinNode{Name: n.Name, Arguments: []ast.Node{o.node}}
	return operand{node: call, t: result, absent: o.absent, inner: o.inner, at: n}
}

// predicate translates a function that tests the elements of a list, and returns the list.
func (c *translator) predicate(n *ast.BuiltinNode) (ast.Node, operand) {
	if len(n.Arguments) != 2 {
		return c.fail(n, "%s takes a list and a condition on its elements; the length of a list is len(list)", n.Name), operand{}
	}
	list := c.operand(n.Arguments[0])
	body, ok := n.Arguments[1].(*ast.PredicateNode)
	if list.t == nil || list.t.Kind != paths.List || !ok {
		return c.fail(list.at, "%s needs a list here, not %s", n.Name, kind(list.t)), list
	}
	outer := c.elem
	c.elem = list.t.Elem
	inside := c.truth(body.Node)
	c.elem = outer
	return &ast.BuiltinNode{Name: n.Name, Arguments: []ast.Node{list.node, &ast.PredicateNode{Node: inside}}}, list
}

// name translates the name of a value of the row or, in a predicate, of an element.
func (c *translator) name(n ast.Node) operand {
	var keys []string
	at := n
	for {
		m, ok := at.(*ast.MemberNode)
		if !ok {
			break
		}
		key, ok := m.Property.(*ast.StringNode)
		if !ok {
			return c.refused(m.Property, "an element of a list has no name (use in, any or all)")
		}
		keys = append(keys, key.Value)
		at = m.Node
	}
	slices.Reverse(keys)
	switch root := at.(type) {
	case *ast.IdentifierNode:
		p, err := c.row.Find(strings.Join(append([]string{root.Value}, keys...), "."))
		if err != nil {
			return c.refused(root, "%v%s", err, nameAdvice(root.Value, err))
		}
		c.condition.use(p)
		value := &ast.IdentifierNode{Value: p.String()}
		return operand{node: value, t: p.Type(), absent: []ast.Node{value}, at: root}
	case *ast.PointerNode:
		return c.element(root, keys)
	}
	return c.refused(at, "%s is not supported in a condition", at.String())
}

// element translates a name of an element.
func (c *translator) element(root *ast.PointerNode, keys []string) operand {
	if c.elem == nil || root.Name != "" {
		return c.refused(root, "#%s is not supported here", root.Name)
	}
	o := operand{node: &ast.PointerNode{}, t: c.elem, inner: true, at: root}
	if len(keys) == 0 {
		return o
	}
	p, err := c.elem.Find(strings.Join(keys, "."))
	if err != nil {
		return c.refused(root, "%v", err)
	}
	for i := range p {
		o = c.member(o, &p[i])
	}
	return o
}

// member returns the value of a key of o. The values before it in its guards are tested
// first.
func (c *translator) member(o operand, f *paths.Field) operand {
	m := &ast.MemberNode{Node: o.node, Property: &ast.StringNode{Value: f.Name}}
	o.node, o.t, o.absent = m, f.Type, append(slices.Clip(o.absent), m)
	return o
}
