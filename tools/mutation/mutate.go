package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A mutant is one change. All mutants of a package are in one program, which has the
// number of the one to run in its environment.
type mutant struct {
	file   string
	line   int
	what   string // such as "< to <="
	reason string // why it is equivalent, from a comment beside the line
}

// A mutator writes the source of a package with all of its mutants.
type mutator struct {
	pkg     *packages.Package
	mutants []mutant        // number 1 is at 0
	skip    map[string]bool // lines, "file:line", of which mutants do not compile

	file    *ast.File
	name    string // of file
	source  []byte
	base    int // position of the first byte of source
	marks   map[int]string
	results []*ast.FieldList // of the functions around
}

// rewrite returns the source of a file with the mutants in it.
func (m *mutator) rewrite(file *ast.File, name string, source []byte) string {
	m.file, m.name, m.source = file, name, source
	m.base = int(m.pkg.Fset.File(file.FileStart).Base())
	m.marks = make(map[int]string)
	for _, group := range file.Comments {
		for _, c := range group.List {
			reason, ok := strings.CutPrefix(c.Text, "//mutation:equivalent ")
			if !ok {
				continue
			}
			line := m.pkg.Fset.Position(c.Pos()).Line
			if start := strings.LastIndexByte(string(source[:m.offset(c.Pos())]), '\n') + 1; strings.TrimSpace(string(source[start:m.offset(c.Pos())])) == "" {
				line++ // alone on its line, it is about the next
			}
			m.marks[line] = strings.TrimSpace(reason)
		}
	}
	return string(source[:m.offset(file.Pos())]) + m.node(file) + string(source[m.offset(file.End()):])
}

func (m *mutator) offset(p token.Pos) int { return int(p) - m.base }

func (m *mutator) text(from, to token.Pos) string {
	return string(m.source[m.offset(from):m.offset(to)])
}

// add numbers a new mutant at a position, 0 if there is to be none.
func (m *mutator) add(at token.Pos, what ...string) int {
	line := m.pkg.Fset.Position(at).Line
	if m.skip[fmt.Sprintf("%s:%d", m.name, line)] {
		return 0
	}
	for _, w := range what {
		m.mutants = append(m.mutants, mutant{m.name, line, w, m.marks[line]})
	}
	return len(m.mutants) - len(what) + 1
}

// node returns the text of n with the mutants below it.
func (m *mutator) node(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GenDecl:
		if n.Tok != token.VAR {
			return m.text(n.Pos(), n.End())
		}
	case *ast.FuncDecl:
		if n.Body == nil {
			return m.text(n.Pos(), n.End())
		}
		return m.text(n.Pos(), n.Body.Pos()) + m.function(n.Type, n.Body)
	case *ast.FuncLit:
		return m.text(n.Pos(), n.Body.Pos()) + m.function(n.Type, n.Body)
	case *ast.BlockStmt:
		return m.list(n, n.List)
	case *ast.CaseClause:
		return m.clause(n, "", 0)
	case *ast.CommClause:
		return m.list(n, n.Body)
	case *ast.SwitchStmt:
		return m.switchStmt(n)
	case *ast.ReturnStmt:
		return m.returnStmt(n)
	case *ast.IfStmt:
		return m.children(n, map[ast.Node]string{n.Cond: m.condition(n.Cond)})
	case *ast.ForStmt:
		if n.Cond != nil {
			return m.children(n, map[ast.Node]string{n.Cond: m.condition(n.Cond)})
		}
	case *ast.AssignStmt:
		return m.assign(n)
	case *ast.IncDecStmt:
		return m.incDec(n)
	case *ast.CompositeLit:
		return m.composite(n)
	case ast.Expr:
		return m.expr(n)
	}
	return m.children(n, nil)
}

// children returns the text of n, in which the texts of some children are given.
func (m *mutator) children(n ast.Node, given map[ast.Node]string) string {
	var below []ast.Node
	ast.Inspect(n, func(c ast.Node) bool {
		if c == nil || c == n {
			return c == n
		}
		if _, comment := c.(*ast.CommentGroup); !comment {
			below = append(below, c)
		}
		return false
	})
	slices.SortStableFunc(below, func(a, b ast.Node) int { return int(a.Pos() - b.Pos()) })
	var b strings.Builder
	at := n.Pos()
	for _, c := range below {
		if c.Pos() < at { // such as the names of a field list that share a type
			continue
		}
		b.WriteString(m.text(at, c.Pos()))
		if text, ok := given[c]; ok {
			b.WriteString(text)
		} else {
			b.WriteString(m.node(c))
		}
		at = c.End()
	}
	return b.String() + m.text(at, n.End())
}

func (m *mutator) function(t *ast.FuncType, body *ast.BlockStmt) string {
	m.results = append(m.results, t.Results)
	defer func() { m.results = m.results[:len(m.results)-1] }()
	return m.node(body)
}

// list returns the text of a node with statements of which some may be left out.
func (m *mutator) list(n ast.Node, statements []ast.Stmt) string {
	given := make(map[ast.Node]string)
	for _, s := range statements {
		given[s] = m.removable(s)
	}
	return m.children(n, given)
}

func (m *mutator) removable(s ast.Stmt) string {
	what := ""
	switch s := s.(type) {
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok && !m.isBuiltin(call.Fun, "panic") {
			what = "call removed"
		}
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			what = "assignment removed"
		}
	case *ast.IncDecStmt:
		what = s.Tok.String() + " removed"
	case *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		what = "statement removed"
	case *ast.BranchStmt:
		if s.Tok == token.BREAK || s.Tok == token.CONTINUE {
			what = s.Tok.String() + " removed"
		}
	case *ast.ReturnStmt:
		if results := m.results[len(m.results)-1]; results == nil || len(results.List) == 0 {
			what = "return removed"
		}
	}
	text := m.node(s)
	if what == "" {
		return text
	}
	if id := m.add(s.Pos(), what); id > 0 {
		return fmt.Sprintf("if !mutantIs(%d) { %s }", id, text)
	}
	return text
}

func (m *mutator) isBuiltin(fun ast.Expr, names ...string) bool {
	id, ok := ast.Unparen(fun).(*ast.Ident)
	if !ok {
		return false
	}
	b, ok := m.pkg.TypesInfo.Uses[id].(*types.Builtin)
	return ok && slices.Contains(names, b.Name())
}

// switchStmt makes conditions of the cases, so that one may be left out.
func (m *mutator) switchStmt(n *ast.SwitchStmt) string {
	given := make(map[ast.Node]string)
	tag := ""
	if n.Tag != nil && n.Init == nil && !m.isConstant(n.Tag) && len(n.Body.List) > 0 {
		tag = fmt.Sprintf("mutantTag%d", m.offset(n.Pos()))
		used := false
		for _, s := range n.Body.List {
			used = used || len(s.(*ast.CaseClause).List) > 0
		}
		if !used {
			tag = ""
		}
	}
	if tag != "" {
		given[n.Tag] = tag + " := " + m.node(n.Tag) + ";"
	}
	clauses := make(map[ast.Node]string)
	for _, s := range n.Body.List {
		c := s.(*ast.CaseClause)
		id := 0
		if len(c.List) > 0 && (tag != "" || n.Tag == nil) {
			id = m.add(c.Pos(), "case removed")
		}
		clauses[c] = m.clause(c, tag, id)
	}
	given[n.Body] = m.children(n.Body, clauses)
	return m.children(n, given)
}

func (m *mutator) clause(c *ast.CaseClause, tag string, id int) string {
	text := m.list(&ast.BlockStmt{Lbrace: c.Colon, List: c.Body, Rbrace: c.End() - 1}, c.Body)
	if len(c.Body) == 0 {
		text = m.text(c.Colon, c.End())
	}
	if len(c.List) == 0 {
		return m.text(c.Pos(), c.Colon) + text
	}
	var b strings.Builder
	b.WriteString("case ")
	if id > 0 {
		b.WriteString("(")
	}
	for i, e := range c.List {
		if i > 0 { // keep the lines
			between := strings.Repeat("\n", strings.Count(m.text(c.List[i-1].End(), e.Pos()), "\n"))
			separator := ","
			if tag != "" || id > 0 {
				separator = " ||"
			}
			b.WriteString(separator + between + " ")
		}
		switch {
		case tag != "":
			b.WriteString(tag + " == (" + m.node(e) + ")")
		case id > 0:
			b.WriteString("(" + m.condition(e) + ")")
		default:
			b.WriteString(m.node(e))
		}
	}
	if id > 0 {
		fmt.Fprintf(&b, ") && !mutantIs(%d)", id)
	}
	return b.String() + text
}

func (m *mutator) returnStmt(n *ast.ReturnStmt) string {
	given := make(map[ast.Node]string)
	var types []ast.Expr
	if list := m.results[len(m.results)-1]; list != nil {
		for _, f := range list.List {
			for range max(1, len(f.Names)) {
				types = append(types, f.Type)
			}
		}
	}
	for i, e := range n.Results {
		given[e] = m.node(e)
		if len(types) != len(n.Results) || m.isZero(e) {
			continue
		}
		if id := m.add(e.Pos(), "zero returned"); id > 0 {
			given[e] = fmt.Sprintf("mutantZero[%s](%d, %s)", m.text(types[i].Pos(), types[i].End()), id, given[e])
		}
	}
	return m.children(n, given)
}

func (m *mutator) isConstant(e ast.Expr) bool { return m.pkg.TypesInfo.Types[e].Value != nil }

// isZero reports whether e is a zero value, as far as that is plain.
func (m *mutator) isZero(e ast.Expr) bool {
	switch tv := m.pkg.TypesInfo.Types[e]; {
	case tv.IsNil():
		return true
	case tv.Value == nil:
		lit, ok := e.(*ast.CompositeLit)
		return ok && len(lit.Elts) == 0
	case tv.Value.Kind() == constant.Bool:
		return !constant.BoolVal(tv.Value)
	case tv.Value.Kind() == constant.String:
		return constant.StringVal(tv.Value) == ""
	default:
		return constant.Sign(tv.Value) == 0
	}
}

// condition is an expression that a statement depends on, which may be negated.
func (m *mutator) condition(e ast.Expr) string {
	text := m.node(e)
	if b, ok := ast.Unparen(e).(*ast.BinaryExpr); ok && b.Op != token.LAND && b.Op != token.LOR || m.isConstant(e) {
		return text // a comparison, which is negated anyway
	}
	return m.negated(e, text)
}

func (m *mutator) negated(e ast.Expr, text string) string {
	if id := m.add(e.Pos(), "condition negated"); id > 0 {
		return fmt.Sprintf("((%s) != mutantIs(%d))", text, id)
	}
	return text
}
