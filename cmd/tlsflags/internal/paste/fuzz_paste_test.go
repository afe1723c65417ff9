package paste

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

// checkPaste reads a text. It is not changed, no reading is longer than it may be, and the
// error is at a character of it. Bytes in hexadecimal and in base64 are read as what they are.
func checkPaste(text []byte) error {
	before := bytes.Clone(text)
	ended := false
	for r, err := range Read(text) {
		if e, ok := errors.AsType[*Error](err); ok {
			ended = true
			if e.Char < 1 || e.Line < 0 || e.Char+e.Line > len(text)+2 {
				return fmt.Errorf("an error at %d:%d of %d bytes", e.Line, e.Char, len(text))
			}
			continue
		}
		switch {
		case ended:
			return errors.New("a reading after the error")
		case r.Form == "" || len(r.Data) == 0:
			return fmt.Errorf("an empty reading: %+v", r)
		case len(r.Data) > 3*len(text)/2+maxRepeated: // UTF-16 becomes longer in UTF-8
			return fmt.Errorf("%d bytes of a text of %d, as %s", len(r.Data), len(text), r.Form)
		case r.Blocks != nil && !bytes.Equal(r.Blocks[0], r.Data):
			return errors.New("the data is not the first block")
		}
	}
	if !ended {
		return errors.New("no error at the end")
	}
	if !bytes.Equal(text, before) {
		return errors.New("the text was changed")
	}
	if len(text) == 0 {
		return nil
	}
	for form, s := range map[string]string{
		Hexadecimal: hex.EncodeToString(text),
		Dump:        hex.Dump(text),
		Base64:      base64.StdEncoding.EncodeToString(text),
	} {
		if !reads([]byte(s), form, text) {
			return fmt.Errorf("not read as %s: %s", form, s)
		}
	}
	return nil
}

// reads reports whether one of the readings of a text is data in a form.
func reads(text []byte, form string, data []byte) bool {
	for r := range Read(text) {
		if r.Form == form && bytes.Equal(r.Data, data) {
			return true
		}
	}
	return false
}

// pasteSeeds are hellos in several forms.
func pasteSeeds(yield func([]byte) bool) {
	fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte {
		msg = msg[:min(len(msg), 300)]
		switch len(msg) / 2 % 5 {
		case 0:
			return []byte(hex.Dump(msg))
		case 1:
			return fmt.Appendf(nil, "%#v", msg)
		case 2:
			return fmt.Appendf(nil, "%q", msg)
		case 3:
			return fmt.Appendf(nil, ">>> Handshake\n    % x\n<<<\n    % x\n", msg, msg[:4])
		}
		return fmt.Append(nil, msg)
	})(yield)
}
