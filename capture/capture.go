package capture

import (
	"net/netip"
	"time"

	"github.com/tlsflags/tlsflags/capture/filter"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// The defaults of Options. How much more of the process is resident depends on the garbage
// collector, which lets the heap double by default: see "Limits" in docs/capture.md.
const (
	// DefaultMaxFlows is the number of connections that are followed at a time. A flow takes
	// about 450 bytes of the memory.
	DefaultMaxFlows = 1 << 18
	// DefaultMaxMemory is the number of bytes that a Scanner holds. It is enough for 100,000
	// hellos of 2 kB that wait for their second half.
	DefaultMaxMemory = 208 << 20
	// DefaultRing is the number of bytes for packets that a live capture has not read yet.
	DefaultRing = 64 << 20
)

// Options holds the limits of a Scanner. A field that is 0 or negative takes its default.
type Options struct {
	MaxFlows  int // connections followed at a time, at most
	MaxMemory int // bytes held, at most

	// Workers is how many goroutines scan a capture file at a time, up to 64. With 0 and 1 it
	// is scanned in the goroutine of the loop over Hellos. It counts for [Open] and
	// [Budget.Open], but not with [Reader.Tap]; see the package documentation.
	Workers int

	Checksums Checksums // which checksums count
	// MergePaths says that packets with the same addresses and ports are of one flow
	// whatever their VLANs and tunnels. It is for mirrored traffic whose directions arrive
	// in different VLANs.
	MergePaths bool

	// Ring is how many bytes [Live] gives the kernel for packets that have not been read yet,
	// besides MaxMemory: 64 MiB by default, 2 MiB to 1 GiB, in steps of 1 MiB.
	Ring int

	// Filter chooses the packets of a [Reader]: the others only count as packets, and a live
	// capture does not even get them. A Scanner does not look at it, since it takes what it is
	// given. The link types that it knows are those of [filter.Filter.Program]; a file with
	// another one is an error.
	Filter *filter.Filter
}

// Pieces counts the parts in which a ClientHello arrived, without retransmissions. Parts
// that the transport does not have are 0.
type Pieces struct {
	Segments  int // of TCP
	Records   int // of TLS or DTLS
	Packets   int // of QUIC
	Datagrams int // of UDP
}

// Hello is a ClientHello that was found. Its slices are valid until the next one is
// found.
type Hello struct {
	Transport Transport
	Src, Dst  netip.AddrPort // from the client, to the server; not valid without IP
	Flow      uint64         // number of the connection, as in FlowPart; 0 without Reader.Tap
	Time      time.Time      // of the packet that completed the hello

	// Frames are the packets that carried it, counted from 1 over the whole capture, in
	// the order of their bytes in the hello.
	Frames []int
	Pieces Pieces

	// Message is the handshake message with its header, ready for Parse. If the hello was
	// refused, it is as much of it as there is, which may be nothing;
	// [clienthello.ParsePartial] reads that.
	Message []byte

	// Code is 0, or says why the carrier refused the hello; Offset then says where, in
	// bytes from the start of the client's stream or of the datagram. Use Err to get an
	// error: a zero Code in a variable of type error is not nil.
	Code   extension.Code
	Offset int

	// Index is 1, or 2 for the ClientHello that answers a HelloRetryRequest or
	// HelloVerifyRequest.
	Index int
	// FlagsChanged says that the tls_flags extension of a second hello differs from that of
	// the first one, which RFC 9846, Section 4.2.2 forbids.
	FlagsChanged bool
	// QUIC and DTLS describe the packets; each is zero for other transports.
	QUIC assemble.QUICInfo
	DTLS assemble.DTLSInfo

	// Prologue is the number of bytes that the client sent before TLS: a request to use
	// TLS, or a header for a proxy. It is 0 in most connections.
	Prologue int
	// PrologueProtocol names the protocol of these bytes: "proxy", "http", "socks4",
	// "socks5", "smtp", "lmtp", "imap", "pop3", "ftp", "nntp", "managesieve", "xmpp", "ldap",
	// "postgresql", "mysql", "rdp", "vnc", "amqp", "gnutella", "adb" or "irc"; the last one
	// if there are several. It is empty if it is not known.
	PrologueProtocol string
	// Trailing is the number of bytes after the message in its record. RFC 9846, Section
	// 5.1 requires 0.
	Trailing int

	// Ambiguous says why the server may have read something else; 0 means that nothing is in
	// doubt. Other Hellos may have the other readings. If there is neither a Message nor a
	// Code, no reading is a whole hello.
	Ambiguous Reasons
	// Faults are what is odd about the hello although the server read it.
	Faults []Fault
	// Contradicts are the packets of an earlier hello on which this one casts doubt.
	Contradicts []int
	// Path names the layers around the hello, outermost first, such as "eth", "vlan:7",
	// "ipv4:192.0.2.9>10.0.0.1", "udp", "vxlan:42", "eth", "ipv4", "tcp". IP layers around
	// other IP layers have their addresses. It must not be modified.
	Path []string

	servers clienthello.Servers     // that read what is around the message; 0: not of a Scanner
	single  bool                    // the packets have no other reading
	mixed   bool                    // or some that are mixtures of those in rows
	view    clienthello.ClientHello // of Message, or of another one that it had before
}

// Clone returns a copy of h that stays valid.
func (h *Hello) Clone() *Hello {
	c := keep(h)
	return &c
}

// Found reports whether h has a hello or a refusal, and not only a doubt.
func (h *Hello) Found() bool { return len(h.Message) > 0 || h.Code != 0 }

// Err returns the Code as an error, or nil if it is 0.
func (h *Hello) Err() error {
	if h.Code == 0 {
		return nil
	}
	return h.Code
}

// Parse parses the message, of TLS or DTLS. If h is of a Scanner, it does so as servers do
// ([clienthello.ParseTolerant]), and Faults has what they pass over. For a refused hello it
// returns Code and Offset; the latter is then an offset in the stream or datagram, and not
// in the message. For a doubt without a message it returns an error as well.
func (h *Hello) Parse() (clienthello.ClientHello, int, error) {
	switch {
	case h.Code != 0:
		return clienthello.ClientHello{}, h.Offset, h.Code
	case h.viewed():
		return h.view, len(h.Message), nil
	case h.servers != 0:
		hello, _, offset, err := h.parseTolerant()
		return hello, offset, err
	case h.Transport == DTLS:
		return clienthello.ParseDTLS(h.Message)
	}
	return clienthello.Parse(h.Message)
}

// viewed reports whether the view is that of the message, which callers may change.
func (h *Hello) viewed() bool {
	raw := h.view.Raw()
	return len(raw) > 0 && len(raw) == len(h.Message) && &raw[0] == &h.Message[0]
}

// Stats counts what a Scanner has seen so far.
type Stats struct {
	Packets int // all of them
	Bytes   int // in them, as captured
	Flows   int // connections; one of the latest that were evicted counts once if it is seen again

	Hellos     int // complete, second ones included
	Refused    int // hellos that the carrier refused
	Incomplete int // hellos that began, and were not complete when the capture ended
	Evicted    int // flows evicted at a limit that might have had a hello

	Ambiguous int              // hellos and other findings that are in doubt
	Doubts    [ReasonCount]int // the same by Reason, of which one may have several

	Dropped     int // packets that the kernel dropped, in a live capture or by the statistics of a pcapng file
	Other       int // packets without TCP and UDP
	Encrypted   int // packets of which a layer around TCP or UDP is encrypted, such as 802.11
	UnknownLink int // packets of a link type that is not read
	Broken      int // packets whose headers contradict themselves
	Truncated   int // packets of which the capture has only the beginning
	TooDeep     int // packets with more than 32 headers inside each other
	Fragments   int // fragments of IP packets, which are reassembled

	Cut     int // capture files that end in the middle of a packet
	Damaged int // places where a capture file is damaged; reading goes on at the next sound packet
	Skipped int // bytes that were passed over there

	UnknownLinks      Counts // of UnknownLink, by [LinkType]
	UnknownEtherTypes Counts // packets of an [EtherType] that is not read; they are in Other too
}
