// Reads the TLS Flags extension, and the flags of a ClientHello, from a Uint8Array.
//
// draft-ietf-tls-tlsflags-16 and RFC 9846. Copy this file: CC0-1.0, no packages needed.

const TLS_FLAGS = 62;
const TLS_FLAGS_EXPERIMENTAL = 0xfe01; // unregistered; used if 62 is absent
const PRE_SHARED_KEY = 41;
const MAX_BODY = 131396; // every field of a ClientHello at its largest

const UNEXPECTED_MESSAGE = 10, ILLEGAL_PARAMETER = 47, DECODE_ERROR = 50;

// All other codes have decode_error. Framing faults of tls_flags have decode_error too
// for implementations that follow RFC 9846, Section 4.3 instead of the draft.
const ALERTS = {
  wrong_message_type: UNEXPECTED_MESSAGE,
  duplicate_extension: ILLEGAL_PARAMETER,
  pre_shared_key_not_last: ILLEGAL_PARAMETER,
  empty_data: ILLEGAL_PARAMETER,
  empty_vector: ILLEGAL_PARAMETER,
  inner_too_long: ILLEGAL_PARAMETER,
  trailing_bytes: ILLEGAL_PARAMETER,
  all_zero: ILLEGAL_PARAMETER,
  trailing_zero: ILLEGAL_PARAMETER,
};

// The reason, the offset in the input, and the alert to send.
export class Malformed extends Error {
  constructor(code, offset) {
    super(`${code} at offset ${offset}`);
    this.code = code;
    this.offset = offset;
    this.alert = ALERTS[code] ?? DECODE_ERROR;
  }
}

// Returns the numbers of the flags that extension_data sets, in ascending order.
export function parseFlags(data) {
  // opaque flags<1..255>;
  if (data.length === 0) throw new Malformed("empty_data", 0);
  const n = data[0];
  if (n === 0) throw new Malformed("empty_vector", 0);
  if (1 + n > data.length) throw new Malformed("inner_too_long", 0);
  if (1 + n < data.length) throw new Malformed("trailing_bytes", 1 + n);
  const octets = data.subarray(1);
  if (octets.every((octet) => octet === 0)) throw new Malformed("all_zero", n);
  if (octets[n - 1] === 0) throw new Malformed("trailing_zero", n);
  const flags = [];
  octets.forEach((octet, i) => {
    for (let bit = 0; bit < 8; bit++) {
      if ((octet >> bit) & 1) flags.push(8 * i + bit);
    }
  });
  return flags;
}

// Returns the flags that a ClientHello sets, and the type of the extension that has
// them: 62, 0xfe01, or 0 if there is none. The message has its 4-byte header.
export function parseClientHello(message) {
  if (message.length > 0 && message[0] !== 1) throw new Malformed("wrong_message_type", 0);
  if (message.length < 4) throw new Malformed("truncated", message.length);
  const length = uint(message, 1, 3);
  if (length > MAX_BODY) throw new Malformed("message_too_large", 1);
  if (message.length < 4 + length) throw new Malformed("truncated", message.length);
  const msg = message.subarray(0, 4 + length);
  let i = fixed(msg, 4, 2); // ProtocolVersion legacy_version;
  i = fixed(msg, i, 32); // Random random;

  // opaque legacy_session_id<0..32>;
  if (msg[i] > 32) throw new Malformed("session_id_too_long", i);
  i = vector(msg, i, 1).end;

  // CipherSuite cipher_suites<2..2^16-2>;
  if (msg.length - i >= 2) {
    const n = uint(msg, i, 2);
    if (n === 0) throw new Malformed("cipher_suites_empty", i);
    if (n % 2 !== 0) throw new Malformed("cipher_suites_odd", i);
  }
  i = vector(msg, i, 2).end;

  // opaque legacy_compression_methods<1..2^8-1>;
  if (msg[i] === 0) throw new Malformed("compression_methods_empty", i);
  i = vector(msg, i, 1).end;

  // Extension extensions<0..2^16-1>; absent in some hellos of TLS 1.2
  if (i === msg.length) return { flags: [], type: 0 };
  if (i + 1 === msg.length) throw new Malformed("stray_bytes", i);
  const block = vector(msg, i, 2);
  const extensions = parseExtensions(msg, block.start, block.end);
  if (block.end < msg.length) throw new Malformed("stray_bytes", block.end);
  for (const type of [TLS_FLAGS, TLS_FLAGS_EXPERIMENTAL]) {
    const found = extensions.get(type);
    if (found === undefined) continue;
    try {
      return { flags: parseFlags(msg.subarray(found.start, found.end)), type };
    } catch (e) {
      throw new Malformed(e.code, found.start + e.offset);
    }
  }
  return { flags: [], type: 0 };
}

// Returns start and end of the data of each extension of a ClientHello, by type.
function parseExtensions(msg, i, end) {
  const found = new Map();
  while (i < end) {
    if (end - i < 4) throw new Malformed("stray_bytes", i);
    const type = uint(msg, i, 2);
    const next = i + 4 + uint(msg, i + 2, 2);
    if (next > end) throw new Malformed("extension_overrun", i + 2);
    if (found.has(type)) throw new Malformed("duplicate_extension", i);
    if (type === PRE_SHARED_KEY && next < end) throw new Malformed("pre_shared_key_not_last", next);
    found.set(type, { start: i + 4, end: next });
    i = next;
  }
  return found;
}

function uint(msg, i, size) {
  let v = 0;
  for (const octet of msg.subarray(i, i + size)) v = v * 256 + octet;
  return v;
}

// Returns the end of a field of that size.
function fixed(msg, i, size) {
  if (size > msg.length - i) throw new Malformed("field_overrun", i);
  return i + size;
}

// Returns start and end of a vector with a length field of size bytes.
function vector(msg, i, size) {
  const start = fixed(msg, i, size);
  const end = start + uint(msg, i, size);
  if (end > msg.length) throw new Malformed("field_overrun", i);
  return { start, end };
}
