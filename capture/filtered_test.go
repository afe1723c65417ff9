package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/capture/filter"
)

func filtered(t *testing.T, text string) capture.Options {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return capture.Options{Filter: f}
}

// inFile returns a file with packets.
func inFile(t *testing.T, link layers.LinkType, packets ...[]byte) []byte {
	t.Helper()
	var list []onePacket
	for _, p := range packets {
		list = append(list, onePacket{p, gopacket.CaptureInfo{CaptureLength: len(p), Length: len(p)}, link})
	}
	return write(t, 0, list)
}

// framesOf returns the frames of the hellos that a reader finds.
func framesOf(r *capture.Reader) string {
	var list []string
	for h := range r.Hellos() {
		list = append(list, fmt.Sprint(h.Frames))
	}
	return strings.Join(list, " ")
}

// TestOptionsFilter checks that a reader passes over what its filter does not choose, and that
// the frames of hellos are those of the file all the same.
func TestOptionsFilter(t *testing.T) {
	plain := ethernet(0x0800, up(1, ack, hello()))
	data := inFile(t, layers.LinkTypeEthernet, plain, ethernet(0x0806, zeros(28)),
		ethernet(0x8100, join(be16(7), be16(0x0800), up(1, ack, hello()))), ethernet(0x0800, down(0, ack, nil)))
	for text, want := range map[string]string{
		"ip or (vlan and ip)": "[1]", "vlan 7": "[3]", "not vlan and ip": "", "arp": "", fmt.Sprintf("src %v", client): "[1]",
	} {
		o := filtered(t, text)
		for name, open := range map[string]func(io.Reader, capture.Options) (*capture.Reader, error){
			"Open": capture.Open, "Budget.Open": capture.NewBudget(o).Open,
		} {
			r, err := open(bytes.NewReader(data), o)
			if err != nil {
				t.Fatal(err)
			}
			got := framesOf(r)
			if s := r.Stats(); got != want || r.Err() != nil || s.Packets != 4 || s.Other > 0 && !strings.Contains(text, "arp") {
				t.Errorf("%s, %q: %s, want %s; %v, %+v", name, text, got, want, r.Err(), s)
			}
		}
	}
}

// TestFilterOfOtherLinks checks that a link type that the filter does not know is an error, and
// that the other files of Join are read.
func TestFilterOfOtherLinks(t *testing.T) {
	const text = "the filter cannot look into packets of 802.11 with radiotap header; leave it out"
	radiotap := inFile(t, layers.LinkTypeIEEE80211Radio, zeros(60))
	r, err := capture.Open(bytes.NewReader(radiotap), filtered(t, "tcp"))
	if err != nil {
		t.Fatal(err)
	}
	if got := framesOf(r); got != "" || r.Err() == nil || r.Err().Error() != text {
		t.Errorf("%s, %v", got, r.Err())
	}
	r = capture.Join(filtered(t, "tcp"), fileOf("1", radiotap), fileOf("2", inFile(t, layers.LinkTypeEthernet, ethernet(0x0800, up(1, ack, hello())))))
	got := framesOf(r)
	file, _ := errors.AsType[*capture.FileError](r.Err())
	if got != "[2]" || r.File(2) != "2" || file == nil || file.Error() != "1: "+text {
		t.Errorf("%s, %v", got, r.Err())
	}
}

// TestFilterNoAllocs checks that choosing packets costs no allocation.
func TestFilterNoAllocs(t *testing.T) {
	var packets [][]byte
	for range 1001 {
		packets = append(packets, ethernet(0x0800, up(1, ack, zeros(100))))
	}
	allocations := func(o capture.Options) float64 {
		data := inFile(t, layers.LinkTypeEthernet, packets...)
		return testing.AllocsPerRun(5, func() {
			r, err := capture.Open(bytes.NewReader(data), o)
			if err != nil {
				t.Fatal(err)
			}
			framesOf(r)
		})
	}
	if with, without := allocations(filtered(t, "tcp port 1")), allocations(capture.Options{}); with > without+50 {
		t.Errorf("%v allocations, %v without a filter", with, without)
	}
}
