package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture/filter"
)

func TestRefuses(t *testing.T) {
	const takesPort = "port takes a number from 0 to 65535, not "
	for _, tt := range []struct {
		text   string
		column int
		reason string
	}{
		{"", 1, "the end is not known here"},
		{"  ", 3, "the end is not known here"},
		{"len", 1, `"len" is not known here; the words are host, net, port`},
		{"tcp and ether host 0:0:0:0:0:0", 9, `"ether" is not known here`},
		{"tcp[13] & 2 != 0", 9, `"&" is not known; use and (&&), or (||)`},
		{"tcp[13]", 1, `"tcp[13]" is not known here`},
		{"port 80 | 443", 9, `"|" is not known`},
		{"port 80 and less", 13, `"less" is not known here`},
		{"192.0.2.1", 1, `"192.0.2.1" is not known here`},
		{"tcp 80", 5, `"80" is after the end of the expression`},
		{"tcp or 80", 8, `"80" is not known here`},
		{"port", 5, takesPort + "the end"},
		{"port http", 6, takesPort + `"http"`},
		{"port 65536", 6, takesPort},
		{"port 0x50", 6, takesPort},
		{"port 080", 6, takesPort},
		{"port -1", 6, takesPort},
		{"portrange 80", 13, "portrange takes two numbers from 0 to 65535, such as 8000-8100, not the end"},
		{"portrange 80-", 14, "portrange takes two numbers"},
		{"portrange 1-65536", 13, "portrange takes two numbers"},
		{"portrange 90-80", 11, "the first port is over the last one"},
		{"proto 256", 7, "proto takes a number from 0 to 255"},
		{"proto tcp", 7, "proto takes a number"},
		{"vlan 4096", 6, "vlan takes a number from 0 to 4095"},
		{"vlan seven", 6, `"seven" is after the end`},
		{"vlan 7 9", 8, `"9" is after the end`},
		{"host", 5, "host takes an IP address, such as 192.0.2.1 or 2001:db8::/32, not the end"},
		{"host example.com", 6, "host takes an IP address"},
		{"host 10.1", 6, "host takes an IP address"},
		{"host 1.2.3.04", 6, "host takes an IP address"},
		{"host fe80::1%eth0", 6, "host takes an IP address"},
		{"net 10.0.0.1/8", 5, "10.0.0.1 has bits after its first 8; use 10.0.0.0/8"},
		{"net 2001:db8::1/32", 5, "2001:db8::1 has bits after its first 32"},
		{"net 10/33", 8, "the length of a prefix takes a number from 0 to 32"},
		{"net 2001:db8::/129", 16, "the length of a prefix takes a number from 0 to 128"},
		{"net 10/", 8, "the length of a prefix takes"},
		{"net 1.2.3.4.5", 5, "net takes an IP address"},
		{"ip port 80", 1, `"ip" does not go with port`},
		{"tcp host 192.0.2.1", 1, `"tcp" does not go with host`},
		{"icmp src 192.0.2.1", 1, `"icmp" does not go with host`},
		{"tcp proto 6", 1, `"tcp" does not go with proto`},
		{"src proto 6", 1, "a protocol has no direction"},
		{"ip host ::1", 9, `"ip" does not go with ::1`},
		{"arp net 2001:db8::/32", 9, `"arp" does not go with 2001:db8::`},
		{"ip6 host 192.0.2.1", 10, `"ip6" does not go with 192.0.2.1`},
		{"src", 4, "host takes an IP address"},
		{"src or 192.0.2.1", 5, "host takes an IP address"},
		{"(tcp", 1, "this bracket is not closed"},
		{"tcp)", 4, `")" is after the end`},
		{"()", 2, `")" is not known here`},
		{"tcp and", 8, "the end is not known here"},
		{"and tcp", 1, `"and" is not known here`},
		{"not", 4, "the end is not known here"},
		{"port (80 or tcp)", 13, `"tcp" is not a value; this bracket has values of port only`},
		{"port (80", 6, "this bracket is not closed"},
		{"PORT 80", 1, `"PORT" is not known here`},
		{strings.Repeat("(", 200) + "tcp", 101, "brackets and negations are more than 100 deep"},
		{strings.Repeat("! ", 200) + "tcp", 201, "brackets and negations are more than 100 deep"},
		{strings.Repeat("tcp or ", 1000) + "tcp", 7001, "more than 1000 tests"},
	} {
		_, err := filter.Parse(tt.text)
		var e *filter.SyntaxError
		if !errors.As(err, &e) || e.Column != tt.column || !strings.HasPrefix(e.Reason, tt.reason) {
			t.Errorf("%.40q: %v, want column %d: %s", tt.text, err, tt.column, tt.reason)
		}
	}
}

// TestReads compares expressions with longer ones that say the same.
func TestReads(t *testing.T) {
	for text, same := range map[string]string{
		"tcp port 443 or 8443":            "tcp port 443 or tcp port 8443",
		"port (443 or 8443)":              "port 443 or port 8443",
		"port(443||8443)&&tcp":            "(port 443 or port 8443) and tcp",
		"src host (192.0.2.1 or not ::1)": "src host 192.0.2.1 or not src host ::1",
		"(port 80) or 81":                 "port 80 or port 81",
		"not port 80 and not 81":          "(not port 80) and (not port 81)",
		"ip proto 6 or 17":                "ip proto 6 or ip proto 17",
		"tcp or udp and icmp":             "(tcp or udp) and icmp",
		"!tcp":                            "not tcp",
		"! ! tcp":                         "tcp",
		"src or dst port 80":              "port 80",
		"dst or src 192.0.2.1":            "host 192.0.2.1",
		"dst and src net 10":              "src and dst net 10.0.0.0/8",
		"src 192.0.2.1":                   "src host 192.0.2.1",
		"src 192.0.2.0/24":                "src net 192.0.2",
		"net 192.168":                     "net 192.168.0.0/16",
		"net 10/8":                        "net 10.0.0.0/8",
		"net 192.0.2.1":                   "host 192.0.2.1",
		"portrange 80-80":                 "port 80",
		"\tip6\r\nand tcp ":               "ip6 and tcp",
		"tcp":                             "proto 6",
		"icmp":                            "ip proto 1",
	} {
		if a, b := compiled(t, text), compiled(t, same); !equal(a, b) {
			t.Errorf("%q is\n%v\nand %q is\n%v", text, a, same, b)
		}
	}
}
