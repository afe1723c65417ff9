package main

import (
	"encoding/binary"
	"slices"
)

// A fragment12 is a DTLS handshake fragment in a record of its own (RFC 6347, Sections 4.1
// and 4.2.2), with what is odd about it.
type fragment12 struct {
	kind    byte // 22 if 0
	version uint16
	epoch   uint16
	record  uint64 // sequence number
	seq     uint16 // message_seq
	length  int    // of the message, that of the stream if 0
	offset  int
	data    []byte
	raw     []byte // if not nil, the data of the record in place of a fragment
	longer  int    // how many bytes the record's length is too large by
	before  []byte // in the same datagram
	after   []byte
	step    step
}

// A dtlsScript is what a client sends to a DTLS server.
type dtlsScript struct {
	*script
	fragments []*fragment12
	next      uint64
}

// newDTLSScript makes the fragments of a hello, and changes them by tricks.
func newDTLSScript(s *script, msg []byte, tricks []trick) *dtlsScript {
	d := &dtlsScript{script: s}
	s.records = func(msg []byte) []byte { return dtlsHello(msg)[4:] }
	s.fill(msg)
	for at := 0; at < len(d.stream); {
		end := min(len(d.stream), at+1200-s.r.Intn(400))
		d.fragments = append(d.fragments, d.piece(d.stream, at, end))
		at = end
	}
	for _, k := range []kind{inDTLS, inDatagrams, inFragments} {
		for _, t := range tricks {
			if t.kind == k {
				t.dtls(d)
			}
		}
	}
	return d
}

// piece returns a fragment of a message.
func (d *dtlsScript) piece(stream []byte, from, to int) *fragment12 {
	d.next++
	return &fragment12{record: d.next - 1, offset: from, data: stream[from:to:to]}
}

// pieces returns fragments that have all of a message.
func (d *dtlsScript) pieces(stream []byte) (list []*fragment12) {
	for at := 0; at < len(stream); at += 1200 {
		list = append(list, d.piece(stream, at, min(at+1200, len(stream))))
	}
	return list
}

// insert puts fragments before the one at an index.
func (d *dtlsScript) insert(i int, fragments ...*fragment12) {
	d.fragments = slices.Insert(d.fragments, i, fragments...)
}

// dtlsRecord returns a record.
func dtlsRecord(kind byte, version, epoch uint16, number uint64, data []byte, longer int) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, version)
	b = binary.BigEndian.AppendUint64(b, uint64(epoch)<<48|number)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)+longer))
	return append(b, data...)
}

// datagram returns the datagram of a fragment.
func (f *fragment12) datagram(d *dtlsScript) []byte {
	length, kind, version := len(d.stream), byte(22), uint16(0xfeff)
	if f.length != 0 {
		length = f.length
	}
	if f.kind != 0 {
		kind = f.kind
	}
	if f.version != 0 {
		version = f.version
	}
	data := f.raw
	if data == nil {
		data = []byte{1, byte(length >> 16), byte(length >> 8), byte(length), byte(f.seq >> 8), byte(f.seq),
			byte(f.offset >> 16), byte(f.offset >> 8), byte(f.offset), byte(len(f.data) >> 16), byte(len(f.data) >> 8), byte(len(f.data))}
		data = append(data, f.data...)
	}
	return slices.Concat(f.before, dtlsRecord(kind, version, f.epoch, f.record, data, f.longer), f.after)
}

// steps returns the datagrams.
func (d *dtlsScript) steps() (list []step) {
	for _, f := range d.fragments {
		st := f.step
		st.data = f.datagram(d)
		list = append(list, st)
	}
	return list
}
