// Package extension reads TLS extensions as wire data, and is at home in one of them:
// the TLS Flags extension of draft-ietf-tls-tlsflags.
//
// [ParseFlags] reads its extension_data into [Flags], a view that answers Has(number);
// [FlagSet] builds and encodes it. [ParseList] validates the extension block of a
// handshake message into a [List]. Whatever is refused is refused with a [Code], which
// knows the alert to send and the clause that was broken.
//
// No function of this package panics or writes to its input. None allocates but those
// that return a string or a changed [Registry], and those that append to a slice without
// room. Views share memory with the bytes that they were parsed from, and are valid as
// long as those do not change.
package extension
