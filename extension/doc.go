// Package extension parses TLS extensions and implements one of them in full: the TLS
// Flags extension of draft-ietf-tls-tlsflags.
//
// [ParseFlags] parses its extension_data into [Flags], a view that answers Has(number);
// [FlagSet] builds and encodes it. [ParseList] validates the extension block of a
// handshake message into a [List]. Whatever is refused is refused with a [Code], which
// has the alert to send and the clause that was broken. [Registry] knows the flags by
// number and name.
//
// Functions never panic or modify their input. They allocate nothing, except that
//
//   - those that return a string, or a changed Registry, allocate it,
//   - those that append allocate if the slice has no room,
//   - an iterator, such as that of [List.All], allocates nothing when ranged over
//     directly, and its closures when it is passed to another function, such as
//     slices.Collect.
//
// Views share memory with the bytes that they were parsed from, and are valid as long as
// those do not change.
package extension
