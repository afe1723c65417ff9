// Package fingerprint computes what tells the programs behind ClientHellos apart: JA4 and
// JA3, a line for logs, and the differences between two hellos.
//
//	hello, _, err := clienthello.Parse(msg)
//	if err == nil {
//		fmt.Println(fingerprint.SumJA4(hello, fingerprint.TCP))
//	}
//
// JA4 is the TLS client fingerprint of FoxIO, JA4.md in github.com/FoxIO-LLC/ja4, which is
// under the BSD 3-Clause license. The other methods of JA4+ are under another license, and
// are not here. JA3 is that of Salesforce, github.com/salesforce/ja3, BSD 3-Clause as well.
//
// # What JA4.md leaves open
//
//   - A server name that is an address: 'd', since the extension is there.
//   - More than 99 cipher suites or extensions: 99.
//   - A protocol name of one byte is its own first and last one. If one of the two is no
//     ASCII letter or digit, they are those of the name in hexadecimal.
//   - A malformed extension counts, and is read as if its list were empty. The version is
//     then legacy_version.
//   - The highest version is the highest number, so DTLS 1.2 wins over DTLS 1.3. Drafts and
//     unknown versions are "00".
//   - A list without values has the hash 000000000000.
//   - GREASE is left out everywhere, also among the signature algorithms.
//   - An extension or suite that is there twice counts twice.
//
// # Why not from crypto/tls
//
// [crypto/tls.ClientHelloInfo] has no legacy_version, which JA3 begins with; for a client
// without supported_versions it has a list made from it, up to TLS 1.2. After Encrypted
// Client Hello it describes the inner hello, and an observer sees the outer one. It does not
// say whether QUIC carried the hello. So fingerprints are of the message itself.
//
// # Promise
//
// The functions named Sum and Append allocate nothing for a hello of up to 64 suites and 64
// extensions, if the caller's buffer is large enough (TestNoAllocs), and read any hello that [clienthello.Parse] accepts
// (FuzzClientHelloMessage).
package fingerprint
