package cli

import (
	"context"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// liveOptions are the flags of inspect for a network interface.
type liveOptions struct {
	iface    string
	count    int           // of hellos; 0: no limit
	duration time.Duration // 0: no limit
}

func (l liveOptions) on() bool { return l.iface != "" }

func (l liveOptions) check(args []string) error {
	switch {
	case l.count < 0 || l.duration < 0:
		return usageError("--count and --duration cannot be negative")
	case l.on() && len(args) > 0:
		return usageError("-i captures on an interface; inspect %q in a run of its own", args[0])
	case !l.on() && (l.count > 0 || l.duration > 0):
		return usageError("--count and --duration go with -i")
	case !l.on() && len(args) == 0:
		return usageError("name a capture, a directory, or - for standard input")
	}
	return nil
}

// inspectLive shows the hellos that pass a network interface, each at once. An error is
// one of the output.
func (in *inspection) inspectLive() error {
	ctx := in.cmd.Context()
	if in.live.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, in.live.duration)
		defer cancel()
	}
	c, err := capture.Live(ctx, in.live.iface, in.captureOptions())
	if err != nil {
		return in.fail("-i "+in.live.iface, err)
	}
	defer c.Close()
	in.summary.inputs++
	in.written.pcap.begin(c, false)
	for hello := range c.Hellos() {
		if err := in.found(in.live.iface, hello); err != nil {
			return err
		}
		if err := in.out.Flush(); err != nil {
			return err
		}
		if in.live.count > 0 && in.summary.hellos >= in.live.count {
			break
		}
	}
	in.counts(in.live.iface, c.Stats())
	if err := c.Err(); err != nil {
		if err := in.fail("-i "+in.live.iface, err); err != nil {
			return err
		}
	}
	return in.written.pcap.end(in, in.live.iface, nil)
}
