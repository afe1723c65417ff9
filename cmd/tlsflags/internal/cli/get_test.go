package cli

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

func TestGet(t *testing.T) {
	url, dir := startServe(t)
	tests := []struct {
		name string
		args []string
		want string // of tls_flags, certificate_requested, certificate_given
	}{
		{"the default", credentials(dir), "[80] true true"},
		{"by number", append(credentials(dir), "--flag", "80"), "[80] true true"},
		{"by name, with another", append(credentials(dir), "--flag", "request_client_auth,8"), "[8,80] true true"},
		{"another alone", append(credentials(dir), "--flag", "8"), "[8] false false"},
		{"none", append(credentials(dir), "--flag", "none"), "[] false false"},
		{"none, without certificate", append(credentials(dir)[:2], "--flag", "none"), "[] false false"},
		{"the experimental type", append(credentials(dir), "--type", "0xfe01"), "[80] true true"},
		{"like Chrome", append(credentials(dir), "--preset", "chrome"), "[80] true true"},
		{"without verification", []string{"--insecure", "--flag", "none"}, "[] false false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, code := run(t, append([]string{"get", url + "/json"}, tt.args...)...)
			if code != 0 || errs != "" {
				t.Fatalf("exit %d, %s", code, errs)
			}
			var answer map[string]json.RawMessage
			if err := json.Unmarshal([]byte(out), &answer); err != nil {
				t.Fatal(err)
			}
			got := strings.Join([]string{string(answer["tls_flags"]), string(answer["certificate_requested"]), string(answer["certificate_given"])}, " ")
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	t.Run("says what the server did", func(t *testing.T) {
		_, errs, code := run(t, append([]string{"get", "-v", url + "/json"}, credentials(dir)...)...)
		if want := "certificate asked for: yes, given: yes, flag acknowledged: no"; code != 0 || !strings.Contains(errs, want) {
			t.Errorf("exit %d, %q lacks %q", code, errs, want)
		}
	})
}

// TestGetUnsuited checks that get says why a server that asked for a certificate got none, and
// what the server said if it insists on one.
func TestGetUnsuited(t *testing.T) {
	ca, err := testca.New("another authority", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bot, err := ca.Client("bot")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := testca.PEM(bot)
	if err != nil {
		t.Fatal(err)
	}
	pem := filepath.Join(t.TempDir(), "bot.pem")
	if err := os.WriteFile(pem, append(cert, key...), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, row := range map[string]struct {
		code Exit
		want string
	}{
		"verify":  {ExitDone, ""},
		"require": {ExitInput, "remote error: tls: bad certificate\n"},
	} {
		url, dir := startServe(t, "--mode", mode)
		_, errs, code := run(t, append([]string{"get", url}, append(credentials(dir)[:2], "--cert", pem, "--key", pem)...)...)
		told := "tlsflags: the server asked for a certificate, and that of --cert does not suit it: "
		why := "it is from CN=another authority,O=tlsflags test, it wants one from CN=tlsflags demo authority,O=tlsflags test\n"
		if code != int(row.code) || !strings.HasPrefix(errs, told) || !strings.Contains(errs, why) || !strings.HasSuffix(errs, row.want) {
			t.Errorf("mode %s: exit %d, %s", mode, code, errs)
		}
	}
}

// TestGetDemanded checks that get without a certificate says what the server wanted.
func TestGetDemanded(t *testing.T) {
	url, dir := startServe(t, "--mode", "require", "--everybody")
	args := append([]string{"get", url, "--flag", "none"}, credentials(dir)[:2]...)
	want := "the server asked for a certificate, and it wants one from CN=tlsflags demo authority,O=tlsflags test: give --cert and --key\n"
	if _, errs, code := run(t, args...); code != int(ExitInput) || !strings.HasSuffix(errs, want) {
		t.Errorf("exit %d, %s", code, errs)
	}
	url, dir = startServe(t, "--everybody")
	args = append([]string{"get", "-v", url, "--flag", "none"}, credentials(dir)[:2]...)
	want = "certificate asked for: yes (it wants one from CN=tlsflags demo authority,O=tlsflags test), given: no"
	if _, errs, code := run(t, args...); code != 0 || !strings.Contains(errs, want) {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestWanted(t *testing.T) {
	none := new(wanted)
	if none.asked() || none.String() != "it names no authority" {
		t.Errorf("nothing: %v, %s", none.asked(), none)
	}
	var many wanted
	names := [][]byte{{1}, {2}, {3}, {4}, {5}, {6}, {7}}
	many.authorities.Store(&names)
	if want := "it wants one from 01 or 02 or 03 or 04 or 05 or 2 others"; !many.asked() || many.String() != want {
		t.Errorf("seven: %s", &many)
	}
}

// TestGetRequest checks what the options that curl has do to the request.
func TestGetRequest(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write([]byte(strings.Join([]string{r.Method, r.Host, r.TLS.ServerName, r.Header.Get("Content-Type"), strings.Join(r.Header["X-A"], "+"), string(body)}, "|")))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	address := server.Listener.Addr().String()
	dir := t.TempDir()
	file, saved := filepath.Join(dir, "body"), filepath.Join(dir, "saved")
	if err := os.WriteFile(file, []byte("a\nb"), 0o600); err != nil {
		t.Fatal(err)
	}
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"resolve", []string{"https://A.example:9/", "--resolve", "a.EXAMPLE:9:" + address}, "GET|A.example:9|A.example|||"},
		{"headers", []string{"https://" + address, "-H", "x-a: 1", "-H", "X-A:2", "--header", "Host: b.example"}, "GET|b.example|||1+2|"},
		{"data", []string{"https://" + address, "-d", "a=1", "-d", "@" + file}, "POST|" + address + "||" + form + "||a=1&a\nb"},
		{"method and type", []string{"https://" + address, "-X", "PUT", "-d", "{}", "-H", "Content-Type: application/json"}, "PUT|" + address + "||application/json||{}"},
		{"a file", []string{"https://" + address, "-X", "DELETE", "-o", saved}, ""},
		{"standard output", []string{"https://" + address, "-o", "-"}, "GET|" + address + "||||"},
	} {
		out, errs, code := run(t, append([]string{"get", "--insecure", "--flag", "none"}, tt.args...)...)
		if code != 0 || out != tt.want || errs != "" {
			t.Errorf("%s: exit %d, %q, want %q\n%s", tt.name, code, out, tt.want, errs)
		}
	}
	if data, err := os.ReadFile(saved); err != nil || string(data) != "DELETE|"+address+"||||" {
		t.Errorf("saved: %q, %v", data, err)
	}
	for _, tt := range []struct {
		args []string
		code Exit
		want string
	}{
		{[]string{"-d", "@" + dir + "/missing"}, ExitInput, "no such file"},
		{[]string{"-o", dir + "/missing/file"}, ExitInput, "no such file"},
		{[]string{"-X", "A B"}, ExitUsage, "invalid method"},
		{[]string{"-H", "no colon"}, ExitUsage, `--header: unknown header "no colon"; use NAME:VALUE`},
		{[]string{"-H", "A: \n"}, ExitUsage, "unknown header"},
		{[]string{"--resolve", "a:443"}, ExitUsage, `--resolve: unknown address "a:443"; use HOST:PORT:ADDRESS`},
		{[]string{"--resolve", "a:443:b"}, ExitUsage, "unknown address"},
	} {
		_, errs, code := run(t, append([]string{"get", "--insecure", "--flag", "none", "https://" + address}, tt.args...)...)
		if code != int(tt.code) || !strings.Contains(errs, tt.want) {
			t.Errorf("%q: exit %d, %s; want %s", tt.args, code, errs, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	var l addressList
	for _, s := range []string{"A:1:192.0.2.1", "b:2:[2001:db8::1]:3", "c:4:2001:db8::2", "d:5:[2001:db8::3]", "a:6:192.0.2.1:7"} {
		if err := l.Set(s); err != nil {
			t.Error(err)
		}
	}
	want := addressList{"a:1": "192.0.2.1:1", "b:2": "[2001:db8::1]:3", "c:4": "[2001:db8::2]:4", "d:5": "[2001:db8::3]:5", "a:6": "192.0.2.1:7"}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGetCutBody checks that a body that ends early is a failure, after what came of it.
func TestGetCutBody(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "begin")
	}))
	defer server.Close()
	out, errs, code := run(t, "get", "--insecure", "--flag", "none", server.URL)
	if Exit(code) != ExitInput || out != "begin" || !strings.Contains(errs, "unexpected EOF") {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	dir := t.TempDir()
	_, errs, code = run(t, "get", "--insecure", "--flag", "none", "-o", filepath.Join(dir, "page"), server.URL)
	if left, err := os.ReadDir(dir); Exit(code) != ExitInput || !strings.Contains(errs, "unexpected EOF") || len(left) > 0 {
		t.Errorf("to a file: exit %d, %s; left: %v, %v", code, errs, left, err)
	}
}

// TestGetReplacesNoInput checks that the page cannot replace a file that the request needs.
func TestGetReplacesNoInput(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ca", "cert", "key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Link(filepath.Join(dir, "key"), link); err != nil {
		t.Fatal(err)
	}
	for output, option := range map[string]string{"ca": "--ca", "cert": "--cert", "key": "--key", "link": "--key"} {
		args := []string{"get", "https://127.0.0.1:1/", "-o", filepath.Join(dir, output)}
		for _, name := range []string{"ca", "cert", "key"} {
			args = append(args, "--"+name, filepath.Join(dir, name))
		}
		_, errs, code := run(t, args...)
		want := "-o would replace " + filepath.Join(dir, output) + ", the file of " + option
		if Exit(code) != ExitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", output, code, errs)
		}
	}
	if data, err := os.ReadFile(link); string(data) != "key" {
		t.Errorf("the key is %q, %v", data, err)
	}
}
