package extension_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/extension"
)

const handshakeHeader = 4

// refExtension and refBlock are what the reference parser makes of a message.
type refExtension struct {
	Type   extension.Type
	Offset int
	Data   []byte
}

type refBlock []refExtension

func equalBlocks(a, b refBlock) bool {
	return slices.EqualFunc(a, b, func(a, b refExtension) bool {
		return a.Type == b.Type && a.Offset == b.Offset && bytes.Equal(a.Data, b.Data)
	})
}

// A reference is an obvious parser, on cryptobyte and maps: slow and without any
// concern for memory.
type reference struct {
	msg  []byte
	left cryptobyte.String // what is left of the message
}

type refFault struct {
	n    int
	code extension.Code
}

func (r *reference) at() int { return len(r.msg) - len(r.left) }

func (r *reference) refuse(n int, code extension.Code) { panic(refFault{n, code}) }

func (r *reference) skip(n int) {
	start := r.at()
	if !r.left.Skip(n) {
		r.refuse(start, extension.ErrFieldOverrun)
	}
}

// length reads a length of size bytes, which has to fit into what is left up to end.
func (r *reference) length(size, floor, ceiling, end int) int {
	start := r.at()
	if end-start < size {
		r.refuse(start, extension.ErrFieldOverrun)
	}
	n := 0
	for range size {
		var b uint8
		r.left.ReadUint8(&b)
		n = n*256 + int(b)
	}
	switch {
	case n > ceiling:
		r.refuse(start, extension.ErrSessionIDTooLong)
	case n < floor:
		r.refuse(start, extension.ErrVectorEmpty)
	case r.at()+n > end:
		r.refuse(start, extension.ErrFieldOverrun)
	}
	return n
}

func (r *reference) block(end int) refBlock {
	stop := r.length(2, 0, 1<<16, end)
	stop += r.at()
	seen := make(map[uint16]bool)
	var exts refBlock
	for r.at() < stop {
		start := r.at()
		if stop-start < 4 {
			r.refuse(start, extension.ErrStrayBytes)
		}
		var t, n uint16
		r.left.ReadUint16(&t)
		r.left.ReadUint16(&n)
		if r.at()+int(n) > stop {
			r.refuse(start+2, extension.ErrExtensionOverrun)
		}
		if seen[t] {
			r.refuse(start, extension.ErrDuplicateExtension)
		}
		seen[t] = true
		e := refExtension{Type: extension.Type(t), Offset: r.at()}
		r.left.ReadBytes(&e.Data, int(n))
		exts = append(exts, e)
	}
	return exts
}

// referenceMessage returns the blocks of the message at the beginning of msg and its
// length, or where it is refused the offset and the code.
func referenceMessage(msg []byte) (blocks []refBlock, n int, code extension.Code) {
	defer func() {
		if f, ok := recover().(refFault); ok {
			blocks, n, code = nil, f.n, f.code
		}
	}()
	largest := map[byte]int{
		2: 2 + 32 + 33 + 2 + 1 + 2 + 65535, 4: 8 + 256 + 2 + 65535 + 2 + 65535, 8: 2 + 65535,
		11: 1<<24 - 1, 13: 256 + 2 + 65535,
	}
	if len(msg) == 0 {
		return nil, 0, extension.ErrTruncated
	}
	limit, ok := largest[msg[0]]
	if !ok {
		return nil, 0, extension.ErrMessageType
	}
	if len(msg) < 4 {
		return nil, len(msg), extension.ErrTruncated
	}
	size := int(msg[1])<<16 + int(msg[2])<<8 + int(msg[3])
	if size > limit {
		return nil, 1, extension.ErrMessageTooLarge
	}
	if len(msg) < 4+size {
		return nil, len(msg), extension.ErrTruncated
	}
	end := 4 + size
	r := &reference{msg: msg[:end], left: cryptobyte.String(msg[4:end])}
	switch msg[0] {
	case 2:
		r.skip(2)
		r.skip(32)
		r.skip(r.length(1, 0, 32, end))
		r.skip(2)
		r.skip(1)
		switch end - r.at() {
		case 0:
			blocks = []refBlock{nil}
		case 1:
			r.refuse(r.at(), extension.ErrStrayBytes)
		default:
			blocks = []refBlock{r.block(end)}
		}
	case 4:
		r.skip(4)
		r.skip(4)
		r.skip(r.length(1, 0, 255, end))
		r.skip(r.length(2, 1, 65535, end))
		blocks = []refBlock{r.block(end)}
	case 8:
		blocks = []refBlock{r.block(end)}
	case 11:
		r.skip(r.length(1, 0, 255, end))
		stop := r.length(3, 0, 1<<24, end)
		stop += r.at()
		for r.at() < stop {
			r.skip(r.length(3, 1, 1<<24, stop))
			blocks = append(blocks, r.block(stop))
		}
	case 13:
		r.skip(r.length(1, 0, 255, end))
		blocks = []refBlock{r.block(end)}
	}
	if r.at() < end {
		r.refuse(r.at(), extension.ErrStrayBytes)
	}
	return blocks, end, 0
}

// checkMessage holds ParseMessage to its promise on one input: same result as the
// reference, input untouched, nothing behind the message read, views that lie inside,
// and the zero value and a code with a name on error.
func checkMessage(msg []byte) error {
	before := bytes.Clone(msg)
	m, n, err := extension.ParseMessage(msg)
	if !bytes.Equal(before, msg) {
		return errors.New("the input was written to")
	}
	want, wantN, wantCode := referenceMessage(msg)
	if got, _ := err.(extension.Code); n != wantN || got != wantCode {
		return fmt.Errorf("got %d and %q, the reference parser has %d and %q", n, got.Name(), wantN, wantCode.Name())
	}
	poisoned := append(bytes.Clone(msg), bytes.Repeat([]byte{0xa5}, 64)...)[:len(msg)]
	if other, n2, err2 := extension.ParseMessage(poisoned); n2 != n || err2 != err || !bytes.Equal(other.Raw(), m.Raw()) {
		return errors.New("bytes behind the slice change the outcome")
	}
	if err != nil {
		return checkRefusedMessage(m, msg, n, err.(extension.Code))
	}
	var got []refBlock
	for block := range m.Blocks() {
		var exts refBlock
		for e := range block.All() {
			if err := inside(m.Raw(), e.Data); err != nil {
				return err
			}
			exts = append(exts, refExtension(e))
		}
		if block.Len() != len(exts) {
			return fmt.Errorf("Len is %d, All yields %d", block.Len(), len(exts))
		}
		got = append(got, exts)
	}
	if !slices.EqualFunc(want, got, equalBlocks) {
		return fmt.Errorf("reference parser (-) and parser (+) differ:\n%s", cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
	entries := 0
	for e := range m.Entries() {
		if err := inside(m.Raw(), e.CertData); err != nil {
			return err
		}
		entries++
	}
	if m.Message() == extension.Certificate && entries != len(want) {
		return fmt.Errorf("%d entries, want %d", entries, len(want))
	}
	if !bytes.Equal(m.AppendTo(nil), msg[:n]) || cap(m.Raw()) != n {
		return errors.New("AppendTo does not give back the bytes consumed")
	}
	if longer, n2, err := extension.ParseMessage(append(bytes.Clone(msg[:n]), 1, 2, 3)); n2 != n || err != nil || !bytes.Equal(longer.Raw(), m.Raw()) {
		return errors.New("bytes behind the message change the outcome")
	}
	return nil
}

func checkRefusedMessage(m extension.HandshakeMessage, msg []byte, n int, code extension.Code) error {
	if m.Message() != 0 || m.Raw() != nil || m.Extensions().Len() != 0 {
		return errors.New("a refused message gives a view that is not zero")
	}
	if n < 0 || n > len(msg) || code.Name() == "" || code.Clause() == "" {
		return fmt.Errorf("code %d at %d has no name or clause, or lies outside", code, n)
	}
	return nil
}

// inside reports a view that is not a clipped part of msg.
func inside(msg, view []byte) error {
	if cap(view) != len(view) {
		return errors.New("a view can be appended to over its neighbour")
	}
	if len(view) == 0 {
		return nil
	}
	start, at := uintptr(unsafe.Pointer(&msg[0])), uintptr(unsafe.Pointer(&view[0]))
	if at < start || at+uintptr(len(view)) > start+uintptr(len(msg)) {
		return errors.New("a view lies outside the message")
	}
	return nil
}
