package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A row is what matters of a line of tlsflags inspect --format jsonl.
type row struct {
	Source      string
	RequestMTLS bool `json:"request_mtls"`
	Ambiguous   []string
	Path        []string
	ClientHello *struct {
		ServerName *string `json:"server_name"`
	} `json:"client_hello"`
	Error *struct{ Code string }
}

// reading returns what the row says that the server read.
func (r row) reading() (reading, bool) {
	if r.ClientHello == nil || r.Error != nil {
		return "", false
	}
	name := ""
	if r.ClientHello.ServerName != nil {
		name = *r.ClientHello.ServerName
	}
	return newReading(r.RequestMTLS, name), true
}

// tunnelled reports whether the row is of another flow than the one that is judged.
func (r row) tunnelled() bool {
	return slices.ContainsFunc(r.Path, func(layer string) bool { return strings.HasPrefix(layer, "vxlan") })
}

func (r row) String() string {
	what, ok := r.reading()
	switch {
	case r.Error != nil:
		what = reading("refused " + r.Error.Code)
	case !ok:
		what = "nothing whole"
	}
	if len(r.Ambiguous) > 0 {
		what += reading(" (" + strings.Join(r.Ambiguous, ", ") + ")")
	}
	return string(what)
}

// inspect runs tlsflags inspect on captures, and returns their rows by file.
func inspect(command string, files []string) (map[string][]row, error) {
	rows := make(map[string][]row)
	for batch := range slices.Chunk(files, 100) {
		cmd := exec.Command(command, append([]string{"inspect", "--format", "jsonl"}, batch...)...)
		var errors bytes.Buffer
		cmd.Stderr = &errors
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s inspect: %w: %s", command, err, errors.Bytes())
		}
		for line := range bytes.Lines(out) {
			var r row
			if err := json.Unmarshal(line, &r); err != nil {
				return nil, err
			}
			rows[r.Source] = append(rows[r.Source], r)
		}
	}
	return rows, nil
}

// A verdict says how good an answer is, the best first.
type verdict int

const (
	sure   verdict = iota // what the server read, no doubt, and nothing else
	right                 // what the server read is among the rows, and no sure row says more
	named                 // something else, but a row names a doubt
	silent                // none of these
)

var verdictNames = []string{"sure", "right", "named", "silent"}

func (v verdict) String() string { return verdictNames[v] }

// outside returns the rows about the flow that is judged. A row in a tunnel is one of them if the
// server read the same, since inspect reports only once what it sees in two places.
func outside(read []reading, rows []row) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
		what, ok := r.reading()
		return r.tunnelled() && (!ok || !slices.Contains(read, what))
	})
}

// judge compares what a server read with what the rows say.
func judge(read []reading, rows []row) verdict {
	var certain, any []reading
	doubt := false
	for _, r := range rows {
		doubt = doubt || len(r.Ambiguous) > 0
		what, ok := r.reading()
		if !ok {
			continue
		}
		any = append(any, what)
		if len(r.Ambiguous) == 0 {
			certain = append(certain, what)
		}
	}
	switch {
	case !doubt && same(certain, read):
		return sure
	case contains(any, read) && !misleading(read, certain):
		return right
	case doubt:
		return named
	}
	return silent
}

// misleading reports whether certain, the readings of rows without a doubt, has one with the flag
// that the server did not have, or has another wrong one and lacks one that the server had.
func misleading(read, certain []reading) bool {
	other := false
	for _, what := range certain {
		if !slices.Contains(read, what) {
			if strings.HasPrefix(string(what), "flagged") {
				return true
			}
			other = true
		}
	}
	return other && slices.ContainsFunc(read, func(what reading) bool { return !slices.Contains(certain, what) })
}

func contains(set, part []reading) bool {
	return !slices.ContainsFunc(part, func(r reading) bool { return !slices.Contains(set, r) })
}

func same(a, b []reading) bool { return contains(a, b) && contains(b, a) }

// writeCapture writes a capture to a folder, and returns its name.
func writeCapture(dir, name string, capture []byte) (string, error) {
	file := filepath.Join(dir, name+".pcap")
	return file, os.WriteFile(file, capture, 0o644)
}
