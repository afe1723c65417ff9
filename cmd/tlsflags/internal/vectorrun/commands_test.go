package vectorrun

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/vectors"
)

func TestCommandThatDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		want    string
	}{
		{"silent", 100 * time.Millisecond, "flags/example/0: no answer in 100ms"},
		{"dies", 30 * time.Second, "exit status 7"},
		{"chatty", 30 * time.Second, "unexpected output"},
		{"ahead", 30 * time.Second, `the answer has the id "flags/example/0"`},
		{"mutters", 30 * time.Second, "unexpected output"},
		{"noise", 30 * time.Second, `the answer "Loading ..." cannot be read as JSON: invalid character 'L'`},
		{"unsure", 30 * time.Second, `is "acceptable", not valid, invalid or skipped`},
		{"endless", 30 * time.Second, "a line of more than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config(t, c.name)
			config.Timeout = c.timeout
			if _, err := Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "killed") {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
}

// What is wrong with an answer is told in a line of bearable length.
func TestMalformedAnswers(t *testing.T) {
	long := strings.Repeat("0f", 5000)
	for answer, want := range map[string]string{
		"id":                                           "has one column",
		long:                                           "has one column",
		"id\tinvalid\tcode\t-1":                        `column 4 of the answer has "-1", not a number from 0 to 2147483647`,
		"id\tinvalid\tcode\t" + long:                   "column 4 of the answer has",
		"id\tinvalid\tcode\t1\t256":                    `column 5 of the answer has "256", not a number from 0 to 255`,
		"id\tvalid\t\t\t\t65536":                       `column 6 of the answer has "65536", not a number from 0 to 65535`,
		"id\tvalid\t\t\t\t62\t80," + long:              "column 7 of the answer has",
		"id\tvalid\t\t\t\t\t8,":                        `column 7 of the answer has "", not a number from 0 to 65535`,
		"id\tvalid\t\t\t\t\t\t\t0":                     `column 9 of the answer has "0", not hexadecimal digits`,
		"id\tvalid\t\t\t\t\t\t\t\t\th2":                `column 11 of the answer has "h2", not hexadecimal digits`,
		"id\tvalid\t\t\t\t\t\t\t\t\t\t\t1,2":           `column 13 of the answer has "1,2", not a count, the first suite and the last`,
		"id\tvalid" + strings.Repeat("\t", 17):         "the answer has 19 columns; it may have at most 18",
		"id\tvalid\t\tx\ty":                            `column 4 of the answer has "x"`,
		"id\tvalid" + strings.Repeat("\t", 13) + "x":   `column 15 of the answer has "x", not a number from 0 to 65535`,
		`{"id":"x","result":"valid","flags":[8,null]}`: "cannot be read as JSON: null in a list of numbers",
		`{"id":"x","result":"valid","flags":[65536]}`:  "cannot be read as JSON: a value does not fit: number 65536",
		`{"id":"x","result":"valid","flags":"8"}`:      "cannot be read as JSON: a value does not fit: ",
		`{"id":"x","alert":"50"}`:                      "cannot be read as JSON: a value does not fit: ",
		`{"id":"x","joined":"abc"}`:                    "cannot be read as JSON: encoding/hex: odd length",
		`{"id":"x"}{"id":"y"}`:                         "cannot be read as JSON: invalid character '{' after top-level value",
	} {
		p := TSV
		if answer[0] == '{' {
			p = JSON
		}
		_, err := p.decode([]byte(answer + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%.40q: got %v, want %s", answer, err, want)
		}
	}
}

// ask starts an implementation and asks it everything.
func ask(t *testing.T, name string) *process {
	t.Helper()
	c := config(t, name)
	p, err := start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.askAll(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCommandThatDoesNotEnd(t *testing.T) {
	p := ask(t, "lingers")
	if err := p.stop(t.Context(), time.Millisecond); err == nil || err.Error() != "it did not end in 1ms" {
		t.Errorf("error is %v", err)
	}
}

// A process that a command leaves running with its output keeps nobody waiting.
func TestOrphanWithOutput(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv(orphanage, l.Addr().String())
	if err := ask(t, "orphan").stop(t.Context(), 3*time.Second); err != nil {
		t.Error(err)
	}
	c, err := l.Accept() // the orphan runs until this is closed
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestCommandThatDoesNotRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := config(t, "deaf")
	p, err := start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	answer := <-p.answers // takes as long as the command takes to start
	p.answers = make(chan line, 1)
	p.answers <- answer
	c.Timeout = time.Second
	_, err = p.exchange(ctx, c, question{ID: "x", Input: make(vectors.Bytes, 1<<20)})
	if err == nil || !strings.Contains(err.Error(), "has not read the question in 1s") {
		t.Errorf("error is %v", err)
	}
	cancel()
	p.cmd.Wait()
}

func TestRunIsCanceled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, config(t, "silent")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}
