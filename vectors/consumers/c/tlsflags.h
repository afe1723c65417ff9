/* Reads the TLS Flags extension, and the flags of a ClientHello: see
 * draft-ietf-tls-tlsflags-16 and RFC 9846. Copy this file: CC0-1.0. */
#ifndef TLSFLAGS_H
#define TLSFLAGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* The content of some bytes or, if they are refused, the reason, the offset and the alert. */
struct tlsflags {
	const char *code;     /* NULL if the bytes are valid */
	size_t offset;
	int alert;
	unsigned type;        /* of the extension in the hello: 62, 0xfe01, or 0 for none */
	size_t count;
	uint16_t flags[2040]; /* numbers of the flags that are set, in ascending order */
};
/* Read extension_data, and a ClientHello with its 4-byte header; false if refused. */
bool tlsflags_parse(struct tlsflags *v, const uint8_t *data, size_t len);
bool tlsflags_parse_client_hello(struct tlsflags *v, const uint8_t *msg, size_t len);
#endif
