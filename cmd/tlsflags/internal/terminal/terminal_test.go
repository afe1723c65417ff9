package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// hostile has what steers terminals: C0, DEL, CSI as one character, right-to-left
// override, a tag character, invalid UTF-8, and U+FFFD, which JSON cannot tell from it.
const hostile = "a\x1b[31m\x7f\u009b31m\u202eb\U000e0041\xff\xfe\"\\<\n\u00e9\ufffd"

func TestPrintable(t *testing.T) {
	want := `a\x1b[31m\x7f\u009b31m\u202eb\U000e0041\xff\xfe"\\<\n` + "\u00e9\ufffd"
	if got := Printable(hostile); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Printable("a b~\u00e9"); got != "a b~\u00e9" {
		t.Errorf("got %q", got)
	}
}

// TestWriteJSONErrors has a document that JSON cannot express, and a writer that fails.
func TestWriteJSONErrors(t *testing.T) {
	if err := WriteJSON(io.Discard, func() {}, ""); err == nil {
		t.Error("no error for a function")
	}
	r, w := io.Pipe()
	r.Close()
	if err := WriteJSON(w, "text", ""); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v of a closed pipe", err)
	}
}

func TestWriteJSON(t *testing.T) {
	for indent, want := range map[string]string{
		"":  "{\"text\":\"a\\u001b[31m\\u007f\\u009b31m\\u202eb\\udb40\\udc41\\ufffd\\ufffd\\\"\\\\<\\n\u00e9\\ufffd\"}\n",
		" ": "{\n \"text\": \"a\\u001b[31m\\u007f\\u009b31m\\u202eb\\udb40\\udc41\\ufffd\\ufffd\\\"\\\\<\\n\u00e9\\ufffd\"\n}\n",
	} {
		var b bytes.Buffer
		if err := WriteJSON(&b, map[string]string{"text": hostile}, indent); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("got  %q\nwant %q", b.String(), want)
		}
		var back map[string]string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil {
			t.Error(err)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	for r, want := range map[rune]string{
		'"': `\"`, '\\': `\\`, 'é': "é", 0x1b: `\u001b`, 0xfffd: `\ufffd`, 0xffff: `\uffff`, 0xe0001: `\udb40\udc01`,
	} {
		if got := string(AppendJSON(nil, r)); got != want {
			t.Errorf("%U: got %s, want %s", r, got, want)
		}
	}
}

func TestPlainPrefix(t *testing.T) {
	plain := func(c byte) bool { return ' ' <= c && c <= '~' && c != '"' && c != '\\' }
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				b := bytes.Repeat([]byte("~ z"), 7)[:length]
				b[at] = byte(c)
				want := at
				if plain(byte(c)) {
					want = length
				}
				if got := PlainPrefix(string(b)); got != want {
					t.Fatalf("%q: %d, want %d", b, got, want)
				}
			}
		}
	}
}
