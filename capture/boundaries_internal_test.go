package capture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestSetAside checks which bytes that a receiver discards are kept: those that end after the
// next byte and begin at most a window after it.
func TestSetAside(t *testing.T) {
	const next = 1000
	for name, row := range map[string]struct {
		seq  uint32
		edit func(h *half)
		want bool
	}{
		"the next bytes":             {next, func(*half) {}, true},
		"up to the next byte":        {next - 4, func(*half) {}, false},
		"with the next byte":         {next - 3, func(*half) {}, true},
		"a window after it":          {next + window, func(*half) {}, true},
		"a byte more":                {next + window + 1, func(*half) {}, false},
		"before the connection":      {next, func(h *half) { h.phase = silent }, false},
		"after an acknowledged FIN":  {next, func(h *half) { h.fin, h.finAt, h.ackSeen, h.acked = true, next, true, next+1 }, false},
		"after a FIN":                {next, func(h *half) { h.fin, h.finAt, h.ackSeen, h.acked = true, next, true, next }, true},
		"after a FIN, none answered": {next, func(h *half) { h.fin, h.finAt, h.acked = true, next, next+1 }, true},
	} {
		s := NewScanner(Options{})
		f := s.flows.create(flowKey{}, 1)
		h := &f.halves[0]
		h.phase, h.next, h.sent = started, next, next
		row.edit(h)
		s.setAside(f, h, &segment{seq: row.seq, payload: []byte("four")}, drop{why: Segment})
		kept := h.stream != nil && len(h.stream.copies) == 1
		if end := row.seq + 4; kept != row.want || kept && h.sent != end || !kept && h.sent != next {
			t.Errorf("%s: kept %t, sent up to %d", name, kept, h.sent)
		}
	}
}

// TestOverlay puts copies over the bytes from 100 on.
func TestOverlay(t *testing.T) {
	for name, row := range map[string]struct {
		c    spareCopy
		want string
	}{
		"inside":              {spareCopy{seq: 101, data: []byte("xy"), rival: true}, "axyd"},
		"before it":           {spareCopy{seq: 98, data: []byte("wxy"), rival: true}, "ybcd"},
		"up to it":            {spareCopy{seq: 98, data: []byte("wx"), rival: true}, "abcd"},
		"beyond the end":      {spareCopy{seq: 103, data: []byte("xy"), rival: true}, "abcxy"},
		"at the end":          {spareCopy{seq: 104, data: []byte("xy"), rival: true}, "abcdxy"},
		"after a gap":         {spareCopy{seq: 105, data: []byte("xy"), rival: true}, "abcd"},
		"which is no rival":   {spareCopy{seq: 100, data: []byte("xy")}, "abcd"},
		"that is open":        {spareCopy{seq: 100, data: []byte("xy"), drop: drop{open: true}}, "xycd"},
		"that was not taken":  {spareCopy{seq: 100, data: []byte("xy"), drop: drop{open: true}, dead: true}, "abcd"},
		"that covers it all":  {spareCopy{seq: 99, data: []byte("uvwxyz"), rival: true}, "vwxyz"},
		"that is just as big": {spareCopy{seq: 100, data: []byte("wxyz"), rival: true}, "wxyz"},
	} {
		st := stream{copies: []spareCopy{row.c}}
		if got := st.overlay(100, []byte("abcd")); string(got) != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// TestDeadlines takes deadlines out of the heap in order.
func TestDeadlines(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := range 40 {
		var h deadlines
		for range n {
			h.push(deadline{number: rnd.IntN(20), opened: rnd.IntN(3), at: time.Unix(int64(rnd.IntN(4)), 0)})
		}
		if now := time.Unix(0, 0); h.due(now) != slices.ContainsFunc(h, func(d deadline) bool { return d.at.Equal(now) }) {
			t.Errorf("of %d, one is due: %t", n, h.due(now))
		}
		for last := (deadline{}); len(h) > 0; {
			next := h.pop()
			if next.before(&last) {
				t.Fatalf("of %d, %+v comes after %+v", n, next, last)
			}
			last = next
		}
	}
}

// TestOrderOfRows compares places in their order.
func TestOrderOfRows(t *testing.T) {
	places := []order{
		{index: 1, phase: expiredRows, number: 9, expired: deadline{number: 1}},
		{index: 1, phase: expiredRows, expired: deadline{number: 2}},
		{index: 1, phase: packetRows},
		{index: 1, phase: holdingRows, number: 1},
		{index: 1, phase: holdingRows, number: 2},
		{index: 1, phase: finishedRows},
		{index: 2, phase: expiredRows},
	}
	for i := range places {
		for j := range places {
			if got := places[i].before(&places[j]); got != (i < j) {
				t.Errorf("%d before %d: %t", i, j, got)
			}
		}
	}
}

// TestProgress checks how much of a hello flows have.
func TestProgress(t *testing.T) {
	begun := func(n uint32) [2]half {
		return [2]half{{phase: started, start: 7, next: 7 + n, stream: &stream{need: 1}}}
	}
	for name, row := range map[string]struct {
		flow flow
		want uint8
	}{
		"nothing":                {flow{}, 0},
		"other bytes":            {flow{halves: [2]half{{stream: new(stream)}}}, 1},
		"in the other direction": {flow{halves: [2]half{1: {stream: new(stream)}}}, 1},
		"fragments":              {flow{packet: new(ipPacket)}, 1},
		"a doubt":                {flow{doubt: new(doubt)}, 1},
		"a hello":                {flow{halves: begun(0)}, 2},
		"a hello, and a doubt":   {flow{halves: begun(255), doubt: new(doubt)}, 2},
		"256 bytes":              {flow{halves: begun(256)}, 3},
		"a Follower":             {flow{followed: new(followed)}, 2},
		"no datagram":            {flow{session: new(session)}, 2},
		"a datagram":             {flow{session: &session{used: 1}}, 2},
		"two datagrams":          {flow{session: &session{used: 2}}, 3},
		"256 datagrams":          {flow{session: &session{used: 256}}, 10},
		"more":                   {flow{session: &session{used: 1 << 20}}, 10},
	} {
		if got := row.flow.progress(); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}

// TestWholeLen checks of what records the length of the hello is known.
func TestWholeLen(t *testing.T) {
	record := func(record, message int, n int) []byte {
		b := slices.Concat([]byte{22, 3, 1}, bytes16(record), []byte{1, byte(message >> 16)}, bytes16(message&0xffff))
		return append(b, make([]byte, n-len(b))...)
	}
	for name, row := range map[string]struct {
		b    []byte
		want int
	}{
		"empty":                {record(4, 0, 9), 9},
		"8 bytes":              {record(4, 0, 9)[:8], 0},
		"small":                {record(44, 40, 49), 49},
		"more after it":        {record(60, 40, 70), 49},
		"of 515 bytes":         {record(0x203, 0x1ff, 520), 520},
		"cut":                  {record(0x203, 0x1ff, 519), 0},
		"longer than a record": {record(0x202, 0x1ff, 600), 0},
		"of 64 KiB":            {record(0xffff, 0x10000, 70000), 0},
		"of 256 bytes or more": {record(0x104, 0x100, 265), 265},
	} {
		if got := wholeLen(row.b); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}

// TestBatchReset checks that nothing of a batch is left for its next packets, and that memory for
// long packets is let go of.
func TestBatchReset(t *testing.T) {
	used := func(buffer, bytes, ints, rows int) *batch {
		b := &batch{buf: make([]byte, buffer), lists: make([]list, 2)}
		b.add(dispatched{decoded: new(decoded)}, moment{}, 1)
		b.parts = true
		l := &b.lists[1].rows
		l.add(order{}, &Hello{Message: make([]byte, bytes), Frames: make([]int, ints)})
		l.list = slices.Grow(l.list, rows)
		l.next = 1
		return b
	}
	for name, row := range map[string]struct {
		b          *batch
		buf, keeps bool
	}{
		"small":           {used(readBuffer, 8, 8, 8), true, true},
		"the longest":     {used(4*readBuffer, 8, 8, 8), true, true},
		"a long packet":   {used(4*readBuffer+1, 8, 8, 8), false, true},
		"long messages":   {used(readBuffer, 256<<10, 8, 8), true, true},
		"longer messages": {used(readBuffer, 300<<10, 8, 8), true, false},
		"many frames":     {used(readBuffer, 8, 40<<10, 8), true, false},
		"many rows":       {used(readBuffer, 8, 8, 1<<10), true, false},
	} {
		packets := row.b.lists[1].packets
		row.b.reset()
		l := &row.b.lists[1]
		if len(row.b.moments)+len(l.packets)+len(l.rows.list)+len(l.rows.bytes)+len(l.rows.ints)+l.rows.next > 0 || row.b.parts || packets[0].decoded != nil {
			t.Errorf("%s: something is left: %+v", name, row.b)
		}
		if buf, keeps := row.b.buf != nil, cap(l.rows.list) > 0; buf != row.buf || keeps != row.keeps {
			t.Errorf("%s: keeps its buffer %t, and memory for rows %t", name, buf, keeps)
		}
	}
}

// TestNameRefused checks which rows over DTLS are of one message that was refused.
func TestNameRefused(t *testing.T) {
	s := NewScanner(Options{})
	type part struct {
		length int32
		seq    int
		random byte // of the message, if it is known
	}
	name := func(p part, last uint64) uint64 {
		s.hello.Message, s.hello.DTLS.MessageSeq = nil, p.seq
		if p.random != 0 {
			s.hello.Message = bytes.Repeat([]byte{p.random}, 14+32)
		}
		return s.nameRefused(&session{dtls: true, message: dtlsMessage{length: p.length}}, last)
	}
	for text, row := range map[string]struct {
		first, second part
		same          bool
	}{
		"all is equal":               {part{300, 1, 7}, part{300, 1, 7}, true},
		"another length":             {part{300, 1, 7}, part{301, 1, 7}, false},
		"an odd length, later":       {part{0, 0, 0}, part{1, 0, 0}, true},
		"the longest, later":         {part{0, 1, 7}, part{1<<24 - 1, 1, 7}, true},
		"no length":                  {part{300, 1, 7}, part{0, 1, 7}, true},
		"another message_seq":        {part{300, 1, 7}, part{300, 2, 7}, false},
		"another message_seq, alone": {part{0, 0, 0}, part{0, 0x8000, 0}, false},
		"another random":             {part{300, 1, 7}, part{300, 1, 8}, false},
		"no random":                  {part{300, 1, 7}, part{300, 1, 0}, true},
		"a random, later":            {part{300, 1, 0}, part{300, 1, 7}, true},
	} {
		first := name(row.first, 0)
		if got := name(row.second, first) == first; got != row.same || first&1 == 0 {
			t.Errorf("%s: the same %t, name %x", text, got, first)
		}
	}
}

// TestCostOfPiece checks that a piece of several packets costs more than one of one.
func TestCostOfPiece(t *testing.T) {
	p := piece{data: make([]byte, 10), frames: make([]int, 3)}
	if got, want := p.cost(), pieceCost+10+3*frameCost; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

// TestWireLength checks that lengths fit into an int of 32 bits.
func TestWireLength(t *testing.T) {
	for n, want := range map[uint32]int{0: 0, 60: 60, 1<<31 - 1: 1<<31 - 1, 1 << 31: 1<<31 - 1, 1<<32 - 1: 1<<31 - 1} {
		if got := wireLength(n); got != want {
			t.Errorf("%d: %d", n, got)
		}
	}
}

// TestXZChunks checks how much of a file each kind of chunk passes (liblzma, lzma2_decoder.c).
func TestXZChunks(t *testing.T) {
	for name, row := range map[string]struct {
		control    byte
		pass, data int
	}{
		"not compressed, new dictionary": {1, 3 + 0x1235, 0x1238},
		"not compressed":                 {2, 3 + 0x1235, 0x1238},
		"compressed":                     {0x80, 5 + 0x5679, 5 + 0x5679},
		"compressed, long":               {0xbf, 5 + 0x5679, 5 + 0x5679},
		"new properties":                 {0xc0, 6 + 0x5679, 6 + 0x5679},
		"new properties, long":           {0xff, 6 + 0x5679, 6 + 0x5679},
	} {
		g := xzGuard{in: newBuffer(bytes.NewReader([]byte{row.control, 0x12, 0x34, 0x56, 0x78, 0x5d, 0}))}
		if err := g.chunk(); err != nil || g.pass != row.pass || g.data != row.data {
			t.Errorf("%s: %d bytes pass, %d are data, %v", name, g.pass, g.data, err)
		}
	}
	for data, want := range map[int]int{3: 1 + 0 + 8, 4: 1 + 3 + 8, 5: 1 + 2 + 8, 6: 1 + 1 + 8} {
		g := xzGuard{in: newBuffer(bytes.NewReader([]byte{0})), data: data, check: 8}
		if err := g.chunk(); err != nil || g.pass != want {
			t.Errorf("the end after %d bytes: %d pass, want %d, %v", data, g.pass, want, err)
		}
	}
}

// TestSpansAreCharged checks that the notes on many pieces that are ahead are paid for.
func TestSpansAreCharged(t *testing.T) {
	s := NewScanner(Options{})
	s.yield, s.frames = func(*Hello) bool { return true }, []int{1}
	client, server := endpoint{port: 1000}, endpoint{port: 443}
	s.segment(&segment{src: client, dst: server, flags: tcpSYN})
	for i := range uint32(500) {
		s.segment(&segment{src: client, dst: server, seq: 3 + 2*i, flags: tcpACK, payload: []byte("x")})
	}
	checkAccounts(t, s)
}

// TestForgetUses checks what is given back when packets of frames are forgotten: the first use costs
// nothing.
func TestForgetUses(t *testing.T) {
	for name, row := range map[string]struct {
		uses         []use
		left, refund int
	}{
		"none":            {nil, 0, 0},
		"one":             {[]use{{end: 20}}, 0, 0},
		"one that stays":  {[]use{{end: 21}}, 1, 0},
		"two":             {[]use{{end: 10}, {end: 20}}, 0, useCost},
		"two, one stays":  {[]use{{end: 20}, {end: 21}}, 1, useCost},
		"three, one goes": {[]use{{end: 5}, {end: 21}, {end: 22}}, 2, useCost},
	} {
		s, st := NewScanner(Options{}), &stream{uses: row.uses, charged: 5000}
		s.flows.memory = 5000
		s.forgetUses(st, 20)
		if len(st.uses) != row.left || st.charged != 5000-row.refund || s.flows.memory != st.charged {
			t.Errorf("%s: %d stay, %d bytes are charged", name, len(st.uses), st.charged)
		}
	}
}

// TestGoesOn checks after what a record with an unusual header is taken for a packet.
func TestGoesOn(t *testing.T) {
	const now = 1_700_000_000
	header := func(seconds, fraction, captured, original uint32) []byte {
		b := binary.LittleEndian.AppendUint32(nil, seconds)
		b = binary.LittleEndian.AppendUint32(b, fraction)
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, captured), original)
	}
	const odd = 2e9 // microseconds
	for name, row := range map[string]struct {
		latest, seconds uint32 // of the packets before, of this one
		data            string
		after           []byte
		want            bool
	}{
		"the end":                      {now, now, "data", nil, true},
		"a part of a header":           {now, now, "data", make([]byte, 15), false},
		"a usual header":               {now, now, "data", header(now, 0, 60, 60), true},
		"a usual header, all zero":     {now, now, "\x00\x00\x00\x00", header(5, 0, 60, 60), true},
		"another odd one":              {now, now, "data", header(now, odd, 60, 60), true},
		"the longest":                  {now, now, "data", header(now, odd, maxPacket, 60), true},
		"a longer one":                 {now, now, "data", header(now, odd, maxPacket+1, 60), false},
		"a day later":                  {now, now, "data", header(now+86400, odd, 60, 60), true},
		"later than a day":             {now, now, "data", header(now+86401, odd, 60, 60), false},
		"a day earlier":                {now, now, "data", header(now-86400, odd, 60, 60), true},
		"earlier than a day":           {now, now, "data", header(now-86401, odd, 60, 60), false},
		"a day after the one before":   {now - 86400, now, "data", header(now, odd, 60, 60), true},
		"more than that":               {now - 86401, now, "data", header(now, odd, 60, 60), false},
		"the first of the file":        {0, now, "data", header(now, odd, 60, 60), true},
		"in 1973":                      {0, year1973, "data", header(year1973, odd, 60, 60), true},
		"earlier than that":            {0, year1973 - 1, "data", header(year1973, odd, 60, 60), false},
		"earlier, and a usual header":  {0, 1, "data", header(1, 0, 60, 60), true},
		"a time of 1970, the one here": {now, 1, "data", header(now, odd, 60, 60), false},
	} {
		b := slices.Concat(header(row.seconds, odd, uint32(len(row.data)), 4), []byte(row.data), row.after)
		s := &pcapSource{in: newBuffer(bytes.NewReader(b)), headLen: recordLen, seconds: row.latest}
		if got := s.goesOn(s.record(s.in.peek(recordLen))); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	s := &pcapSource{in: newBuffer(bytes.NewReader(make([]byte, recordLen))), headLen: recordLen}
	if s.goesOn(record{}) {
		t.Error("a header of zeros at the end is taken for a packet")
	}
}
