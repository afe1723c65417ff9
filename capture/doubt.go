package capture

import (
	"iter"
	"math/bits"
	"strings"
)

// Reason says why the server may have read something else than what a Hello has. The list
// is closed: docs/capture.md explains each.
type Reason uint8

const (
	Overlap      Reason = iota // copies of the same bytes differ, and it is not known which one counts
	SYN                        // a SYN inside a connection, which may have begun another one
	SYNData                    // data in a SYN, which a server may ignore
	Checksum                   // a checksum that may be wrong
	IPHeader                   // a packet that hosts drop because of its IP header
	Segment                    // a segment that hosts discard because of its TCP header
	Tunnel                     // packets inside a tunnel differ from those of the same flow outside
	Records                    // TLS records that some servers refuse
	Malformed                  // a hello that some servers refuse
	SmallInitial               // QUIC Initial packets in a datagram under 1,200 bytes
	Initial                    // QUIC Initial packets that some servers refuse
	Fragments                  // DTLS fragments that contradict each other
	Unconfirmed                // a hello after bytes of an unknown protocol, and no answer was captured
	reasonEnd
)

// ReasonCount is the number of reasons; all are below it.
const ReasonCount = int(reasonEnd)

var reasonNames = [ReasonCount]string{
	Overlap:      "overlap",
	SYN:          "syn",
	SYNData:      "syn_data",
	Checksum:     "checksum",
	IPHeader:     "ip_header",
	Segment:      "segment",
	Tunnel:       "tunnel",
	Records:      "records",
	Malformed:    "hello",
	SmallInitial: "small_initial",
	Initial:      "initial",
	Fragments:    "fragments",
	Unconfirmed:  "unconfirmed",
}

// String returns the name of the reason in output, such as "syn_data".
func (r Reason) String() string {
	if int(r) < ReasonCount {
		return reasonNames[r]
	}
	return "unknown"
}

// Reasons is a set of reasons. The zero Reasons is empty: nothing is in doubt.
type Reasons uint32

// With returns the set with r in it.
func (s Reasons) With(r Reason) Reasons { return s | 1<<r }

// Has reports whether r is in the set.
func (s Reasons) Has(r Reason) bool { return s>>r&1 != 0 }

// Len returns the number of reasons.
func (s Reasons) Len() int { return bits.OnesCount32(uint32(s)) }

// All returns the reasons in the order of their numbers.
func (s Reasons) All() iter.Seq[Reason] {
	return func(yield func(Reason) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(Reason(bits.TrailingZeros32(uint32(s)))) {
				return
			}
		}
	}
}

// String returns the names, separated by commas.
func (s Reasons) String() string {
	var names []string
	for r := range s.All() {
		names = append(names, r.String())
	}
	return strings.Join(names, ",")
}

// Fault is something odd about a hello that the server read all the same.
type Fault struct {
	// Code is "overlap" if copies of the same bytes differed and the rules of TCP or IP
	// decided which of them count, another of the constants below, or the name of an
	// extension.Code.
	Code string
	// Offset counts bytes from the start of the client's stream or of the datagram, as
	// Hello.Offset does. For a fault of the message itself (session_id_too_long,
	// legacy_version and duplicate_extension) it counts from the start of the message.
	Offset int
}

// The Codes of a Fault that are not the name of an extension.Code.
const (
	FaultOverlap = "overlap" // copies differ
	FaultUrgent  = "urgent"  // a byte of urgent data, which an application does not read

	FaultTrailing = "record_trailing" // bytes after the message in its record
	FaultVersion  = "legacy_version"  // a legacy_version below SSL 3.0, or of it with supported_versions
)

// Checksums says which checksums count. A packet whose checksum counts and is wrong is
// not read by a host.
type Checksums uint8

const (
	// ChecksumsAuto, the default, counts a wrong checksum only if the other packets of its
	// flow and direction have right ones. A capture made on the sending host has none if
	// the network card computes them.
	ChecksumsAuto Checksums = iota
	// ChecksumsVerify counts every checksum.
	ChecksumsVerify
	// ChecksumsIgnore counts none.
	ChecksumsIgnore
)
