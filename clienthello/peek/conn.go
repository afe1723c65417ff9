package peek

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

type netConn = net.Conn

// Conn is a connection whose ClientHello can be read first: Read returns its bytes again. It
// passes all other calls to the connection that it wraps. Hello may be called at any time; the
// other methods may be called by several goroutines if those of the wrapped connection may.
type Conn struct {
	netConn
	options Options
	total   func(int) bool

	mu     sync.Mutex // of what follows, and held while the hello is read
	peeked bool
	hello  Hello
	err    error
	replay []byte // what Read has not returned yet
}

// NewConn returns a Conn around c, from which nothing has been read.
func NewConn(c net.Conn, o Options) *Conn { return &Conn{netConn: c, options: o} }

// Hello reads the ClientHello and returns it; further calls return the same. It gives up
// after Options.Timeout, or when ctx is done, and then clears the read deadline. The error
// wraps those of this package, os.ErrDeadlineExceeded, or the cause of ctx. What has been
// read of a hello that was refused is in its Raw, and comes again as well.
func (c *Conn) Hello(ctx context.Context) (Hello, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.peeked {
		c.peeked = true
		c.err = c.peek(ctx)
	}
	return c.hello, c.err
}

func (c *Conn) peek(ctx context.Context) error {
	timeout := c.options.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	if err := c.netConn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return fmt.Errorf("peek: %w", err)
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		c.netConn.SetReadDeadline(time.Unix(1, 0))
	})
	b := buffer{r: c.netConn, limit: orDefault(c.options.Limit, DefaultLimit), total: c.total}
	err := b.read(&c.hello, c.options.Proxy)
	if !stop() {
		<-interrupted // so that it does not set the deadline later
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
	}
	c.hello.Raw = b.data
	c.replay = b.data[c.hello.Header:]
	clearErr := c.netConn.SetReadDeadline(time.Time{})
	if err == nil {
		err = clearErr
	}
	if err != nil {
		return fmt.Errorf("peek: %w", err)
	}
	return nil
}

// NetConn returns the connection that c wraps. What Hello has read no longer comes from it.
func (c *Conn) NetConn() net.Conn { return c.netConn }

// Read returns the bytes that Hello has read, without a header of the PROXY protocol, and
// then reads from the wrapped connection.
func (c *Conn) Read(p []byte) (int, error) {
	if n, ok := c.again(p); ok {
		return n, nil
	}
	return c.netConn.Read(p)
}

// again copies bytes that Hello has read to p, if any are left.
func (c *Conn) again(p []byte) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.replay) == 0 {
		return 0, false
	}
	n := copy(p, c.replay)
	c.replay = c.replay[n:]
	return n, true
}

// WriteTo writes what is read to w until the end. If both are TCP connections, the kernel
// moves the bytes where it can. io.Copy calls WriteTo and ReadFrom.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	c.mu.Lock()
	replay := c.replay
	c.replay = nil
	c.mu.Unlock()
	if len(replay) > 0 {
		if n, err := w.Write(replay); err != nil {
			c.mu.Lock()
			c.replay = replay[n:]
			c.mu.Unlock()
			return int64(n), err
		}
	}
	n, err := io.Copy(w, c.netConn)
	return int64(len(replay)) + n, err
}

// ReadFrom writes what it reads from r, with the ReadFrom of the wrapped connection if that
// has one.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.netConn, r) }

// CloseWrite shuts down the writing side of the wrapped connection. It returns
// errors.ErrUnsupported if that has no method CloseWrite.
func (c *Conn) CloseWrite() error {
	if inner, ok := c.netConn.(interface{ CloseWrite() error }); ok {
		return inner.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn returns the raw connection of the wrapped one, or errors.ErrUnsupported if
// that has none.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if inner, ok := c.netConn.(syscall.Conn); ok {
		return inner.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Refuse sends the alert for err, an error of Hello, if there is one. It does not close the
// connection, and does not wait for longer than a second for a client that does not read.
func (c *Conn) Refuse(err error) {
	if alert, ok := Alert(err); ok {
		c.netConn.SetWriteDeadline(time.Now().Add(time.Second))
		c.netConn.Write(AppendAlert(nil, alert))
		c.netConn.SetWriteDeadline(time.Time{})
	}
}
