package assemble

import (
	"bytes"
	"encoding/binary"
	"slices"
)

const (
	sctpData        = 0  // RFC 9260, Section 3.3.1
	sctpIData       = 64 // RFC 8260, Section 2.1
	sctpEnd         = 1  // flags of both: the last fragment
	sctpBegin       = 2  // the first fragment
	sctpTSNAt       = 4
	sctpProtocolAt  = 12 // of DATA
	sctpDataHeader  = 16
	sctpIDataHeader = 20
)

// SCTP reads a ClientHello of DTLS from the DATA and I-DATA chunks of one end of an association
// (RFC 6083, Section 3; RFC 9260, Section 3.3.1; RFC 8260, Section 2.1). Each user message is a
// record of DTLS. It may be in fragments, which have TSNs that follow one another:
//
//	Type, Flags, Length (2 bytes), TSN (4 bytes), ..., user data
//
// Fragments may come out of order, and more than once. The outcome is [Unrecognized] for another
// chunk. Otherwise it is that of [DTLS]; the Offset is in the user message.
type SCTP struct {
	dtls   DTLS
	final  Result
	limit  int
	pieces int

	fragments []sctpFragment // of messages that are not whole
	bytes     int            // in fragments
}

// sctpFragment is a part of a user message.
type sctpFragment struct {
	tsn   uint32
	flags byte
	data  []byte
}

var _ Assembler = (*SCTP)(nil)

// Reset makes s as new, with memory for a message in fragments of DTLS. User messages in
// fragments of SCTP are then not read.
func (s *SCTP) Reset(memory []byte) {
	*s = SCTP{}
	s.dtls.Reset(memory)
}

// ResetGrowing is Reset with memory that s allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (s *SCTP) ResetGrowing(limit int) {
	*s = SCTP{limit: limit}
	s.dtls.ResetGrowing(limit)
}

// Held returns how many bytes s has allocated since ResetGrowing.
func (s *SCTP) Held() int { return s.dtls.Held() + s.bytes + len(s.fragments)*farCost }

// Next prepares s, which must have completed a message, for the ClientHello that follows a
// HelloVerifyRequest or a HelloRetryRequest, as [DTLS.Next] does.
func (s *SCTP) Next() {
	if s.final.Outcome == Complete {
		s.final, s.pieces = Result{}, 0
		s.dtls.Next()
	}
}

// Progress counts the chunks that were kept or read.
func (s *SCTP) Progress() Progress { return Progress{Pieces: s.pieces} }

// Info is [DTLS.Info].
func (s *SCTP) Info() DTLSInfo { return s.dtls.Info() }

// Begun reports whether a record of DTLS has begun. Fragments that come out of order may be of
// something else.
func (s *SCTP) Begun() bool {
	return s.dtls.Info().Records > 0 || slices.ContainsFunc(s.fragments, func(f sctpFragment) bool { return f.flags&sctpBegin != 0 })
}

// Feed takes one chunk.
func (s *SCTP) Feed(chunk []byte) Result {
	if s.final.Outcome != NeedMore {
		return s.final
	}
	result := s.read(chunk)
	result.Used = 0
	s.final = result
	result.Used = len(chunk)
	return result
}

func (s *SCTP) read(chunk []byte) Result {
	header := sctpDataHeader
	if len(chunk) > 0 && chunk[0] == sctpIData {
		header = sctpIDataHeader
	}
	if len(chunk) <= header || chunk[0] != sctpData && chunk[0] != sctpIData {
		return Result{Outcome: Unrecognized}
	}
	flags, data := chunk[1]&(sctpBegin|sctpEnd), chunk[header:]
	if flags == sctpBegin|sctpEnd {
		return s.message(data)
	}
	f := sctpFragment{binary.BigEndian.Uint32(chunk[sctpTSNAt:]), flags, data}
	if s.isDTLS(f, binary.BigEndian.Uint32(chunk[sctpProtocolAt:])) && s.keep(f) {
		if message := s.join(f.tsn); message != nil {
			return s.message(message)
		}
	}
	if len(s.fragments) == 0 && s.dtls.Info() == (DTLSInfo{}) {
		return Result{Outcome: Unrecognized}
	}
	return Result{}
}

// message takes a user message.
func (s *SCTP) message(b []byte) Result {
	before := s.dtls.Progress()
	result := s.dtls.Feed(b)
	if result.Outcome == Complete || s.dtls.Progress() != before {
		s.pieces++
	}
	return result
}

// isDTLS reports whether the message of a fragment is of DTLS: its first fragment shows
// it, or the payload protocol identifier, or what was read before.
func (s *SCTP) isDTLS(f sctpFragment, protocol uint32) bool {
	const diameter, ngap, e1ap = 47, 66, 69 // over DTLS; IANA's "SCTP Payload Protocol Identifiers"
	if f.flags&sctpBegin != 0 {
		return len(f.data) > dtlsEpochAt && f.data[0] == recordHandshake && isDTLS(f.data[dtlsVersionAt:])
	}
	return s.pieces > 0 || protocol == diameter || protocol >= ngap && protocol <= e1ap
}

// keep keeps a fragment. It reports whether it is new.
func (s *SCTP) keep(f sctpFragment) bool {
	if s.limit == 0 || len(s.fragments) == maxAhead || s.bytes+len(f.data) > maxAheadBytes || s.find(f.tsn) >= 0 {
		return false
	}
	f.data = bytes.Clone(f.data)
	s.fragments = append(s.fragments, f)
	s.bytes += len(f.data)
	s.pieces++
	return true
}

// find returns the index of the fragment with a TSN, or -1.
func (s *SCTP) find(tsn uint32) int {
	for i := range s.fragments {
		if s.fragments[i].tsn == tsn {
			return i
		}
	}
	return -1
}

// join returns the message with the fragment that has a TSN, and forgets its fragments. It
// returns nil if the message is not whole.
func (s *SCTP) join(tsn uint32) (message []byte) {
	first := tsn
	for s.fragments[s.find(first)].flags&sctpBegin == 0 {
		if first--; s.find(first) < 0 {
			return nil
		}
	}
	last, n := first, 0
	for {
		i := s.find(last)
		if i < 0 {
			return nil
		}
		if n += len(s.fragments[i].data); s.fragments[i].flags&sctpEnd != 0 {
			break
		}
		last++
	}
	message = make([]byte, 0, n)
	for ; first != last+1; first++ {
		i := s.find(first)
		message = append(message, s.fragments[i].data...)
		s.fragments = append(s.fragments[:i], s.fragments[i+1:]...)
	}
	s.bytes -= n
	return message
}
