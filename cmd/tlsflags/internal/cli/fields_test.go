package cli

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestAllFields checks that rows with all fields are the full rows.
func TestAllFields(t *testing.T) {
	var all projection
	for _, f := range lineType().Fields {
		all = all.add(paths.Path{f})
	}
	rows(t, func(in *inspection, r *row) {
		l := in.line(r)
		got := string(all.append(nil, reflect.ValueOf(l).Elem()))
		if diff := cmp.Diff(string(appendLine(nil, l)), got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFieldsOfRows checks that rows with some fields, for which less is computed, have what
// the full rows have.
func TestFieldsOfRows(t *testing.T) {
	for name := range partsOfFields {
		var fields fieldList
		if err := fields.Set(name); err != nil {
			t.Fatal(err)
		}
		p := projection(nil).add(fields[0])
		rows(t, func(in *inspection, r *row) {
			want := string(p.append(nil, reflect.ValueOf(in.line(r)).Elem()))
			in.parts, r.l = fields.parts(), nil
			got := string(p.append(nil, reflect.ValueOf(in.line(r)).Elem()))
			in.parts = allParts
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestFields(t *testing.T) {
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	for _, tt := range []struct{ args, want string }{
		{"-f text --fields src_ip,client_hello.server_name,ja4", "src_ip     client_hello.server_name  ja4\n127.0.0.1  curl.demo.example         t13d3112h2_e8f1e7e78f70_b26ce05bbdd6\n"},
		{"-f text --fields error,tls_flags.flags,hello_index --sni bot*", "error  tls_flags.flags  hello_index\n-      request_mtls     1\n"},
		{"-f text --fields client_hello.alpn,client_hello.supported_versions", "client_hello.alpn  client_hello.supported_versions\nh2,http/1.1        TLS 1.3,TLS 1.2,TLS 1.1,TLS 1.0\n"},
		{"-f csv --fields dst_port,client_hello.alpn,client_hello.legacy_version,request_mtls,error", "dst_port,client_hello.alpn,client_hello.legacy_version,request_mtls,error\n443,h2 http/1.1,771,false,\n"},
		{"-f csv --fields ja4 --sni none", "ja4\n"},
		{"-f csv --fields error", "error\n\"\"\n"},
		{"-f jsonl --fields client_hello.length,ja4,client_hello.alpn,ambiguous,quic.version", `{"client_hello":{"length":512,"alpn":["h2","http/1.1"]},"ja4":"t13d3112h2_e8f1e7e78f70_b26ce05bbdd6","quic":null}` + "\n"},
		{"-f jsonl --fields pieces.segments,pieces", `{"pieces":{"segments":1,"records":1,"packets":0,"datagrams":0}}` + "\n"},
		{"-f jsonl --bytes --fields hello --sni curl*", `{"hello":1,"message":"010001fc0303`},
		{"-f csv --fields message --sni curl*", "message\n010001fc0303"},
		{"-f json --fields frames", "[\n{\"frames\":[4]},\n"},
		{"-f jsonl --redact --fields src_ip,dst_port,client_hello.server_name", `{"src_ip":null,"dst_port":null,"client_hello":{"server_name":null}}` + "\n"},
	} {
		out, code := runCLI(t, append(append([]string{"inspect", "-q"}, strings.Fields(tt.args)...), demo)...)
		if code != 0 || !strings.HasPrefix(out, tt.want) {
			t.Errorf("%s: exit %d, got\n%s\nwant\n%s", tt.args, code, out, tt.want)
		}
	}
	for args, want := range map[string]string{
		"--fields sni_name,ja5":              `unknown name "sni_name"`,
		"--fields ja4,client_hello.sever":    `unknown name "client_hello.sever"`,
		"--fields client_hello.server_nam":   "did you mean client_hello.server_name?",
		"--fields quic":                      "--fields: quic is an object; name its keys, or use --format jsonl",
		"-f csv --fields server_flags":       "--fields: server_flags is a list of objects; use --format jsonl",
		"--fields ja4 --stats":               "it does not go with --stats",
		"--fields client_hello.alpn.x":       "client_hello.alpn is a list",
		"-f csv --fields client_hello.ech":   "--fields: client_hello.ech is an object",
		"-f csv --fields partial --fields x": `unknown name "x"`,
	} {
		out, code := runCLI(t, append(append([]string{"inspect"}, strings.Fields(args)...), demo)...)
		if Exit(code) != ExitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, %s", args, code, out)
		}
	}
}

// TestCells checks that a cell cannot control a terminal, add a column, or be a formula.
func TestCells(t *testing.T) {
	l := &line{Source: "=a\t\x1b", ClientHello: &helloInfo{ALPN: []string{"a b", "c,d"}}}
	var fields fieldList
	if err := fields.Set("source,client_hello.alpn"); err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{
		"csv":  "source,client_hello.alpn\n" + `\x3da\t\x1b,"a\x20b c,d"` + "\n",
		"text": "source    client_hello.alpn\n" + `=a\t\x1b  a b,c\x2cd` + "\n",
	} {
		var b strings.Builder
		p := newPrinter(format, &b, textStyle{}, fields)
		if err := p.print(l); err != nil {
			t.Fatal(err)
		}
		if p.close(); b.String() != want {
			t.Errorf("%s: got %q, want %q", format, b.String(), want)
		}
	}
}
