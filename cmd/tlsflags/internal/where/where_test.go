package where

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

type (
	row struct {
		JA4     codepoint.Optional `json:"ja4"`
		Time    codepoint.Optional `json:"time"`
		Port    *int               `json:"port"`
		Sure    bool               `json:"sure"`
		Changed *bool              `json:"changed"`
		Hello   *hello             `json:"hello"`
		Sent    []sent             `json:"sent"`
		Odd     []string           `json:"odd,omitempty"`
	}
	hello struct {
		Name    codepoint.Optional `json:"name"`
		ALPN    []string           `json:"alpn"`
		Version codepoint.Point    `json:"version"`
		Flags   []codepoint.Point  `json:"flags"`
		Frames  []int              `json:"frames"`
	}
	sent struct {
		Message string `json:"message"`
		Verdict *struct {
			Code string             `json:"code"`
			Flag *codepoint.Point   `json:"flag"`
			Note codepoint.Optional `json:"note"`
		} `json:"verdict"`
	}
)

var rowType = func() *paths.Type {
	t := paths.Of(reflect.TypeFor[row]())
	t.Field("time").Type.Kind = paths.Moment
	return t
}()

// TestNestedLists checks that a short condition cannot take long to compile.
func TestNestedLists(t *testing.T) {
	condition := "sure"
	for range 40 {
		condition = "(" + condition + " in [true, false, true])"
	}
	if _, err := Compile(condition, rowType); err == nil || !strings.Contains(err.Error(), "the condition is too long") {
		t.Error(err)
	}
}

// holds evaluates a condition.
func holds(c *Condition, r *row) (bool, error) {
	return c.Holds(func(i int) any {
		p := c.Paths()[i]
		v := paths.Plain(p.In(reflect.ValueOf(r).Elem()), p.Type())
		if text, ok := v.(string); ok && p.Type().Kind == paths.Moment {
			t, _ := ParseTime(text)
			return t
		}
		return v
	})
}

var full = row{
	JA4: "t13d1516h2", Time: "2026-11-24T10:00:00.5Z", Port: new(443), Sure: true, Changed: new(false),
	Hello: &hello{
		Name: "a.example", ALPN: []string{"h2", "http/1.1"}, Version: codepoint.Point{Value: 771, Name: "TLS 1.2"},
		Flags: []codepoint.Point{{Value: 80, Name: "request_mtls"}, {Value: 81}}, Frames: []int{4, 6},
	},
	Sent: []sent{{Message: "ServerHello"}, {Message: "Certificate"}},
	Odd:  []string{"overlap"},
}

func init() {
	full.Sent[1].Verdict = &struct {
		Code string             `json:"code"`
		Flag *codepoint.Point   `json:"flag"`
		Note codepoint.Optional `json:"note"`
	}{Code: "unsolicited", Flag: &codepoint.Point{Value: 80}}
}

// TestConditions has conditions, and whether they hold for a row that has all values and for
// one that has none.
func TestConditions(t *testing.T) {
	for condition, want := range map[string][2]bool{
		`true`:                           {true, true},
		`ja4 startsWith "t13"`:           {true, false},
		`ja4 == "t13d1516h2"`:            {true, false},
		`ja4 != "x"`:                     {true, false},
		`"x" != ja4`:                     {true, false},
		`not (ja4 == "x")`:               {true, true},
		`!(ja4 != "x")`:                  {false, true},
		`not ja4 startsWith "t13"`:       {false, true},
		`not ja4 == "x" and sure`:        {true, false},
		`not "h2" in hello.alpn`:         {false, true},
		`not len(ja4) > 3`:               {false, true},
		`not hello.name == nil`:          {true, false},
		`not sure == true`:               {false, true},
		`not changed == false`:           {false, false},
		`any(hello.alpn, not # == "h2")`: {true, false},
		`ja4 == nil`:                     {false, true},
		`nil != ja4`:                     {true, false},
		`hello == nil`:                   {false, true},
		`hello.name == nil`:              {false, true},
		`hello.alpn != nil`:              {true, false},
		`odd == nil`:                     {false, true},
		`odd != nil`:                     {true, false},
		`ja4 < "u"`:                      {true, false},
		`ja4 matches "^t1[23]d"`:         {true, false},
		`ja4 not matches "^t1"`:          {false, true},
		`hello.name endsWith ".nil"`:     {false, false},
		`hello.name contains ".ex"`:      {true, false},
		`hello.name contains ja4`:        {false, false},
		`lower(hello.name) == "x"`:       {false, false},
		`upper(ja4) == "T13D1516H2"`:     {true, false},
		`len(hello.name) > 3`:            {true, false},
		`len(hello.flags) < 3`:           {true, false},
		`not (len(hello.flags) == 2)`:    {false, true},

		`port == 443`:                             {true, false},
		`port != 443`:                             {false, false},
		`port + 1 == 4.44e2`:                      {true, false},
		`-port < 0`:                               {true, false},
		`port in [80, 443]`:                       {true, false},
		`port not in [80, 443]`:                   {false, true},
		`port in []`:                              {false, false},
		`port in 440..450`:                        {true, false},
		`sure`:                                    {true, false},
		`not sure`:                                {false, true},
		`sure == false`:                           {false, true},
		`changed`:                                 {false, false},
		`not changed`:                             {true, true},
		`changed == false`:                        {true, false},
		`(ja4 == "x") == false`:                   {true, true},
		`ja4 == "x" or port == 443`:               {true, false},
		`ja4 == nil || port > 1 && ja4 == "x"`:    {false, true},
		`"h2" in hello.alpn`:                      {true, false},
		`"h3" in hello.alpn`:                      {false, false},
		`"h2" not in hello.alpn`:                  {false, true},
		`6 in hello.frames`:                       {true, false},
		`80 in hello.flags`:                       {true, false},
		`port in hello.flags`:                     {false, false},
		`"request_mtls" in hello.flags`:           {true, false},
		`82 in hello.flags`:                       {false, false},
		`any(hello.flags, .value == 81)`:          {true, false},
		`any(hello.flags, # == 81)`:               {true, false},
		`any(hello.flags, {.name != "x"})`:        {true, false},
		`all(hello.flags, .name != "x")`:          {false, false},
		`all(hello.flags, not (.name == "x"))`:    {true, false},
		`any(hello.flags, .name == nil)`:          {true, false},
		`one(hello.flags, .value > 80)`:           {true, false},
		`none(hello.flags, .value > 81)`:          {true, false},
		`count(hello.flags, .value > 1) == 2`:     {true, false},
		`count(hello.flags, .value > 9) < port`:   {true, false},
		`any(hello.alpn, # startsWith "http")`:    {true, false},
		`hello.version == 771`:                    {true, false},
		`hello.version == "TLS 1.2"`:              {true, false},
		`hello.version.value > 770`:               {true, false},
		`hello.version.name == nil`:               {false, true},
		`hello.version in [769, "TLS 1.2"]`:       {true, false},
		`any(sent, .verdict.code == "x")`:         {false, false},
		`any(sent, .verdict.code startsWith "u")`: {true, false},
		`any(sent, .verdict.code == nil)`:         {true, false},
		`all(sent, .verdict.code != nil)`:         {false, false},
		`any(sent, .verdict.flag == 80)`:          {true, false},
		`any(sent, .verdict.flag.name != nil)`:    {false, false},
		`any(sent, .message in hello.alpn)`:       {false, false},
		`"overlap" in odd`:                        {true, false},

		`time > "2026-11-24T10:00:00Z"`:           {true, false},
		`time < "2026-11-24T10:00:01Z"`:           {true, false},
		`time == "2026-11-24T11:00:00.500+01:00"`: {true, false},
		`time != "2026-11-24T11:00:00.500+01:00"`: {false, false},
		`"2026-11-24" <= time`:                    {true, false},
		`time >= "2026-11-25"`:                    {false, false},
		`time == nil`:                             {false, true},
		`time < time`:                             {false, false},
	} {
		c, err := Compile(condition, rowType)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		for i, r := range []*row{&full, {}} {
			if got, err := holds(c, r); got != want[i] || err != nil {
				t.Errorf("%s is %t for row %d, %v", condition, got, i, err)
			}
		}
	}
}

// TestErrors has what is wrong with conditions.
func TestErrors(t *testing.T) {
	for condition, want := range map[string]string{
		``:                                    `column 1: the condition ends here; write one, such as ja4 startsWith "t13"`,
		`ja4 =`:                               `column 5: unexpected "="; use == to compare`,
		`ja4`:                                 `column 1: a condition is needed here, not a string; write ja4 != nil`,
		`sure and ja5 == "x"`:                 `column 10: unknown name "ja5" (did you mean ja4?)`,
		`hello.nam == "x"`:                    `column 1: unknown name "hello.nam" (did you mean hello.name?)`,
		`name == "x"`:                         `column 1: unknown name "name" (did you mean hello.name?)`,
		`wholly_other == "x"`:                 `column 1: unknown name "wholly_other"; names are keys of the JSON, and text is in quotes`,
		`ja4.x == "x"`:                        `column 1: ja4 is a string, which has no "x"`,
		`hello.flags.value == 80`:             `column 1: hello.flags is a list, which has no "value"; its elements have it: any(hello.flags, .value ...)`,
		`any(hello.flags, .valu==1)`:          `column 18: unknown name "valu" (did you mean value?)`,
		`not ja5 == 5`:                        `column 5: unknown name "ja5" (did you mean ja4?)`,
		`not ja4 == 5`:                        `column 9: a string cannot be compared with a number; write "5", in quotes`,
		`not ja4`:                             `column 5: a condition is needed here, not a string; write ja4 != nil`,
		`not port and sure`:                   `column 5: a condition is needed here, not a number; write port != nil`,
		`ja4 == 5`:                            `column 5: a string cannot be compared with a number; write "5", in quotes`,
		`sure < true`:                         `column 6: a boolean cannot be compared with <`,
		`hello == hello`:                      `column 7: an object cannot be compared with ==`,
		`hello.version == true`:               `column 15: a code point cannot be compared with a boolean; compare it with a number or a name`,
		`nil == nil`:                          `column 5: only a name can be compared with nil`,
		`5 == nil`:                            `column 3: only a name can be compared with nil`,
		`len(ja4) == nil`:                     `column 10: only a name can be compared with nil`,
		`ja4 < nil`:                           `column 5: nil can only be compared with == and !=`,
		`port startsWith "4"`:                 `column 1: startsWith needs a string here, not a number`,
		`ja4 startsWith 4`:                    `column 16: startsWith needs a string here, not a number; write "4", in quotes`,
		`ja4 matches ja4`:                     `column 13: matches needs a string literal here`,
		`ja4 matches "("`:                     "column 13: error parsing regexp: missing closing ): `(`",
		`ja4 in ja4`:                          `column 8: in needs a list here, not a string`,
		`nil in odd`:                          `column 1: nil is never in a list`,
		`5 in hello.alpn`:                     `column 3: a number cannot be in a list whose elements are a string; write "5", in quotes`,
		`sure in hello.flags`:                 `column 6: a list of code points has numbers and names, not a boolean`,
		`any(hello.frames, # in hello.flags)`: `column 21: in cannot compare elements of two lists`,
		`time > "yesterday"`:                  `column 8: unknown time "yesterday"; use RFC 3339, such as 2026-11-24T10:00:00Z`,
		`time == ja4`:                         `column 9: time can only be compared with a string literal`,
		`time startsWith "2026"`:              `column 1: startsWith needs a string here, not a time`,
		`port / 2 == 1`:                       `column 6: / is not supported in a condition`,
		`(ja4 ?? "x") == "x"`:                 `column 6: ?? is not supported in a condition`,
		`odd[0] == "x"`:                       `column 5: an element of a list has no name (use in, any or all)`,
		`first(odd) == "x"`:                   `column 1: there is no function first (use len, lower, upper, any, all, none, one or count)`,
		`nope(odd) == "x"`:                    `column 1: there is no function nope (use len, lower, upper, any, all, none, one or count)`,
		`sure ? true : false`:                 `column 19: sure ? true : false is not supported in a condition`,
		`let x = 1; x == 1`:                   `column 5: let x = 1; x == 1 is not supported in a condition`,
		`any(ja4, true)`:                      `column 5: any needs a list here, not a string`,
		`len(port) == 1`:                      `column 5: len cannot be used for a number`,
		`-ja4 == 1`:                           `column 2: a number is needed here, not a string`,
		`# == 1`:                              `column 1: unexpected "#"`,
	} {
		_, err := Compile(condition, rowType)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", condition, err, want)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	c, err := Compile(`ja4 startsWith "t13"`, rowType)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := c.Holds(func(int) any { return "t13d" }); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
