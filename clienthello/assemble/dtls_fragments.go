package assemble

import "iter"

// DTLSFragment is the header of a fragment of a ClientHello.
type DTLSFragment struct {
	Seq    int  // message_seq
	Length int  // of the body of the whole message
	Late   bool // a record of another type, or encrypted, comes before it in the datagram
}

// DTLSFragments yields the fragments of ClientHellos in a datagram of DTLS, as far as they
// are well-formed. It is meant for those who keep several messages of a client apart; see
// [DTLS.Await].
func DTLSFragments(datagram []byte) iter.Seq[DTLSFragment] {
	return func(yield func(DTLSFragment) bool) {
		late := false
		for b := datagram; len(b) >= dtlsRecordHeaderLen && b[1] == dtlsMajor; {
			end := dtlsRecordHeaderLen + int(b[dtlsLengthAt])<<8 + int(b[dtlsLengthAt+1])
			if end > len(b) {
				return
			}
			if b[0] != recordHandshake || b[dtlsEpochAt]|b[dtlsEpochAt+1] != 0 || end-dtlsRecordHeaderLen > maxRecord {
				late = true
			} else if !yieldFragments(b[dtlsRecordHeaderLen:end], late, yield) {
				return
			}
			b = b[end:]
		}
	}
}

// yieldFragments yields the fragments in a record. It reports whether the next record is to
// be read.
func yieldFragments(b []byte, late bool, yield func(DTLSFragment) bool) bool {
	for len(b) > 0 {
		if len(b) < dtlsFragmentHeaderLen {
			return false
		}
		end := dtlsFragmentHeaderLen + int(b[9])<<16 + int(b[10])<<8 + int(b[11])
		if end > len(b) {
			return false
		}
		if b[0] == typeClientHello && !yield(DTLSFragment{int(b[4])<<8 | int(b[5]), int(b[1])<<16 | int(b[2])<<8 | int(b[3]), late}) {
			return false
		}
		b = b[end:]
	}
	return true
}
