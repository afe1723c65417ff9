package bench

import (
	"testing"

	"github.com/tlsflags/tlsflags/bench/internal/initials"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// The tasks of quicTasks, in their order.
const (
	readInitials = iota
	openInitials
	readLaterInitial
	openLaterInitial
)

// quicTasks returns the tasks to read a hello that Chromium sent in QUIC Initials, and to
// read the last of these Initials alone, under known keys. There are two of each. This
// module parses all of the packets. The standard library alone derives the keys and opens
// the packets, and is given the offsets of everything in them.
func quicTasks(tb testing.TB) []task {
	tb.Helper()
	datagrams, err := initials.Chromium()
	if err != nil {
		tb.Fatal(err)
	}
	last := datagrams[len(datagrams)-1]
	memory := make([]byte, assemble.BufferSize(16<<10))
	hello := assemble.QUIC{Scratch: make([]byte, 2048)}
	later := assemble.QUIC{Scratch: make([]byte, 2048)}
	later.Reset(memory)

	var packets []initials.Sealed
	for _, datagram := range datagrams {
		packets = append(packets, initials.Locate(datagram))
	}
	known := initials.DeriveKeys(packets[0].DCID)
	buffer := make([]byte, 2048)
	return []task{
		{"tlsflags, a hello in QUIC", func() {
			hello.Reset(memory)
			var result assemble.Result
			for _, datagram := range datagrams {
				result = hello.Feed(datagram)
			}
			if result.Outcome != assemble.Complete {
				panic(result.Outcome)
			}
		}},
		{"crypto/hkdf, aes, cipher", func() {
			keys := initials.DeriveKeys(packets[0].DCID)
			for _, packet := range packets {
				keys.Open(packet, buffer)
			}
		}},
		{"tlsflags, one Initial more", func() { later.Feed(last) }},
		{"crypto/aes, cipher", func() { known.Open(packets[len(packets)-1], buffer) }},
	}
}

// TestQUICTasks: both ways open the same packets.
func TestQUICTasks(t *testing.T) {
	for _, task := range quicTasks(t) {
		task.run()
	}
}

func BenchmarkQUIC(b *testing.B) {
	for _, task := range quicTasks(b) {
		b.Run(task.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				task.run()
			}
		})
	}
}
