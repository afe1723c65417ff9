package capture

import "testing"

func TestWholeInRecord(t *testing.T) {
	begin := func(record, message int) []byte {
		return []byte{22, 3, 1, byte(record >> 8), byte(record), 1, 0, byte(message >> 8), byte(message), 3, 3}
	}
	changed := func(at int, value byte) []byte {
		b := begin(600, 596)
		b[at] = value
		return b
	}
	for name, row := range map[string]struct {
		b    []byte
		want int
	}{
		"a whole hello to come":    {begin(600, 596), 605},
		"with bytes after it":      {begin(700, 596), 605},
		"longer than its record":   {begin(599, 596), 0},
		"all there":                {begin(7, 2), 0},
		"one byte to come":         {begin(7, 3), 12},
		"header alone":             {begin(600, 596)[:9], 605},
		"header cut":               {begin(600, 596)[:8], 0},
		"longest record":           {begin(1<<14, 1<<14-4), 5 + 1<<14},
		"record too long":          {begin(1<<14+1, 1<<14-4), 0},
		"another type of record":   {changed(0, 23), 0},
		"another version":          {changed(1, 2), 0},
		"another message":          {changed(5, 2), 0},
		"a message of 65,536 more": {changed(6, 1), 0},
	} {
		if got := wholeInRecord(row.b); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}
