package capture

import "io"

// KeyLog returns a reader of the TLS secrets in a pcapng file, which may be compressed: the
// text of its Decryption Secrets Blocks in the format of RFC 9850, as in the file that
// SSLKEYLOGFILE names. The reader fails with [ErrFormat] if r is no pcapng file.
func KeyLog(r io.Reader) io.Reader { return &keyLog{r: r} }

type keyLog struct {
	r    io.Reader // until it is opened
	ng   blocks
	text []byte // to pass next
	more int    // bytes of the block at hand to pass after that
	err  error
}

func (k *keyLog) Read(p []byte) (int, error) {
	if k.r != nil {
		k.open()
	}
	for len(k.text) == 0 && k.err == nil && len(p) > 0 {
		k.advance()
	}
	if len(k.text) > 0 {
		n := copy(p, k.text)
		k.text = k.text[n:]
		return n, nil
	}
	return 0, k.err
}

func (k *keyLog) open() {
	var form format
	k.ng.in, form, k.err = unpack(k.r)
	k.r = nil
	switch {
	case k.err != nil:
	case form != formatPcapng:
		k.err = ErrFormat
	default:
		k.err = k.ng.open()
	}
}

// advance goes on to the next part of the text, or to the end.
func (k *keyLog) advance() {
	if k.more > 0 {
		k.text = k.ng.in.peek(min(k.more, readBuffer))
		if len(k.text) == 0 {
			k.more = 0 // the next block tells
			return
		}
		k.ng.in.discard(len(k.text))
		k.more -= len(k.text)
		k.ng.pending -= len(k.text)
		return
	}
	b, err := k.ng.block()
	switch {
	case err != nil:
		k.err = err
	case b.typ == blockSecrets:
		k.secrets(b)
	}
}

// secrets takes a block with secrets (draft-ietf-opsawg-pcapng, Section 4.7):
//
//	uint32 secrets_type; uint32 secrets_length; opaque secrets[secrets_length];
func (k *keyLog) secrets(b block) {
	const fields, typeTLS = 8, 0x544c534b
	if len(b.body) < fields || k.ng.uint32(b.body) != typeTLS {
		return
	}
	n := k.ng.uint32(b.body[4:])
	if n > uint32(b.length-minBlock-fields) {
		k.ng.note(b.at, int64(b.length))
		return
	}
	text := b.body[fields:]
	text = text[:min(len(text), int(n))]
	k.more = int(n) - len(text)
	k.text = append([]byte{'\n'}, text...) // the text before may not end in one
}
