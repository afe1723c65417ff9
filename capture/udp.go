package capture

// datagram takes a UDP datagram.
func (s *Scanner) datagram(seg *segment) {}
