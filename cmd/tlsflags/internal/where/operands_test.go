package where

import (
	"strings"
	"testing"
)

// TestOperands has conditions with each kind of operand, and whether they hold for a row that has
// all values and for one that has none.
func TestOperands(t *testing.T) {
	for condition, want := range map[string][2]bool{
		`"a" < "b"`:                                       {true, true},
		`any(odd, # == "overlap") == true`:                {true, false},
		`false == all(odd, # == "x")`:                     {true, true},
		`none(odd, # == "x") == one(odd, # == "overlap")`: {true, true},
		`(port - 439) in hello.frames`:                    {true, false},
		`+port == 443`:                                    {true, false},
		`-(port) == 0-443`:                                {true, false},
		`1 < 2`:                                           {true, true},
		`5 in []`:                                         {false, false},
		`5 in hello.frames`:                               {false, false},
		`all(hello.frames, # > 5)`:                        {false, false},
		`any(hello.alpn, # in odd)`:                       {false, false},
		`any(hello.flags, # == "request_mtls")`:           {true, false},
		`any(hello.flags, any(odd, # == "overlap") and .value == 80)`: {true, false},
		`any(hello.flags, any(odd, # == "x"))`:                        {false, false},
		`any(hello.frames, # > 5)`:                                    {true, false},
		`any(hello.frames, # in 5..7)`:                                {true, false},
		`any(hello.frames, # in [6])`:                                 {true, false},
		`any(odd, not # == "x")`:                                      {true, false},
		`any(sent, #.message == "ServerHello")`:                       {true, false},
		`any(sent, .message == ja4)`:                                  {false, false},
		`any(sent, .verdict != nil and .verdict.flag == 80)`:          {true, false},
		`any(sent, .verdict.flag.value in [80])`:                      {true, false},
		`any(sent, .verdict.note != "x")`:                             {false, false},
		`any(sent, .verdict.note == nil)`:                             {true, false},
		`count(odd, # == "overlap") == 1`:                             {true, false},
		`hello.version < "TLS 1.3"`:                                   {true, false},
		`hello.version == nil`:                                        {false, true},
		`hello.version in [771]`:                                      {true, false},
		`len("abc") == 3`:                                             {true, true},
		`len(hello.frames) == 2`:                                      {true, false},
		`lower(hello.version.name) == "tls 1.2"`:                      {true, false},
		`not "x" == ja4`:                                              {true, true},
		`not (sure) == false`:                                         {true, false},
		`not 5 == port`:                                               {true, true},
		`not hello.version == 771`:                                    {false, true},
		`not ja4 == nil`:                                              {true, false},
		`not len(odd) == 1`:                                           {false, true},
		`not odd == nil`:                                              {true, false},
		`not sure == sure`:                                            {false, false},
		`port * 2 == 886`:                                             {true, false},
		`port - 1 == 442`:                                             {true, false},
		`sure;`:                                                       {true, false},
		`time < "2026-11-24T10:00:00.5Z"`:                             {false, false},
		`time <= "2026-11-24T10:00:00.5Z"`:                            {true, false},
		`time == "2026-11-24T10:00:00.5Z"`:                            {true, false},
		`time == time`:                                                {true, false},
		`true == true`:                                                {true, true},
		`upper(lower(ja4)) == "X"`:                                    {false, false},
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

// TestOperandErrors has operands that do not fit.
func TestOperandErrors(t *testing.T) {
	for condition, want := range map[string]string{
		`"2026-11-24T10:00:00" < time`: `column 1: unknown time "2026-11-24T10:00:00"; use RFC 3339, such as 2026-11-24T10:00:00Z`,
		`"\u00e9" == ja5`:              `column 13: unknown name "ja5" (did you mean ja4?)`,
		`"x" startsWith nil`:           `column 16: startsWith needs a string here, not nil`,
		`"x".y == 1`:                   `column 1: "x" is not supported in a condition`,
		`"x"`:                          `column 1: a condition is needed here, not a string`,
		`#acc == 1`:                    `column 1: unexpected "#"`,
		`(1)[0] == 1`:                  `column 5: an element of a list has no name (use in, any or all)`,
		`-nil == 1`:                    `column 2: a number is needed here, not nil`,
		`-port`:                        `column 1: a condition is needed here, not a number`,
		`1..2 == 3`:                    `column 2: .. is not supported in a condition`,
		`5 == time`:                    `column 3: a number cannot be compared with a time`,
		`5 startsWith "x"`:             `column 1: startsWith needs a string here, not a number; write "5", in quotes`,
		`5.5`:                          `column 1: a condition is needed here, not a number`,
		`5`:                            `column 1: a condition is needed here, not a number`,
		`[1][0] == 1`:                  `column 5: an element of a list has no name (use in, any or all)`,
		`abs(port) == 1`:               `column 1: there is no function abs (use len, lower, upper, any, all, none, one or count)`,
		`any(nil, true)`:               `column 5: any needs a list here, not nil`,
		`any(odd) == true`:             `column 8: expected at least 2 arguments`,
		`any(hello.frames, (# + 1) in hello.flags)`: `column 27: in cannot compare elements of two lists`,
		`any(hello.frames, (1 + #) in hello.flags)`: `column 27: in cannot compare elements of two lists`,
		`any(odd, .x == 1)`:                         `column 10: unknown name "x"`,
		`any(odd, 5)`:                               `column 10: a condition is needed here, not a number`,
		`any(odd, nil contains "x")`:                `column 10: contains needs a string here, not nil`,
		`any(port, true)`:                           `column 5: any needs a list here, not a number`,
		`any(sent, #acc == 1)`:                      `column 11: #acc is not supported here`,
		`any(sent, #index == 1)`:                    `column 11: #index is not supported here`,
		`any(sent, .verdict.nope == 1)`:             `column 11: unknown name "verdict.nope" (did you mean verdict.note?)`,
		`count(odd) == 1`:                           `column 1: count takes a list and a condition on its elements; the length of a list is len(list)`,
		`filter(odd, true) == odd`:                  `column 1: there is no function filter (use len, lower, upper, any, all, none, one or count)`,
		`foo.bar(1) == 2`:                           `column 5: there is no function foo.bar (use len, lower, upper, any, all, none, one or count)`,
		`hello and sure`:                            `column 1: a condition is needed here, not an object; write hello != nil, or one of its keys, such as hello.flags`,
		`hello in [1]`:                              `column 11: an object cannot be compared with a number; write hello != nil, or one of its keys, such as hello.flags`,
		`hello in hello.flags`:                      `column 7: a list of code points has numbers and names, not an object`,
		`hello in odd`:                              `column 7: an object cannot be in a list whose elements are a string`,
		`hello in sent`:                             `column 7: an object cannot be in a list whose elements are an object; write sent != nil, or any(sent, .message == ...)`,
		`hello.flags == 80`:                         `column 13: a list cannot be compared with a number; write 80 in hello.flags`,
		`hello.flags == hello.flags`:                `column 13: a list cannot be compared with ==`,
		`hello.flags[0].value == 80`:                `column 13: an element of a list has no name (use in, any or all)`,
		`hello.version == hello.version`:            `column 15: a code point cannot be compared with ==`,
		`hello.version == time`:                     `column 15: a code point cannot be compared with a time; compare it with a number or a name`,
		`hello.version in hello.flags`:              `column 15: a list of code points has numbers and names, not a code point`,
		`hello.version`:                             `column 7: a condition is needed here, not a code point; write hello.version != nil`,
		`hello[port] == 1`:                          `column 7: an element of a list has no name (use in, any or all)`,
		`hello`:                                     `column 1: a condition is needed here, not an object; write hello != nil, or one of its keys, such as hello.flags`,
		`ja4 == "x" ?? true`:                        `column 12: ?? is not supported in a condition`,
		`ja4 == 'x`:                                 `column 10: literal not terminated; a quotation mark is missing`,
		`ja4 == time`:                               `column 1: time can only be compared with a string literal`,
		`ja4 in 1..2`:                               `column 5: a string cannot be compared with a number; write "1", in quotes`,
		`ja4 matches hello.name`:                    `column 13: matches needs a string literal here`,
		`ja4.x.y == 1`:                              `column 1: ja4 is a string, which has no "x"`,
		`ja5 in []`:                                 `column 1: unknown name "ja5" (did you mean ja4?)`,
		`ja5 in odd`:                                `column 1: unknown name "ja5" (did you mean ja4?)`,
		`len() == 1`:                                `column 1: len takes one argument`,
		`len(ja4 ?? "") > 3`:                        `column 9: ?? is not supported in a condition`,
		`len(ja4, 2) == 1`:                          `column 1: len takes one argument`,
		`len(nil) == 1`:                             `column 5: len cannot be used for nil`,
		`lower(5) == "5"`:                           `column 7: lower cannot be used for a number`,
		`lower(odd) == "x"`:                         `column 7: lower cannot be used for a list`,
		`nil + port == 1`:                           `column 1: a number is needed here, not nil`,
		`nil contains "x"`:                          `column 1: contains needs a string here, not nil`,
		`nil in hello.flags`:                        `column 1: nil is never in a list`,
		`nil`:                                       `column 1: a condition is needed here, not nil`,
		`nope(ja4) startsWith "x"`:                  `column 1: there is no function nope (use len, lower, upper, any, all, none, one or count)`,
		`not # == 5`:                                `column 5: unexpected "#"`,
		`not -port == 443`:                          `column 5: a condition is needed here, not a number`,
		`not .x == 5`:                               `column 5: unexpected "."`,
		`not abs(port) == 1`:                        `column 5: there is no function abs (use len, lower, upper, any, all, none, one or count)`,
		`not nil == ja4`:                            `column 5: a condition is needed here, not nil`,
		`not nil`:                                   `column 5: a condition is needed here, not nil`,
		`odd == odd`:                                `column 5: a list cannot be compared with ==`,
		`odd in hello.flags`:                        `column 5: a list of code points has numbers and names, not a list`,
		`odd`:                                       `column 1: a condition is needed here, not a list; write odd != nil`,
		`port % 2 == 1`:                             `column 6: % is not supported in a condition`,
		`port ** 2 == 196249`:                       `column 6: ** is not supported in a condition`,
		`port + nil == 1`:                           `column 8: a number is needed here, not nil`,
		`port ^ 2 == 1`:                             `column 6: ^ is not supported in a condition`,
		`port in 1.."x"`:                            `column 6: a number cannot be compared with a string`,
		`port in [80, "x"]`:                         `column 14: a number cannot be compared with a string`,
		`port in [ja5, 80]`:                         `column 10: unknown name "ja5" (did you mean ja4?)`,
		`port in ja5`:                               `column 9: unknown name "ja5" (did you mean ja4?)`,
		`port`:                                      `column 1: a condition is needed here, not a number; write port != nil`,
		`sent in sent`:                              `column 6: a list cannot be in a list whose elements are an object; write sent != nil, or any(sent, .message == ...)`,
		`sure <= sure`:                              `column 6: a boolean cannot be compared with <=`,
		`sure == 1`:                                 `column 6: a boolean cannot be compared with a number; write sure or not sure`,
		`sure ? 1 : 2`:                              `column 12: sure ? 1 : 2 is not supported in a condition`,
		`sure and (`:                                `column 11: the condition ends here; a ) is missing`,
		`sure in sent`:                              `column 6: a boolean cannot be in a list whose elements are an object; write sent != nil, or any(sent, .message == ...)`,
		`sure or 5`:                                 `column 9: a condition is needed here, not a number`,
		`sure sure`:                                 `column 6: unexpected "sure"`,
		`time < hello.version`:                      `column 6: a time cannot be compared with a code point; write a time in quotes, such as "2026-11-24T10:00:00Z"`,
		`time == 5`:                                 `column 6: a time cannot be compared with a number; write a time in quotes, such as "2026-11-24T10:00:00Z"`,
		`time`:                                      `column 1: a condition is needed here, not a time; write time != nil`,
		`true < false`:                              `column 6: a boolean cannot be compared with <`,
		`{a: 1}.a == 1`:                             `column 1: {a: 1} is not supported in a condition`,
	} {
		if _, err := Compile(condition, rowType); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", condition, err, want)
		}
	}
}

// TestPathsOnce checks that a name that comes several times is one path.
func TestPathsOnce(t *testing.T) {
	c, err := Compile(`port == 1 or port == 2 or hello.name == "x" or hello.name == nil`, rowType)
	if err != nil || len(c.Paths()) != 2 {
		t.Errorf("%v, %v", c, err)
	}
}

// TestLength checks how long a condition may be.
func TestLength(t *testing.T) {
	for n, want := range map[int]bool{9_999: true, 10_000: false} {
		if _, err := Compile(strings.Repeat("!", n)+"sure", rowType); (err == nil) != want {
			t.Errorf("%d times !: %v", n, err)
		}
	}
	for n, want := range map[int]bool{4_997: true, 4_998: false} { // each element takes n+2 steps, and the list one
		_, err := Compile("("+strings.Repeat("!", n)+"sure) in [true, true]", rowType)
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "too long") {
			t.Errorf("%d times ! in a list: %v", n, err)
		}
	}
}
