package assemble_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// attempt seals the two Initials of a client that sends msg from an offset of the
// CRYPTO stream on.
func attempt(p quicseal.Packet, offset int, msg []byte) [][]byte {
	var datagrams [][]byte
	for i, part := range [][]byte{msg[:len(msg)/2], msg[len(msg)/2:]} {
		p.Payload = crypto(uint64(offset), part)
		datagrams = append(datagrams, p.Seal())
		offset += len(part)
		p.Number += uint64(i + 1)
	}
	return datagrams
}

// differentHandshake returns a message like handshake(n) with another last byte of the
// random.
func differentHandshake(n int) []byte {
	msg := handshake(n)
	msg[4+2+31] ^= 0xff
	return msg
}

// TestQUICConnection follows connections through what changes their keys.
func TestQUICConnection(t *testing.T) {
	msg := handshake(500)
	second := handshake(600)
	dcid, scid := []byte("first dcid"), []byte("client")
	p := quicseal.Packet{Version: quicseal.V1, DCID: dcid, SCID: scid}
	retried := p
	retried.DCID, retried.Token = []byte("srv"), []byte("retry token")
	answered := p
	answered.DCID, answered.KeyDCID, answered.Number = []byte("server's id"), dcid, 7

	info := assemble.QUICInfo{Version: quicseal.V1, DCID: dcid, SCID: scid, Hello: 1, Attempt: 1, Packets: 2}
	retryInfo := info
	retryInfo.DCID, retryInfo.TokenLength, retryInfo.Retry = retried.DCID, len(retried.Token), true
	retryInfo.Attempt = 2

	start := func(t *testing.T) *assemble.QUIC {
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(1000)))
		return &q
	}
	check := func(t *testing.T, q *assemble.QUIC, want assemble.QUICInfo) {
		t.Helper()
		if diff := cmp.Diff(want, q.Info()); diff != "" {
			t.Errorf("info: %s", diff)
		}
	}
	still := func(t *testing.T, q *assemble.QUIC, datagrams ...[]byte) {
		t.Helper()
		for i, d := range datagrams {
			if result := q.Feed(d); result.Outcome != assemble.NeedMore {
				t.Fatalf("datagram %d: %v %v", i, result.Outcome, result.Code)
			}
		}
	}
	hello2 := func(i assemble.QUICInfo) assemble.QUICInfo {
		i.Hello = 2
		return i
	}

	t.Run("a second hello after HelloRetryRequest", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		check(t, q, info)
		q.Next()
		still(t, q, attempt(p, 0, msg)...) // retransmitted
		again := attempt(answered, len(msg), second)
		slices.Reverse(again)
		q.Next() // does nothing without a complete message
		feedQUIC(t, q, second, again...)
		check(t, q, hello2(info))
	})
	t.Run("a second hello that begins in a frame with the end of the first", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		a := answered
		a.Payload = crypto(uint64(len(msg)-20), slices.Concat(msg[len(msg)-20:], second))
		feedQUIC(t, q, second, a.Seal())
	})
	t.Run("a third hello after the second", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		feedQUIC(t, q, second, attempt(answered, len(msg), second)...)
		q.Next()
		third := handshake(700)
		feedQUIC(t, q, third, attempt(answered, len(msg)+len(second), third)...)
	})
	t.Run("a second hello after a long one", func(t *testing.T) {
		q := start(t)
		long := handshake(70_000)
		if result := q.FeedFrames(crypto(0, long)); result.Outcome != assemble.Complete {
			t.Fatalf("%v %v", result.Outcome, result.Code)
		}
		q.Next()
		q.FeedFrames(crypto(uint64(len(long)+300), second[300:]))
		if result := q.FeedFrames(crypto(uint64(len(long)), second[:300])); result.Outcome != assemble.Complete {
			t.Errorf("%v %v", result.Outcome, result.Code)
		}
	})
	t.Run("a second hello that changes after the end of the first", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		data := slices.Concat(msg[len(msg)-5:], second[:20])
		frame := crypto(uint64(len(msg)-5), data)
		if result := q.FeedFrames(frame); result.Outcome != assemble.NeedMore {
			t.Fatalf("%v %v", result.Outcome, result.Code)
		}
		frame[len(frame)-1] ^= 1
		result := q.FeedFrames(frame)
		if want := len(frame) - 20; result.Code != extension.ErrOverlapChanged || result.Offset != want {
			t.Errorf("%v at %d, want it at %d, where the second hello begins", result.Code, result.Offset, want)
		}
	})
	t.Run("no second hello, but a Handshake packet", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		a := answered
		a.Payload = []byte{2, 0, 0, 0, 0}
		handshakePacket := a
		handshakePacket.Type = quicseal.Handshake
		result := q.Feed(slices.Concat(a.Seal(), handshakePacket.Seal()))
		if result.Outcome != assemble.Unrecognized || result.Used == 0 {
			t.Errorf("%v %v", result.Outcome, result.Code)
		}
	})
	t.Run("no second hello, but another message", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		if result := q.FeedFrames(crypto(uint64(len(msg)), []byte{11})); result.Outcome != assemble.Unrecognized {
			t.Errorf("%v %v", result.Outcome, result.Code)
		}
	})
	t.Run("Retry before the hello is whole", func(t *testing.T) {
		q := start(t)
		still(t, q, attempt(p, 0, msg)[0])
		feedQUIC(t, q, msg, attempt(retried, 0, msg)...)
		check(t, q, retryInfo)
	})
	t.Run("Retry, and the repeated hello, which ends with its random, is not given out again", func(t *testing.T) {
		q := start(t)
		short := handshake(2 + 32)
		feedQUIC(t, q, short, attempt(p, 0, short)...)
		q.Next()
		still(t, q, attempt(retried, 0, short)...)
	})
	t.Run("Retry, and the repeated hello is not given out again", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		still(t, q, attempt(retried, 0, msg)...)
		still(t, q, attempt(p, 0, msg)...) // late, under the keys before
		still(t, q, attempt(retried, 0, msg)...)
		a := retried
		a.DCID, a.KeyDCID = []byte("server's id"), retried.DCID
		feedQUIC(t, q, second, attempt(a, len(msg), second)...)
		check(t, q, hello2(retryInfo))
	})
	t.Run("a token from an earlier connection is no Retry", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(retried, 0, msg)...)
		want := retryInfo
		want.Retry, want.Attempt = false, 1
		check(t, q, want)
	})
	t.Run("another attempt in another version", func(t *testing.T) {
		for _, dcid := range [][]byte{dcid, []byte("second dcid")} {
			q := start(t)
			other := differentHandshake(500)
			feedQUIC(t, q, msg, attempt(p, 0, msg)...)
			q.Next()
			a := p
			a.Version, a.DCID = quicseal.V2, dcid
			feedQUIC(t, q, other, attempt(a, 0, other)...)
			want := info
			want.Version, want.DCID, want.Attempt = quicseal.V2, dcid, 2
			check(t, q, want)
		}
	})
	t.Run("the version that the server has chosen", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		a := answered
		a.Version = quicseal.V2
		feedQUIC(t, q, second, attempt(a, len(msg), second)...)
		want := hello2(info)
		want.Version = quicseal.V2
		check(t, q, want)
	})
	t.Run("another connection from the same port", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		other := differentHandshake(500)
		a := p
		a.DCID = []byte("another one")
		feedQUIC(t, q, other, attempt(a, 0, other)...)
		want := info
		want.DCID, want.Attempt = a.DCID, 2
		check(t, q, want)
		q.Next()
		third := handshake(520)
		a.DCID = []byte("yet another")
		feedQUIC(t, q, third, attempt(a, 0, third)...)
		want.DCID, want.Attempt = a.DCID, 3
		check(t, q, want)
	})
	t.Run("new keys make it forget what came in pieces", func(t *testing.T) {
		q := start(t)
		still(t, q, attempt(p, 0, msg)[0])
		other := differentHandshake(500)
		a := p
		a.DCID = []byte("another one")
		still(t, q, attempt(a, 0, other)[1])
		feedQUIC(t, q, other, attempt(a, 0, other)[0])
	})
}

// scheduleAllocs is how often two AES keys and a GCM allocate: three times on most
// platforms, more if one of them has no code for the AES instructions of the machine.
func scheduleAllocs() float64 {
	var mask cipher.Block
	var aead cipher.AEAD
	key := make([]byte, 16)
	n := testing.AllocsPerRun(100, func() {
		mask = must(aes.NewCipher(key))
		aead = must(cipher.NewGCM(must(aes.NewCipher(key))))
	})
	runtime.KeepAlive(mask)
	runtime.KeepAlive(aead)
	return n
}

// TestQUICKeySchedules: a datagram of many packets that do not open costs at most two key
// schedules, and none if its keys have just been tried.
func TestQUICKeySchedules(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("client dcid"), Payload: crypto(0, handshake(100)[:50])}
	client := p.Seal()
	p.DCID, p.KeyDCID, p.Payload = []byte("another dcid"), []byte("not the dcid"), make([]byte, 10)
	one := p.Seal()
	p.Version = quicseal.V2
	many := bytes.Repeat(slices.Concat(one, p.Seal()), 100)
	q := assemble.QUIC{Scratch: make([]byte, 1500)}
	q.Reset(make([]byte, 1000))
	q.Feed(client)
	if n, want := testing.AllocsPerRun(10, func() { q.Feed(many) }), 2*scheduleAllocs(); n != want {
		t.Errorf("%v allocations for many packets, want %v", n, want)
	}
	if n := testing.AllocsPerRun(10, func() { q.Feed(one) }); n != 0 {
		t.Errorf("%v allocations for keys that have just failed", n)
	}
}
