package cli

import (
	"bufio"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestBy has what --by prints of a capture in each format.
func TestBy(t *testing.T) {
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	for _, tt := range []struct{ args, want string }{
		{"--by flag", "HELLOS  FLAG                        FIRST\n     9  -                           #1\n     3  request_mtls(80)            #10\n     1  resumption_across_names(8)  #12\n"},
		{"--by flag --where request_mtls", "HELLOS  FLAG                        FIRST\n     3  request_mtls(80)            #10\n     1  resumption_across_names(8)  #12\n"},
		{"--by day,version -f csv", "day,version,hellos,other\n2026-11-24,772,12,false\n"},
		{"--by day --by version -f jsonl", `{"day":"2026-11-24","version":{"value":772,"name":"TLS 1.3"},"hellos":12,"other":false,"first_source":"DEMO","first_hello":1}` + "\n"},
		{"--by hour -f json", "[\n{\"hour\":\"2026-11-24T06:00:00Z\",\"hellos\":12,\"other\":false,\"first_source\":\"DEMO\",\"first_hello\":1}\n]\n"},
		{"--by src_ip,unknown-extension -f csv", "src_ip,unknown-extension,hellos,other\n127.0.0.1,,12,false\n"},
		{"--by src_ip --redact -f jsonl", `{"src_ip":null,"hellos":12,"other":false,"first_source":"demo.pcapng","first_hello":1}` + "\n"},
		{"--by sni --redact -f csv", "sni,hellos,other\n,12,false\n"},
		{"--by sni --top 1 --sni *bot.demo.example", "HELLOS  SNI               FIRST\n     1  bot.demo.example  #10\n     2  (2 others; --top 0 lists all)\n"},
		{"--by sni --top 0 -f csv --sni *bot.demo.example", "sni,hellos,other\nbot.demo.example,1,false\nexperimental-bot.demo.example,1,false\nresuming-bot.demo.example,1,false\n"},
		{"--by extension --top 1 -f csv --sni curl*", "extension,hellos,other\n0,1,false\n,11,true\n"},
		{"--by cipher --top 1 --sni bot*", "HELLOS  CIPHER                            FIRST\n     1  TLS_RSA_WITH_AES_128_CBC_SHA(47)  #10\n    14  (14 others; --top 0 lists all)\n"},
		{"--by group --sni bot* -f csv", "group,hellos,other\n23,1,false\n24,1,false\n29,1,false\n4588,1,false\n"},
		{"--by odd", "HELLOS  ODD                    FIRST\n    11  -                      #1\n     1  fault: flag_misplaced  #12\n"},
		{"--by ja4 --until 2000-01-01", "HELLOS  JA4  FIRST\n"},
		{"--by ja4 --until 2000-01-01 -f jsonl", ""},
		{"--by ja4 --until 2000-01-01 -f json", "[]\n"},
	} {
		out, code := runCLI(t, append(append([]string{"inspect", "-q"}, strings.Fields(tt.args)...), demo)...)
		if out = strings.ReplaceAll(out, demo, "DEMO"); code != 0 || out != tt.want {
			t.Errorf("%s: exit %d, got\n%s\nwant\n%s", tt.args, code, out, tt.want)
		}
	}
	for args, want := range map[string]string{
		"--by ja5":              `unknown grouping "ja5"`,
		"--by ja4,sni,flag":     "--by takes one grouping, or two that differ",
		"--by ja4,ja4":          "--by takes one grouping, or two that differ",
		"--by ja4 --stats":      "use one",
		"--top 5":               "--top limits what --by counts; add --by, such as --by ja4 --top 5",
		"--stats --top 5":       "--top limits what --by counts",
		"--by ja4 --top=-1":     "--top cannot be negative",
		"--by ja4 --fields sni": `unknown name "sni"`,
		"--by ja4 --fields ja4": "--fields chooses what is shown",
	} {
		out, code := runCLI(t, append(append([]string{"inspect"}, strings.Fields(args)...), demo)...)
		if Exit(code) != ExitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, %s", args, code, out)
		}
	}
}

// TestByOfRefused checks that a refused hello counts under no value, and a doubt not at all, but
// by what is odd.
func TestByOfRefused(t *testing.T) {
	for _, g := range groupings {
		tally := newTally([]grouping{g}, false)
		tally.add(&row{hello: &capture.Hello{Message: []byte{1}}, code: 1})
		tally.add(&row{hello: &capture.Hello{Ambiguous: capture.Reasons(0).With(capture.Overlap)}})
		want := map[tallyKey]tallied{{}: {hellos: 1}}
		if g.name == "odd" {
			want = map[tallyKey]tallied{{"refused: truncated"}: {hellos: 1}, {"in doubt: overlap"}: {hellos: 1}}
		}
		if !maps.Equal(tally.counts, want) {
			t.Errorf("%s: %v, want %v", g.name, tally.counts, want)
		}
	}
}

// TestTallyIsBounded counts more values, and longer ones, than are kept.
func TestTallyIsBounded(t *testing.T) {
	tally := newTally(groupings[:1], false)
	for i := range maxTally + 5 {
		tally.count(tallyKey{strconv.Itoa(i)}, tallied{})
	}
	tally.count(tallyKey{"7"}, tallied{})
	if len(tally.counts) != maxTally || tally.other != 5 || tally.counts[tallyKey{"7"}].hellos != 2 {
		t.Errorf("%d values, %d others", len(tally.counts), tally.other)
	}
	if r := tally.rows(1); len(r) != 2 || r[0].hellos != 2 || r[1].hellos != maxTally+4 || !r[1].other {
		t.Errorf("%+v", r)
	}
	long := newTally(groupings[:1], false)
	for i := range 5 {
		long.count(tallyKey{strconv.Itoa(i) + strings.Repeat("x", maxTallyBytes/4)}, tallied{})
	}
	if len(long.counts) != 3 || long.other != 2 {
		t.Errorf("%d values, %d others", len(long.counts), long.other)
	}
}

// TestByTimeIsInOrder counts days, of which the last has the most hellos.
func TestByTimeIsInOrder(t *testing.T) {
	var by grouping
	for _, g := range groupings {
		if g.name == "day" {
			by = g
		}
	}
	tally := newTally([]grouping{by}, false)
	first := time.Date(2026, 11, 24, 23, 0, 0, 0, time.FixedZone("", -2*3600))
	for day := range 3 {
		for range day + 1 {
			tally.add(&row{hello: &capture.Hello{Message: []byte{1}, Time: first.AddDate(0, 0, day)}})
		}
	}
	var b strings.Builder
	w := bufio.NewWriter(&b)
	tally.print(w, "csv", 2, 0)
	w.Flush()
	if want := "day,hellos,other\n2026-11-26,2,false\n2026-11-27,3,false\n,1,true\n"; b.String() != want {
		t.Errorf("got %s, want %s", &b, want)
	}
}

// TestByFirst checks that the first hello of each value is named as explain takes it.
func TestByFirst(t *testing.T) {
	captures := filepath.Join(testenv.Root(t), "corpus", "captures")
	one, two := filepath.Join(captures, "tcp-hrr-openssl.pcapng"), filepath.Join(captures, "demo.pcapng")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{one, two}, "HELLOS  SNI                   FIRST  CAPTURE\n     3  openssl.demo.example  #1     " + one + "\n     1  bot.demo.example      #10    " + two + "\n"},
		{[]string{"--width", "60", one, two}, "HELLOS  SNI                   FIRST  CAPTURE\n     3  openssl.demo.example  #1     tcp-hrr-openssl.pcapng\n     1  bot.demo.example      #10    demo.pcapng\n"},
		{[]string{"--width", "50", one, two}, "HELLOS  SNI                   FIRST  CAPTURE\n     3  openssl.demo.example  #1     …enssl.pcapng\n     1  bot.demo.example      #10    demo.pcapng\n"},
		{[]string{"--join", one, two}, "HELLOS  SNI                   FIRST\n     3  openssl.demo.example  #5\n     1  bot.demo.example      #10\n"},
	} {
		args := append([]string{"inspect", "-q", "--by", "sni", "--where", `client_hello.server_name in ["bot.demo.example", "openssl.demo.example"]`}, tt.args...)
		if out, code := runCLI(t, args...); code != 0 || out != tt.want {
			t.Errorf("%q: exit %d, got\n%s\nwant\n%s", tt.args, code, out, tt.want)
		}
	}
}
