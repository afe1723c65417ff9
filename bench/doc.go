// Package bench measures what reading a ClientHello costs, here and in other
// libraries, on the same bytes and in the same run:
//
//   - the floor: a bare walk over the type and length of each extension;
//   - this module: clienthello.Parse and HasFlag;
//   - uTLS: UnmarshalClientHello;
//   - gopacket: layers.TLS;
//   - crypto/tls: a server up to its GetConfigForClient callback.
//
// They do not do the same amount of work: gopacket stops before the extensions,
// uTLS and crypto/tls decode the body of each extension they know. What they
// share is the question that the caller has, namely what the client offers.
//
// The ratios that the project promises are checked and printed by
//
//	make bench
//
// which also compares inspect with a loop that decodes packets, on captures that the command
// in shapes writes. make bench-table adds tshark and gopacket, and writes docs/speed.md.
// Single benchmarks run with go test -bench in this folder.
package bench
