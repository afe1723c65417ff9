package assembletest

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

// Piece is a part of a message that arrives on its own.
type Piece struct {
	Offset int
	Data   []byte
}

// maxPieces is how many pieces a Schedule has before the ones that fill it up.
const maxPieces = 64

// Schedule reads a message body and the order in which pieces of it arrive from an
// input: how many pieces, five bytes for each, the body. Pieces may overlap, come again
// and, if the input says so, differ in one byte from the message. At the end comes
// all of the message in small pieces, last one first, so that it is complete at some
// time.
func Schedule(data []byte) (body []byte, pieces []Piece) {
	s := cryptobyte.String(data)
	var n, change uint8
	if !s.ReadUint8(&n) {
		return nil, nil
	}
	type step struct {
		offset, length uint16
		change         uint8
	}
	var steps []step
	for range n % (maxPieces + 1) {
		var offset, length uint16
		if s.ReadUint16(&offset) && s.ReadUint16(&length) && s.ReadUint8(&change) {
			steps = append(steps, step{offset, length, change})
		}
	}
	body = s
	if len(body) == 0 {
		return nil, nil
	}
	for _, st := range steps {
		offset := int(st.offset) % (len(body) + 1)
		end := offset + int(st.length)%(len(body)-offset+1)
		piece := Piece{offset, bytes.Clone(body[offset:end])}
		if len(piece.Data) > 0 && st.change > 0xf0 {
			piece.Data[len(piece.Data)/2] ^= st.change
		}
		pieces = append(pieces, piece)
	}
	const size = 500
	for offset := (len(body) - 1) / size * size; offset >= 0; offset -= size {
		pieces = append(pieces, Piece{offset, body[offset:min(offset+size, len(body))]})
	}
	return body, pieces
}

// EncodeSchedule is the inverse of Schedule.
func EncodeSchedule(steps []byte, body []byte) []byte {
	n := min(len(steps)/5, maxPieces)
	return append(append([]byte{byte(n)}, steps[:5*n]...), body...)
}
