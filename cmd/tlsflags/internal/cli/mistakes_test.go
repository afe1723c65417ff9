package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/where"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestWhereMistakes has what people write by mistake in conditions, and what they are told to
// write.
func TestWhereMistakes(t *testing.T) {
	for condition, want := range map[string]string{
		`src_ip = "192.0.2.1"`:                         `column 8: unexpected "="; use == to compare`,
		`src_ip == 192.0.2.1`:                          `column 16: unexpected ".2.1"; put quotes around an address, such as "192.0.2.1"`,
		"src_ip == \u201c192.0.2.1\u201d":              "column 11: unrecognized character: U+201C '\u201c'; use straight quotes, such as \"a.example\"",
		`ja4 == t13d1517h2_8daaf6152771_c7b6e22ce5f9`:  `column 8: unknown name "t13d1517h2_8daaf6152771_c7b6e22ce5f9"; names are keys of the JSON, and text is in quotes`,
		`sni == "a.example"`:                           `column 1: unknown name "sni" (did you mean client_hello.server_name?)`,
		`server_name == "a.example"`:                   `column 1: unknown name "server_name" (did you mean client_hello.server_name?)`,
		`ip.src == "192.0.2.1"`:                        `column 1: unknown name "ip.src" (did you mean src_ip?)`,
		`port == 443`:                                  `column 1: unknown name "port" (did you mean dst_port?)`,
		`version == 772`:                               `column 1: unknown name "version" (did you mean client_hello.supported_versions?)`,
		`flag == 80`:                                   `column 1: unknown name "flag" (did you mean tls_flags.flags?)`,
		`frame == 12`:                                  `column 1: unknown name "frame" (did you mean frames?)`,
		`request_mtls AND dst_port == 443`:             `column 14: unexpected "AND"; and, or, not and in have lower case`,
		`request_mtls & dst_port == 443`:               `column 14: unexpected "&"; use and, or &&`,
		`request_mtls | dst_port == 443`:               `column 25: unexpected "=="; use or, or ||, between conditions`,
		`dst_port in (443, 8443)`:                      `column 17: unexpected ","; put brackets around a list, such as dst_port in [443, 8443]`,
		`dst_port in {443, 8443}`:                      `column 17: unexpected ","; put brackets around a list, such as dst_port in [443, 8443]`,
		`dst_port in 443,8443`:                         `column 16: unexpected ","; put brackets around a list, such as dst_port in [443, 8443]`,
		`dst_port == "443"`:                            `column 10: a number cannot be compared with a string; write 443, without quotes`,
		`"443" == dst_port`:                            `column 7: a string cannot be compared with a number; write 443, without quotes`,
		`src_ip == "10.0.0.0/8"`:                       `column 11: "10.0.0.0/8" is a range of addresses; use startsWith "10.", or --filter 'net 10.0.0.0/8'`,
		`src_ip in "10.0.0.0/8"`:                       `column 11: in needs a list here, not a string; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`,
		`src_ip in 10.0.0.0/8`:                         `column 15: unexpected ".0.0"; use startsWith "10.", or --filter 'net 10.0.0.0/8'`,
		`cidr(src_ip, "10.0.0.0/8")`:                   `column 1: there is no function cidr; for addresses, use startsWith "10.", or --filter 'net 10.0.0.0/8'`,
		`src_ip == "10.0.0"`:                           `column 11: "10.0.0" is not an IP address; write all of it, or use startsWith`,
		`src_ip == "192.0.2.1:443"`:                    `column 11: "192.0.2.1:443" has a port; compare src_ip and src_port`,
		`src_ip in ["192.0.2.1", "x"]`:                 `column 25: "x" is not an IP address; write all of it, or use startsWith`,
		`dst_port in "443"`:                            `column 13: in needs a list here, not a string; write ["443"]`,
		`ja4 like "t13%"`:                              `column 5: unexpected "like"; use contains, startsWith, endsWith or matches, such as ja4 startsWith "t13"`,
		`ja4 =~ "^t13"`:                                `column 5: unexpected "="; use matches and a regular expression, such as ja4 matches "^t13"`,
		`ja4 ~ "^t13"`:                                 `column 5: unrecognized character: U+007E '~'; use matches and a regular expression, such as ja4 matches "^t13"`,
		`ja4 matches ^t13`:                             `column 13: unexpected "^"; put quotes around the regular expression, such as ja4 matches "^t13"`,
		`ja4 == "t13*"`:                                `column 8: == takes the whole text; write ja4 startsWith "t13"`,
		`client_hello.server_name == "*.example"`:      `column 29: == takes the whole text; write client_hello.server_name endsWith ".example"`,
		`ja4 starts with "t13"`:                        `column 5: unexpected "starts"; use startsWith`,
		`ja4.startsWith("t13")`:                        `column 5: there is no function ja4.startsWith; write ja4 startsWith "t13"`,
		`startsWith(ja4, "t13")`:                       `column 1: unexpected "startsWith"; it is between two values, such as ja4 startsWith "t13"`,
		`client_hello.server_name.lower() == "a"`:      `column 26: there is no function client_hello.server_name.lower; write lower(client_hello.server_name)`,
		`client_hello.alpn contains "h2"`:              `column 1: contains needs a string here, not a list; write "h2" in client_hello.alpn`,
		`client_hello.alpn == "h2"`:                    `column 19: a list cannot be compared with a string; write "h2" in client_hello.alpn`,
		`client_hello.alpn has "h2"`:                   `column 19: unexpected "has"; use in for a list, such as "h2" in client_hello.alpn, and contains for a string`,
		`client_hello.supported_versions == "TLS 1.3"`: `column 33: a list cannot be compared with a string; write "TLS 1.3" in client_hello.supported_versions`,
		`tls_flags.flags == 80`:                        `column 17: a list cannot be compared with a number; write 80 in tls_flags.flags`,
		`tls_flags == 80`:                              `column 11: an object cannot be compared with a number; write tls_flags != nil, or one of its keys, such as tls_flags.flags`,
		`frames contains 12`:                           `column 1: contains needs a string here, not a list; write 12 in frames`,
		`request_mtls == 1`:                            `column 14: a boolean cannot be compared with a number; write request_mtls or not request_mtls`,
		`error`:                                        `column 1: a condition is needed here, not an object; write error != nil, or one of its keys, such as error.code`,
		`ambiguous`:                                    `column 1: a condition is needed here, not a list; write ambiguous != nil`,
		`"overlap" in faults`:                          `column 11: a string cannot be in a list whose elements are an object; write faults != nil, or any(faults, .code == ...)`,
		`error.code is null`:                           `column 12: unexpected "is"; use == nil or != nil`,
		`error == null`:                                `column 10: unknown name "null"; use nil`,
		`exists(ja4)`:                                  `column 1: there is no function exists; write ja4 != nil`,
		`count(faults) > 0`:                            `column 1: count takes a list and a condition on its elements; the length of a list is len(list)`,
		`time > 2026-11-24`:                            `column 6: a time cannot be compared with a number; write a time in quotes, such as "2026-11-24T10:00:00Z"`,
		`time > now()`:                                 `column 8: there is no function now; write a time, such as "2026-11-24T10:00:00Z"`,
		`client_hello.extensions.value == 0`:           `column 1: client_hello.extensions is a list, which has no "value"; its elements have it: any(client_hello.extensions, .value ...)`,
		`src_ip == "192.0.2.1`:                         `column 21: literal not terminated; a quotation mark is missing`,
		`(src_ip == "192.0.2.1"`:                       `column 23: the condition ends here; a ) is missing`,
		`request_mtls or`:                              `column 16: the condition ends here; something is missing after that`,
		`src_ip <> "192.0.2.1"`:                        `column 9: unexpected ">"; use !=`,
		`src_ip ! = "192.0.2.1"`:                       `column 8: unexpected "!"; use !=, without a space, or not`,
		`host 192.0.2.1`:                               `column 6: unexpected "192.0"; expressions of tcpdump are for --filter; here, use src_ip, dst_ip, src_port and dst_port`,
	} {
		_, err := where.Compile(condition, lineType())
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", condition, err, want)
		}
	}
}

// TestWhereAddress checks that an address may be written in any form.
func TestWhereAddress(t *testing.T) {
	capture := filepath.Join(testenv.Root(t), "corpus", "captures", "tcp-ipv6-curl.pcapng")
	for _, condition := range []string{`src_ip == "::1"`, `src_ip == "0:0::0001"`, `"0:0:0:0:0:0:0:1" == src_ip`, `src_ip in ["192.0.2.1", "0::1"]`} {
		out, code := runCLI(t, "inspect", "-q", "-f", "csv", "--fields", "hello,src_ip", "--where", condition, capture)
		if code != 0 || !strings.HasPrefix(out, "hello,src_ip\n1,::1\n") {
			t.Errorf("%s: exit %d, %s", condition, code, out)
		}
	}
}
