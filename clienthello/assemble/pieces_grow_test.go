package assemble_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// growing is what assemblers have that grow.
type growing interface {
	assemble.Assembler
	ResetGrowing(limit int)
	Held() int
}

// TestGrowing puts messages together from pieces in several orders, and checks that the
// memory stays in proportion to what has come.
func TestGrowing(t *testing.T) {
	const least, factor = 3328, 6
	for _, size := range []int{100, 1000, 2000, 21_500, assemble.MaxMessage - 4} {
		msg, message := handshake(size), dtlsHandshake(size, 0)
		var dtls, quic [][]byte
		for at := 0; at < size; at += 700 {
			dtls = append(dtls, dtlsDatagram(fragment(message, at, min(at+700, size))))
		}
		for at := 0; at < len(msg); at += 700 {
			quic = append(quic, crypto(uint64(at), msg[at:min(at+700, len(msg))]))
		}
		orders := map[string]func([][]byte){
			"in order": func([][]byte) {}, "reversed": slices.Reverse[[][]byte],
			"random": func(p [][]byte) {
				rand.New(rand.NewPCG(1, 2)).Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
			},
		}
		for name, order := range orders {
			var q assemble.QUIC
			d := assemble.DTLS{Tolerant: true}
			for carrier, row := range map[string]struct {
				g      growing
				feed   func([]byte) assemble.Result
				pieces [][]byte
				header int
				body   []byte
			}{
				"QUIC": {&q, q.FeedFrames, slices.Clone(quic), 4, msg[4:]},
				"DTLS": {&d, d.Feed, slices.Clone(dtls), 12, message[12:]},
			} {
				row.g.ResetGrowing(assemble.MaxMessageDTLS)
				order(row.pieces)
				var result assemble.Result
				for i, p := range row.pieces {
					result = row.feed(p)
					if held := row.g.Held(); held > max(least, factor*700*(i+1)) {
						t.Errorf("%s of %d bytes, %s: %d bytes held after %d pieces", carrier, size, name, held, i+1)
					}
				}
				if result.Outcome != assemble.Complete || !bytes.Equal(result.Message[row.header:], row.body) {
					t.Errorf("%s of %d bytes, %s: %v %v", carrier, size, name, result.Outcome, result.Code)
				}
				row.g.Next()
				if held := row.g.Held(); held > least {
					t.Errorf("%s of %d bytes, %s: %d bytes held after the message", carrier, size, name, held)
				}
			}
		}
	}
}

// TestFarPieces checks that a byte far from the beginning takes little.
func TestFarPieces(t *testing.T) {
	var q assemble.QUIC
	q.ResetGrowing(assemble.MaxMessage)
	for i := range 10_000 {
		q.FeedFrames(crypto(uint64(assemble.MaxMessage-1-10*i), []byte{0}))
	}
	if held := q.Held(); held > 1<<15 {
		t.Errorf("%d bytes held", held)
	}
}

// TestFarPiecesDiffer checks that copies of a byte which both came before their turn are
// compared.
func TestFarPiecesDiffer(t *testing.T) {
	var q assemble.QUIC
	q.ResetGrowing(assemble.MaxMessage)
	q.FeedFrames(crypto(20_000, []byte{1}))
	if r := q.FeedFrames(crypto(20_000, []byte{2})); r.Code != extension.ErrOverlapChanged {
		t.Errorf("%v %v", r.Outcome, r.Code)
	}
}

// TestCopyGrowing continues a copy and its original, each in memory of its own.
func TestCopyGrowing(t *testing.T) {
	msg := handshake(21_500)
	var q, other assemble.QUIC
	q.Reset(make([]byte, 100))
	if held := q.Held(); held != 0 {
		t.Errorf("%d bytes held of memory that was given", held)
	}
	q.ResetGrowing(assemble.MaxMessage)
	other.ResetGrowing(assemble.MaxMessage)
	q.FeedFrames(crypto(0, msg[:9000]))
	q.FeedFrames(crypto(20_000, msg[20_000:]))
	other.CopyFrom(&q)
	for name, q := range map[string]*assemble.QUIC{"copy": &other, "original": &q} {
		if r := q.FeedFrames(crypto(9000, msg[9000:20_000])); r.Outcome != assemble.Complete || !bytes.Equal(r.Message, msg) {
			t.Errorf("%s: %v %v", name, r.Outcome, r.Code)
		}
	}
}
