package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
)

// liveOptions are the flags of inspect for network interfaces.
type liveOptions struct {
	interfaces []string
	count      int           // of hellos; 0: no limit
	duration   time.Duration // 0: no limit
	ring       int           // bytes
}

func (l *liveOptions) register(f *pflag.FlagSet) {
	f.StringArrayVarP(&l.interfaces, "interface", "i", nil, "capture on the network interface `NAME`, or on any (Linux; needs CAP_NET_RAW)")
	l.ring = capture.DefaultRing
	f.Var((*byteSize)(&l.ring), "ring", "with -i: `bytes` for packets that have not been read yet")
	f.IntVar(&l.count, "count", 0, "with -i: stop after this `number` of hellos")
	f.DurationVar(&l.duration, "duration", 0, "with -i: stop after this `time`, such as 90s or 10m")
}

func (l liveOptions) on() bool { return len(l.interfaces) > 0 }

// name is how messages call the interfaces.
func (l liveOptions) name() string { return "-i " + strings.Join(l.interfaces, " -i ") }

func (l liveOptions) check(args []string) error {
	switch {
	case l.count < 0 || l.duration < 0:
		return usageError("--count and --duration cannot be negative")
	case l.ring < 2<<20 || l.ring > 1<<30:
		return usageError("--ring takes from 2M to 1G")
	case l.on() && len(args) > 0:
		return usageError("-i captures on interfaces; inspect %q in a run of its own", args[0])
	case !l.on() && (l.count > 0 || l.duration > 0 || l.ring != capture.DefaultRing):
		return usageError("--count, --duration and --ring go with -i")
	case !l.on() && len(args) == 0:
		return usageError("name a capture, a directory, or - for standard input")
	}
	return nil
}

// inspectLive shows the hellos that pass network interfaces, each at once. An error is
// one of the output.
func (in *inspection) inspectLive() error {
	ctx := in.cmd.Context()
	if in.live.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, in.live.duration)
		defer cancel()
	}
	options := in.captureOptions()
	options.Ring = in.live.ring
	c, err := capture.Live(ctx, in.live.interfaces, options)
	if err != nil {
		return in.fail(in.live.name(), err)
	}
	defer c.Close()
	if !in.quiet {
		in.progress.clear()
		fmt.Fprintln(in.cmd.ErrOrStderr(), in.live.listening(c.Interfaces()))
	}
	in.summary.inputs++
	in.written.pcap.begin(c, false)
	in.summary.live = true
	for hello := range c.Hellos() {
		if err := in.found(sourceOf(c, hello), hello); err != nil {
			return err
		}
		if err := in.out.Flush(); err != nil {
			return err
		}
		if in.live.count > 0 && in.summary.hellos >= in.live.count {
			break
		}
	}
	in.counts(in.live.name(), c.Stats())
	if err := c.Err(); err != nil {
		if err := in.fail(in.live.name(), err); err != nil {
			return err
		}
	}
	return in.written.pcap.end(in, in.live.name(), nil)
}

// sourceOf returns the interface of the first packet of a hello, as far as that is known.
func sourceOf(c *capture.Reader, hello *capture.Hello) string {
	for _, frame := range hello.Frames {
		if name := c.File(frame); name != "" {
			return name
		}
	}
	return "any"
}

// listening says what is captured: the interfaces with their link types, or how many there are
// of each.
func (l liveOptions) listening(interfaces []capture.Interface) string {
	var names, links []string
	counts := make(map[string]int)
	for _, i := range interfaces {
		names = append(names, fmt.Sprintf("%s (%v)", i.Name, i.Link))
		if counts[i.Link.String()]++; counts[i.Link.String()] == 1 {
			links = append(links, i.Link.String())
		}
	}
	if slices.Contains(l.interfaces, "any") {
		slices.Sort(links)
		for n, link := range links {
			links[n] = fmt.Sprintf("%d %s", counts[link], link)
		}
		names = []string{"any (" + strings.Join(links, ", ") + ")"}
	}
	return fmt.Sprintf("listening on %s, ring %d MiB", strings.Join(names, ", "), l.ring>>20)
}
