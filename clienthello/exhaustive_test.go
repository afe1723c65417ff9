package clienthello_test

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// Every prefix of every recorded message, in full, is truncated.
func TestConsumesPrefix(t *testing.T) {
	for name, msg := range recorded {
		for n := range len(msg) {
			if _, at, err := clienthello.Parse(msg[:n]); err != extension.ErrTruncated || at != n {
				t.Fatalf("%s: the first %d bytes give %v at %d", name, n, err, at)
			}
		}
		if _, n, err := clienthello.Parse(append(bytes.Clone(msg), msg...)); err != nil || n != len(msg) {
			t.Errorf("%s: followed by a copy of itself it gives %d, %v", name, n, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for name, msg := range recorded {
		if err := clienthellotest.Check(msg, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every byte of every recorded message, changed in a few ways, gives what the reference
// parser gives: among them every shortened and lengthened inner length.
func TestReadsOnlyItsInput(t *testing.T) {
	for name, msg := range recorded {
		if testing.Short() && len(msg) > 600 {
			continue
		}
		hello, _, err := clienthello.Parse(msg)
		if err != nil {
			t.Fatal(err)
		}
		structure := []int{1, 2, 3, 38}
		i := 39 + int(msg[38])
		structure = append(structure, i, i+1)
		i += 2 + 2*hello.CipherSuites().Len()
		structure = append(structure, i)
		i += 1 + int(msg[i])
		structure = append(structure, i, i+1)
		for e := range hello.Extensions().All() {
			structure = append(structure, e.Offset-4, e.Offset-3, e.Offset-2, e.Offset-1)
		}
		for _, i := range structure {
			for _, delta := range []byte{1, 2, 4, 0x80, 0xff, 0xfe} {
				changed := bytes.Clone(msg)
				changed[i] += delta
				if err := clienthellotest.Check(changed, false); err != nil {
					t.Errorf("%s: with byte %d changed by %#x: %v", name, i, delta, err)
				}
			}
		}
	}
}

func TestEverySessionIDLength(t *testing.T) {
	for n := range 256 {
		h := minimal()
		h.SessionID = make([]byte, n)
		msg := encode(t, h, false)
		if err := clienthellotest.Check(msg, false); err != nil {
			t.Errorf("%d: %v", n, err)
		}
		if _, _, err := clienthello.Parse(msg); (err == nil) != (n <= 32) {
			t.Errorf("a session_id of %d bytes gives %v", n, err)
		}
	}
}

func TestEveryExtensionType(t *testing.T) {
	for typ := range 1 << 16 {
		x := ext(extension.Type(typ), 1, 2)
		msg := encode(t, with(x), false)
		hello, _, err := clienthello.Parse(msg)
		if err != nil {
			t.Fatalf("type %d: %v", typ, err)
		}
		if got, ok := hello.Extensions().Lookup(x.Type); !ok || !bytes.Equal(got.Data, x.Data) || got.Offset != len(msg)-2 {
			t.Fatalf("type %d: Lookup gives %v, %t", typ, got, ok)
		}
		double := encode(t, with(x, x), false)
		_, at, err := clienthello.Parse(double)
		want := extension.ErrDuplicateExtension
		if x.Type == extension.PreSharedKey {
			want = extension.ErrPreSharedKeyNotLast
		}
		if err != want || at != len(double)-6 {
			t.Fatalf("type %d twice: %v at %d", typ, err, at)
		}
	}
}

// The largest number of extensions, of all of which the filter knows too little.
func TestMostExtensions(t *testing.T) {
	list := make([]extension.Extension, 16383)
	for i := range list {
		list[i] = ext(extension.Type(i * 4))
	}
	msg := encode(t, with(list...), false)
	if err := clienthellotest.Check(msg, false); err != nil {
		t.Error(err)
	}
	if hello, _, err := clienthello.Parse(msg); err != nil || hello.Extensions().Len() != len(list) {
		t.Errorf("%d extensions, %v", hello.Extensions().Len(), err)
	}
}

// TestAccumulated compares the outcomes of 10,000 generated inputs with one hash.
func TestAccumulated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var messages [][]byte
	for i := range 64 {
		h := with(manyTypes(i)...)
		h.SessionID = make([]byte, i%33)
		h.Extensions = append(h.Extensions, ext(extension.TLSFlags, flag80...), ext(extension.PreSharedKey))
		messages = append(messages, encode(t, h, false))
	}
	hash := fnv.New64a()
	for range 10_000 {
		msg := bytes.Clone(messages[random.IntN(len(messages))])
		for range random.IntN(4) {
			msg[random.IntN(len(msg))] += byte(1 + random.IntN(3))
		}
		hello, n, err := clienthello.Parse(msg)
		code, _ := err.(extension.Code)
		hash.Write([]byte{byte(n >> 8), byte(n), byte(hello.Extensions().Len())})
		hash.Write([]byte(code.Name()))
	}
	const want = 0x30d14fb62fc526e2
	if got := hash.Sum64(); got != want {
		t.Errorf("got %#x, want %#x", got, uint64(want))
	}
}
