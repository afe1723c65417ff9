package fuzzing

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/tlsflags/tlsflags/corpus"
)

// GzippedCaptures yields the short captures of the corpus as files of gzip (RFC 1952), with
// one stored block: what package gzip writes depends on the release of Go.
func GzippedCaptures(yield func([]byte) bool) {
	for e := range corpus.OfKind(corpus.Captures) {
		if data := e.Data(); len(data) < 3000 && !yield(gzipped(data)) {
			return
		}
	}
}

func gzipped(data []byte) []byte {
	const deflate, unknownSystem, lastStored = 8, 255, 1
	b := []byte{0x1f, 0x8b, deflate, 0, 0, 0, 0, 0, 0, unknownSystem, lastStored}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(data)))
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(data))
	return binary.LittleEndian.AppendUint32(b, uint32(len(data)))
}
