// Package peek reads a ClientHello from a connection before something else does: a router,
// a server that wants to know its client, a sniffer of one's own streams.
//
//	conn := peek.NewConn(inner, peek.Options{})
//	hello, err := conn.Hello(ctx)
//
// Whoever reads from conn afterwards gets every byte, those of the hello included.
// [NewListener] does the same for all connections of a listener, and [Read] for any
// [io.Reader].
//
// # Promise
//
//   - No byte is read beyond the record that completes the hello (TestReadsNoFurther).
//   - What is held grows with what has arrived, from 2 KiB, and not with what a header
//     announces. It is refused at Options.Limit (TestLimit).
//   - No goroutine is left behind, and the deadline of the connection is cleared
//     (TestDeadline).
package peek

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// DefaultLimit is the default of Options.Limit: a record of the greatest length, with its
// header. The hellos of browsers have about 2,000 bytes.
const DefaultLimit = 5 + 16<<10

// DefaultTimeout is the default of Options.Timeout.
const DefaultTimeout = 10 * time.Second

// Options holds the limits for reading a ClientHello. A field that is 0 or negative takes
// its default.
type Options struct {
	// Limit is how many bytes are read and held for one hello, headers of records
	// included; by default DefaultLimit.
	Limit int
	// Timeout is how long a client may take, by default DefaultTimeout.
	Timeout time.Duration
	// Proxy accepts a header of the PROXY protocol, version 1 or 2, before the hello. Set it
	// only if all clients are proxies that you trust: anybody can send a header.
	Proxy bool

	// Waiting is how many connections a Listener has at a time that Accept has not returned,
	// by default DefaultWaiting. If one more comes, the one that has waited for longest is
	// refused.
	Waiting int
	// Total is how many bytes the hellos of these connections may take, by default DefaultTotal.
	// One that needs more takes the place of the one that has waited for longest.
	Total int
	// Refused, if not nil, is called by a Listener with each connection that brought no
	// hello, and why. The connection is closed when Refused returns. By default, Refused is
	// (*Conn).Refuse; a function of your own calls it to send the alert. It must return soon:
	// the connection no longer counts for the limits.
	Refused func(*Conn, error)
}

// Hello is a ClientHello and what it came in.
type Hello struct {
	clienthello.ClientHello
	// Raw is every byte that was read: the header of the PROXY protocol, if there is one,
	// and the records.
	Raw []byte
	// Header is the length of the PROXY protocol's header.
	Header int
	// Src and Dst are the addresses in that header, as the proxy saw them; they are not
	// valid if it has none.
	Src, Dst netip.AddrPort
}

// The errors of a client that speaks something else, and of one that says too much. Other
// errors are:
//
//   - of a malformed hello, an [extension.Code] that [errors.As] finds, and that
//     [errors.Is] finds by its value;
//   - io.EOF if the client sent nothing, and io.ErrUnexpectedEOF if it ended in its hello;
//   - os.ErrDeadlineExceeded and context.Canceled if time is up;
//   - those of the connection.
var (
	ErrNotTLS      = errors.New("the client does not begin with a TLS handshake")
	ErrTooLarge    = errors.New("the ClientHello is too large")
	ErrProxyHeader = errors.New("the header of the PROXY protocol is malformed")
)

// Read reads a ClientHello from r. It ignores Options.Timeout. If err is not nil, the Raw of
// the Hello is what has been read.
func Read(r io.Reader, o Options) (Hello, error) {
	b := buffer{r: r, limit: orDefault(o.Limit, DefaultLimit)}
	var hello Hello
	err := b.read(&hello, o.Proxy)
	hello.Raw = b.data
	if err != nil {
		err = fmt.Errorf("peek: %w", err)
	}
	return hello, err
}

const (
	recordHeaderLen    = 5
	handshakeHeaderLen = 4
	firstBuffer        = 2 << 10
)

// buffer holds what has been read.
type buffer struct {
	r     io.Reader
	data  []byte
	limit int
	total func(n int) bool // reserves memory for n more bytes, if there is any; may be nil

	message []byte   // of a hello in several records
	first   [16]byte // data, until there are more: a silent client takes no memory
}

func (b *buffer) reserve(n int) bool { return b.total == nil || b.total(n) }

// fill reads until n bytes are there. Memory grows with what has arrived.
func (b *buffer) fill(n int) error {
	if n > b.limit {
		return ErrTooLarge
	}
	if b.data == nil {
		b.data = b.first[:0]
	}
	for len(b.data) < n {
		if len(b.data) == cap(b.data) {
			size := max(firstBuffer, min(2*cap(b.data), b.limit))
			if !b.reserve(size - len(b.data)) {
				return ErrTooLarge
			}
			b.data = append(make([]byte, 0, size), b.data...)
		}
		got, err := b.r.Read(b.data[len(b.data):min(n, cap(b.data))])
		b.data = b.data[:len(b.data)+got]
		switch {
		case len(b.data) == n || err == nil && got > 0:
		case err == nil:
			return io.ErrNoProgress
		case err == io.EOF && len(b.data) > 0:
			return io.ErrUnexpectedEOF
		default:
			return err
		}
	}
	return nil
}

// read reads the header of the PROXY protocol, if proxy is set, and then whole records until
// the hello is complete.
func (b *buffer) read(hello *Hello, proxy bool) error {
	if proxy {
		if err := b.readProxy(hello); err != nil {
			return err
		}
	}
	var records assemble.Records
	var message []byte
	for at := hello.Header; message == nil; at = len(b.data) {
		err := b.record(records, at)
		if err != nil {
			return err
		}
		if message, err = b.join(&records, b.data[at:]); err != nil {
			return err
		}
	}
	h, offset, err := clienthello.Parse(message)
	if err != nil {
		return malformed(err, offset)
	}
	hello.ClientHello = h
	return nil
}

// record reads the record that begins at offset at, to its end. What its first bytes show is
// not waited for: records, which is a copy, takes them as they come.
func (b *buffer) record(records assemble.Records, at int) error {
	fed, end := at, at+recordHeaderLen
	for want := end; ; {
		missing := b.fill(want)
		if err := b.check(&records, records.Feed(b.data[fed:])); err != nil {
			return err
		}
		if missing != nil {
			return missing
		}
		if fed = len(b.data); fed == at+recordHeaderLen {
			end = fed + (int(b.data[fed-2])<<8 | int(b.data[fed-1]))
			want = min(fed+handshakeHeaderLen, end)
		} else {
			want = end
		}
		if fed == end {
			return nil
		}
	}
}

// join gives a record to the assembler, and memory if the hello is in several. It returns
// the message when it is complete.
func (b *buffer) join(records *assemble.Records, record []byte) ([]byte, error) {
	for {
		r := records.Feed(record)
		switch {
		case r.Outcome == assemble.Complete:
			return r.Message, nil
		case r.Code == extension.ErrOverLimit && records.MessageLen() <= b.limit:
			size := min(max(firstBuffer, 2*len(b.message)), records.MessageLen())
			if !b.reserve(size - len(b.message)) {
				return nil, ErrTooLarge
			}
			b.message = make([]byte, size)
			records.Grow(b.message)
			record = record[r.Used:]
		default:
			return nil, b.check(records, r)
		}
	}
}

// check returns the error for what an assembler without memory answers.
func (b *buffer) check(records *assemble.Records, r assemble.Result) error {
	switch {
	case r.Outcome == assemble.Unrecognized:
		return ErrNotTLS
	case r.Code == extension.ErrOverLimit && records.MessageLen() <= b.limit, r.Outcome != assemble.Refused:
		return nil
	case r.Code == extension.ErrOverLimit, r.Code == extension.ErrMessageTooLarge:
		return fmt.Errorf("%w: %d bytes, the limit is %d: %w", ErrTooLarge, records.MessageLen(), b.limit, r.Code)
	}
	return malformed(r.Code, r.Offset)
}

func malformed(err error, offset int) error {
	return fmt.Errorf("the ClientHello is malformed: %w at byte %d", err, offset)
}

// Alert returns the alert that tells a client why its hello was refused with err, an error of
// this package, and false if none does.
func Alert(err error) (extension.Alert, bool) {
	var code extension.Code
	switch {
	case errors.As(err, &code):
		return code.Alert(), true
	case errors.Is(err, ErrTooLarge):
		return extension.AlertIllegalParameter, true
	}
	return 0, false
}

// AppendAlert appends a record with a fatal alert, as defined in RFC 9846, Section 6, to b.
// It is for clients that wait for an answer to their ClientHello, which is internal_error if
// their backend cannot be reached.
func AppendAlert(b []byte, a extension.Alert) []byte {
	const recordAlert, levelFatal = 21, 2
	return append(b, recordAlert, 3, 3, 0, 2, levelFatal, byte(a))
}
