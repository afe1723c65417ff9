package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// chrome is a recorded ClientHello.
func chrome(t *testing.T) []byte {
	t.Helper()
	record, err := os.ReadFile(filepath.Join(testenv.Root(t), "corpus", "records", "utls-chrome-133-ext62-80.bin"))
	if err != nil {
		t.Fatal(err)
	}
	return record[5:]
}

// hello is a hello like any other.
func hello(n int, message []byte) Hello {
	return Hello{
		Number: n, Found: true, Source: "a.pcap", Frame: n, Time: start.Add(time.Duration(n) * time.Second), Transport: "tcp",
		Src: "192.0.2.1:50000", Dst: "192.0.2.2:443", Name: "www.example", Version: "TLS 1.3", JA4: "t13d1517h2_8daaf6152771_b1ff8ab2d16f",
		Kind: annotate.ClientHello, Message: message,
	}
}

func render(t *testing.T, r *Report, about About) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, about); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hostile is text that would do harm if it were not escaped.
const hostile = `</td></table><script>alert(1)</script><img src=x onerror="x">'"` + "\u202e\x1b[31m\x00\xff{{.}}"

// TestHostileText checks that no text of a hello becomes markup, and that what could turn the
// direction of text is visible.
func TestHostileText(t *testing.T) {
	r := New()
	message := bytes.Replace(chrome(t), []byte("bot.demo.example"), []byte("<script>alert(1)"), 1)
	h := hello(1, message)
	for _, s := range []*string{&h.Source, &h.Transport, &h.Src, &h.Dst, &h.Name, &h.Version, &h.JA4, &h.Groups, &h.ECH} {
		*s = hostile
	}
	h.Flags, h.Odd = []string{hostile}, []string{hostile}
	r.Add(h)
	r.Add(hello(2, nil))
	page := render(t, r, About{Sources: []string{hostile}, Counts: []string{hostile}})
	for _, bad := range []string{"<script", "<img", "onerror=\"", "\u202e", "\x1b", "\x00", "\xff", "ZgotmplZ", "ERROR"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := strings.Count(page, `&lt;script&gt;alert(1)&lt;/script&gt;`); n < 10 {
		t.Errorf("the text is there %d times", n)
	}
}

var (
	tag       = regexp.MustCompile(`<([a-zA-Z!][^\s>]*)([^>]*)>`)
	attribute = regexp.MustCompile(`\s([a-z-]+)=`)
)

// TestNothingIsLoaded checks that the page has no element or attribute that loads, runs or
// sends something, and that its policy allows its style sheet and nothing else.
func TestNothingIsLoaded(t *testing.T) {
	r := New()
	for n := range 300 {
		h := hello(n+1, chrome(t))
		h.Odd = []string{"refused: duplicate_extension"}[:n%2]
		r.Add(h)
	}
	page := render(t, r, About{Sources: []string{"a.pcap"}, Counts: []string{"1 input"}})
	const tags = " !DOCTYPE html meta title style h1 h2 h3 p br dl div dt dd small table thead tr th td a ul li svg rect span details summary section code "
	const attributes = " lang charset http-equiv content name class href id viewBox role aria-label x y width height colspan preserveaspectratio "
	for _, m := range tag.FindAllStringSubmatch(page, -1) {
		if name := strings.TrimPrefix(m[1], "/"); !strings.Contains(tags, " "+name+" ") && name != "title" {
			t.Errorf("the page has %s", m[0])
		}
		for _, a := range attribute.FindAllStringSubmatch(m[2], -1) {
			if !strings.Contains(attributes, " "+a[1]+" ") {
				t.Errorf("the attribute %s in %s", a[1], m[0])
			}
			if a[1] == "href" && !strings.HasPrefix(m[2], ` href="#hello-`) {
				t.Errorf("a link leads elsewhere: %s", m[0])
			}
		}
	}
	sheet := page[strings.Index(page, "<style>")+len("<style>") : strings.Index(page, "</style>")]
	if strings.Contains(sheet, "url(") || strings.Contains(sheet, "@import") {
		t.Error("the style sheet loads something")
	}
	sum := sha256.Sum256([]byte(sheet))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if !strings.Contains(html.UnescapeString(page), `content="`+want+`"`) {
		t.Errorf("the policy is not %s", want)
	}
}

// TestLimits adds more hellos than a page lists, with text as long as can be.
func TestLimits(t *testing.T) {
	for _, name := range []string{"www.example", strings.Repeat("<", 300)} {
		r := New()
		message := chrome(t)
		for n := range 3 * MaxRows {
			h := hello(n+1, message)
			h.Name, h.JA4 = name, fmt.Sprint("ja4-", n)
			if name != "www.example" {
				h.Source, h.Flags, h.Odd = name, []string{name, name}, []string{fmt.Sprint("odd ", n), name}
			}
			r.Add(h)
		}
		page := render(t, r, About{Sources: []string{"a.pcap"}})
		bytesAt := strings.Index(page, "<h2>Bytes</h2>")
		if bytesAt < 0 || bytesAt > MaxSize {
			t.Errorf("%.9s: %d bytes without the messages, want at most %d", name, bytesAt, MaxSize)
		}
		listed := strings.Count(page[:bytesAt], "<tr><td>") // with the lines of oddities
		if name == "www.example" && listed != MaxRows+len(r.timeline.counts) {
			t.Errorf("%d rows, want %d", listed, MaxRows)
		}
		if !strings.Contains(page, "of 30000 rows") || !strings.Contains(page, "<dt>hellos<dd>30000<") {
			t.Error("the totals do not count all hellos")
		}
		messages := strings.Split(page[bytesAt:], "<details>")[1:]
		if len(messages) != MaxMessages {
			t.Errorf("%d messages", len(messages))
		}
		for _, m := range messages {
			if len(m) > MaxMessage {
				t.Errorf("a message has %d bytes", len(m))
			}
		}
		if want := " 10000 of the listed rows have no bytes"; name == "www.example" && !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want) // the first of 200 JA4 are not listed
		}
	}
}

// TestLinks checks that the numbers of hellos lead to their bytes, also if several captures
// number their hellos.
func TestLinks(t *testing.T) {
	for _, sources := range [][]string{{"a.pcap"}, {"a.pcap", "b.pcap"}} {
		r := New()
		for _, source := range sources {
			for n := range 3 {
				h := hello(n+1, chrome(t))
				h.Source, h.Odd = source, []string{"odd"}
				if n == 2 {
					h.Message = nil // it has no bytes
				}
				r.Add(h)
			}
		}
		page := render(t, r, About{Sources: sources})
		links := regexp.MustCompile(`<tr><td><a href="#([^"]+)">(\d)</a>`).FindAllStringSubmatch(page, -1)
		for _, l := range links {
			if strings.Count(page, `id="`+l[1]+`"`) != 1 {
				t.Errorf("%s has no anchor of its own", l[0])
			}
			if len(sources) == 1 && l[1] != "hello-"+l[2] {
				t.Errorf("the link of hello %s is %s", l[2], l[1])
			}
		}
		if len(links) != 2*len(sources) || strings.Count(page, "<tr><td>3<td>") != len(sources) {
			t.Errorf("%d links in\n%s", len(links), page)
		}
	}
}

// TestCarrierFault checks that the bytes of a hello say the same fault as its row.
func TestCarrierFault(t *testing.T) {
	r := New()
	h := hello(1, chrome(t)[:100])
	h.Odd, h.Code, h.Offset = []string{"refused: record_empty"}, extension.ErrRecordEmpty, 12
	r.Add(h)
	page := render(t, r, About{})
	if !strings.Contains(page, "refused: record_empty at byte 12: ") || strings.Contains(page, "truncated") {
		t.Error(page[strings.Index(page, "<h2>Bytes"):])
	}
}

// TestBrokenRule checks that the bytes of a hello say which of them break a rule.
func TestBrokenRule(t *testing.T) {
	msg := chrome(t)
	const text = "breaks a rule: flag_misplaced at byte "
	if page := Bytes(annotate.ClientHello, msg); strings.Contains(string(page), text) {
		t.Error(page)
	}
	at := bytes.Index(msg, []byte{0, 62, 0, 12, 11}) + 5 // its flags
	msg[at+1] |= 1                                       // flag 8, resumption_across_names
	if page := Bytes(annotate.ClientHello, msg); strings.Count(string(page), fmt.Sprint(text, at+1)) != 1 {
		t.Error(page)
	}
}

// TestChosen checks whose bytes are shown.
func TestChosen(t *testing.T) {
	r := New()
	add := func(n int, ja4 string, odd ...string) {
		h := hello(n, []byte{1, 0, 0, 0})
		h.JA4, h.Odd = ja4, odd
		r.Add(h)
	}
	for n := 1; n <= 400; n++ {
		switch {
		case n == 7:
			add(n, "first", "refused: a")
		case n == 9 || n == 11:
			add(n, "first", "refused: a")
		case n == 12:
			add(n, "second")
		default:
			add(n, "first")
		}
	}
	long := hello(401, make([]byte, maxKept+1))
	r.Add(long)
	r.Add(hello(402, nil))
	var got []int
	for _, h := range r.chosen() {
		got = append(got, h.id)
	}
	if want := "[7 1 12 9 11 400 399"; len(got) != MaxMessages || !strings.HasPrefix(fmt.Sprint(got), want) {
		t.Errorf("%d are chosen: %v; want %s ...", len(got), got, want)
	}
}

// TestBytes checks the table of a message, and that it is cut at MaxMessage.
func TestBytes(t *testing.T) {
	whole := string(Bytes(annotate.ClientHello, chrome(t)))
	for _, want := range []string{
		"<tr><td>0<td><code>01</code><td>msg_type<td>ClientHello\n",
		`<td class="n1">extension_data.length<td>`,
		"<td>flag 80 request_mtls\n",
		" … and ",
	} {
		if !strings.Contains(whole, want) {
			t.Errorf("no %q in\n%s", want, whole)
		}
	}
	if len(whole) > MaxMessage || strings.Contains(whole, "left out") {
		t.Errorf("%d bytes", len(whole))
	}
	broken := chrome(t)
	broken[38] = 33 // the length of legacy_session_id
	if s := string(Bytes(annotate.ClientHello, broken)); !strings.Contains(s, `<tr><td>&gt;<td colspan="3" class="bad">refused: session_id_too_long at byte 38: `) {
		t.Errorf("no fault in\n%s", s)
	}
	many := []byte{0, 62, 1, 0, 255}
	for range 255 {
		many = append(many, 255)
	}
	if s := string(Bytes(annotate.Extension, many)); len(s) > MaxMessage || !strings.Contains(s, "fields are left out; tlsflags explain shows them") || !strings.HasSuffix(s, "</table>") {
		t.Errorf("%d bytes: %s", len(s), s[max(0, len(s)-300):])
	}
}

func TestTimeline(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		from, to, unit string
		width          int64
	}{
		{"2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z", "second", 1},
		{"2026-11-24T10:00:00Z", "2026-11-24T10:01:59Z", "second", 120},
		{"2026-11-24T10:00:00Z", "2026-11-24T10:02:00Z", "10 seconds", 13},
		{"2026-11-24T10:00:00Z", "2026-12-23T10:00:00Z", "6 hours", 117},
		{"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "100,000 days", 38},
		{"1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "second", 2},
	} {
		for _, times := range [][2]string{{tt.from, tt.to}, {tt.to, tt.from}} {
			var line timeline
			line.add(at(times[0]))
			line.add(at(times[1]))
			c := line.chart()
			if c.Unit != tt.unit || c.Width != tt.width {
				t.Errorf("%s to %s: %d of %s, want %d of %s", times[0], times[1], c.Width, c.Unit, tt.width, tt.unit)
			}
			total := 0
			for _, b := range c.Bars {
				total += b.Count
			}
			if total != 2 {
				t.Errorf("%s to %s: %d hellos", times[0], times[1], total)
			}
		}
	}
	if (&timeline{}).chart() != nil {
		t.Error("a chart without a hello")
	}
}

func TestShare(t *testing.T) {
	for want, n := range map[string][2]int{"0.0%": {0, 0}, "50.0%": {1, 2}, "<0.1%": {1, 100000}, ">99.9%": {99999, 100000}, "100.0%": {3, 3}} {
		if got := share(n[0], n[1]); got != want {
			t.Errorf("%d of %d: %s, want %s", n[0], n[1], got, want)
		}
	}
}

// TestBars checks that a chart counts all hellos, also those of values without a bar.
func TestBars(t *testing.T) {
	var c counter
	for n := range maxValues + 5 {
		c.add([]string{fmt.Sprint(n)})
	}
	c.add(nil)
	bars := c.bars()
	if last := bars[len(bars)-1]; len(bars) != maxLabels+1 || last.Label != "others" || last.Count != maxValues+6-maxLabels {
		t.Errorf("%d bars, the last is %v", len(bars), last)
	}
	c = counter{}
	for n := range maxLabels + 1 {
		c.add([]string{fmt.Sprint(n)})
	}
	if last := c.bars()[maxLabels]; last.Label != "1 other" || last.Count != 1 {
		t.Errorf("the last bar is %v", last)
	}
}

// TestEmpty checks the page of no hellos.
func TestEmpty(t *testing.T) {
	page := render(t, New(), About{})
	for _, want := range []string{"<dt>hellos<dd>0<", "<p>None.", "0 of 0 rows"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestWriteError(t *testing.T) {
	r := New()
	r.Add(hello(1, chrome(t)))
	for room := range 4 {
		w := failing(room)
		if err := r.Write(&w, About{}); err == nil {
			t.Errorf("no error of write %d", room)
		}
	}
}

// failing is a writer that fails after some writes.
type failing int

func (f *failing) Write(b []byte) (int, error) {
	if *f--; *f < 0 {
		return 0, os.ErrClosed
	}
	return len(b), nil
}

// TestInChromium opens the page at three widths, light, dark and for a printer. The browser
// must find nothing that its policy forbids.
func TestInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser := testenv.Program(t, "chromium", "chromium", "google-chrome")
	r := New()
	for n := range 50 {
		h := hello(n+1, chrome(t))
		h.Odd = []string{"refused: " + hostile}[:n%2]
		r.Add(h)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(render(t, r, About{Sources: []string{hostile}})), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"phone":  {"--window-size=500,900", "--screenshot="},
		"laptop": {"--window-size=1200,900", "--screenshot="},
		"wide":   {"--window-size=2000,1200", "--screenshot="},
		"dark":   {"--window-size=1200,900", "--blink-settings=preferredColorScheme=0", "--screenshot="},
		"print":  {"--print-to-pdf="},
	} {
		out := filepath.Join(dir, name+".png")
		args[len(args)-1] += out
		args = append(args, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--user-data-dir="+filepath.Join(dir, "profile"), "file://"+file)
		log, err := exec.CommandContext(t.Context(), browser, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, log)
		}
		if info, err := os.Stat(out); err != nil || info.Size() < 5000 {
			t.Errorf("%s: no picture: %v, %v", name, info, err)
		}
		if strings.Contains(string(log), "CONSOLE") {
			t.Errorf("%s: the browser complains:\n%s", name, log)
		}
	}
}
