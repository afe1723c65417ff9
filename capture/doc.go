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
// [Join] reads rotated files as one capture.
//
// Hellos reads no more of a connection than its ClientHellos. As soon as the first bytes show that
// none is coming, the flow is ignored until a segment begins like a ClientHello; then the server's
// answer decides whether it is one. The bytes, not the ports, show which end is the client.
// [Reader.Follow] reassembles whole connections.
//
// # Limits
//
// [Options] limits what a [Scanner] holds, whatever the traffic. At the limit, the least
// recently active flows are evicted, and [Stats] counts those that might have had a
// ClientHello. Nothing in a packet is an error: packets that are broken, cut short by the
// capture, or of a kind that is not read are counted and ignored. A damaged file is read on
// after the damage ([ErrDamaged]).
//
// # Goroutines
//
// A Scanner and a Reader belong to one goroutine at a time; a [Budget] is for any number of
// them.
//
// With [Options.Workers], a Reader scans in goroutines of its own, which end when the loop over
// its hellos ends. They read from the io.Reader that [Open] was given. Hellos are yielded in the
// goroutine of the loop, in the order in which one worker finds them. Call Stats, Err and Close
// after the loop. If the loop ends early, packets after its last hello have been read and
// counted; the next loop has their hellos.
//
// # Doubt
//
// A Scanner reads TCP and IP as Linux does, and takes what the server acknowledged and
// answered as evidence. If two readings remain, [Hello.Ambiguous] says why. A row that is
// in doubt waits for the server; call [Scanner.Flush] after the last packet.
package capture
