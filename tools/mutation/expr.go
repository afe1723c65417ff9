package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
	"time"
)

// arithmetic has, for each operator, the function that does it and the one instead of it.
var arithmetic = map[token.Token]struct{ function, instead string }{
	token.ADD: {"mutantAdd", "-"}, token.SUB: {"mutantSub", "+"}, token.MUL: {"mutantMul", "/"},
	token.QUO: {"mutantDiv", "*"}, token.REM: {"mutantRem", "*"}, token.AND: {"mutantAnd", "|"},
	token.OR: {"mutantOr", "&"}, token.XOR: {"mutantXor", "&"}, token.AND_NOT: {"mutantAndNot", "&"},
	token.SHL: {"mutantShl", ">>"}, token.SHR: {"mutantShr", "<<"},
}

// boundary has, for each comparison, the function that does it and the one instead of it.
var boundary = map[token.Token]struct{ function, instead string }{
	token.LSS: {"mutantLess", "<="}, token.GTR: {"mutantGreater", ">="},
	token.LEQ: {"mutantAtMost", "<"}, token.GEQ: {"mutantAtLeast", ">"},
}

var assignments = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL, token.QUO_ASSIGN: token.QUO,
	token.REM_ASSIGN: token.REM, token.AND_ASSIGN: token.AND, token.OR_ASSIGN: token.OR, token.XOR_ASSIGN: token.XOR,
	token.AND_NOT_ASSIGN: token.AND_NOT, token.SHL_ASSIGN: token.SHL, token.SHR_ASSIGN: token.SHR,
}

func (m *mutator) expr(e ast.Expr) string {
	tv := m.pkg.TypesInfo.Types[e]
	switch {
	case tv.IsType():
		return m.text(e.Pos(), e.End())
	case tv.Value != nil:
		return m.constant(e, tv)
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return m.binary(e)
	case *ast.KeyValueExpr:
		return m.text(e.Pos(), e.Value.Pos()) + m.node(e.Value)
	case *ast.CallExpr:
		if m.isBuiltin(e.Fun, "make") { // a size that is no constant makes it allocate
			return m.text(e.Pos(), e.End())
		}
	case *ast.SelectorExpr:
		return m.node(e.X) + m.text(e.X.End(), e.End())
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return m.negated(e, m.children(e, nil))
		}
	}
	return m.children(e, nil)
}

// composite leaves keys as they are: those of arrays have to be constant, and those of
// structs are names.
func (m *mutator) composite(n *ast.CompositeLit) string {
	given := make(map[ast.Node]string)
	if n.Type != nil {
		given[n.Type] = m.text(n.Type.Pos(), n.Type.End())
	}
	return m.children(n, given)
}

// constant makes one more and one less of an integer. Of a duration of a microsecond or
// more that is a nanosecond, which no test can notice.
func (m *mutator) constant(e ast.Expr, tv types.TypeAndValue) string {
	text := m.text(e.Pos(), e.End())
	t, ok := m.typeName(tv.Type)
	basic, isBasic := tv.Type.Underlying().(*types.Basic)
	if !ok || !isBasic || basic.Info()&types.IsInteger == 0 || tv.Value.Kind() != constant.Int {
		return text
	}
	if value, _ := constant.Int64Val(tv.Value); t == "time.Duration" && value >= int64(time.Microsecond) {
		return text
	}
	id := m.add(e.Pos(), text+" plus 1", text+" minus 1")
	if id == 0 {
		return text
	}
	return fmt.Sprintf("mutantConst[%s](%d, %s)", t, id, text)
}

// typeName returns how the file calls a type, if it can.
func (m *mutator) typeName(t types.Type) (string, bool) {
	ok := true
	if basic, isBasic := t.(*types.Basic); isBasic && basic.Info()&types.IsUntyped != 0 {
		return "", false
	}
	name := types.TypeString(t, func(p *types.Package) string {
		if p == m.pkg.Types {
			return ""
		}
		for _, spec := range m.file.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); path == p.Path() {
				if spec.Name != nil {
					return spec.Name.Name
				}
				return p.Name()
			}
		}
		ok = false
		return p.Name()
	})
	return name, ok
}

func (m *mutator) binary(e *ast.BinaryExpr) string {
	x, y := m.node(e.X), ""
	if tv := m.pkg.TypesInfo.Types[e.Y]; (e.Op == token.SHL || e.Op == token.SHR) && tv.Value != nil {
		tv.Type = types.Typ[types.Uint] // a number of bits may stay untyped
		y = m.constant(e.Y, tv)
	} else {
		y = m.node(e.Y)
	}
	space := strings.Repeat("\n", strings.Count(m.text(e.X.End(), e.Y.Pos()), "\n"))
	plain := fmt.Sprintf("%s %s%s %s", x, e.Op, space, y)
	if e.Op == token.LAND || e.Op == token.LOR {
		instead := map[token.Token]string{token.LAND: "||", token.LOR: "&&"}[e.Op]
		id := m.add(e.OpPos, fmt.Sprintf("%s to %s", e.Op, instead))
		if id == 0 {
			return plain
		}
		// The law of De Morgan, so that each side is written, and run, at most once.
		is := fmt.Sprintf("mutantIs(%d)", id)
		return fmt.Sprintf("(((%s) != %s %s%s (%s) != %s) != %s)", x, is, e.Op, space, y, is, is)
	}
	if e.Op == token.EQL || e.Op == token.NEQ {
		return "(" + m.negated(e, plain) + ")"
	}
	if c, ok := boundary[e.Op]; ok {
		if id := m.add(e.OpPos, fmt.Sprintf("%s to %s", e.Op, c.instead)); id > 0 {
			plain = fmt.Sprintf("%s(%d, %s,%s %s)", c.function, id, x, space, y)
		}
		return "(" + m.negated(e, plain) + ")"
	}
	if text, ok := m.arithmetic(e.OpPos, e.Op, m.pkg.TypesInfo.Types[e].Type, e.X, x, space+y); ok {
		return text
	}
	return plain
}

// arithmetic returns a call in place of an operation. The type is that of the result.
func (m *mutator) arithmetic(at token.Pos, op token.Token, t types.Type, left ast.Expr, x, y string) (string, bool) {
	a, known := arithmetic[op]
	name, named := m.typeName(t)
	if basic, ok := t.Underlying().(*types.Basic); !known || !named || ok && basic.Info()&types.IsNumeric == 0 || ok && basic.Info()&types.IsComplex != 0 {
		return "", false
	}
	id := m.add(at, fmt.Sprintf("%s to %s", op, a.instead))
	if id == 0 {
		return "", false
	}
	if m.isConstant(left) { // of the type of the result, whatever the other operand is
		x = fmt.Sprintf("%s(%s)", name, x)
	}
	return fmt.Sprintf("%s(%d, %s, %s)", a.function, id, x, y), true
}

// assign makes x = x op y of x op= y, if nothing is called twice by that.
func (m *mutator) assign(n *ast.AssignStmt) string {
	op, ok := assignments[n.Tok]
	if !ok || !plain(n.Lhs[0]) {
		return m.children(n, nil)
	}
	x := m.text(n.Lhs[0].Pos(), n.Lhs[0].End())
	if text, ok := m.arithmetic(n.TokPos, op, m.pkg.TypesInfo.TypeOf(n.Lhs[0]), n.Lhs[0], x, m.node(n.Rhs[0])); ok {
		return x + " = " + text
	}
	return m.children(n, nil)
}

func (m *mutator) incDec(n *ast.IncDecStmt) string {
	op := map[token.Token]token.Token{token.INC: token.ADD, token.DEC: token.SUB}[n.Tok]
	if !plain(n.X) {
		return m.children(n, nil)
	}
	x := m.text(n.X.Pos(), n.X.End())
	if text, ok := m.arithmetic(n.TokPos, op, m.pkg.TypesInfo.TypeOf(n.X), n.X, x, "1"); ok {
		return x + " = " + text
	}
	return m.children(n, nil)
}

// plain reports whether it makes no difference how often e is evaluated.
func plain(e ast.Expr) bool {
	calls := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, call := n.(*ast.CallExpr)
		calls = calls || call
		return true
	})
	return !calls
}
