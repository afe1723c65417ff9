package fuzz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// carrier is an assembler that allocates.
type carrier interface {
	assemble.Assembler
	ResetGrowing(limit int)
	Held() int
}

// carriers are those that an input is fed to.
func carriers() []carrier {
	return []carrier{new(assemble.OpenVPN), new(assemble.EAP), new(assemble.TDS), new(assemble.RDPUDP), new(assemble.SCTP)}
}

// carrierSeeds are recorded messages in each carrier, in pieces.
func carrierSeeds(yield func([]byte) bool) {
	const most, size = 4, 700
	be16 := func(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
	be32 := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	n := 0
	for msg := range fuzzing.Messages {
		if n++; n > most {
			return
		}
		parts := slices.Collect(slices.Chunk(assembletest.InRecords(msg, nil), size))
		var all [5][][]byte
		for i, part := range parts {
			flags := byte(0x40)
			if i == len(parts)-1 {
				flags = 0
			}
			all[0] = append(all[0], slices.Concat([]byte{4 << 3}, make([]byte, 8), bytes.Repeat([]byte{0xff}, 28*(n%2)), []byte{0}, be32(i+1), part))
			all[1] = append(all[1], slices.Concat([]byte{2, byte(i)}, be16(6+len(part)), []byte{25, flags}, part))
			all[2] = append(all[2], slices.Concat([]byte{0x12, 1}, be16(8+len(part)), be32(0), part))
			all[3] = append(all[3], slices.Concat(be32(1), be16(64), be16(12), []byte{0, 1, 4, 0}, be32(i), be32(i), part))
			all[4] = append(all[4], slices.Concat([]byte{0, 2}, be16(16+len(part)), be32(i), be32(0), be32(47), []byte{22, 0xfe, 0xfd}, part))
		}
		for _, packets := range all {
			slices.Reverse(packets[1:])
			if !yield(assembletest.JoinDatagrams(packets...)) {
				return
			}
		}
	}
}

// checkCarriersInput checks what the assemblers of carriers promise: the input is not changed, a
// final answer is repeated, what is held is bounded, and an assembler that was used before reads
// the same as a new one.
func checkCarriersInput(data []byte) error {
	packets := assembletest.SplitDatagrams(data)
	fresh := carriers()
	for i, used := range carriers() {
		for range 2 { // the second time it was used before
			used.ResetGrowing(assemble.MaxMessageDTLS)
			fresh[i].ResetGrowing(assemble.MaxMessageDTLS)
			if err := checkCarrier(packets, used, fresh[i]); err != nil {
				return fmt.Errorf("%T: %w", used, err)
			}
			fresh = carriers()
		}
	}
	return nil
}

func checkCarrier(packets [][]byte, a, other carrier) error {
	const overhead = 4 << 10
	fed := 0
	for i, p := range packets {
		before := bytes.Clone(p)
		result := a.Feed(p)
		message := bytes.Clone(result.Message)
		fed += len(p)
		if !bytes.Equal(before, p) {
			return fmt.Errorf("packet %d was written to", i)
		}
		if again := other.Feed(p); !sameResult(again, result) {
			return fmt.Errorf("packet %d: %v %q, and %v %q of a new one", i, result.Outcome, result.Code.Name(), again.Outcome, again.Code.Name())
		}
		if held := a.Held(); held > 4*fed+overhead {
			return fmt.Errorf("%d bytes held after %d were fed", held, fed)
		}
		if result.Outcome == assemble.NeedMore {
			continue
		}
		if again := a.Feed(p); again.Used != 0 || again.Outcome != result.Outcome || !bytes.Equal(again.Message, message) {
			return fmt.Errorf("packet %d: %v is not final", i, result.Outcome)
		}
		a.Next()
		other.Next()
		if result.Outcome != assemble.Complete {
			return nil
		}
	}
	return nil
}
