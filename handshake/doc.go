// Package handshake parses the handshake messages, other than ClientHello, that can carry
// extensions: ServerHello, HelloRetryRequest, EncryptedExtensions, CertificateRequest,
// Certificate and NewSessionTicket of TLS 1.3. Each becomes a [Message], a view that gives
// the extensions and the TLS flags.
//
// For every input, the parsers never panic, allocate nothing, write nothing, take linear
// time, consume a prefix and do not depend on what follows it. They refuse a message with
// an [extension.Code], at the offset of the first field that cannot be accepted.
package handshake
