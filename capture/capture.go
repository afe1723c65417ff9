package capture

import (
	"net/netip"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// The defaults of Options. Together they keep a process that does nothing else below 64
// MB resident, whatever the traffic (TestFloods), if the garbage collector is given a limit
// too, as by debug.SetMemoryLimit: what the program itself leaves behind comes on top.
const (
	// DefaultMaxFlows is how many connections are followed at a time. Most are decided
	// within a round trip, so this is enough for hundreds of thousands of new
	// connections a second. A flow takes about 300 bytes.
	DefaultMaxFlows = 1 << 15
	// DefaultMaxMemory is how many bytes are held of hellos that are not whole yet. A
	// hello of today takes 2 kB, so it is enough for thousands that are in flight.
	DefaultMaxMemory = 16 << 20
)

// Options holds the limits of a Scanner. A field that is 0 or negative takes its default.
type Options struct {
	MaxFlows  int // connections followed at a time, at most
	MaxMemory int // bytes held of unfinished hellos, at most
}

// Transport is what carries a ClientHello.
type Transport string

const (
	TCP  Transport = "tcp"  // TLS records over TCP
	QUIC Transport = "quic" // CRYPTO frames in Initial packets
	DTLS Transport = "dtls" // DTLS records over UDP
)

// Pieces counts the parts in which a ClientHello arrived. Retransmissions are left
// out; what the transport does not have is 0.
type Pieces struct {
	Segments  int // of TCP
	Records   int // of TLS or DTLS
	Packets   int // of QUIC
	Datagrams int // of UDP
}

// Hello is a ClientHello that was found. Its slices hold until the next one is
// asked for.
type Hello struct {
	Transport Transport
	Src, Dst  netip.AddrPort // from the client, to the server
	Time      time.Time      // of the packet that completed the hello

	// Frames are the packets that carried it, counted from 1 over the whole capture,
	// in the order in which their bytes stand in the hello.
	Frames []int
	Pieces Pieces

	// Message is the handshake message with its header, ready for Parse. Where the
	// hello was refused it is what there is of it, which may be nothing.
	Message []byte

	// Code is 0, or says why the carrier refused the hello; Offset then says where, in
	// bytes from the start of the client's stream or of the datagram. Use Err to get an
	// error: a zero Code in a variable of type error is not nil.
	Code   extension.Code
	Offset int

	// Index is 1, or 2 for the ClientHello that answers a HelloRetryRequest or
	// HelloVerifyRequest.
	Index int
	// FlagsChanged says of a second hello that its tls_flags extension is not the
	// first one's, which RFC 9846, Section 4.2.2 forbids.
	FlagsChanged bool
	// QUIC and DTLS describe the packets; each is zero for other transports. The slices
	// hold until the next hello is asked for.
	QUIC assemble.QUICInfo
	DTLS assemble.DTLSInfo

	// Prologue is how many bytes the client sent before TLS: a request to turn to TLS, or
	// what is meant for a proxy. It is 0 in most connections.
	Prologue int
	// Trailing is how many bytes follow the message in its record. RFC 9846, Section
	// 5.1 wants 0.
	Trailing int
}

// Err returns the Code as an error, or nil if it is 0.
func (h *Hello) Err() error {
	if h.Code == 0 {
		return nil
	}
	return h.Code
}

// Parse parses the message, as TLS or DTLS has it. A refused hello gives its Code
// and Offset, which then count in the stream and not in the message.
func (h *Hello) Parse() (clienthello.ClientHello, int, error) {
	switch {
	case h.Code != 0:
		return clienthello.ClientHello{}, h.Offset, h.Code
	case h.Transport == DTLS:
		return clienthello.ParseDTLS(h.Message)
	}
	return clienthello.Parse(h.Message)
}

// Stats counts what a Scanner has seen so far.
type Stats struct {
	Packets int // all of them
	Bytes   int // in them, as captured
	Flows   int // connections; one that was given up and comes back counts again

	Hellos     int // complete, second ones included
	Refused    int // hellos that the carrier refused
	Incomplete int // hellos that began, and were not whole when the capture ended
	Evicted    int // flows that made room for others before they were decided

	Dropped     int // packets that the kernel dropped in a live capture, since its buffer was full
	Other       int // packets without TCP and UDP
	UnknownLink int // packets of a link type that is not read
	Broken      int // packets whose headers contradict themselves
	Truncated   int // packets of which the capture has only the beginning
	TooDeep     int // packets with more than 32 headers inside each other
	Fragments   int // fragments of IP packets, which are reassembled
}
