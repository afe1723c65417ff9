package cli

import (
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/where"
	"github.com/tlsflags/tlsflags/extension"
)

// lineType is what the JSON of a line has.
var lineType = sync.OnceValue(func() *paths.Type {
	t := paths.Of(reflect.TypeFor[line]())
	t.Field("time").Type.Kind = paths.Moment
	return t
})

// conditions say which rows are shown: all of them must hold.
type conditions []rowCondition

type rowCondition struct {
	*where.Condition
	values []value // of its paths
	quick  bool    // none of them needs the line
}

// register adds the options that are conditions.
func (c *conditions) register(f *pflag.FlagSet) {
	f.Var(&conditionOption{c, "EXPR", func(s string) (string, error) { return s, nil }}, "where",
		"show only hellos for which this condition holds")
	f.Var(&conditionOption{c, "NAME", nameCondition}, "sni",
		"show only hellos with this server name; *.NAME is all names below it")
	f.Var(&conditionOption{c, "JA4", func(s string) (string, error) { return "ja4 " + matching(s), nil }}, "ja4",
		"show only hellos with this JA4 fingerprint; t13d* is all that begin so")
	f.Var(&conditionOption{c, "TIME", timeCondition(">=")}, "since",
		"show only hellos from this time on, such as 2026-11-24T10:00:00Z or 2026-11-24")
	f.Var(&conditionOption{c, "TIME", timeCondition("<")}, "until", "show only hellos before this time")
}

// conditionOption is the value of an option that adds a condition.
type conditionOption struct {
	conditions *conditions
	what       string
	expression func(string) (string, error)
}

func (o *conditionOption) Type() string   { return o.what }
func (o *conditionOption) String() string { return "" }

func (o *conditionOption) Set(s string) error {
	expression, err := o.expression(s)
	if err != nil {
		return err
	}
	compiled, err := where.Compile(expression, lineType())
	if err != nil {
		return err
	}
	c := rowCondition{Condition: compiled, quick: true}
	for _, p := range compiled.Paths() {
		value, quick := valueOf(p)
		c.values = append(c.values, value)
		c.quick = c.quick && quick
	}
	*o.conditions = append(*o.conditions, c)
	return nil
}

// nameCondition compares server names, which have no case.
func nameCondition(name string) (string, error) {
	return "lower(client_hello.server_name) " + matching(strings.ToLower(name)), nil
}

func timeCondition(operator string) func(string) (string, error) {
	return func(s string) (string, error) {
		_, err := where.ParseTime(s)
		return "time " + operator + strconv.Quote(s), err
	}
}

// matching compares with a string that may begin or end with *.
func matching(pattern string) string {
	if rest, ok := strings.CutPrefix(pattern, "*"); ok {
		return "endsWith " + strconv.Quote(rest)
	}
	if rest, ok := strings.CutSuffix(pattern, "*"); ok {
		return "startsWith " + strconv.Quote(rest)
	}
	return "== " + strconv.Quote(pattern)
}

// selected reports whether all conditions hold for a row.
func (in *inspection) selected(r *row) (bool, error) {
	for i := range in.conditions {
		c := &in.conditions[i]
		ok, err := c.Holds(func(i int) any { return c.values[i](in, r) })
		if !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// A value returns what a condition compares, or nil.
type value func(*inspection, *row) any

// valueOf returns the value of a path, and whether it does without the line.
func valueOf(p paths.Path) (v value, quick bool) {
	if v, quick = quickValues[p.String()]; quick {
		return v, true
	}
	return func(in *inspection, r *row) any {
		return paths.Plain(p.In(reflect.ValueOf(in.line(r)).Elem()), p.Type())
	}, false
}

// parts returns what of a hello the conditions need.
func (c conditions) parts() parts {
	for i := range c {
		if !c[i].quick {
			return allParts
		}
	}
	return 0
}

// quickValues has the values that are asked for most.
var quickValues = map[string]value{
	"source":    func(_ *inspection, r *row) any { return r.source },
	"hello":     func(_ *inspection, r *row) any { return r.number },
	"transport": func(_ *inspection, r *row) any { return transportOf(r.hello) },
	"time": func(_ *inspection, r *row) any {
		if !hasTime(r.hello.Time) {
			return nil
		}
		return r.hello.Time
	},
	"src_ip":       func(_ *inspection, r *row) any { return plainIP(r.hello.Src) },
	"src_port":     func(_ *inspection, r *row) any { return plainPort(r.hello.Src) },
	"dst_ip":       func(_ *inspection, r *row) any { return plainIP(r.hello.Dst) },
	"dst_port":     func(_ *inspection, r *row) any { return plainPort(r.hello.Dst) },
	"hello_index":  func(_ *inspection, r *row) any { return r.hello.Index },
	"request_mtls": func(_ *inspection, r *row) any { return r.msg.HasFlag(extension.RequestMTLS) },
	"ja4":          func(_ *inspection, r *row) any { return plain(r.ja4()) },
	"error.code": func(_ *inspection, r *row) any {
		if r.code == 0 {
			return nil
		}
		return r.code.Name()
	},
	"ambiguous": func(_ *inspection, r *row) any { return plainList(doubtsOf(r.hello)) },
	"path":      func(_ *inspection, r *row) any { return plainList(r.hello.Path) },
	"client_hello.server_name": func(_ *inspection, r *row) any {
		name, _ := r.msg.ServerName()
		return plain(string(name))
	},
	"client_hello.alpn": func(_ *inspection, r *row) any {
		names, _ := r.msg.ALPN()
		var list []any
		for name := range names.All() {
			list = append(list, string(name))
		}
		return orNil(list)
	},
	"tls_flags.flags": func(_ *inspection, r *row) any {
		info := describeFlags(r.msg.Extensions())
		if info == nil {
			return nil
		}
		list := make([]any, len(info.Flags))
		for i, f := range info.Flags {
			list[i] = map[string]any{"value": int(f.Value), "name": plain(string(f.Name))}
		}
		return list
	},
}

func plain(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func plainList(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func orNil(list []any) any {
	if list == nil {
		return nil
	}
	return list
}

func plainIP(a netip.AddrPort) any {
	if !a.IsValid() {
		return nil
	}
	return a.Addr().String()
}

func plainPort(a netip.AddrPort) any {
	if !a.IsValid() {
		return nil
	}
	return int(a.Port())
}
