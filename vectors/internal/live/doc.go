// Package live checks that a real stack takes every valid vector of the kind messages. A
// small peer sends each one inside a handshake of TLS 1.3 with OpenSSL, and the handshake
// must go on. Its test needs a C compiler, OpenSSL's headers and the build tag live: make
// vectors-live runs it.
package live
