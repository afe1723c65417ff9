#include "tlsflags.h"

#include <string.h>

enum { FLAGS = 62, FLAGS_EXPERIMENTAL = 0xfe01, PRE_SHARED_KEY = 41, MAX_BODY = 131396 };
enum { UNEXPECTED_MESSAGE = 10, ILLEGAL_PARAMETER = 47, DECODE_ERROR = 50 };

/* Sets the reason, and returns false. */
static bool refuse(struct tlsflags *v, const char *code, size_t offset, int alert)
{
	v->code = code;
	v->offset = offset;
	v->alert = alert;
	v->count = v->type = 0;
	return false;
}

/* Framing faults have decode_error in RFC 9846, Section 4.3. */
bool tlsflags_parse(struct tlsflags *v, const uint8_t *data, size_t len)
{
	memset(v, 0, sizeof *v);
	/* opaque flags<1..255>; */
	if (len == 0)
		return refuse(v, "empty_data", 0, ILLEGAL_PARAMETER);
	size_t n = data[0];
	if (n == 0)
		return refuse(v, "empty_vector", 0, ILLEGAL_PARAMETER);
	if (1 + n > len)
		return refuse(v, "inner_too_long", 0, ILLEGAL_PARAMETER);
	if (1 + n < len)
		return refuse(v, "trailing_bytes", 1 + n, ILLEGAL_PARAMETER);
	for (size_t f = 0; f < 8 * n; f++)
		if (data[1 + f / 8] >> f % 8 & 1)
			v->flags[v->count++] = (uint16_t)f;
	if (v->count == 0)
		return refuse(v, "all_zero", n, ILLEGAL_PARAMETER);
	if (data[n] == 0)
		return refuse(v, "trailing_zero", n, ILLEGAL_PARAMETER);
	return true;
}

static size_t number(const uint8_t *p, size_t size)
{
	size_t n = 0;
	while (size-- > 0)
		n = n << 8 | *p++;
	return n;
}

/* Reads the extensions from i to end, and finds the offsets of those with flags, or 0. */
static bool parse_extensions(struct tlsflags *v, const uint8_t *msg, size_t i, size_t end, size_t flags[2])
{
	uint8_t seen[65536 / 8] = {0};
	while (i < end) {
		if (end - i < 4)
			return refuse(v, "stray_bytes", i, DECODE_ERROR);
		size_t type = number(msg + i, 2), next = i + 4 + number(msg + i + 2, 2);
		if (next > end)
			return refuse(v, "extension_overrun", i + 2, DECODE_ERROR);
		if (seen[type / 8] >> type % 8 & 1)
			return refuse(v, "duplicate_extension", i, ILLEGAL_PARAMETER);
		if (type == PRE_SHARED_KEY && next < end)
			return refuse(v, "pre_shared_key_not_last", next, ILLEGAL_PARAMETER);
		if (type == FLAGS || type == FLAGS_EXPERIMENTAL)
			flags[type == FLAGS_EXPERIMENTAL] = i;
		seen[type / 8] |= (uint8_t)(1 << type % 8);
		i = next;
	}
	return true;
}

/* Moves *i past a vector with a length of size bytes. Empty and odd may be NULL. */
static bool vector(struct tlsflags *v, const uint8_t *msg, size_t len, size_t *i, size_t size, const char *empty, const char *odd)
{
	if (len - *i < size)
		return refuse(v, "field_overrun", *i, DECODE_ERROR);
	size_t n = number(msg + *i, size);
	if (empty != NULL && n == 0)
		return refuse(v, empty, *i, DECODE_ERROR);
	if (odd != NULL && n % 2 != 0)
		return refuse(v, odd, *i, DECODE_ERROR);
	if (n > len - *i - size)
		return refuse(v, "field_overrun", *i, DECODE_ERROR);
	*i += size + n;
	return true;
}

bool tlsflags_parse_client_hello(struct tlsflags *v, const uint8_t *msg, size_t len)
{
	memset(v, 0, sizeof *v);
	if (len > 0 && msg[0] != 1)
		return refuse(v, "wrong_message_type", 0, UNEXPECTED_MESSAGE);
	if (len < 4)
		return refuse(v, "truncated", len, DECODE_ERROR);
	size_t end = 4 + number(msg + 1, 3);
	if (end > 4 + MAX_BODY)
		return refuse(v, "message_too_large", 1, DECODE_ERROR);
	if (len < end)
		return refuse(v, "truncated", len, DECODE_ERROR);
	if (end < 6) /* ProtocolVersion legacy_version; */
		return refuse(v, "field_overrun", 4, DECODE_ERROR);
	if (end < 38) /* Random random; */
		return refuse(v, "field_overrun", 6, DECODE_ERROR);
	size_t i = 38; /* opaque legacy_session_id<0..32>; */
	if (i < end && msg[i] > 32)
		return refuse(v, "session_id_too_long", i, DECODE_ERROR);
	if (!vector(v, msg, end, &i, 1, NULL, NULL) || /* CipherSuite cipher_suites<2..2^16-2>; */
	    !vector(v, msg, end, &i, 2, "cipher_suites_empty", "cipher_suites_odd") ||
	    !vector(v, msg, end, &i, 1, "compression_methods_empty", NULL)) /* opaque ...<1..2^8-1>; */
		return false;
	if (i == end) /* no extensions, as in some hellos of TLS 1.2 */
		return true;
	size_t start = i + 2, flags[2] = {0, 0};
	if (start > end)
		return refuse(v, "stray_bytes", i, DECODE_ERROR);
	if (!vector(v, msg, end, &i, 2, NULL, NULL) || !parse_extensions(v, msg, start, i, flags))
		return false;
	if (i < end)
		return refuse(v, "stray_bytes", i, DECODE_ERROR);
	size_t at = flags[0] != 0 ? flags[0] : flags[1];
	if (at == 0)
		return true;
	if (!tlsflags_parse(v, msg + at + 4, number(msg + at + 2, 2))) {
		v->offset += at + 4;
		return false;
	}
	v->type = (unsigned)number(msg + at, 2);
	return true;
}
