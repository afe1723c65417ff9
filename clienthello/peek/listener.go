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

// ErrReplaced is wrapped by the error of a connection that is refused because Options.Waiting
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
	waiting list.List // of *place; the oldest is first
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

// place is that of a connection that Accept has not returned.
type place struct {
	cancel   context.CancelCauseFunc
	replaced bool          // guarded by mu of the Listener
	freed    chan struct{} // closed when its memory has been given back
}

// admit takes the place of a new connection, if need be that of the oldest.
func (x *Listener) admit(cancel context.CancelCauseFunc) *list.Element {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.waiting.Len() >= orDefault(x.options.Waiting, DefaultWaiting) {
		x.dismiss(x.waiting.Front())
	}
	return x.waiting.PushBack(&place{cancel: cancel, freed: make(chan struct{})})
}

// dismiss refuses a connection, whose goroutine ends soon. x.mu is held.
func (x *Listener) dismiss(e *list.Element) *place {
	p := x.waiting.Remove(e).(*place)
	p.replaced = true
	p.cancel(ErrReplaced)
	return p
}

// makeRoom takes the memory of the oldest connection for that of e. It returns false if e is
// the oldest, or has been dismissed: one waits for older ones only.
func (x *Listener) makeRoom(e *list.Element) bool {
	x.mu.Lock()
	oldest := x.waiting.Front()
	if oldest == nil || oldest == e || e.Value.(*place).replaced {
		x.mu.Unlock()
		return false
	}
	p := x.dismiss(oldest)
	x.mu.Unlock()
	<-p.freed
	return true
}

// peek reads the hello of a connection and hands the connection to Accept.
func (x *Listener) peek(ctx context.Context, e *list.Element, c net.Conn) {
	var held int64
	conn := NewConn(c, x.options)
	conn.total = func(n int) bool {
		for x.held.Add(int64(n)) > int64(orDefault(x.options.Total, DefaultTotal)) {
			x.held.Add(-int64(n))
			if !x.makeRoom(e) {
				return false
			}
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
	p := e.Value.(*place)
	x.held.Add(-held)
	close(p.freed)
	x.mu.Lock()
	x.waiting.Remove(e) // which does nothing if it was dismissed
	x.mu.Unlock()
	p.cancel(nil)
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
