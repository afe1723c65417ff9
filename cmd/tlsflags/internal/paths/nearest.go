package paths

import (
	"slices"
	"strings"
)

// otherNames are what people call a key, as other programs do.
var otherNames = map[string]string{
	"ip": "src_ip", "host": "src_ip", "addr": "src_ip", "address": "src_ip", "client": "src_ip", "ip.src": "src_ip", "ip.dst": "dst_ip", "server": "dst_ip",
	"port": "dst_port", "tcp.port": "dst_port", "tcp.srcport": "src_port", "tcp.dstport": "dst_port", "udp.srcport": "src_port", "udp.dstport": "dst_port",
	"frame": "frames", "frame.number": "frames", "number": "hello", "row": "hello", "date": "time", "frame.time": "time",
	"flag": "tls_flags.flags", "flags": "tls_flags.flags", "fault": "faults", "mtls": "request_mtls",
	"version": "client_hello.supported_versions", "client_hello.version": "client_hello.supported_versions",
	"cipher": "client_hello.cipher_suites", "ciphers": "client_hello.cipher_suites", "group": "client_hello.supported_groups",
	"extension": "client_hello.extensions", "tls.handshake.extensions_server_name": "client_hello.server_name",
	"tls.handshake.ja4": "ja4", "tls.handshake.ciphersuite": "client_hello.cipher_suites",
}

// Nearest returns the candidate that a name was most likely meant to be, or "". A name
// without its first keys, such as server_name, counts as the whole one. So does sni.
func Nearest(name string, candidates []string) string {
	if other := otherNames[strings.ToLower(name)]; slices.Contains(candidates, other) {
		return other
	}
	best, least := "", max(1, (len(name)+1)/3)+1
	before, last, nested := cutLast(name)
	if last == "sni" {
		last = "server_name"
		if name = last; nested {
			name = before + "." + last
		}
	}
	for _, c := range candidates {
		_, key, nested := cutLast(c)
		d := distance(name, c)
		if nested && key == last {
			d = min(d, 1)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// Hint returns a question in parentheses, whether the nearest candidate was meant. It is "" if
// none is near.
func Hint(name string, candidates []string) string {
	near := Nearest(name, candidates)
	if near == "" {
		return ""
	}
	return " (did you mean " + near + "?)"
}

func cutLast(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// distance counts the bytes to insert, delete or replace to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
