// Package capture finds the ClientHellos in captured traffic: in pcap and pcapng
// files, on network interfaces ([Live]), and in packets that a program gets from elsewhere.
//
//	r, err := capture.Open(file, capture.Options{})
//	if err != nil {
//		return err
//	}
//	for hello := range r.Hellos() {
//		h, _, err := hello.Parse()
//		...
//	}
//	return r.Err()
//
// It reads no more of a connection than its ClientHellos: a flow is given up as
// soon as its first bytes show that none is coming. Which end is the client
// is decided by the bytes, not by ports.
//
// # Limits
//
// What a [Scanner] holds has a ceiling, stated in [Options], that no traffic can
// exceed. Where it is reached, the flows that were silent for longest make room,
// and [Stats] counts those that might have held a ClientHello. Nothing that packets
// hold is an error: packets that are broken, cut by the capture, or of a kind that
// is not read are counted and passed over.
//
// TCP and IP checksums are not verified, since a capture made on the sending host
// often has none.
package capture
