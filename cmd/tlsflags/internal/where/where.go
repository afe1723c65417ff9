// Package where compiles conditions on the rows of inspect, such as
//
//	ja4 startsWith "t13" and not ("h2" in client_hello.alpn)
//
// The language is a part of [expr], in which values can be absent. A comparison with an
// absent value is false, whatever it compares, but for x == nil and x != nil.
//
// [expr]: https://expr-lang.org/docs/language-definition
package where

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// A Condition is a compiled condition. It must not be used by several goroutines at a time.
type Condition struct {
	program *vm.Program
	machine vm.VM
	names   []string
	paths   []paths.Path
	values  map[string]any
}

// Compile compiles a condition on objects of a type. An error names the column, in
// characters from 1.
func Compile(condition string, row *paths.Type) (*Condition, error) {
	tree, err := parser.Parse(condition)
	if err != nil {
		return nil, syntax(condition, err)
	}
	c := &translator{row: row, condition: &Condition{values: map[string]any{}}}
	tree.Node = c.truth(tree.Node)
	if c.err != nil {
		return nil, c.err
	}
	config := conf.New(c.condition.values)
	config.Strict = false
	config.Check()
	if _, err := checker.Check(tree, config); err != nil {
		return nil, syntax("", err)
	}
	if c.condition.program, err = compiler.Compile(tree, config); err != nil {
		return nil, syntax("", err)
	}
	return c.condition, nil
}

// syntax returns an error of expr in one line, with advice about the condition.
func syntax(condition string, err error) error {
	if e, ok := errors.AsType[*file.Error](err); ok {
		at := e.From
		if e.Message == atEnd {
			at = utf8.RuneCountInString(condition)
		}
		return columnError(at, "%s%s", reworded(e.Message), advise(condition, at, e.Message))
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}

func columnError(at int, format string, args ...any) error {
	return fmt.Errorf("column %d: %s", at+1, fmt.Sprintf(format, args...))
}

// Paths are the paths whose values the condition needs.
func (c *Condition) Paths() []paths.Path { return c.paths }

// Holds reports whether the condition holds for a row. The values of the row are strings,
// ints, bools, lists and maps as [paths.Plain] returns them, a time.Time for a
// [paths.Moment], and nil if they are absent; value returns that of a path by its index in
// Paths.
func (c *Condition) Holds(value func(int) any) (bool, error) {
	for i, name := range c.names {
		c.values[name] = value(i)
	}
	result, err := c.machine.Run(c.program, c.values)
	if err != nil {
		return false, cmp.Or(syntax("", err), err)
	}
	return result.(bool), nil
}

// use adds a path to Paths.
func (c *Condition) use(p paths.Path) {
	name := p.String()
	for _, known := range c.names {
		if known == name {
			return
		}
	}
	c.names, c.paths = append(c.names, name), append(c.paths, p)
}

// translator turns the tree of a condition into one that expr runs without an error
// although values are absent.
type translator struct {
	row       *paths.Type
	elem      *paths.Type // of the list whose elements a predicate is about, or nil
	condition *Condition
	steps     int // so far
	err       error
}

// maxSteps bounds the translation, since not and in may translate a part several times.
const maxSteps = 10_000

// fail keeps the first error and returns a node that is never run.
func (c *translator) fail(n ast.Node, format string, args ...any) ast.Node {
	if c.err == nil {
		c.err = columnError(n.Location().From, format, args...)
	}
	return &ast.BoolNode{}
}

// An operand is a value in a comparison.
type operand struct {
	node   ast.Node
	t      *paths.Type // nil for the literal nil
	absent []ast.Node  // what must not be nil for node to have a value, outermost first
	inner  bool        // it is about the element of a predicate
	at     ast.Node    // in the condition
}

// named reports whether o is the value of a name, which can be compared with nil.
func (o operand) named() bool {
	return len(o.absent) > 0 && o.absent[len(o.absent)-1] == o.node
}

// guarded returns a condition that is false if one of its operands is absent.
func guarded(n ast.Node, operands ...operand) ast.Node {
	for _, o := range slices.Backward(operands) {
		for _, a := range slices.Backward(o.absent) {
			n = binary("&&", binary("!=", a, &ast.NilNode{}), n)
		}
	}
	return n
}

func binary(operator string, left, right ast.Node) ast.Node {
	return &ast.BinaryNode{Operator: operator, Left: left, Right: right}
}

func not(n ast.Node) ast.Node { return &ast.UnaryNode{Operator: "not", Node: n} }

// truth translates what must be true or false.
func (c *translator) truth(n ast.Node) ast.Node {
	if c.steps++; c.steps > maxSteps {
		return c.fail(n, "the condition is too long")
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return not(c.truth(n.Node))
		}
	case *ast.BinaryNode:
		if negated := c.rotate(n); negated != nil {
			return not(c.truth(negated))
		}
		switch n.Operator {
		case "and", "&&", "or", "||":
			return binary(n.Operator, c.truth(n.Left), c.truth(n.Right))
		case "==", "!=", "<", "<=", ">", ">=":
			return c.compare(n)
		case "contains", "startsWith", "endsWith", "matches":
			return c.search(n)
		case "in":
			return c.in(n)
		}
	case *ast.BuiltinNode:
		switch n.Name {
		case "any", "all", "none", "one":
			call, list := c.predicate(n)
			return guarded(call, list)
		}
	}
	o := c.operand(n)
	if o.t == nil || o.t.Kind != paths.Truth {
		return c.fail(n, "a condition is needed here, not %s%s", kind(o.t), presence(o))
	}
	return guarded(o.node, o)
}

// rotate returns a == b for not a == b, which expr reads as (not a) == b, if a is no
// condition; else nil.
func (c *translator) rotate(n *ast.BinaryNode) ast.Node {
	left, ok := n.Left.(*ast.UnaryNode)
	if !ok || left.Operator != "not" {
		return nil
	}
	switch left.Node.(type) {
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode, *ast.StringNode, *ast.IntegerNode, *ast.BuiltinNode:
		if o := c.operand(left.Node); o.t.Kind == paths.Truth {
			return nil
		}
		comparison := *n
		comparison.Left = left.Node
		return &comparison
	}
	return nil
}

func kind(t *paths.Type) string {
	switch {
	case t == nil:
		return "nil"
	case t.IsPoint():
		return "a code point"
	}
	return t.Kind.String()
}
