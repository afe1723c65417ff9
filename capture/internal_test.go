package capture

import (
	"bytes"
	"math"
	"testing"
)

// TestPageRuns puts runs of bytes into a page, and reads them from each of their bytes.
func TestPageRuns(t *testing.T) {
	places := []int{0, 1, 31, 62, 63, 64, 65, 126, 127, 128, 129, 192, 500, 959, 960, 961, 1022, 1023, 1024}
	data := make([]byte, pageSize)
	for i := range data {
		data[i] = byte(i) ^ byte(i>>8)
	}
	for _, begin := range places {
		for _, end := range places {
			if end <= begin {
				continue
			}
			var p page
			if fresh := p.put(begin, data[begin:end]); fresh != end-begin {
				t.Errorf("%d to %d: %d bytes are new", begin, end, fresh)
			}
			if fresh := p.put(begin, data[begin:end]); fresh != 0 {
				t.Errorf("%d to %d: %d bytes are new when put again", begin, end, fresh)
			}
			for i := range pageSize {
				want := data[i:max(i, end)]
				if i < begin {
					want = nil
				}
				if got := p.run(i); !bytes.Equal(got, want) || p.has(i) != (len(want) > 0) {
					t.Fatalf("%d to %d: %d bytes from %d on, want %d; has %t", begin, end, len(got), i, len(want), p.has(i))
				}
			}
		}
	}
}

func TestOutside(t *testing.T) {
	const far = 256 << 10
	for _, start := range []uint32{0, 1 << 31, math.MaxUint32 - 100} {
		next := start + 1000
		for seq, want := range map[uint32]bool{
			start - far - 1: true, start - far: false, start: false, start + 500: false,
			next: false, next + far: false, next + far + 1: true, start + 1<<30: true, start - 1<<30: true,
		} {
			if got := outside(seq, start, next); got != want {
				t.Errorf("outside(%d, %d, %d) is %t", seq, start, next, got)
			}
		}
	}
}

// TestMayBegin checks which first bytes of a stream are taken for a beginning.
func TestMayBegin(t *testing.T) {
	hello := []byte{22, 3, 1, 0, 50, 1, 0, 0, 46, 3, 3, 0, 0, 0}
	with := func(at int, values ...byte) []byte {
		b := bytes.Clone(hello)
		copy(b[at:], values)
		return b
	}
	for name, row := range map[string]struct {
		b    []byte
		want bool
	}{
		"hello":                              {hello, true},
		"11 bytes":                           {hello[:11], true},
		"10 bytes":                           {hello[:10], false},
		"nothing":                            {nil, false},
		"another version of the message":     {with(9, 2), false},
		"of the record":                      {with(1, 2), false},
		"a record of 4 bytes":                {with(3, 0, 4), true},
		"a record of 4 bytes, then another":  {with(3, 0, 4, 1, 0, 0, 46, 22), true},
		"a record of 5 bytes, wrong version": {with(3, 0, 5, 1, 0, 0, 46, 22), false},
		"a record of 261 bytes":              {with(3, 1, 5, 1, 0, 0, 46, 22), false},
		"ServerHello":                        {with(5, 2), false},
		"an alert":                           {with(0, 21), false},
		"SSLv2":                              {[]byte{0x80, 31, 1, 3, 1, 0, 6, 0, 0, 0, 16}, true},
		"a server's SSLv2":                   {[]byte{0x80, 31, 4, 3, 1, 0, 6, 0, 0, 0, 16}, false},
		"text":                               {[]byte("GET / HTTP/1.1"), false},
	} {
		if got := mayBegin(row.b); got != row.want {
			t.Errorf("%s: mayBegin is %t", name, got)
		}
	}
	for text, want := range map[string]bool{
		"EHLO x\r\n": false, "PROXY T": false, "<?xml ve": false, "PROXY TC": true, "CONNECT ": true,
		"\r\n\r\n\x00\r\nQ": true, "\r\n\r\n\x00\r\n": false, "\x00\x00\x00\x08\x04\xd2\x16\x2f": false,
		"0\x0c\x02\x01\x01\x60\x07\x02": false, " \x00\x00\x01\x05\x0e\x3f\x20": true, " \x00\x00\x01\x05\x06\x3f\x20": false, "\x05\x01\x00\x05\x01\x00\x03\x0b": false,
		"\x04\x01\x01\xbb\xc6\x33\x64\x01": false, "\x03\x00\x00\x13\x0e\xe0\x00\x00": false,
		";xml vers": false, "GET / HT": false, "": false,
	} {
		if got := mayBeginPrologue([]byte(text)); got != want {
			t.Errorf("%q: mayBeginPrologue is %t", text, got)
		}
	}
}

func TestConnectionIDs(t *testing.T) {
	header := []byte{0xc0, 0, 0, 0, 1}
	for name, row := range map[string]struct {
		after      string // the version
		dcid, scid string
		ok         bool
	}{
		"both":              {"\x03abc\x02de", "abc", "de", true},
		"more after them":   {"\x03abc\x02defgh", "abc", "de", true},
		"none":              {"\x00\x00", "", "", true},
		"SCID cut":          {"\x03abc\x02d", "", "", false},
		"SCID missing":      {"\x03abc", "", "", false},
		"DCID cut":          {"\x03ab", "", "", false},
		"both of 255 bytes": {"\xff" + string(make([]byte, 255)) + "\xff" + string(make([]byte, 255)), string(make([]byte, 255)), string(make([]byte, 255)), true},
	} {
		dcid, scid, ok := connectionIDs(append(bytes.Clone(header), row.after...))
		if string(dcid) != row.dcid || string(scid) != row.scid || ok != row.ok {
			t.Errorf("%s: %q, %q, %t", name, dcid, scid, ok)
		}
	}
}
