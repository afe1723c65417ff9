package capture

import "bytes"

// noteDTLSAnswer takes a datagram that may be of the server of a client.
func (s *Scanner) noteDTLSAnswer(key flowKey, b []byte) {
	const serverHello, helloVerifyRequest, randomAt = 2, 3, 12 + 2
	helloRetryRequest := []byte{0xcf, 0x21, 0xad, 0x74} // RFC 9846, Section 4.2.3
	key.lo, key.hi = key.hi, key.lo
	f := s.flows.flows.get(key)
	if f == nil || f.session == nil {
		return
	}
	ss := f.session
	ss.refused = ss.refused || isFatalAlert(b)
	for r := range plainRecords(b) {
		m := r[dtlsRecordHeader:]
		if r[0] != recordHandshake || len(m) < randomAt+len(helloRetryRequest) {
			continue
		}
		switch m[0] {
		case serverHello:
			ss.served = !bytes.HasPrefix(m[randomAt:], helloRetryRequest)
		case helloVerifyRequest:
			ss.served = false
		}
	}
}

// isFatalAlert reports whether a datagram is an alert, in epoch 0, after which the server reads
// nothing more.
func isFatalAlert(b []byte) bool {
	const fatal = 2
	return len(b) == dtlsRecordHeader+2 && b[0] == recordAlert && isDTLSVersion(b[1:]) && b[3]|b[4] == 0 && b[dtlsRecordHeader] == fatal
}
