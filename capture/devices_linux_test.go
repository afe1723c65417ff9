package capture_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// device is a network interface of this process, which receives what is written to it.
type device struct {
	file *os.File
	tap  bool
}

// newDevice makes an interface: one of Ethernet, or, if there is a hardware type, one whose
// packets begin with what that has.
func newDevice(t *testing.T, name string, hardware int) *device {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		testenv.Skip(t, "no /dev/net/tun")
	}
	if err != nil {
		t.Fatal(err)
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	mode := uint16(unix.IFF_TUN)
	if hardware == 0 {
		mode = unix.IFF_TAP | unix.IFF_NO_PI
	}
	request.SetUint16(mode)
	err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	if err == nil && hardware != 0 {
		err = unix.IoctlSetInt(fd, unix.TUNSETLINK, hardware)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := &device{os.NewFile(uintptr(fd), name), hardware == 0}
	t.Cleanup(func() { d.file.Close() })
	d.setFlags(t, unix.IFF_UP|unix.IFF_RUNNING)
	return d
}

// setFlags brings the interface up or down.
func (d *device) setFlags(t *testing.T, flags uint16) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq(d.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(flags)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}

// receive makes the interface receive a packet.
func (d *device) receive(t *testing.T, packet []byte) {
	t.Helper()
	if !d.tap { // uint16 flags; uint16 protocol;
		packet = slices.Concat(zeros(2), be16(0x0800), packet)
	}
	if _, err := d.file.Write(packet); err != nil {
		t.Fatal(err)
	}
}

// live captures until it has found some hellos, of which it returns the interface and the path.
func live(t *testing.T, names []string, o capture.Options, count int, send func()) []string {
	t.Helper()
	r, err := capture.Live(t.Context(), names, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	send()
	var found []string
	for h := range r.Hellos() {
		if found = append(found, r.File(h.Frames[0])+": "+strings.Join(h.Path, " ")); len(found) == count {
			break
		}
	}
	if s := r.Stats(); r.Err() != nil || s.Dropped != 0 || s.UnknownLink != 0 {
		t.Errorf("%v, %+v", r.Err(), s)
	}
	return found
}

// fromPort is a connection from a client's port, in one packet of IP.
func fromPort(port int) []byte { return ipv4(client, server, 6, tcp(port, 443, 1, ack, hello())) }

// TestLiveLinks captures on interfaces of each hardware type.
func TestLiveLinks(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	links := onLinks()
	wlan, radiotap, prism, relay := links["802.11"], links["radiotap"], links["Prism"], links["Frame Relay"]
	for name, row := range map[string]struct {
		hardware int
		path     string
		packet   []byte
	}{
		"wlan0": {unix.ARPHRD_IEEE80211, wlan.path, wlan.packet.Data},
		"mon0":  {unix.ARPHRD_IEEE80211_RADIOTAP, radiotap.path, radiotap.packet.Data},
		"pri0":  {unix.ARPHRD_IEEE80211_PRISM, prism.path, prism.packet.Data},
		"fr0":   {unix.ARPHRD_FRAD, relay.path, relay.packet.Data},
		"hdlc0": {unix.ARPHRD_CISCO, "hdlc ipv4 tcp", join([]byte{0x0f, 0}, be16(0x0800), ip4())},
		"ppp0":  {unix.ARPHRD_PPP, "ipv4 tcp", ip4()},
		"ppp1":  {unix.ARPHRD_PPP, "ppp ipv6 tcp", join([]byte{0xff, 3, 0, 0x57}, ip6())},
		"tun0":  {unix.ARPHRD_NONE, "ipv6 tcp", ip6()},
		"tunl1": {unix.ARPHRD_TUNNEL, "ipv4 tcp", ip4()},
		"sit1":  {unix.ARPHRD_SIT, "ipv4 tcp", ip4()},
		"gre1":  {unix.ARPHRD_IPGRE, "ipv4:192.0.2.1>198.51.100.1 gre ipv4 tcp", ipv4(client, server, 47, join(be16(0), be16(0x0800), ip4()))},
		"raw0":  {unix.ARPHRD_RAWIP, "ipv4 tcp", ip4()},
	} {
		d := newDevice(t, name, row.hardware)
		for _, names := range [][]string{{name}, {"any"}, {"lo", name}} {
			found := live(t, names, capture.Options{}, 1, func() { d.receive(t, row.packet) })
			if want := name + ": " + row.path; found[0] != want {
				t.Errorf("%s: %q, want %q", names, found, want)
			}
		}
		d.file.Close()
	}
	newDevice(t, "can0", unix.ARPHRD_CAN)
	if _, err := capture.Live(t.Context(), []string{"can0"}, capture.Options{}); err == nil || err.Error() != "interface can0 has hardware type 280, which is not read" {
		t.Error(err)
	}
	newDevice(t, "mon1", unix.ARPHRD_IEEE80211_RADIOTAP)
	if _, err := capture.Live(t.Context(), []string{"mon1"}, filtered(t, "tcp")); err == nil || !strings.HasPrefix(err.Error(), "the filter cannot look into packets of 802.11 with radiotap header") {
		t.Error(err)
	}
}

// TestLiveVLAN checks that a tag which the kernel takes out of a packet is in its path, and
// that filters see it.
func TestLiveVLAN(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	d := newDevice(t, "tap0", 0)
	send := func() {
		d.receive(t, ethernet(0x0800, fromPort(1000)))
		d.receive(t, ethernet(0x8100, join(be16(7), be16(0x0800), fromPort(1007))))
		d.receive(t, ethernet(0x88a8, join(be16(9), be16(0x8100), be16(7), be16(0x0800), fromPort(1009))))
		d.receive(t, ethernet(0x0800, fromPort(1001))) // the last one
	}
	const plain, tagged, twice = "tap0: eth ipv4 tcp", "tap0: eth vlan:7 ipv4 tcp", "tap0: eth vlan:9 vlan:7 ipv4 tcp"
	for text, want := range map[string][]string{
		"ip or vlan": {plain, tagged, twice, plain}, "ip or vlan 7 and tcp": {tagged},
		"src port 1001 or (vlan 9 and vlan and tcp)": {twice, plain}, "not vlan": {plain, plain}, "port 1001 or vlan 7": {tagged, plain},
	} {
		if found := live(t, []string{"tap0"}, filtered(t, text), len(want), send); !slices.Equal(found, want) {
			t.Errorf("%q: %q, want %q", text, found, want)
		}
	}
	if found := live(t, []string{"tap0"}, capture.Options{}, 4, send); !slices.Equal(found, []string{plain, tagged, twice, plain}) {
		t.Errorf("%q", found)
	}
}

// TestLiveSeveral checks that a hello on several interfaces is found once, and that others are
// not looked at.
func TestLiveSeveral(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	tap, tun, other := newDevice(t, "tap0", 0), newDevice(t, "tun0", unix.ARPHRD_NONE), newDevice(t, "tap1", 0)
	send := func() {
		other.receive(t, ethernet(0x0800, fromPort(999)))
		tap.receive(t, ethernet(0x0800, fromPort(1000)))
		tun.receive(t, fromPort(1000))
		tun.receive(t, fromPort(1001))
		tap.receive(t, ethernet(0x0800, fromPort(1001)))
		tap.receive(t, ethernet(0x0800, fromPort(1002)))
	}
	want := []string{"tap0: eth ipv4 tcp", "tun0: ipv4 tcp", "tap0: eth ipv4 tcp"}
	if found := live(t, []string{"tap0", "tun0"}, capture.Options{}, 3, send); !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
	if found := live(t, []string{"tun0", "tap0"}, filtered(t, "dst port 443 and not portrange 1001-1001"), 2, send); !slices.Equal(found, []string{want[0], want[2]}) {
		t.Errorf("with a filter: %q", found)
	}
	want = append([]string{"tap1: eth ipv4 tcp"}, append(want, "tap9: eth ipv4 tcp")...)
	found := live(t, []string{"any"}, capture.Options{}, 5, func() {
		send()
		newDevice(t, "tap9", 0).receive(t, ethernet(0x0800, fromPort(1009)))
	})
	if !slices.Equal(found, want) {
		t.Errorf("any: %q, want %q", found, want)
	}
}

// TestLiveLoopback checks that what the loopback interface sends is not counted again when it
// receives it.
func TestLiveLoopback(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	d := newDevice(t, "tap0", 0) // whose hello ends the capture
	for _, names := range [][]string{{"any"}, {"lo", "tap0"}} {
		r, err := capture.Live(t.Context(), names, filtered(t, "host 127.0.0.1 or src port 1000"))
		if err != nil {
			t.Fatal(err)
		}
		to, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		for range 9 {
			if _, err := to.WriteTo(zeros(100), to.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		to.Close()
		d.receive(t, ethernet(0x0800, fromPort(1000)))
		for range r.Hellos() {
			break
		}
		if s := r.Stats(); s.Packets != 9+1 {
			t.Errorf("%s: %d packets, want 10", names, s.Packets)
		}
		r.Close()
	}
}

// TestLiveRejectsFirst checks that no packet passes before the filter is set.
func TestLiveRejectsFirst(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	d := newDevice(t, "tap0", 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for port := 0; ctx.Err() == nil; port++ {
			d.receive(t, ethernet(0x0800, fromPort(port&0x7fff)))
		}
	}()
	for range 5 {
		r, err := capture.Live(t.Context(), []string{"tap0"}, filtered(t, "src port 40000"))
		if err != nil {
			t.Fatal(err)
		}
		d.receive(t, ethernet(0x0800, fromPort(40000)))
		for h := range r.Hellos() {
			if h.Src.Port() != 40000 || h.Frames[0] != 1 {
				t.Errorf("from %v, frames %v", h.Src, h.Frames)
			}
			break
		}
		r.Close()
	}
	cancel()
	<-done
}

// TestLiveDoubt checks that a row which waits for the server's answer comes without another
// packet.
func TestLiveDoubt(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	d := newDevice(t, "tun0", unix.ARPHRD_NONE)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := capture.Live(ctx, []string{"tun0"}, capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := []byte("EHLO client.example\r\n")
	for _, packet := range [][]byte{up(0, syn, nil), up(1, ack, before), up(1+len(before), ack, hello())} {
		d.receive(t, packet)
	}
	for h := range r.Hellos() {
		if h.Ambiguous.String() != "unconfirmed" {
			t.Errorf("%v", h.Ambiguous)
		}
		return
	}
	t.Error("no row")
}

// TestLivePackets checks that packets and connections are read while at times none come.
func TestLivePackets(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	d := newDevice(t, "tun0", unix.ARPHRD_NONE)
	later := func() {
		time.Sleep(200 * time.Millisecond)
		for _, packet := range [][]byte{up(0, syn, nil), up(1, ack, hello())} {
			d.receive(t, packet)
		}
	}
	r, err := capture.Live(t.Context(), []string{"tun0"}, capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	go later()
	for p := range r.Packets() {
		if p.Data[0]>>4 == 6 {
			continue // the kernel's own, when an interface comes up
		}
		if len(p.Data) != len(up(0, syn, nil)) || p.Link != capture.LinkTypeRaw {
			t.Errorf("%x", p.Data)
		}
		break
	}
	r.Close()
	if r, err = capture.Live(t.Context(), []string{"tun0"}, capture.Options{}); err != nil {
		t.Fatal(err)
	}
	go later()
	if err := r.Follow(func(src, dst netip.AddrPort) capture.Follower {
		r.Close()
		return nil
	}); err != nil || r.Stats().Packets == 0 {
		t.Errorf("%v, %+v", err, r.Stats())
	}
}

// TestLiveEnds checks what ends a capture, and that nothing stays open.
func TestLiveEnds(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	d := newDevice(t, "tap0", 0)
	before := openFiles(t)
	r, err := capture.Live(t.Context(), []string{"tap0"}, capture.Options{Ring: 1})
	if err != nil {
		t.Fatal(err)
	}
	d.receive(t, ethernet(0x0800, fromPort(1000)))
	for range r.Hellos() {
		r.Close() // the packets stay until the loop ends
		break
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d files are open after Close in the loop, %d before", after, before)
	}
	if r.Stats().Packets != 1 {
		t.Errorf("%+v", r.Stats())
	}
	if r, err = capture.Live(t.Context(), []string{"tap0"}, capture.Options{}); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d.file.Close()
	for range r.Hellos() {
	}
	if r.Err() == nil || r.Err().Error() != "the interface is down" {
		t.Error(r.Err())
	}
	d = newDevice(t, "tap1", 0)
	d.setFlags(t, 0)
	if _, err := capture.Live(t.Context(), []string{"tap1"}, capture.Options{}); err == nil || err.Error() != "the interface is down" {
		t.Error(err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestLiveLongFilter checks the limit of the kernel.
func TestLiveLongFilter(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	text := "port 1" + strings.Repeat(" or 2", 300)
	_, err := capture.Live(t.Context(), []string{"any"}, filtered(t, text))
	if err == nil || !strings.HasSuffix(err.Error(), " instructions for the kernel, which takes 4096: make it shorter") {
		t.Error(err)
	}
	_, err = capture.Live(t.Context(), nil, capture.Options{})
	if err == nil || err.Error() != "no interface is named" {
		t.Error(err)
	}
}
