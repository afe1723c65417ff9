package main

import (
	"encoding/binary"
	"sync"

	"github.com/tlsflags/tlsflags/bench/internal/initials"
)

// quic writes the Initial packets of clients.
func quic(w *writer, flows []int) error {
	plain, err := chromium()
	if err != nil {
		return err
	}
	var datagrams [][]byte // of the first packet of each flow, then of the second, and so on
	for range flows {
		dcid := binary.BigEndian.AppendUint64(nil, w.random.Uint64())
		keys := initials.DeriveKeys(dcid)
		for _, p := range plain {
			datagrams = append(datagrams, keys.Seal(nil, p.header, p.frames, dcid))
		}
	}
	for n := range plain {
		for i, flow := range flows {
			w.udp(endsOf(flow), datagrams[i*len(plain)+n])
		}
	}
	return w.err
}

// opened is an Initial packet without its protection. The DCID in its header is replaced.
type opened struct{ header, frames []byte }

var chromium = sync.OnceValues(func() (list []opened, err error) {
	datagrams, err := initials.Chromium()
	if err != nil {
		return nil, err
	}
	keys := initials.DeriveKeys(initials.Locate(datagrams[0]).DCID)
	for _, datagram := range datagrams {
		header, frames := keys.Open(initials.Locate(datagram), nil)
		list = append(list, opened{header, frames})
	}
	return list, nil
})
