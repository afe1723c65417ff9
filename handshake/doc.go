// Package handshake parses the handshake messages, other than ClientHello, that can carry
// extensions: ServerHello, HelloRetryRequest, EncryptedExtensions, CertificateRequest,
// Certificate and NewSessionTicket of TLS 1.3. All of them become a [Message], one view
// for all, with the extensions and the TLS flags in them.
//
// For every input, the parsers never panic, allocate nothing, write nothing, take linear
// time, consume a prefix and do not depend on what follows it. They refuse a message with
// an [extension.Code], at the offset of the first field that cannot be accepted.
package handshake
