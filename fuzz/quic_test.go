package fuzz

import (
	"bytes"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// cryptoFrame returns a CRYPTO frame (RFC 9000, Section 19.6).
func cryptoFrame(p assembletest.Piece) []byte {
	return quicseal.AppendCrypto(nil, uint64(p.Offset), p.Data)
}

// referenceQUICFrames is the obvious reader of the first message in the payloads of
// Initial packets, with memory for any message. Its verdicts are those of
// assemble.QUIC; offsets count from the start of the payload, and Used is not set.
func referenceQUICFrames(payloads [][]byte) assemble.Result {
	refuse := func(code extension.Code, offset int) assemble.Result {
		return assemble.Result{Outcome: assemble.Refused, Code: code, Offset: offset}
	}
	have := make(map[int]byte)
	for _, payload := range payloads {
		at, start := 0, 0
		short := false
		number := func() uint64 {
			if short || at == len(payload) || len(payload)-at < 1<<(payload[at]>>6) {
				short = true
				return 0
			}
			v := uint64(payload[at] & 0x3f)
			for n := 1<<(payload[at]>>6) - 1; n > 0; n-- {
				at++
				v = v<<8 | uint64(payload[at])
			}
			at++
			return v
		}
		for at < len(payload) {
			start = at
			switch frame := number(); {
			case short:
			case frame == 0, frame == 1: // PADDING, PING
			case frame == 2, frame == 3: // ACK
				number()
				number()
				ranges := number()
				number()
				for ; ranges > 0 && !short; ranges-- {
					number()
					number()
				}
				if frame == 3 { // ECN counts
					number()
					number()
					number()
				}
			case frame == 0x1c: // CONNECTION_CLOSE
				number()
				number()
				length := number()
				if short || length > uint64(len(payload)-at) {
					short = true
					break
				}
				at += int(length)
			case frame == 6: // CRYPTO
				offset := number()
				length := number()
				if !short && offset+length > 1<<62-1 {
					return refuse(extension.ErrCryptoOffset, start)
				}
				if short || length > uint64(len(payload)-at) {
					short = true
					break
				}
				data := payload[at : at+int(length)]
				if result := referenceCrypto(have, offset, data, at); result.Outcome != assemble.NeedMore {
					return result
				}
				at += int(length)
			default:
				return refuse(extension.ErrFrameType, start)
			}
			if short {
				return refuse(extension.ErrFieldOverrun, start)
			}
		}
	}
	return assemble.Result{}
}

// referenceCrypto adds data to the bytes that have come.
func referenceCrypto(have map[int]byte, offset uint64, data []byte, at int) assemble.Result {
	refuse := func(code extension.Code) assemble.Result {
		if code == extension.ErrMessageTooLarge && offset <= 1 && offset+uint64(len(data)) > 1 {
			at += 1 - int(offset) // the length begins here
		}
		return assemble.Result{Outcome: assemble.Refused, Code: code, Offset: at}
	}
	if offset >= assemble.MaxMessage {
		return assemble.Result{}
	}
	if offset == 0 && len(data) > 0 && data[0] != 1 {
		return refuse(extension.ErrMessageType)
	}
	whole := func(b []byte) int { return 4 + int(b[1])*65536 + int(b[2])*256 + int(b[3]) }
	if offset == 0 && len(data) >= 4 && whole(data) > assemble.MaxMessage {
		return refuse(extension.ErrMessageTooLarge)
	}
	for i, b := range data {
		j := int(offset) + i
		if j >= assemble.MaxMessage {
			break
		}
		if old, ok := have[j]; ok && old != b {
			return refuse(extension.ErrOverlapChanged)
		}
		have[j] = b
	}
	var msg []byte
	for b, ok := have[0]; ok; b, ok = have[len(msg)] {
		msg = append(msg, b)
		if len(msg) < 4 {
			continue
		}
		n := whole(msg)
		if n > assemble.MaxMessage {
			return refuse(extension.ErrMessageTooLarge)
		}
		if len(msg) == n {
			return assemble.Result{Outcome: assemble.Complete, Message: msg}
		}
	}
	return assemble.Result{}
}

// framesOnly lets the checks of all assemblers feed payloads without protection.
type framesOnly struct{ assemble.QUIC }

func (f *framesOnly) Feed(payload []byte) assemble.Result { return f.FeedFrames(payload) }

// checkQUICFrames checks what assemble.QUIC does with opened payloads, and that packets
// with the same payloads give the same.
func checkQUICFrames(payloads [][]byte, sealed bool) error {
	var q framesOnly
	got, err := checkDatagrams(payloads, &q, assemble.MaxMessage)
	if err != nil {
		return err
	}
	if want := referenceQUICFrames(payloads); !sameResult(got, want) {
		return fmt.Errorf("got %v %q at %d with %d bytes, the reference has %v %q at %d with %d bytes",
			got.Outcome, got.Code.Name(), got.Offset, len(got.Message),
			want.Outcome, want.Code.Name(), want.Offset, len(want.Message))
	}
	if !sealed {
		return nil
	}
	packets := assembletest.SealQUIC(payloads)
	var whole assemble.QUIC
	protected, err := checkDatagrams(packets, &whole, assemble.MaxMessage)
	if err != nil {
		return fmt.Errorf("in packets: %w", err)
	}
	if got.Outcome == assemble.Refused {
		protected.Offset -= assembletest.SealedPacket().PayloadAt()
	}
	if !sameResult(got, protected) {
		return fmt.Errorf("in packets: %v %q at %d instead of %v %q at %d",
			protected.Outcome, protected.Code.Name(), protected.Offset, got.Outcome, got.Code.Name(), got.Offset)
	}
	if len(packets) == 0 {
		return nil
	}
	return checkSealedHeader(packets[0])
}

// checkSealedHeader compares what is said of a packet, before and after it is opened, with
// how it was made.
func checkSealedHeader(packet []byte) error {
	made := assembletest.SealedPacket()
	initial, ok := assemble.ParseQUICInitial(packet)
	want := assemble.QUICInitial{Version: made.Version, DCID: made.DCID, SCID: made.SCID, Token: made.Token}
	if diff := cmp.Diff(want, initial); diff != "" || !ok {
		return fmt.Errorf("an Initial: %t; made (-) and read (+) differ:\n%s", ok, diff)
	}
	var q assemble.QUIC
	q.Feed(packet)
	info := q.Info()
	if info.Packets > 1 {
		return fmt.Errorf("it counts as %d", info.Packets)
	}
	info.Packets, info.Acked = 0, 0 // there may be no CRYPTO data, or none that fits, and no ACK
	opened := assemble.QUICInfo{Version: made.Version, DCID: made.DCID, SCID: made.SCID, TokenLength: len(made.Token), Hello: 1, Attempt: 1}
	if diff := cmp.Diff(opened, info); diff != "" {
		return fmt.Errorf("made (-) and opened (+) differ:\n%s", diff)
	}
	return nil
}

func checkQUICFramesInput(data []byte) error {
	return checkQUICFrames(assembletest.SplitDatagrams(data), false)
}

func checkQUICSealedInput(data []byte) error {
	return checkQUICFrames(assembletest.SplitDatagrams(data), true)
}

// checkQUIC checks what assemble.QUIC promises for any datagrams.
func checkQUIC(datagrams [][]byte) error {
	const limit = 4096
	var q assemble.QUIC
	got, err := checkDatagrams(datagrams, &q, limit)
	if err != nil || len(datagrams) == 0 {
		return err
	}
	first := datagrams[0]
	_, ok := assemble.ParseQUICInitial(first)
	q.Reset(nil)
	if result := q.Feed(first); !ok && result.Outcome != assemble.Unrecognized {
		return fmt.Errorf("there is no Initial, and the answer is %v", result.Outcome)
	}
	// A datagram belongs to the connection of its first packet.
	if info := q.Info(); info.Attempt > 0 && !bytes.Equal(info.DCID, first[6:6+int(first[5])]) {
		return fmt.Errorf("the connection is %+v", info)
	}
	if got.Outcome != assemble.Complete {
		return nil
	}
	if n := len(got.Message); got.Message[0] != 1 || n > limit && !completeInPlace(&q, datagrams) {
		return fmt.Errorf("a message of %d bytes and type %d is complete", n, got.Message[0])
	}
	return nil
}

// completeInPlace reports whether a message is complete without any memory.
func completeInPlace(q *assemble.QUIC, datagrams [][]byte) bool {
	q.Reset(nil)
	for _, d := range datagrams {
		if q.Feed(d).Outcome == assemble.Complete {
			return true
		}
	}
	return false
}

func checkQUICInput(data []byte) error { return checkQUIC(assembletest.SplitDatagrams(data)) }

func checkQUICScheduleInput(data []byte) error {
	body, pieces := assembletest.Schedule(data)
	if len(body) == 0 || len(body) > 1<<16 {
		return nil
	}
	n := len(body)
	msg := append([]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(len(msg))))
	// The header comes at first, so that no piece can change it.
	if got := q.FeedFrames(cryptoFrame(assembletest.Piece{Offset: 0, Data: msg[:4]})); got.Outcome != assemble.NeedMore {
		return fmt.Errorf("the header alone gives %v %q", got.Outcome, got.Code.Name())
	}
	return checkSchedule(body, pieces, msg[:4], func(p assembletest.Piece) assemble.Result {
		return q.FeedFrames(cryptoFrame(assembletest.Piece{Offset: p.Offset + 4, Data: p.Data}))
	})
}

// quicPayloads cuts recorded messages into CRYPTO frames, with other frames in between.
func quicPayloads(yield func([][]byte) bool) {
	g := newGenerator(8)
	for msg := range fuzzing.Messages {
		var payloads [][]byte
		payload := []byte{}
		offset := 0
		for fragment := range assembletest.Chop(msg, append(g.cuts(), 200)) {
			payload = append(payload, cryptoFrame(assembletest.Piece{Offset: offset, Data: fragment})...)
			offset += len(fragment)
			switch g.random.Intn(8) {
			case 0:
				payload = append(payload, 0, 1, 0) // PADDING, PING
			case 1:
				payload = append(payload, 2, 5, 0, 1, 1, 0, 2) // ACK with two ranges
			case 2:
				payload = append(payload, 3, 5, 0, 0, 1, 1, 2, 3) // ACK with ECN counts
			case 3:
				payload = append(payload, 0x1c, 0, 6, 2, 'n', 'o') // CONNECTION_CLOSE
			case 4:
				payloads = append(payloads, payload)
				payload = nil
			}
		}
		payloads = append(payloads, payload)
		if g.random.Intn(2) == 0 {
			g.random.Shuffle(len(payloads), func(i, j int) { payloads[i], payloads[j] = payloads[j], payloads[i] })
		}
		if !yield(payloads) {
			return
		}
	}
}

func quicFramesSeeds(yield func([]byte) bool) {
	for payloads := range quicPayloads {
		if !yield(assembletest.JoinDatagrams(payloads...)) {
			return
		}
	}
}

func quicSeeds(yield func([]byte) bool) {
	for payloads := range quicPayloads {
		if !yield(assembletest.JoinDatagrams(assembletest.SealQUIC(payloads)...)) {
			return
		}
	}
}
