package capture

import (
	"bytes"
	"encoding/binary"
	"iter"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// endsHandshake reports whether a datagram has a record for which OpenSSL ends a handshake
// that has begun, before it or in it: of another type in epoch 0, without data, or a malformed
// change_cipher_spec.
func endsHandshake(b []byte, begun bool) bool {
	for r := range plainRecords(b) {
		switch n := len(r) - dtlsRecordHeader; {
		case r[0] == recordHandshake && n > 0, r[0] == recordChangeCipherSpec && n == 1:
			begun = begun || r[0] == recordHandshake
		case begun:
			return true
		}
	}
	return false
}

// hasBadCipherSpec reports whether a datagram has a malformed change_cipher_spec, after which
// OpenSSL reads nothing more.
func hasBadCipherSpec(b []byte) bool {
	for r := range plainRecords(b) {
		if r[0] == recordChangeCipherSpec && len(r) != dtlsRecordHeader+1 {
			return true
		}
	}
	return false
}

// plainRecords yields the records of epoch 0 in a datagram.
func plainRecords(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) >= dtlsRecordHeader && isDTLSVersion(b[1:]) {
			end := dtlsRecordHeader + int(b[dtlsRecordHeader-2])<<8 + int(b[dtlsRecordHeader-1])
			if end > len(b) {
				return
			}
			if encrypted := b[3]|b[4] != 0; !encrypted && !yield(b[:end]) {
				return
			}
			b = b[end:]
		}
	}
}

// hasEmptyFragment reports whether a datagram has a fragment of length 0 of a longer message,
// which OpenSSL takes for the whole message.
func hasEmptyFragment(b []byte) bool {
	for r := range plainRecords(b) {
		const header = 12
		if m := r[dtlsRecordHeader:]; r[0] == recordHandshake && len(m) >= header && m[1]|m[2]|m[3] != 0 && m[9]|m[10]|m[11] == 0 {
			return true
		}
	}
	return false
}

// dtlsNumbers has the sequence numbers of the latest records of a client. Receivers drop a
// record whose number has come before, and may drop one that is 32 or more below the highest
// (RFC 6347, Section 4.1.2.6).
type dtlsNumbers struct {
	next   uint64     // after the highest
	hashes [32]uint16 // of records, by number
	done   bool       // a hello was read
	major  byte       // of the version of the first one
}

// note notes a record with a hash. It reports whether another one had its number, or it is
// so old that it may be dropped.
func (n *dtlsNumbers) note(number uint64, hash uint16) (replayed, old bool) {
	const window = uint64(len(n.hashes))
	if number+window < n.next {
		return false, true
	}
	for ; n.next <= number; n.next++ {
		n.next = max(n.next, number-min(number, window-1))
		n.hashes[n.next%window] = 0
	}
	slot := &n.hashes[number%window]
	if *slot != 0 && *slot != hash|1 {
		return true, false
	}
	*slot = hash | 1
	return false, false
}

// withoutReplays notes the records of a datagram, and returns it without those that receivers
// drop. A replayed record is in doubt, not dropped, if it has a whole hello, which servers that
// keep no state read, if the server may have started over, or if the earlier record may not have
// reached it.
func (s *Scanner) withoutReplays(ss *session, b []byte) []byte {
	if ss.numbers.done && s.time.Sub(ss.noted().doneAt) >= newHandshake && beginsHandshake(b) {
		*ss.numbers = dtlsNumbers{}
	}
	var drops uint64 // by record
	i := 0
	for r := range plainRecords(b) {
		if ss.numbers.major == 0 {
			ss.numbers.major = r[1]
		}
		if r[0] == recordHandshake && r[1] != ss.numbers.major { // which OpenSSL drops
			ss.doubts = ss.doubts.With(Fragments)
		}
		replayed, old := ss.numbers.note(binary.BigEndian.Uint64(r[3:]), uint16(s.hash(r)))
		switch {
		case replayed && ss.noted().doneAt.IsZero() && ss.doubts == 0 && !ss.refused && !ss.mixed && ss.inProgress() && !isWhole(r):
			drops |= 1 << i
		case replayed, old:
			ss.doubts = ss.doubts.With(Fragments)
		}
		i++
	}
	if drops == 0 {
		return b
	}
	ss.replayed = true
	kept := []byte(nil)
	for r := range plainRecords(b) {
		if drops&1 == 0 {
			kept = append(kept, r...)
		}
		drops >>= 1
	}
	return kept
}

// beginsHandshake reports whether a datagram has a fragment of a first message.
func beginsHandshake(b []byte) bool {
	for fragment := range assemble.DTLSFragments(b) {
		if fragment.Seq == 0 {
			return true
		}
	}
	return false
}

// isWhole reports whether a record begins with a message in one fragment.
func isWhole(record []byte) bool {
	const header = 12
	m := record[dtlsRecordHeader:]
	return len(m) >= header && bytes.Equal(m[1:4], m[9:12])
}
