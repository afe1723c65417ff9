package main

import "github.com/tlsflags/tlsflags/vectors"

const (
	linkFlags    = "https://datatracker.ietf.org/doc/draft-ietf-tls-tlsflags/"
	linkFlags00  = "https://datatracker.ietf.org/doc/draft-ietf-tls-tlsflags/00/"
	linkRequest  = "https://datatracker.ietf.org/doc/draft-jhoyla-req-mtls-flag/"
	linkTLS13    = "https://www.rfc-editor.org/info/rfc9846"
	linkTLS12    = "https://www.rfc-editor.org/info/rfc5246"
	linkGREASE   = "https://www.rfc-editor.org/info/rfc8701"
	linkECH      = "https://www.rfc-editor.org/info/rfc9849"
	linkQUIC     = "https://www.rfc-editor.org/info/rfc9000"
	linkQUICTLS  = "https://www.rfc-editor.org/info/rfc9001"
	linkQUICv2   = "https://www.rfc-editor.org/info/rfc9369"
	linkDTLS13   = "https://www.rfc-editor.org/info/rfc9147"
	linkDTLS12   = "https://www.rfc-editor.org/info/rfc6347"
	linkProtocol = "https://www.rfc-editor.org/info/rfc8446"
)

func note(description, effect string, links ...string) vectors.Note {
	return vectors.Note{Description: description, Effect: effect, Links: links}
}

// notes explain the flags of tests.
var notes = map[string]vectors.Note{
	"bit_order": note(
		"The least significant bit of the first octet is flag 0.",
		"A reader with the other order sees other flags, and accepts the bytes all the same.",
		linkFlags,
	),
	"zero_octet": note(
		"A zero octet stands before the last one, as it has to where no flag of it is set.",
		"A reader that refuses any zero octet, or stops at one, misses flags above.",
		linkFlags,
	),
	"known_flag": note(
		"The flag has a name: resumption_across_names is 8, request_mtls is 80 in experiments.",
		"None beyond that of any flag.",
		linkFlags, linkRequest,
	),
	"largest": note(
		"A length is the largest that its field can say.",
		"Sums of such lengths overflow narrow integers; buffers of a guessed size overflow.",
		linkFlags,
	),
	"vector_length": note(
		"The vector has 1 to 255 octets; the shortest that holds the highest flag is the only valid one.",
		"A reader with a fixed width, such as 32 or 64 bits, misses flags or refuses the bytes.",
		linkFlags,
	),
	"framing": note(
		"extension_data is no vector of 1 to 255 octets that fills it.",
		"A lax reader sees flags that another one does not. Two documents ask for two alerts, see alternatives.",
		linkFlags, linkTLS13,
	),
	"not_shortest": note(
		"The last octet is zero, which the shortest encoding never has.",
		"A lax reader lets the same set have many encodings.",
		linkFlags,
	),
	"overflow": note(
		"A length, or a sum of lengths, does not fit its integer.",
		"Arithmetic in 8 or 16 bits wraps, and the reader accepts, crashes or reads beyond its input.",
		linkTLS13,
	),
	"draft": note(
		"An older version of the draft reads the same bytes in another way, see readings.",
		"A capture of an old implementation shows other flags than were meant. Nothing in the bytes tells.",
		linkFlags00, linkFlags,
	),
	"every_flag": note(
		"One row of a series over all 2,040 flags.",
		"None beyond that of bit_order and vector_length.",
		linkFlags,
	),
	"shape": note(
		"The hello has the shape of one that a program sends.",
		"A reader that fails here misses real traffic.",
		linkTLS13,
	),
	"position": note(
		"tls_flags may stand anywhere, but not after pre_shared_key.",
		"A reader that looks in one place misses the flags.",
		linkFlags, linkTLS13,
	),
	"experimental_type": note(
		"Type 0xfe01 is not registered; a fork of Go sends TLS Flags under it. Where both are there, 62 decides.",
		"A reader of type 62 alone misses the flags of that fork, which is no fault by the draft.",
		linkFlags,
	),
	"malformed_flags": note(
		"The hello is well formed, its tls_flags is not.",
		"A server that implements the extension ends the handshake. One that does not, ignores it.",
		linkFlags,
	),
	"no_flags": note(
		"The hello has no tls_flags.",
		"Who searches for bytes sees flags that nobody set.",
		linkTLS13,
	),
	"old_version": note(
		"The hello is one of TLS 1.2 or older, or has no extension block, as those may.",
		"A reader that wants what TLS 1.3 needs refuses old clients.",
		linkTLS12,
	),
	"header": note(
		"Type and length of the handshake message.",
		"Who does not look waits for 16 MB, or reads another message as a ClientHello.",
		linkTLS13,
	),
	"truncated": note(
		"The message is longer than the bytes given.",
		"In a stream this asks for more bytes; an alert is sent only where no more come.",
		linkTLS13,
	),
	"cut": note(
		"A field ends early, and the length of the message agrees.",
		"A reader that waits for more waits forever; one that does not look reads beyond its input.",
		linkTLS13,
	),
	"version": note(
		"legacy_version is not judged by who reads the message.",
		"RFC 9846 wants 0x0303 where supported_versions is there, and protocol_version else; servers do not enforce it.",
		linkTLS13, linkTLS12,
	),
	"session_id": note(
		"legacy_session_id has at most 32 bytes.",
		"Copied into a buffer of 32 bytes, more of them overflow it.",
		linkTLS13,
	),
	"cipher_suites": note(
		"cipher_suites has a whole number of suites, at least one.",
		"A reader of pairs reads half a suite, or the byte after it.",
		linkTLS13,
	),
	"compression": note(
		"legacy_compression_methods has at least one byte. Its values are for who negotiates.",
		"A server of TLS 1.3 refuses all but null alone, with illegal_parameter.",
		linkTLS13, linkTLS12,
	),
	"block": note(
		"The lengths of message, block and extensions have to agree.",
		"Two readers see two lists of extensions in the same bytes.",
		linkTLS13, linkTLS12,
	),
	"stray": note(
		"Bytes are left over.",
		"Who ignores them lets one hello have many forms, and hides bytes from others.",
		linkTLS13, linkTLS12,
	),
	"count": note(
		"The number of extensions is near a size at which readers change how they search.",
		"A search in quadratic time takes a second for one message.",
		linkTLS13,
	),
	"duplicate": note(
		"No type may stand twice in a block, known or not. No document names the alert.",
		"Two readers take two different ones of the two.",
		linkTLS13,
	),
	"pre_shared_key": note(
		"pre_shared_key is the last extension of a ClientHello, since its binders cover what is before it.",
		"What follows is not covered by the binders.",
		linkTLS13,
	),
	"grease": note(
		"Reserved values, to be treated like unknown ones.",
		"A reader that fails here fails for every hello of Chromium and Safari.",
		linkGREASE,
	),
	"unknown": note(
		"Unknown extensions are ignored.",
		"A reader that fails here fails when the next extension is deployed.",
		linkTLS13,
	),
	"ech": note(
		"The flags that count are those of the inner hello, if the server accepts it; nobody else sees them.",
		"Who takes the flags of the outer hello for those of the client is wrong; that there are none proves nothing.",
		linkECH,
	),
	"message": note(
		"Flags in a message other than the first ClientHello. What went before is in before.",
		"A receiver that does not compare takes as agreed what it never proposed.",
		linkFlags, linkTLS13,
	),
	"unsolicited": note(
		"A flag answers a message that did not have it.",
		"The peers disagree about what was negotiated.",
		linkFlags,
	),
	"unrequested": note(
		"The extension answers a message that did not have it. Both documents apply, see alternatives.",
		"As for any extension that was not asked for: the peer speaks another protocol.",
		linkTLS13, linkFlags,
	),
	"second_hello": note(
		"The ClientHello that follows a HelloRetryRequest.",
		"Who looks at the first hello alone, or at the second alone, misses that they differ.",
		linkTLS13,
	),
	"segments": note(
		"TCP delivers a stream in pieces that mean nothing.",
		"A reader of one segment, or one read, misses the hello since post-quantum key shares made it longer than both.",
		linkTLS13,
	),
	"split": note(
		"A message may be spread over records, and cut anywhere.",
		"A reader of one record misses the hello. Attackers split it on purpose.",
		linkTLS13,
	),
	"record_version": note(
		"legacy_record_version is to be ignored, but a major version other than 3 is no TLS.",
		"A reader that wants 0x0301 misses hellos; one that takes anything reads noise.",
		linkTLS13,
	),
	"record": note(
		"A rule of the record layer is broken.",
		"Reader and server see different messages in the same bytes.",
		linkTLS13, linkTLS12,
	),
	"foreign": note(
		"Another protocol, or none.",
		"A reader that reports an error here cries wolf; one that waits holds memory.",
		linkTLS13, linkQUIC, linkDTLS13,
	),
	"unfinished": note(
		"All that arrived fits, and something is missing.",
		"A reader that answers now is wrong about what has not arrived yet.",
		linkTLS13, linkQUIC, linkDTLS13,
	),
	"memory": note(
		"The reader has as much memory as memory says, and the message needs as much, or more.",
		"A reader without a limit can be made to hold 16 MB for each connection.",
		linkTLS13, linkQUIC,
	),
	"quic": note(
		"Initial packets of QUIC, whose keys anybody can derive from what is in them.",
		"A reader without QUIC sees nothing of about a third of browser traffic.",
		linkQUIC, linkQUICTLS, linkQUICv2,
	),
	"retry": note(
		"After a Retry the keys change, and the client sends the same message again.",
		"A reader that keeps the old keys sees nothing; one that keeps the old data joins two attempts.",
		linkQUIC, linkQUICTLS,
	),
	"dtls": note(
		"Records and fragments of DTLS, of any order, overlapping and repeated.",
		"A reader that joins them as they come reads a message that nobody sent.",
		linkDTLS13, linkDTLS12,
	),
	"request_mtls": note(
		"What client and server do about request_mtls, after two texts that differ.",
		"A server that asks everybody shows people a prompt; one that asks nobody locks programs out.",
		linkRequest,
	),
	"body": note(
		"The body of an extension is judged, not only the list of extensions.",
		"A server that reads the extension ends the handshake; a reader that does not look goes on.",
		linkTLS13,
	),
}
