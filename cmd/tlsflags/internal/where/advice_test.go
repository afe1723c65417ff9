package where

import (
	"reflect"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// adviceRow has a value of each kind, with names for which there is advice.
type adviceRow struct {
	SrcIP      codepoint.Optional `json:"src_ip"`
	ServerName codepoint.Optional `json:"server_name"`
	JA4        codepoint.Optional `json:"ja4"`
	Time       codepoint.Optional `json:"time"`
	Port       *int               `json:"port"`
	Sure       bool               `json:"sure"`
	Odd        []string           `json:"odd"`
	Flags      []codepoint.Point  `json:"flags"`
	Point      *codepoint.Point   `json:"point"`
	Sent       []struct {
		Message string `json:"message"`
		Code    string `json:"code"`
		Object  *struct {
			Value int `json:"value"`
		} `json:"object"`
	} `json:"sent"`
	Object *struct {
		Other int               `json:"other"`
		Flags []codepoint.Point `json:"flags"`
	} `json:"object"`
	Empty []struct {
		One int `json:"one"`
	} `json:"empty"`
}

// TestAdvice has conditions that are mistakes, mostly, and what is said about them.
func TestAdvice(t *testing.T) {
	row := paths.Of(reflect.TypeFor[adviceRow]())
	row.Field("time").Type.Kind = paths.Moment
	for _, c := range []struct{ condition, want string }{
		{`src_ip == "192.0.2.1"`, ``},
		{`src_ip == "192.0.2.0/24"`, `column 11: "192.0.2.0/24" is a range of addresses; use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`src_ip == "192.0.2.1:443"`, `column 11: "192.0.2.1:443" has a port; compare src_ip and src_port`},
		{`src_ip == "192.0.2"`, `column 11: "192.0.2" is not an IP address; write all of it, or use startsWith`},
		{`src_ip != "::1:::"`, `column 11: "::1:::" is not an IP address; write all of it, or use startsWith`},
		{`"10.0.0.0/8" == src_ip`, `column 1: "10.0.0.0/8" is a range of addresses; use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`src_ip in "10.0.0.0/8"`, `column 11: in needs a list here, not a string; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`src_ip in "x"`, `column 11: in needs a list here, not a string; write ["x"]`},
		{`ja4 in "10.0.0.0/8"`, `column 8: in needs a list here, not a string; write ["10.0.0.0/8"]`},
		{`src_ip in ["10.0.0.0/8"]`, `column 12: "10.0.0.0/8" is a range of addresses; use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`src_ip == "2001:DB8::1"`, ``},
		{`src_ip == "[2001:db8::1]:443"`, `column 11: "[2001:db8::1]:443" has a port; compare src_ip and src_port`},
		{`src_ip startsWith "10."`, ``},
		{`ja4 == "t13*"`, `column 8: == takes the whole text; write ja4 startsWith "t13"`},
		{`ja4 == "t1?%"`, `column 8: == takes the whole text; write ja4 startsWith "t1"`},
		{`ja4 != "%"`, `column 8: == takes the whole text; write ja4 startsWith ""`},
		{`ja4 == "t13"`, ``},
		{`server_name == "*.example"`, `column 16: == takes the whole text; write server_name endsWith ".example"`},
		{`server_name == "a*"`, ``},
		{`server_name != "**.x"`, `column 16: == takes the whole text; write server_name endsWith ".x"`},
		{`port == "443"`, `column 6: a number cannot be compared with a string; write 443, without quotes`},
		{`port == "https"`, `column 6: a number cannot be compared with a string`},
		{`"443" == port`, `column 7: a string cannot be compared with a number; write 443, without quotes`},
		{`443 == ja4`, `column 5: a number cannot be compared with a string`},
		{`ja4 == 443`, `column 5: a string cannot be compared with a number; write "443", in quotes`},
		{`ja4 == 4.5`, `column 5: a string cannot be compared with a number; write "4.5", in quotes`},
		{`sure == "x"`, `column 6: a boolean cannot be compared with a string; write sure or not sure`},
		{`sure == 0`, `column 6: a boolean cannot be compared with a number; write sure or not sure`},
		{`time == 1`, `column 6: a time cannot be compared with a number; write a time in quotes, such as "2026-11-24T10:00:00Z"`},
		{`odd == "x"`, `column 5: a list cannot be compared with a string; write "x" in odd`},
		{`"x" == odd`, `column 5: a string cannot be compared with a list; write "x" in odd`},
		{`flags == 80`, `column 7: a list cannot be compared with a number; write 80 in flags`},
		{`flags == "x"`, `column 7: a list cannot be compared with a string; write "x" in flags`},
		{`80 == flags`, `column 4: a number cannot be compared with a list`},
		{`point == true`, `column 7: a code point cannot be compared with a boolean; compare it with a number or a name`},
		{`point == odd`, `column 7: a code point cannot be compared with a list; compare it with a number or a name`},
		{`sent == 1`, `column 6: a list cannot be compared with a number; write sent != nil, or any(sent, .code == ...)`},
		{`object == 1`, `column 8: an object cannot be compared with a number; write object != nil, or one of its keys, such as object.flags`},
		{`object`, `column 1: a condition is needed here, not an object; write object != nil, or one of its keys, such as object.flags`},
		{`sent`, `column 1: a condition is needed here, not a list; write sent != nil, or any(sent, .code == ...)`},
		{`odd`, `column 1: a condition is needed here, not a list; write odd != nil`},
		{`flags`, `column 1: a condition is needed here, not a list; write flags != nil`},
		{`point`, `column 1: a condition is needed here, not a code point; write point != nil`},
		{`len(odd)`, `column 1: a condition is needed here, not a number`},
		{`port + 1`, `column 6: a condition is needed here, not a number`},
		{`"x"`, `column 1: a condition is needed here, not a string`},
		{`5`, `column 1: a condition is needed here, not a number`},
		{`null == ja4`, `column 1: unknown name "null"; use nil`},
		{`None == ja4`, `column 1: unknown name "None"; use nil`},
		{`undefined == 1`, `column 1: unknown name "undefined"; use nil`},
		{`zzzz == 1`, `column 1: unknown name "zzzz"; names are keys of the JSON, and text is in quotes`},
		{`ja5 == 1`, `column 1: unknown name "ja5" (did you mean ja4?)`},
		{`ja4.startsWith("x")`, `column 5: there is no function ja4.startsWith; write ja4 startsWith "x"`},
		{`ja4.contains()`, `column 5: there is no function ja4.contains; write ja4 contains ...`},
		{`server_name.endsWith(ja4)`, `column 13: there is no function server_name.endsWith; write server_name endsWith ja4`},
		{`ja4.matches("x")`, `column 5: there is no function ja4.matches; write ja4 matches "x"`},
		{`ja4.len() == 1`, `column 5: there is no function ja4.len; write len(ja4)`},
		{`ja4.lower() == "x"`, `column 5: there is no function ja4.lower; write lower(ja4)`},
		{`ja4.upper() == "x"`, `column 5: there is no function ja4.upper; write upper(ja4)`},
		{`ja4.trim() == "x"`, `column 5: there is no function ja4.trim (use len, lower, upper, any, all, none, one or count)`},
		{`exists(ja4)`, `column 1: there is no function exists; write ja4 != nil`},
		{`has(ja4)`, `column 1: there is no function has; write ja4 != nil`},
		{`isset(ja4)`, `column 1: there is no function isset; write ja4 != nil`},
		{`defined()`, `column 1: there is no function defined; write ... != nil`},
		{`cidr(src_ip)`, `column 1: there is no function cidr; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`net("x")`, `column 1: there is no function net; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`ip_in_range(src_ip, 1)`, `column 1: there is no function ip_in_range; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`inCIDR(1)`, `column 1: there is no function inCIDR; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`now() > time`, `column 1: there is no function now; write a time, such as "2026-11-24T10:00:00Z"`},
		{`date("x") > time`, `column 1: there is no function date; write a time, such as "2026-11-24T10:00:00Z"`},
		{`duration("1h") > 1`, `column 1: there is no function duration; write a time, such as "2026-11-24T10:00:00Z"`},
		{`nope(1)`, `column 1: there is no function nope (use len, lower, upper, any, all, none, one or count)`},
		{`5 startsWith "x"`, `column 1: startsWith needs a string here, not a number; write "5", in quotes`},
		{`port startsWith "4"`, `column 1: startsWith needs a string here, not a number`},
		{`"x" contains 5`, `column 14: contains needs a string here, not a number; write "5", in quotes`},
		{`odd contains "x"`, `column 1: contains needs a string here, not a list; write "x" in odd`},
		{`flags contains "x"`, `column 1: contains needs a string here, not a list; write "x" in flags`},
		{`flags contains 80`, `column 1: contains needs a string here, not a list; write 80 in flags`},
		{`sent contains "x"`, `column 1: contains needs a string here, not a list; write sent != nil, or any(sent, .code == ...)`},
		{`ja4 contains 5`, `column 14: contains needs a string here, not a number; write "5", in quotes`},
		{`ja4 contains odd`, `column 14: contains needs a string here, not a list`},
		{`5 in odd`, `column 3: a number cannot be in a list whose elements are a string; write "5", in quotes`},
		{`"x" in flags`, ``},
		{`5 in sent`, `column 3: a number cannot be in a list whose elements are an object; write sent != nil, or any(sent, .code == ...)`},
		{`sure in sent`, `column 6: a boolean cannot be in a list whose elements are an object; write sent != nil, or any(sent, .code == ...)`},
		{`sure in odd`, `column 6: a boolean cannot be in a list whose elements are a string`},
		{`sure in flags`, `column 6: a list of code points has numbers and names, not a boolean`},
		{`port in odd`, `column 6: a number cannot be in a list whose elements are a string`},
		{`ja4 in flags`, ``},
		{`nil in sent`, `column 1: nil is never in a list`},
		{`ja4 in 5`, `column 8: in needs a list here, not a number`},
		{`ja4 in port`, `column 8: in needs a list here, not a number`},
		{`object in odd`, `column 8: an object cannot be in a list whose elements are a string`},
		{`empty == 1`, `column 7: a list cannot be compared with a number; write empty != nil, or any(empty, .one == ...)`},
		{`empty`, `column 1: a condition is needed here, not a list; write empty != nil, or any(empty, .one == ...)`},
		{`any(sent, .code == 5)`, `column 17: a string cannot be compared with a number`},
		{`any(sent, .code)`, `column 12: a condition is needed here, not a string`},
		{`any(sent, .object)`, `column 12: a condition is needed here, not an object`},
		{`any(empty, .one == "x")`, `column 17: a number cannot be compared with a string`},
		{`ja4 =~ "x"`, `column 5: unexpected "="; use matches and a regular expression, such as ja4 matches "^t13"`},
		{`ja4 ~ "x"`, `column 5: unrecognized character: U+007E '~'; use matches and a regular expression, such as ja4 matches "^t13"`},
		{`sure | sure`, `column 12: the condition ends here; something is missing after that`},
		{`sure || sure`, ``},
		{`ja4 = "x"`, `column 5: unexpected "="; use == to compare`},
		{`port <> 5`, `column 7: unexpected ">"; use !=`},
		{`! sure`, ``},
		{`sure ! sure`, `column 6: unexpected "!"; use !=, without a space, or not`},
		{`ja4 !== "x"`, `column 7: unexpected "="; use == to compare`},
		{`ja4 == “x”`, `column 8: unrecognized character: U+201C '“'; use straight quotes, such as "a.example"`},
		{`ja4 == ‘x’`, `column 8: unrecognized character: U+2018 '‘'; use straight quotes, such as "a.example"`},
		{`sure & sure`, `column 6: unexpected "&"; use and, or &&`},
		{`sure AND sure`, `column 6: unexpected "AND"; and, or, not and in have lower case`},
		{`sure OR sure`, `column 6: unexpected "OR"; and, or, not and in have lower case`},
		{`NOT sure`, `column 5: unexpected "sure"`},
		{`port IN [1]`, `column 6: unexpected "IN"; and, or, not and in have lower case`},
		{`sure And sure`, `column 6: unexpected "And"; and, or, not and in have lower case`},
		{`sure Or sure`, `column 6: unexpected "Or"; and, or, not and in have lower case`},
		{`Not sure`, `column 5: unexpected "sure"`},
		{`port In [1]`, `column 6: unexpected "In"; and, or, not and in have lower case`},
		{`ja4 is nil`, `column 5: unexpected "is"; use == nil or != nil`},
		{`ja4 IS nil`, `column 5: unexpected "IS"; use == nil or != nil`},
		{`ja4 exists`, `column 5: unexpected "exists"; use == nil or != nil`},
		{`ja4 EXISTS`, `column 5: unexpected "EXISTS"; use == nil or != nil`},
		{`ja4 like "x"`, `column 5: unexpected "like"; use contains, startsWith, endsWith or matches, such as ja4 startsWith "t13"`},
		{`ja4 LIKE "x"`, `column 5: unexpected "LIKE"; use contains, startsWith, endsWith or matches, such as ja4 startsWith "t13"`},
		{`odd includes "x"`, `column 5: unexpected "includes"; use contains, startsWith, endsWith or matches, such as ja4 startsWith "t13"`},
		{`odd has "x"`, `column 5: unexpected "has"; use in for a list, such as "h2" in client_hello.alpn, and contains for a string`},
		{`ja4 starts "x"`, `column 5: unexpected "starts"; use startsWith`},
		{`ja4 begins "x"`, `column 5: unexpected "begins"; use startsWith`},
		{`ja4 startswith "x"`, `column 5: unexpected "startswith"; use startsWith`},
		{`ja4 starts_with "x"`, `column 5: unexpected "starts_with"; use startsWith`},
		{`ja4 beginsWith "x"`, `column 5: unexpected "beginsWith"; use startsWith`},
		{`ja4 ends "x"`, `column 5: unexpected "ends"; use endsWith`},
		{`ja4 endswith "x"`, `column 5: unexpected "endswith"; use endsWith`},
		{`ja4 ends_with "x"`, `column 5: unexpected "ends_with"; use endsWith`},
		{`startsWith(ja4, "x")`, `column 1: unexpected "startsWith"; it is between two values, such as ja4 startsWith "t13"`},
		{`contains (ja4)`, `column 1: unexpected "contains"; it is between two values, such as ja4 startsWith "t13"`},
		{`ja4 matches t13`, `column 13: unknown name "t13"; names are keys of the JSON, and text is in quotes`},
		{`ja4 matches ^t13`, `column 13: unexpected "^"; put quotes around the regular expression, such as ja4 matches "^t13"`},
		{`src_ip in 10.0.0.0/8`, `column 15: unexpected ".0.0"; use startsWith "10.", or --filter 'net 10.0.0.0/8'`},
		{`src_ip == 192.0.2.1`, `column 16: unexpected ".2.1"; put quotes around an address, such as "192.0.2.1"`},
		{`port in 443, 80`, `column 12: unexpected ","; put brackets around a list, such as dst_port in [443, 8443]`},
		{`port in (443, 80)`, `column 13: unexpected ","; put brackets around a list, such as dst_port in [443, 8443]`},
		{`port in {443, 80}`, `column 13: unexpected ","; put brackets around a list, such as dst_port in [443, 8443]`},
		{`port in [443], sure`, `column 14: unexpected ","`},
		{`host 192.0.2.1`, `column 6: unexpected "192.0"; expressions of tcpdump are for --filter; here, use src_ip, dst_ip, src_port and dst_port`},
		{`port 443`, `column 6: unexpected "443"; expressions of tcpdump are for --filter; here, use src_ip, dst_ip, src_port and dst_port`},
		{`tcp`, `column 1: unknown name "tcp"; names are keys of the JSON, and text is in quotes`},
		{`tcp `, `column 1: unknown name "tcp"; names are keys of the JSON, and text is in quotes`},
		{`ip6 host x`, `column 5: unexpected "host"; expressions of tcpdump are for --filter; here, use src_ip, dst_ip, src_port and dst_port`},
		{``, `column 1: the condition ends here; write one, such as ja4 startsWith "t13"`},
		{`  `, `column 3: the condition ends here; write one, such as ja4 startsWith "t13"`},
		{`(sure`, `column 6: the condition ends here; a ) is missing`},
		{`sure and`, `column 9: the condition ends here; something is missing after that`},
		{`ja4 == "x`, `column 10: literal not terminated; a quotation mark is missing`},
		{`sure)`, `column 5: unexpected ")"`},
		{`sure and ))`, `column 10: unexpected ")"`},
		{`any(odd, # == "x"`, `column 18: the condition ends here; a ) is missing`},
		{`ja4 == "x" "y"`, `column 12: unexpected "y"`},
	} {
		got := ""
		if _, err := Compile(c.condition, row); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.condition, got, c.want)
		}
	}
}
