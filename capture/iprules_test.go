package capture

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestBadOptions has options of IPv4, and whether Linux drops a packet that has them.
func TestBadOptions(t *testing.T) {
	zeros := func(n int, b ...byte) []byte { return append(b, make([]byte, n-len(b))...) }
	for name, row := range map[string]struct {
		b    []byte
		want bool
	}{
		"none":                                 {nil, false},
		"after the end":                        {[]byte{0, 131, 3, 4}, false},
		"after NOPs and the end":               {[]byte{1, 1, 0, 131}, false},
		"unknown":                              {[]byte{77, 2, 0, 0}, false},
		"router alert":                         {[]byte{148, 4, 0, 0}, false},
		"router alert of 3 bytes":              {[]byte{148, 3, 0, 0}, true},
		"CIPSO":                                {zeros(8, 134, 8, 0, 0, 0, 1), true},
		"loose source route":                   {[]byte{131, 3, 4, 0}, true},
		"strict source route":                  {[]byte{137, 3, 4, 0}, true},
		"source route after another option":    {[]byte{148, 4, 0, 0, 137, 3, 4, 0}, true},
		"no length":                            {[]byte{77}, true},
		"length 1":                             {[]byte{77, 1, 0, 0}, true},
		"longer than the header":               {[]byte{77, 5, 0, 0}, true},
		"record route, full":                   {[]byte{7, 3, 4, 0}, false},
		"record route with room":               {zeros(8, 7, 7, 4), false},
		"record route with room for 1 of 2":    {zeros(12, 7, 11, 8), false},
		"record route with room for 3 bytes":   {zeros(8, 7, 7, 5), true},
		"record route without pointer":         {[]byte{7, 2, 0, 0}, true},
		"record route, pointer 3":              {zeros(8, 7, 7, 3), true},
		"two record routes":                    {[]byte{7, 3, 4, 7, 3, 4, 0, 0}, true},
		"timestamp, full":                      {[]byte{68, 4, 5, 0}, false},
		"timestamp with room":                  {zeros(8, 68, 8, 5, 0), false},
		"timestamp with room for 3 bytes":      {zeros(8, 68, 7, 5, 0), true},
		"timestamp, pointer 4":                 {zeros(8, 68, 8, 4, 0), true},
		"timestamp without flags":              {[]byte{68, 3, 5, 0}, true},
		"address with room":                    {zeros(12, 68, 12, 5, 1), false},
		"address with room for 7 bytes":        {zeros(12, 68, 11, 5, 1), true},
		"prespecified address with room":       {zeros(12, 68, 12, 5, 3), false},
		"prespecified address without room":    {zeros(12, 68, 11, 5, 3), true},
		"flags 2, with room for a timestamp":   {zeros(8, 68, 8, 5, 2), false},
		"full, 14 not counted":                 {[]byte{68, 4, 5, 0xe0}, false},
		"full, 15 not counted":                 {[]byte{68, 4, 5, 0xf0}, true},
		"with room, 15 not counted":            {zeros(8, 68, 8, 5, 0xf0), false},
		"full, 15 of prespecified not counted": {[]byte{68, 4, 5, 0xf3}, false},
		"two timestamps":                       {[]byte{68, 4, 5, 0, 68, 4, 5, 0}, true},
		"record route and timestamp":           {[]byte{7, 3, 4, 68, 4, 5, 0, 0}, false},
	} {
		if got := badOptions(row.b); got != row.want {
			t.Errorf("%s: %t, want %t", name, got, row.want)
		}
	}
}

func TestBadExtension(t *testing.T) {
	const hop, routing, destination = protoHopByHop, protoRouting, protoDestination
	for name, row := range map[string]struct {
		kind uint8
		b    []byte // with the next header and the length
		want bool
	}{
		"Pad1":                            {hop, make([]byte, 8), false},
		"PadN":                            {destination, []byte{6, 0, 1, 4, 0, 0, 0, 0}, false},
		"PadN that is not zero":           {destination, []byte{6, 0, 1, 4, 0, 0, 0, 9}, true},
		"7 bytes of padding":              {hop, []byte{6, 1, 1, 5, 0, 0, 0, 0, 0, 0x1e, 5, 0, 0, 0, 0, 0}, false},
		"8 bytes of padding":              {hop, []byte{6, 1, 0, 1, 5, 0, 0, 0, 0, 0, 0x1e, 4, 0, 0, 0, 0}, true},
		"padding on both sides":           {hop, []byte{6, 1, 1, 4, 0, 0, 0, 0, 0x1e, 0, 1, 4, 0, 0, 0, 0}, false},
		"8 options":                       {destination, []byte{6, 2, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 4, 0, 0, 0, 0}, false},
		"9 options":                       {destination, []byte{6, 2, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 2, 0, 0}, true},
		"PadN without data":               {destination, []byte{6, 0, 1, 0, 0, 0, 1, 0}, false},
		"an option without a length":      {destination, []byte{6, 0, 0, 0, 0, 0, 0, 1}, true},
		"an option too long by one":       {destination, []byte{6, 0, 1, 5, 0, 0, 0, 0}, true},
		"unknown, to be skipped":          {hop, []byte{6, 0, 0x3e, 4, 0, 0, 0, 0}, false},
		"unknown, to be discarded":        {hop, []byte{6, 0, 0x7e, 4, 0, 0, 0, 0}, true},
		"unknown, to be answered":         {destination, []byte{6, 0, 0x80, 4, 0, 0, 0, 0}, true},
		"unknown, after padding":          {destination, []byte{6, 0, 0, 1, 0, 0x80, 1, 0}, true},
		"what looks unknown after Pad1":   {hop, []byte{6, 0, 0, 0x1e, 1, 0x80, 1, 0}, false},
		"jumbo payload":                   {hop, []byte{6, 0, 0xc2, 4, 0, 1, 0, 0}, false},
		"jumbo payload for destinations":  {destination, []byte{6, 0, 0xc2, 4, 0, 1, 0, 0}, true},
		"length of a jumbogram":           {hop, []byte{6, 0, 0xc2, 4, 0, 1, 0, 0}, true},
		"jumbo payload that is small":     {hop, []byte{6, 0, 0xc2, 4, 0, 0, 0xff, 0xff}, true},
		"jumbo payload of 3 bytes":        {hop, []byte{6, 0, 0xc2, 3, 0, 1, 0, 0}, true},
		"home address":                    {destination, []byte{6, 0, 0xc9, 4, 0, 0, 0, 0}, false},
		"home address at each hop":        {hop, []byte{6, 0, 0xc9, 4, 0, 0, 0, 0}, true},
		"routing, no segments left":       {routing, make([]byte, 8), false},
		"routing, one segment left":       {routing, []byte{6, 0, 0, 1, 0, 0, 0, 0}, true},
		"routing around IPv6":             {routing, []byte{41, 0, 4, 1, 0, 0, 0, 0}, false},
		"routing around Ethernet":         {routing, []byte{143, 0, 4, 1, 0, 0, 0, 0}, false},
		"routing around IPv4":             {routing, []byte{4, 0, 4, 1, 0, 0, 0, 0}, false},
		"routing for RPL":                 {routing, []byte{6, 0, 3, 0, 0, 0, 0, 0}, true},
		"routing by segments":             {routing, []byte{6, 0, 4, 0, 0, 0, 0, 0}, true},
		"another header":                  {51, []byte{6, 0, 0x80, 200, 0, 0, 0, 0}, false},
		"the header that ends at 8 bytes": {hop, []byte{6, 0, 1, 3, 0, 0, 0, 0}, false},
	} {
		if got := badExtension(row.kind, row.b, strings.HasPrefix(name, "jumbo")); got != row.want {
			t.Errorf("%s: %t, want %t", name, got, row.want)
		}
	}
}

func TestLacksHeader(t *testing.T) {
	extension := func(next uint8, length, n int) []byte {
		return append([]byte{next, byte(length)}, make([]byte, n-2)...)
	}
	for name, row := range map[string]struct {
		next uint8
		b    []byte
		want bool
	}{
		"TCP":                             {protoTCP, make([]byte, 20), false},
		"TCP cut":                         {protoTCP, make([]byte, 19), true},
		"UDP":                             {protoUDP, make([]byte, 8), false},
		"UDP cut":                         {protoUDP, make([]byte, 7), true},
		"hop-by-hop, TCP":                 {protoHopByHop, extension(protoTCP, 0, 28), false},
		"hop-by-hop, TCP cut":             {protoHopByHop, extension(protoTCP, 0, 27), true},
		"hop-by-hop cut":                  {protoHopByHop, extension(protoUDP, 0, 7), true},
		"routing of 16 bytes, UDP":        {protoRouting, extension(protoUDP, 1, 24), false},
		"routing of 16 bytes, UDP cut":    {protoRouting, extension(protoUDP, 1, 23), true},
		"destination of 16 bytes cut":     {protoDestination, extension(protoUDP, 1, 15), true},
		"destination of 8, then of 8 cut": {protoDestination, append(extension(protoDestination, 0, 8), extension(protoUDP, 0, 7)...), true},
	} {
		if got := lacksHeader(row.next, row.b); got != row.want {
			t.Errorf("%s: %t, want %t", name, got, row.want)
		}
	}
}

// TestOnesSum compares the sum with that of RFC 1071, two bytes a time, for all lengths that
// it treats differently, and with carries.
func TestOnesSum(t *testing.T) {
	for n := range 100 {
		for _, b := range [][]byte{bytes.Repeat([]byte{0xff}, n), slices.Repeat([]byte{1, 2, 0xfe, 0xfd, 0x80}, n)[:n]} {
			for _, before := range []uint64{0, 1, 1<<64 - 1} {
				var want uint64
				for i := range b {
					want += uint64(b[i]) << (8 - i%2*8)
				}
				for x := before; x > 0; x >>= 16 {
					want += x&0xff<<8 | x>>8&0xff // before is in the other byte order
				}
				for want > 0xffff {
					want = want&0xffff + want>>16
				}
				if got := fold(onesSum(before, b)); uint64(got) != want {
					t.Errorf("%d bytes after %#x: %#x, want %#x", n, before, got, want)
				}
			}
		}
	}
}

// TestSignature finds the options that sign a segment.
func TestSignature(t *testing.T) {
	md5 := append([]byte{19, 18}, make([]byte, 16)...)
	for name, row := range map[string]struct {
		b    []byte
		want byte
	}{
		"none":                 {nil, 0},
		"MD5":                  {md5, 19},
		"MD5 after NOPs":       {append([]byte{1, 1}, md5...), 19},
		"MD5 after an option":  {append([]byte{4, 2}, md5...), 19},
		"MD5 of 17 bytes":      {append([]byte{19, 17}, make([]byte, 15)...), 0},
		"MD5 cut":              {md5[:17], 0},
		"MD5 after the end":    {append([]byte{0}, md5...), 0},
		"after a length of 1":  {append([]byte{4, 1}, md5...), 0},
		"TCP-AO":               {[]byte{29, 4, 0, 0}, 29},
		"TCP-AO of two bytes":  {[]byte{29, 2}, 29},
		"TCP-AO of one byte":   {[]byte{29}, 0},
		"TCP-AO cut":           {[]byte{29, 5, 0, 0}, 0},
		"the first one counts": {append([]byte{29, 4, 0, 0}, md5...), 29},
	} {
		if got := signature(row.b); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}

// TestTimestampOption finds the timestamp among the options of a segment.
func TestTimestampOption(t *testing.T) {
	for name, row := range map[string]struct {
		b    []byte
		want uint32
		ok   bool
	}{
		"none":                {nil, 0, false},
		"alone":               {[]byte{8, 10, 1, 2, 3, 4, 0, 0, 0, 0}, 0x01020304, true},
		"after NOPs":          {[]byte{1, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0}, 0x01020304, true},
		"after an option":     {[]byte{3, 3, 7, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0}, 0x01020304, true},
		"after the end":       {[]byte{0, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0}, 0, false},
		"of 9 bytes":          {[]byte{8, 9, 1, 2, 3, 4, 0, 0, 0}, 0, false},
		"cut":                 {[]byte{8, 10, 1, 2, 3, 4, 0, 0, 0}, 0, false},
		"after a length of 1": {[]byte{3, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0}, 0, false},
		"after a length of 2": {[]byte{4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0}, 0x01020304, true},
	} {
		if got, ok := timestamp(row.b); got != row.want || ok != row.ok {
			t.Errorf("%s: %#x, %t, want %#x, %t", name, got, ok, row.want, row.ok)
		}
	}
}
