package terminal

import (
	"bytes"
	"encoding/json"
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
