package peek

import (
	"container/list"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// The defaults of Options.Waiting and Options.Total.
const (
	DefaultWaiting = 1024
	DefaultTotal   = 16 << 20
)

// ErrReplaced is wrapped by the error of a connection that is refused since Options.Waiting
// others have come after it.
var ErrReplaced = errors.New("too many connections wait for their ClientHello, and this one has waited for longest")

// Listener accepts connections whose ClientHello has been read. Its methods may be called by
// several goroutines.
type Listener struct {
	net.Listener
	options Options
	start   sync.Once
	ready   chan accepted
	closed  context.Context
	close   context.CancelFunc
	held    atomic.Int64 // bytes

	mu      sync.Mutex
	waiting list.List // of context.CancelCauseFunc; the oldest is first
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// NewListener returns a Listener for the connections of l, which is closed with it. From the
// first call of Accept on it reads the hellos of Options.Waiting connections at a time, each
// in a goroutine of its own: no client holds up another.
func NewListener(l net.Listener, o Options) *Listener {
	x := &Listener{Listener: l, options: o, ready: make(chan accepted)}
	x.closed, x.close = context.WithCancel(context.Background())
	return x
}

// Accept returns the next connection whose hello has been read. It is a *Conn, and FromConn
// returns its hello. How many of them there are at a time is up to the caller. An error is
// net.ErrClosed, or one of the inner listener, such as that of too many open files.
func (x *Listener) Accept() (net.Conn, error) {
	x.start.Do(func() { go x.accept() })
	select {
	case a := <-x.ready:
		return a.conn, a.err
	case <-x.closed.Done():
		return nil, net.ErrClosed
	}
}

// Close closes the inner listener, and the connections that Accept has not returned.
func (x *Listener) Close() error {
	x.close()
	return x.Listener.Close()
}

func (x *Listener) accept() {
	for x.closed.Err() == nil {
		c, err := x.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			x.close()
			return
		}
		if err != nil {
			select {
			case x.ready <- accepted{err: err}:
			case <-x.closed.Done():
			}
			continue
		}
		ctx, cancel := context.WithCancelCause(x.closed)
		go x.peek(ctx, x.admit(cancel), c)
	}
}

// admit takes the place of a new connection, if need be that of the oldest.
func (x *Listener) admit(cancel context.CancelCauseFunc) *list.Element {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.waiting.Len() >= orDefault(x.options.Waiting, DefaultWaiting) {
		oldest := x.waiting.Remove(x.waiting.Front()).(context.CancelCauseFunc)
		oldest(ErrReplaced)
	}
	return x.waiting.PushBack(cancel)
}

// peek reads the hello of a connection and hands the connection to Accept.
func (x *Listener) peek(ctx context.Context, place *list.Element, c net.Conn) {
	var held int64
	conn := NewConn(c, x.options)
	conn.total = func(n int) bool {
		if x.held.Add(int64(n)) > int64(orDefault(x.options.Total, DefaultTotal)) {
			x.held.Add(-int64(n))
			return false
		}
		held += int64(n)
		return true
	}
	_, err := conn.Hello(ctx)
	if err == nil {
		select {
		case x.ready <- accepted{conn: conn}:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	x.held.Add(-held)
	x.mu.Lock()
	x.waiting.Remove(place) // which does nothing if admit has removed it
	x.mu.Unlock()
	place.Value.(context.CancelCauseFunc)(nil)
	if err == nil {
		return
	}
	if x.options.Refused != nil {
		x.options.Refused(conn, err)
	} else {
		conn.Refuse(err)
	}
	c.Close()
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}
