package fuzz

import (
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"golang.org/x/crypto/cryptobyte"
)

// dtlsFragment is a handshake fragment in a record (RFC 9147, Section 5.2).
type dtlsFragment struct {
	at             int // in the datagram
	msgType        uint8
	length, offset uint32
	seq            uint16
	body           []byte
}

// referenceDTLS is the obvious reader of the first message in datagrams, with memory
// for any message. Its verdicts are those of assemble.DTLS; Used is not set.
func referenceDTLS(datagrams [][]byte) assemble.Result {
	refuse := func(code extension.Code, offset int) assemble.Result {
		return assemble.Result{Outcome: assemble.Refused, Code: code, Offset: offset}
	}
	var first *dtlsFragment
	var seen bool
	var seq uint16
	have := make(map[int]byte)
	for _, d := range datagrams {
		for _, record := range dtlsRecords(d) {
			s := cryptobyte.String(d[record.start:record.end])
			for !s.Empty() {
				f := dtlsFragment{at: record.end - len(s)}
				var bodyLen uint32
				if !s.ReadUint8(&f.msgType) || !s.ReadUint24(&f.length) || !s.ReadUint16(&f.seq) ||
					!s.ReadUint24(&f.offset) || !s.ReadUint24(&bodyLen) || !s.ReadBytes(&f.body, int(bodyLen)) {
					return refuse(extension.ErrFieldOverrun, f.at)
				}
				if !seen {
					seen, seq = true, f.seq
				}
				if f.seq != seq {
					continue
				}
				end := int(f.offset) + len(f.body)
				switch {
				case f.msgType != 1 && first == nil:
					return refuse(extension.ErrMessageType, f.at)
				case f.msgType != 1:
					return refuse(extension.ErrFragmentMismatch, f.at)
				case first == nil && f.length > 131396+256:
					return refuse(extension.ErrMessageTooLarge, f.at+1)
				case first != nil && f.length != first.length:
					return refuse(extension.ErrFragmentMismatch, f.at+1)
				case end > int(f.length):
					return refuse(extension.ErrFragmentOverrun, f.at+6)
				}
				if first == nil {
					first = &f
				}
				for i, b := range f.body {
					if old, ok := have[int(f.offset)+i]; ok && old != b {
						return refuse(extension.ErrOverlapChanged, f.at+12)
					}
					have[int(f.offset)+i] = b
				}
				if len(have) == int(first.length) {
					n := first.length
					msg := []byte{1, byte(n >> 16), byte(n >> 8), byte(n), byte(seq >> 8), byte(seq),
						0, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
					for i := range int(n) {
						msg = append(msg, have[i])
					}
					return assemble.Result{Outcome: assemble.Complete, Message: msg}
				}
			}
		}
		if !seen {
			return assemble.Result{Outcome: assemble.Unrecognized}
		}
	}
	return assemble.Result{}
}

// isDTLS reports whether a record has a version of DTLS, or of OpenSSL before it.
func isDTLS(version uint16) bool { return version>>8 == 0xfe || version == 0x0100 }

// dtlsRecords finds the plaintext handshake records of a datagram that are not to be
// skipped (RFC 9147, Section 4).
func dtlsRecords(datagram []byte) (records []struct{ start, end int }) {
	s := cryptobyte.String(datagram)
	for {
		var contentType uint8
		var version, epoch uint16
		var number []byte
		var fragment cryptobyte.String
		if !s.ReadUint8(&contentType) || !s.ReadUint16(&version) || !isDTLS(version) || !s.ReadUint16(&epoch) ||
			!s.ReadBytes(&number, 6) || !s.ReadUint16LengthPrefixed(&fragment) {
			return records
		}
		if contentType == 22 && epoch == 0 && len(fragment) <= 16384 {
			end := len(datagram) - len(s)
			records = append(records, struct{ start, end int }{end - len(fragment), end})
		}
	}
}

// dtlsRecord puts a fragment of the body of a message of length bytes into a record.
func dtlsRecord(length int, seq uint16, p assembletest.Piece) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(22)
	b.AddUint16(0xfefd)
	b.AddUint64(0) // epoch, sequence_number
	b.AddUint16LengthPrefixed(func(c *cryptobyte.Builder) {
		c.AddUint8(1)
		c.AddUint24(uint32(length))
		c.AddUint16(seq)
		c.AddUint24(uint32(p.Offset))
		c.AddUint24LengthPrefixed(func(d *cryptobyte.Builder) { d.AddBytes(p.Data) })
	})
	return b.BytesOrPanic() // callers keep within the limits
}

// checkDTLS checks the contract of assemble.DTLS on any datagrams.
func checkDTLS(datagrams [][]byte) error {
	var d assemble.DTLS
	got, err := checkDatagrams(datagrams, &d, assemble.MaxMessageDTLS)
	if err != nil {
		return err
	}
	if want := referenceDTLS(datagrams); !sameResult(got, want) {
		return fmt.Errorf("got %v %q at %d with %d bytes, the reference has %v %q at %d with %d bytes",
			got.Outcome, got.Code.Name(), got.Offset, len(got.Message),
			want.Outcome, want.Code.Name(), want.Offset, len(want.Message))
	}
	d.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessageDTLS)))
	for _, datagram := range datagrams {
		if d.Feed(datagram).Outcome != assemble.NeedMore {
			break
		}
	}
	if info := d.Info(); got.Outcome == assemble.Complete && (info.Records == 0 || !isDTLS(info.Version)) {
		return fmt.Errorf("the message came in %d records of version %#x", info.Records, info.Version)
	}
	// Less memory changes nothing else than what is longer.
	const limit = 400
	less, err := checkDatagrams(datagrams, &d, limit)
	if err != nil {
		return err
	}
	if !sameResult(got, less) && less.Code != extension.ErrOverLimit {
		return fmt.Errorf("with memory for %d bytes: %v %q instead of %v %q", limit, less.Outcome, less.Code.Name(), got.Outcome, got.Code.Name())
	}
	if less.Code == extension.ErrOverLimit && got.Outcome == assemble.Complete && len(got.Message) <= limit {
		return fmt.Errorf("a message of %d bytes does not fit memory for %d", len(got.Message), limit)
	}
	return nil
}

func checkDTLSInput(data []byte) error { return checkDTLS(assembletest.SplitDatagrams(data)) }

func checkDTLSScheduleInput(data []byte) error {
	body, pieces := assembletest.Schedule(data)
	if len(body) == 0 || len(body) > 16000 {
		return nil
	}
	var d assemble.DTLS
	d.Reset(make([]byte, assemble.BufferSize(len(body)+12)))
	n := len(body)
	header := []byte{1, byte(n >> 16), byte(n >> 8), byte(n), 0, 3, 0, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
	return checkSchedule(body, pieces, header, func(p assembletest.Piece) assemble.Result { return d.Feed(dtlsRecord(n, 3, p)) })
}

// dtlsSeeds put generated messages into one to three datagrams, whole and in fragments.
func dtlsSeeds(yield func([]byte) bool) {
	// A last fragment that ends with the message, and one that ends after it.
	first, last := dtlsRecord(6, 0, assembletest.Piece{Offset: 0, Data: []byte{1, 2, 3}}), []byte{4, 5, 6}
	if !yield(assembletest.JoinDatagrams(first, dtlsRecord(6, 0, assembletest.Piece{Offset: 3, Data: last}))) || !yield(assembletest.JoinDatagrams(first, dtlsRecord(6, 0, assembletest.Piece{Offset: 4, Data: last}))) {
		return
	}
	g := newGenerator(7)
	for msg := range generated(7, 32, true) {
		body := msg[12:]
		half := g.random.Intn(len(body) + 1)
		inputs := [][]byte{
			assembletest.JoinDatagrams(dtlsRecord(len(body), 0, assembletest.Piece{Offset: 0, Data: body})),
			assembletest.JoinDatagrams(dtlsRecord(len(body), 1, assembletest.Piece{Offset: half, Data: body[half:]}), dtlsRecord(len(body), 1, assembletest.Piece{Offset: 0, Data: body[:half]})),
			assembletest.JoinDatagrams(append(dtlsRecord(len(body), 0, assembletest.Piece{Offset: 0, Data: body[:half]}), dtlsRecord(len(body), 0, assembletest.Piece{Offset: half / 2, Data: body[half/2:]})...)),
		}
		if !yield(inputs[g.random.Intn(len(inputs))]) {
			return
		}
	}
}
