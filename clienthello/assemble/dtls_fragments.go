package assemble

import "iter"

// DTLSFragment is the header of a fragment of a ClientHello.
type DTLSFragment struct {
	Seq    int // message_seq
	Length int // of the body of the whole message

	// End is the offset in the datagram of the end of its record.
	End int
	// Late says that a change_cipher_spec comes before it in the datagram. OpenSSL passes over
	// that, and GnuTLS does not.
	Late bool
}

// DTLSFragments yields the fragments of ClientHellos in a datagram of DTLS, as far as they are
// well-formed and servers read them: up to an alert or a record of an unknown type in epoch 0.
// Encrypted records are skipped. It is for callers that keep several messages of a client apart;
// see [DTLS.Await].
func DTLSFragments(datagram []byte) iter.Seq[DTLSFragment] {
	return func(yield func(DTLSFragment) bool) {
		var f DTLSFragment
		for b := datagram; len(b) >= dtlsRecordHeaderLen && isDTLS(b[dtlsVersionAt:]); { //mutation:equivalent an empty record yields nothing
			end := dtlsRecordHeaderLen + int(b[dtlsLengthAt])<<8 + int(b[dtlsLengthAt+1])
			if end > len(b) {
				return
			}
			f.End += end
			switch encrypted := b[dtlsEpochAt]|b[dtlsEpochAt+1] != 0; {
			case encrypted, b[0] == recordHandshake && end-dtlsRecordHeaderLen > maxRecord:
			case b[0] == recordHandshake:
				if !yieldFragments(b[dtlsRecordHeaderLen:end], f, yield) {
					return
				}
			case b[0] == recordChangeCipherSpec:
				f.Late = true
			default:
				return
			}
			b = b[end:]
		}
	}
}

// yieldFragments yields the fragments in a record. It reports whether the next record is to
// be read.
func yieldFragments(b []byte, f DTLSFragment, yield func(DTLSFragment) bool) bool {
	for len(b) > 0 {
		if len(b) < dtlsFragmentHeaderLen {
			return false
		}
		end := dtlsFragmentHeaderLen + int(b[9])<<16 + int(b[10])<<8 + int(b[11]) //mutation:equivalent from 2^16 on, it is longer than a record
		if end > len(b) {
			return false
		}
		f.Seq, f.Length = int(b[4])<<8|int(b[5]), int(b[1])<<16|int(b[2])<<8|int(b[3])
		if b[0] == typeClientHello && !yield(f) {
			return false
		}
		b = b[end:]
	}
	return true
}
