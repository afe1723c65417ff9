package capture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gopacket/gopacket/afpacket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Live captures on network interfaces, by their names, until ctx is done or Close is called;
// Hellos ends then, within 100 ms, and Err returns nil. The name "any" stands for all
// interfaces, also those that come later. Live works on Linux, with the capability
// CAP_NET_RAW. Interfaces are not made promiscuous.
//
// A filter in the kernel passes packets that may carry a ClientHello, on any port; TCP
// segments without data are dropped. Packets that the kernel delivers twice, as it does on
// the loopback interface, are counted once. A hello whose packets pass several interfaces is
// found once, on the first ([Reader.File]).
//
// The kernel writes packets into a ring in memory ([Options.Ring]), and hands parts of it over
// after at most 10 ms. Packets that come while it is full are lost, and counted as
// [Stats.Dropped].
func Live(ctx context.Context, names []string, o Options) (*Reader, error) {
	s := &liveSource{}
	program, err := s.open(names, o)
	if err != nil {
		return nil, err
	}
	size := o.Ring
	if size <= 0 {
		size = DefaultRing
	}
	size = min(max(size, minRing), maxRing)
	if s.ring, err = newRing(s.bound, size); err != nil {
		return nil, ringError(err, names, size)
	}
	if err := s.attach(program); err != nil {
		s.ring.Close()
		if err == errDown {
			return nil, err
		}
		return nil, fmt.Errorf("setting the filter: %w", err)
	}
	s.stop = context.AfterFunc(ctx, func() { s.shut() })
	return &Reader{source: s, scanner: NewScanner(o)}, nil
}

const (
	minRing, maxRing = 2 << 20, 1 << 30 // bytes; the kernel would take what others need

	// A block is what the kernel hands over at once, and the most that one packet takes.
	ringBlock    = 1 << 20
	blockTimeout = 10 * time.Millisecond // or earlier, when it is full
	pollTimeout  = 50 * time.Millisecond // after which next sees whether it is to end
)

// newRing opens a ring on an interface, or on all of them if the name is empty.
func newRing(name string, size int) (*afpacket.TPacket, error) {
	return afpacket.NewTPacket(
		afpacket.OptInterface(name), afpacket.TPacketVersion3,
		afpacket.OptFrameSize(ringBlock/16), afpacket.OptBlockSize(ringBlock), afpacket.OptNumBlocks(size/ringBlock),
		afpacket.OptBlockTimeout(blockTimeout), afpacket.OptPollTimeout(pollTimeout))
}

func ringError(err error, names []string, size int) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("capturing on %s needs the capability CAP_NET_RAW: run as root, or setcap cap_net_raw=ep on the program", joinedNames(names))
	case errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("a ring of %d bytes: %w; try a smaller one", size, err)
	}
	return err
}

// liveSource reads packets from interfaces.
type liveSource struct {
	ring  *afpacket.TPacket
	bound string // the only interface, or ""
	nics  map[int]nic
	latest
	tagged []byte  // a packet with its VLAN tag
	seen   []int32 // by frame, the index of its interface; nil if there is only one
	frames int
	stop   func() bool // detaches it from the context

	closed atomic.Bool
	mu     sync.Mutex // guards the fields below, and the end of ring
	busy   bool       // Hellos is reading
	freed  bool
	lost   int
}

// attach sets the filter. Until now the ring gets every packet. So it first gets none, and
// those that are in it are discarded.
func (s *liveSource) attach(program []bpf.RawInstruction) error {
	none, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return err
	}
	if err := s.ring.SetBPF(none); err != nil {
		return err
	}
	for err == nil { // pollTimeout is longer than blockTimeout, after which the last ones come
		_, _, err = s.ring.ZeroCopyReadPacketData()
	}
	switch err {
	case afpacket.ErrTimeout:
	case afpacket.ErrPoll:
		return errDown
	default:
		return err
	}
	if err := s.ring.InitSocketStats(); err != nil {
		return err
	}
	return s.ring.SetBPF(program)
}

var errDown = errors.New("the interface is down")

func (s *liveSource) next() (Packet, error) {
	if s.closed.Load() {
		return Packet{}, errStopped
	}
	data, info, err := s.ring.ZeroCopyReadPacketData()
	switch err {
	case nil:
		return s.packet(data, info), nil
	case afpacket.ErrTimeout:
		return Packet{Time: time.Now()}, errIdle
	case afpacket.ErrPoll:
		return Packet{}, errDown
	}
	return Packet{}, err
}

// begin and end enclose the use of packets, which are in the ring: it stays until then.
func (s *liveSource) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = true
}

func (s *liveSource) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.free()
}

// shut makes next end, and frees the ring once it is not in use.
func (s *liveSource) shut() {
	s.closed.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free()
}

// free closes the ring if it is of no more use.
func (s *liveSource) free() {
	if s.closed.Load() && !s.busy && !s.freed {
		s.poll()
		s.freed = true
		s.ring.Close()
	}
}

func (s *liveSource) Close() error {
	s.stop()
	s.shut()
	return nil
}

// count adds how many packets the kernel has dropped since the start.
func (s *liveSource) count(stats *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poll()
	stats.Dropped += s.lost
}

// poll asks the kernel, which counts from the last time on, but afpacket adds up.
func (s *liveSource) poll() {
	if s.freed {
		return
	}
	if _, stats, err := s.ring.SocketStats(); err == nil {
		s.lost = int(stats.Drops())
	}
}
