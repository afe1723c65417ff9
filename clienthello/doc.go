// Package clienthello parses the ClientHello message of TLS and DTLS, for instance to
// learn whether the client set a TLS flag:
//
//	hello, _, err := clienthello.Parse(msg)
//	if err == nil && hello.HasFlag(extension.RequestMTLS) {
//		// The client has a certificate and asks to be asked for it.
//	}
//
// [Parse] takes one whole handshake message. Package assemble reassembles it from TLS
// records, QUIC packets or DTLS fragments.
//
// # Promise
//
// For every input, Parse
//
//   - never panics (FuzzClientHelloMessage),
//   - allocates nothing, accepting or refusing (TestNoAllocs),
//   - reads only msg[:len(msg)] and writes nothing (TestReadsOnlyItsInput),
//   - takes time linear in len(msg) (TestWorkIsLinear of package fuzz),
//   - consumes a prefix and depends on nothing after it (TestConsumesPrefix),
//   - is injective: AppendTo gives back the bytes that were consumed (TestRoundTrip),
//   - reports the first field that cannot be accepted, by its offset, and through the
//     error's Alert method the TLS alert to send (TestRefuses).
//
// The methods of ClientHello that read the body of an extension never panic, allocate
// nothing, stay within the extension, take linear time, and report the first field that
// cannot be accepted. None is read before it is asked for.
//
// It is not promised that the values make sense. Versions, cipher suites and compression
// methods are not checked, bodies of extensions only when asked for, and GREASE and
// unknown types never.
//
// Every view ([ClientHello], [Vector] and the like, and every []byte returned) shares
// memory with the bytes given to Parse, and is valid as long as they do not change.
package clienthello
