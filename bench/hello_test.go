package bench

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

const (
	recordHeaderLen    = 5
	handshakeHeaderLen = 4
)

// browserHello returns what a browser with request_mtls sends, as one TLS record
// with its header: a recorded Chrome 133 hello, with two extensions added that
// Firefox sends, so that it has 21 extensions and 1.8 KB.
func browserHello(tb testing.TB) []byte {
	tb.Helper()
	entry, ok := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	if !ok {
		tb.Fatal("the corpus lacks the hello to measure with")
	}
	// record_size_limit of 16,385, and delegated_credential with four schemes.
	return appendExtensions(entry.Data(), []byte{
		0, 28, 0, 2, 0x40, 0x01,
		0, 34, 0, 10, 0, 8, 4, 3, 5, 3, 6, 3, 2, 3,
	})
}

// corpusHellos returns the recorded hellos that came whole in one TLS record, as that
// record with its header.
func corpusHellos(tb testing.TB) [][]byte {
	tb.Helper()
	var records [][]byte
	for entry := range corpus.OfKind(corpus.Records) {
		record := entry.Data()
		const handshake, clientHello = 22, 1
		if record[0] != handshake || record[recordHeaderLen] != clientHello {
			continue
		}
		end := recordHeaderLen + int(binary.BigEndian.Uint16(record[3:]))
		length := binary.BigEndian.Uint32(record[recordHeaderLen:]) & 0xffffff
		if end <= len(record) && end == recordHeaderLen+handshakeHeaderLen+int(length) {
			records = append(records, record[:end])
		}
	}
	return records
}

// appendExtensions adds extensions at the end of the hello in a TLS record and
// returns the record with its lengths corrected.
func appendExtensions(record, extensions []byte) []byte {
	block := recordHeaderLen + extensionBlock(record[recordHeaderLen:])
	record = slices.Concat(record, extensions)
	binary.BigEndian.PutUint16(record[3:], uint16(len(record)-recordHeaderLen))
	binary.BigEndian.PutUint16(record[7:], uint16(len(record)-recordHeaderLen-handshakeHeaderLen))
	binary.BigEndian.PutUint16(record[block-2:], uint16(len(record)-block))
	return record
}

// emptyExtensions returns a handshake message with n extensions without content.
// Their types descend from 65,535, so that no type is one that a parser knows by
// a small number.
func emptyExtensions(n int) []byte {
	body := []byte{3, 3}                        // legacy_version
	body = append(body, make([]byte, 32)...)    // random
	body = append(body, 0)                      // legacy_session_id
	body = append(body, 0, 2, 0x13, 0x01, 1, 0) // cipher_suites, legacy_compression_methods
	body = binary.BigEndian.AppendUint16(body, uint16(4*n))
	for i := range n {
		body = binary.BigEndian.AppendUint16(body, uint16(0xffff-i))
		body = append(body, 0, 0)
	}
	header := []byte{1, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	return append(header, body...)
}

// extensionBlock returns the offset of the first extension in a handshake message
// that is known to be well-formed.
func extensionBlock(msg []byte) int {
	i := handshakeHeaderLen + 2 + 32
	i += 1 + int(msg[i])                           // legacy_session_id
	i += 2 + int(binary.BigEndian.Uint16(msg[i:])) // cipher_suites
	i += 1 + int(msg[i])                           // legacy_compression_methods
	return i + 2
}

// walk reads the type and the length of each extension of a handshake message
// that is known to be well-formed, and returns how many it has. It is the floor:
// no parser that finds an extension by its type can read less.
func walk(msg []byte, want uint16) (count int, found bool) {
	for b := msg[extensionBlock(msg):]; len(b) >= 4; count++ {
		found = found || binary.BigEndian.Uint16(b) == want
		size := int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b)-4 {
			break
		}
		b = b[4+size:]
	}
	return count, found
}
