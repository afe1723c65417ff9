package capture

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// TestDiameterEAP checks which messages have an EAP packet of a conversation (RFC 6733, Section 4.1;
// RFC 4072, Section 4.1.1).
func TestDiameterEAP(t *testing.T) {
	response := []byte{eapResponse, 1, 0, 6, 13, 0}
	session, payload := avp(263, []byte("nas;1")), avp(462, response)
	vendor := slices.Clone(payload)
	vendor[4] |= 0x80
	length := func(a []byte, n int) []byte {
		a = slices.Clone(a)
		copy(a[5:], bytes32(n)[1:])
		return a
	}
	message := func(avps ...[]byte) []byte { return diameterMessage(268, avps...) }
	for name, row := range map[string]struct {
		b    []byte
		want bool
	}{
		"both":                      {message(session, payload), true},
		"the other way round":       {message(payload, session), true},
		"with others":               {message(avp(264, []byte("x")), session, avp(1, nil), payload, avp(2, []byte("four"))), true},
		"a second session":          {message(session, avp(263, []byte("x")), payload), true},
		"no session":                {message(payload), false},
		"no payload":                {message(session), false},
		"two payloads":              {message(session, payload, payload), false},
		"that of a vendor as well":  {message(session, vendor, payload), true},
		"that of a vendor alone":    {message(session, vendor), false},
		"a request":                 {message(session, avp(462, []byte{1, 1, 0, 6, 13, 0})), false},
		"no data":                   {message(session, avp(462, response[:5])), false},
		"a byte of data":            {message(session, avp(462, response[:6])), true},
		"no AVPs":                   {message(), false},
		"a byte of an AVP more":     {message(session, length(payload, len(payload)+1)), false},
		"an AVP without a header":   {message(session, payload, length(avp(1, nil), 7)), false},
		"an AVP that is its header": {message(session, payload, avp(1, nil)), true},
		"half of a header":          {message(session, payload, avp(1, nil)[:4]), false},
		"bytes after the message":   {append(message(session, payload), 0, 0, 0, 0), false},
		"a byte is missing":         {message(session, payload)[:20+len(session)+len(payload)-1], false},
		"19 bytes":                  {message(session, payload)[:19], false},
	} {
		packet, id := diameterEAP(row.b)
		if (packet != nil) != row.want || row.want && (!bytes.HasPrefix(response, packet) || string(id) != "nas;1") {
			t.Errorf("%s: %x, %q", name, packet, id)
		}
	}
}

// TestExtendNumbers checks which numbers of multilink PPP are before others.
func TestExtendNumbers(t *testing.T) {
	for name, row := range map[string]struct {
		form     uint8
		was, now uint32
		want     int32
	}{
		"the next one":         {0, 5, 6, 1},
		"the one before":       {0, 5, 4, -1},
		"the same":             {0, 5, 5, 0},
		"starts over":          {0, 1<<24 - 1, 0, 1},
		"before it started":    {0, 0, 1<<24 - 1, -1},
		"farthest ahead":       {0, 0, 1<<23 - 1, 1<<23 - 1},
		"farthest behind":      {0, 0, 1 << 23, -1 << 23},
		"short, starts over":   {1, 1<<12 - 1, 0, 1},
		"short, farthest":      {1, 7, 7 + 1<<11 - 1, 1<<11 - 1},
		"short, behind":        {1, 7, 7 + 1<<11, -1 << 11},
		"short, a byte or two": {1, 0xff, 0x100, 1},
	} {
		p := ipPacket{number: row.was, extended: 1000}
		got := p.extend(&fragment{number: row.now, protocol: row.form})
		if int32(got-1000) != row.want || p.extended != got || p.number != row.now {
			t.Errorf("%s: %d, want %d", name, int32(got-1000), row.want)
		}
	}
}

// TestTrimPieces checks how many fragments of a bundle stay when another one comes.
func TestTrimPieces(t *testing.T) {
	now := time.Unix(100, 0)
	for name, row := range map[string]struct {
		pieces, size, n int
		age             time.Duration // of the first two
		want            int
	}{
		"few":                 {3, 8, 8, 0, 3},
		"as many as are kept": {maxPieces - 1, 8, 8, 0, maxPieces - 1},
		"one more":            {maxPieces, 8, 8, 0, maxPieces - 1},
		"as long as a packet": {3, 1000, maxIPPacket - 3000, 0, 3},
		"a byte longer":       {3, 1000, maxIPPacket - 2999, 0, 2},
		"as old as may be":    {3, 8, 8, multilinkTime, 3},
		"older":               {3, 8, 8, multilinkTime + 1, 1},
	} {
		s := NewScanner(Options{})
		s.time = now
		p := &ipPacket{arrived: 1 << 31}
		for i := range row.pieces {
			x := piece{number: uint32(i), data: make([]byte, row.size), came: now, arrived: uint32(i) - 2} // the count starts over
			if i < 2 {
				x.came = now.Add(-row.age)
			}
			p.pieces, p.got = append(p.pieces, x), p.got+row.size
			p.charged += x.cost()
			s.flows.memory += x.cost()
		}
		s.trimPieces(p, row.n)
		if len(p.pieces) != row.want || p.got != row.want*row.size || p.pieces[0].number != uint32(row.pieces-row.want) || p.charged != row.want*p.pieces[0].cost() {
			t.Errorf("%s: %d pieces of %d bytes stay", name, len(p.pieces), p.got)
		}
	}
}

// TestIsAnswer checks what the first bytes of a server say about a late hello.
func TestIsAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		b              string
		answers, known bool
	}{
		"a ServerHello":          {"\x16\x03\x03\x00\x50\x02", true, true},
		"a HelloRetryRequest":    {"\x16\x03\x03\x00\x50\x06", true, true},
		"a NewSessionTicket":     {"\x16\x03\x03\x00\x50\x04", false, true},
		"of an older draft":      {"\x16\x03\x03\x00\x50\x07", false, true},
		"a ClientHello":          {"\x16\x03\x03\x00\x50\x01", false, true},
		"a record header":        {"\x16\x03\x03\x00\x50", false, false},
		"one byte":               {"\x16", false, false},
		"another version":        {"\x16\x02", false, true},
		"data":                   {"\x17\x03\x03\x00\x02\x02\x28", false, true},
		"ChangeCipherSpec":       {"\x14", false, true},
		"an alert":               {"\x15\x03\x03\x00\x02\x02\x28", true, true},
		"a warning":              {"\x15\x03\x03\x00\x02\x01\x70", true, true},
		"another level":          {"\x15\x03\x03\x00\x02\x03\x28", false, true},
		"no level":               {"\x15\x03\x03\x00\x02\x00\x28", false, true},
		"a long alert":           {"\x15\x03\x03\x00\x03\x02\x28", false, true},
		"a longer one":           {"\x15\x03\x03\x01\x02\x02\x28", false, true},
		"an alert that is cut":   {"\x15\x03\x03\x00\x02\x02", false, false},
		"the header of an alert": {"\x15\x03", false, false},
	} {
		if answers, known := isAnswer([]byte(row.b)); answers != row.answers || known != row.known {
			t.Errorf("%s: %t, %t", name, answers, known)
		}
	}
}
