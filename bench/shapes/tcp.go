package main

import (
	"sync"

	"github.com/tlsflags/tlsflags/corpus"
)

// Flags of TCP.
const (
	fin = 1 << 0
	syn = 1 << 1
	psh = 1 << 3
	ack = 1 << 4
)

const segment = 1400 // bytes of a segment at most

// connection is a TCP connection.
type connection struct {
	ends
	hello          []byte // with its record header
	client, server uint32 // first sequence numbers
}

func (w *writer) connections(flows []int) []connection {
	records := records()
	var list []connection
	for _, flow := range flows {
		list = append(list, connection{
			ends:   endsOf(flow),
			hello:  records[flow%len(records)],
			client: w.random.Uint32(),
			server: w.random.Uint32(),
		})
	}
	return list
}

// up writes a segment of the client whose payload begins at an offset of its stream. The
// server's bytes are acknowledged up to an offset.
func (c *connection) up(w *writer, at, acked int, flags byte, payload []byte) {
	w.tcp(c.ends, c.client+1+uint32(at), c.server+1+uint32(acked), flags, payload)
}

// down is the reverse of up.
func (c *connection) down(w *writer, at, acked int, flags byte, payload []byte) {
	w.tcp(c.ends.reversed(), c.server+1+uint32(at), c.client+1+uint32(acked), flags, payload)
}

func (c *connection) sendSYN(w *writer)   { w.tcp(c.ends, c.client, 0, syn, nil) }
func (c *connection) answerSYN(w *writer) { c.down(w, -1, 0, syn|ack, nil) }
func (c *connection) sendHello(w *writer) {
	for at := 0; at < len(c.hello); at += segment {
		c.up(w, at, 0, psh|ack, c.hello[at:min(at+segment, len(c.hello))])
	}
}

// bulk writes connections whose servers send 12 full segments.
func bulk(w *writer, flows []int) error {
	const segments = 12
	data := make([]byte, segment)
	for i := range data {
		data[i] = byte(w.random.Uint32())
	}
	copy(data, []byte{23, 3, 3, (segment - 5) >> 8, (segment - 5) & 0xff}) // application data
	list := w.connections(flows)
	for i := range list {
		list[i].sendSYN(w)
	}
	for i := range list {
		list[i].answerSYN(w)
	}
	for i := range list {
		list[i].sendHello(w)
	}
	for n := range segments {
		for i := range list {
			list[i].down(w, n*segment, len(list[i].hello), ack, data)
		}
	}
	for i := range list {
		list[i].up(w, len(list[i].hello), segments*segment, fin|ack, nil)
	}
	return w.err
}

// short writes connections whose servers send one short record.
func short(w *writer, flows []int) error {
	answer := append([]byte{22, 3, 3, 0, 64}, make([]byte, 64)...)
	list := w.connections(flows)
	for i := range list {
		list[i].sendSYN(w)
		list[i].answerSYN(w)
	}
	for i := range list {
		list[i].sendHello(w)
	}
	for i := range list {
		c := &list[i]
		c.down(w, 0, len(c.hello), psh|ack, answer)
		c.up(w, len(c.hello), len(answer), fin|ack, nil)
	}
	return w.err
}

// one writes one packet of each connection.
func one(w *writer, flows []int) error {
	list := w.connections(flows)
	for i := range list {
		list[i].sendSYN(w)
	}
	return w.err
}

// records returns the recorded hellos, as a client sends them: in TLS records.
var records = sync.OnceValue(func() (list [][]byte) {
	for entry := range corpus.OfKind(corpus.Records) {
		list = append(list, entry.Data())
	}
	return list
})
