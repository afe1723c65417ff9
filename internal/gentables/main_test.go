package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, tab := range tables() {
		want, err := tab.generate(root)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := os.ReadFile(filepath.Join(root, tab.out))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s does not match %s: run go generate ./...", tab.out, tab.csv)
		}
	}
}

func TestReadCSV(t *testing.T) {
	const head = "value,name,source\n"
	tests := []struct {
		name, csv, want string
	}{
		{"accepts decimal and hexadecimal", head + "9,a,iana\n0x000a,b,RFC 6101\n", ""},
		{"rejects a missing header", "1,a,iana\n", "first line"},
		{"rejects values out of order", head + "2,a,iana\n1,b,iana\n", "line 3: value not above"},
		{"rejects a value named twice", head + "1,a,iana\n0x1,b,iana\n", "line 3: value not above"},
		{"rejects a name used twice", head + "1,a,iana\n2,a,iana\n", `line 3: name "a" used twice`},
		{"rejects a value over 16 bits", head + "65536,a,iana\n", "out of range"},
		{"rejects a name that is not an identifier", head + "1,a b,iana\n", "not an identifier"},
		{"rejects a name without a source", head + "1,a,\n", "no source"},
		{"rejects a missing column", head + "1,a\n", "wrong number of fields"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.csv")
			if err := os.WriteFile(path, []byte(tt.csv), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := readCSV(path)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
