"""Reads the TLS Flags extension, and the flags of a ClientHello.

draft-ietf-tls-tlsflags-16 and RFC 9846. Copy this file: CC0-1.0, no packages needed.
"""

TLS_FLAGS = 62
TLS_FLAGS_EXPERIMENTAL = 0xFE01  # unregistered; used if 62 is absent
PRE_SHARED_KEY = 41
MAX_BODY = 131396  # every field of a ClientHello at its largest

UNEXPECTED_MESSAGE, ILLEGAL_PARAMETER, DECODE_ERROR = 10, 47, 50

# All other codes have decode_error. Framing faults of tls_flags have decode_error too
# for implementations that follow RFC 9846, Section 4.3 instead of the draft.
ALERTS = {
    "wrong_message_type": UNEXPECTED_MESSAGE,
    "duplicate_extension": ILLEGAL_PARAMETER,
    "pre_shared_key_not_last": ILLEGAL_PARAMETER,
    "empty_data": ILLEGAL_PARAMETER,
    "empty_vector": ILLEGAL_PARAMETER,
    "inner_too_long": ILLEGAL_PARAMETER,
    "trailing_bytes": ILLEGAL_PARAMETER,
    "all_zero": ILLEGAL_PARAMETER,
    "trailing_zero": ILLEGAL_PARAMETER,
}


class Malformed(Exception):
    """The reason, the offset in the input, and the alert to send."""

    def __init__(self, code, offset):
        super().__init__(f"{code} at offset {offset}")
        self.code, self.offset = code, offset
        self.alert = ALERTS.get(code, DECODE_ERROR)


def parse_flags(data):
    """Returns the numbers of the flags that extension_data sets, in ascending order."""
    # opaque flags<1..255>;
    if not data:
        raise Malformed("empty_data", 0)
    n = data[0]
    if n == 0:
        raise Malformed("empty_vector", 0)
    if 1 + n > len(data):
        raise Malformed("inner_too_long", 0)
    if 1 + n < len(data):
        raise Malformed("trailing_bytes", 1 + n)
    octets = data[1:]
    if not any(octets):
        raise Malformed("all_zero", n)
    if octets[-1] == 0:
        raise Malformed("trailing_zero", n)
    return [8 * i + bit for i, octet in enumerate(octets) for bit in range(8) if octet >> bit & 1]


def parse_client_hello(message):
    """Returns the flags that a ClientHello sets, and the type of the extension that
    has them: 62, 0xfe01, or 0 if there is none. The message has its 4-byte header."""
    if message and message[0] != 1:
        raise Malformed("wrong_message_type", 0)
    if len(message) < 4:
        raise Malformed("truncated", len(message))
    length = int.from_bytes(message[1:4], "big")
    if length > MAX_BODY:
        raise Malformed("message_too_large", 1)
    if len(message) < 4 + length:
        raise Malformed("truncated", len(message))
    msg = message[: 4 + length]
    i = fixed(msg, 4, 2)  # ProtocolVersion legacy_version;
    i = fixed(msg, i, 32)  # Random random;

    # opaque legacy_session_id<0..32>;
    if i < len(msg) and msg[i] > 32:
        raise Malformed("session_id_too_long", i)
    _, i = vector(msg, i, 1)

    # CipherSuite cipher_suites<2..2^16-2>;
    if len(msg) - i >= 2:
        n = int.from_bytes(msg[i : i + 2], "big")
        if n == 0:
            raise Malformed("cipher_suites_empty", i)
        if n % 2:
            raise Malformed("cipher_suites_odd", i)
    _, i = vector(msg, i, 2)

    # opaque legacy_compression_methods<1..2^8-1>;
    if i < len(msg) and msg[i] == 0:
        raise Malformed("compression_methods_empty", i)
    _, i = vector(msg, i, 1)

    # Extension extensions<0..2^16-1>; absent in some hellos of TLS 1.2
    if i == len(msg):
        return [], 0
    if i + 1 == len(msg):
        raise Malformed("stray_bytes", i)
    start, end = vector(msg, i, 2)
    extensions = parse_extensions(msg, start, end)
    if end < len(msg):
        raise Malformed("stray_bytes", end)
    for extension_type in (TLS_FLAGS, TLS_FLAGS_EXPERIMENTAL):
        if extension_type in extensions:
            at, data = extensions[extension_type]
            try:
                return parse_flags(data), extension_type
            except Malformed as e:
                raise Malformed(e.code, at + e.offset) from None
    return [], 0


def parse_extensions(msg, i, end):
    """Returns the extensions of a ClientHello by type: the offset of the data, and the data."""
    found = {}
    while i < end:
        if end - i < 4:
            raise Malformed("stray_bytes", i)
        extension_type = int.from_bytes(msg[i : i + 2], "big")
        next_one = i + 4 + int.from_bytes(msg[i + 2 : i + 4], "big")
        if next_one > end:
            raise Malformed("extension_overrun", i + 2)
        if extension_type in found:
            raise Malformed("duplicate_extension", i)
        if extension_type == PRE_SHARED_KEY and next_one < end:
            raise Malformed("pre_shared_key_not_last", next_one)
        found[extension_type] = i + 4, msg[i + 4 : next_one]
        i = next_one
    return found


def fixed(msg, i, size):
    """Returns the end of a field of that size."""
    if size > len(msg) - i:
        raise Malformed("field_overrun", i)
    return i + size


def vector(msg, i, size):
    """Returns start and end of a vector with a length field of size bytes."""
    start = fixed(msg, i, size)
    end = start + int.from_bytes(msg[i:start], "big")
    if end > len(msg):
        raise Malformed("field_overrun", i)
    return start, end
