//! Reads the TLS Flags extension, and the flags of a ClientHello.
//!
//! draft-ietf-tls-tlsflags-16 and RFC 9846. Copy this file: CC0-1.0, no crates needed.

use std::{collections::HashMap, ops::Range};

const TLS_FLAGS: usize = 62;
const TLS_FLAGS_EXPERIMENTAL: usize = 0xfe01; // unregistered; used if 62 is absent
const PRE_SHARED_KEY: usize = 41;
const MAX_BODY: usize = 131_396; // every field of a ClientHello at its largest

/// The reason, the offset in the input, and the alert to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    pub code: &'static str,
    pub offset: usize,
}

impl Malformed {
    /// Framing faults of tls_flags have decode_error in RFC 9846, Section 4.3.
    pub fn alert(&self) -> u8 {
        match self.code {
            "wrong_message_type" => 10, // unexpected_message
            "duplicate_extension" | "pre_shared_key_not_last" | "empty_data" | "empty_vector"
            | "inner_too_long" | "trailing_bytes" | "all_zero" | "trailing_zero" => 47, // illegal_parameter
            _ => 50, // decode_error
        }
    }
}

fn refuse<T>(code: &'static str, offset: usize) -> Result<T, Malformed> {
    Err(Malformed { code, offset })
}

/// Returns the numbers of the flags that extension_data sets, in ascending order.
pub fn parse_flags(data: &[u8]) -> Result<Vec<u16>, Malformed> {
    // opaque flags<1..255>;
    let (&n, octets) = data.split_first().ok_or(Malformed { code: "empty_data", offset: 0 })?;
    match usize::from(n) {
        0 => return refuse("empty_vector", 0),
        n if n > octets.len() => return refuse("inner_too_long", 0),
        n if n < octets.len() => return refuse("trailing_bytes", 1 + n),
        n if octets.iter().all(|&o| o == 0) => return refuse("all_zero", n),
        n if octets[n - 1] == 0 => return refuse("trailing_zero", n),
        _ => {}
    }
    let set = |f: &u16| octets[usize::from(f / 8)] >> (f % 8) & 1 != 0;
    Ok((0..8 * u16::from(n)).filter(set).collect())
}

/// Returns the flags that a ClientHello sets, and the type of the extension that has
/// them: 62, 0xfe01, or 0 if there is none. The message has its 4-byte header.
pub fn parse_client_hello(message: &[u8]) -> Result<(Vec<u16>, usize), Malformed> {
    if message.first().map_or(false, |&t| t != 1) {
        return refuse("wrong_message_type", 0);
    }
    if message.len() < 4 {
        return refuse("truncated", message.len());
    }
    let length = number(&message[1..4]);
    if length > MAX_BODY {
        return refuse("message_too_large", 1);
    }
    let msg = message.get(..4 + length).ok_or(Malformed { code: "truncated", offset: message.len() })?;
    let mut i = fixed(msg, 4, 2)?; // ProtocolVersion legacy_version;
    i = fixed(msg, i, 32)?; // Random random;

    // opaque legacy_session_id<0..32>;
    if msg.get(i).map_or(false, |&n| n > 32) {
        return refuse("session_id_too_long", i);
    }
    i = vector(msg, i, 1)?.end;

    // CipherSuite cipher_suites<2..2^16-2>;
    match msg.get(i..i + 2).map(number) {
        Some(0) => return refuse("cipher_suites_empty", i),
        Some(n) if n % 2 != 0 => return refuse("cipher_suites_odd", i),
        _ => i = vector(msg, i, 2)?.end,
    }

    // opaque legacy_compression_methods<1..2^8-1>;
    if msg.get(i) == Some(&0) {
        return refuse("compression_methods_empty", i);
    }
    i = vector(msg, i, 1)?.end;

    // Extension extensions<0..2^16-1>; absent in some hellos of TLS 1.2
    if i == msg.len() {
        return Ok((vec![], 0));
    }
    if i + 1 == msg.len() {
        return refuse("stray_bytes", i);
    }
    let block = vector(msg, i, 2)?;
    let end = block.end;
    let extensions = parse_extensions(msg, block)?;
    if end < msg.len() {
        return refuse("stray_bytes", end);
    }
    for t in [TLS_FLAGS, TLS_FLAGS_EXPERIMENTAL] {
        if let Some(data) = extensions.get(&t) {
            return match parse_flags(&msg[data.clone()]) {
                Ok(flags) => Ok((flags, t)),
                Err(e) => refuse(e.code, data.start + e.offset),
            };
        }
    }
    Ok((vec![], 0))
}

/// Returns the range of the data of each extension of a ClientHello, by type.
fn parse_extensions(msg: &[u8], block: Range<usize>) -> Result<HashMap<usize, Range<usize>>, Malformed> {
    let mut found = HashMap::new();
    let Range { start: mut i, end } = block;
    while i < end {
        if end - i < 4 {
            return refuse("stray_bytes", i);
        }
        let t = number(&msg[i..i + 2]);
        let next = i + 4 + number(&msg[i + 2..i + 4]);
        if next > end {
            return refuse("extension_overrun", i + 2);
        }
        if found.insert(t, i + 4..next).is_some() {
            return refuse("duplicate_extension", i);
        }
        if t == PRE_SHARED_KEY && next < end {
            return refuse("pre_shared_key_not_last", next);
        }
        i = next;
    }
    Ok(found)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |n, &b| n << 8 | usize::from(b))
}

/// Returns the end of a field of that size.
fn fixed(msg: &[u8], i: usize, size: usize) -> Result<usize, Malformed> {
    if size > msg.len() - i { refuse("field_overrun", i) } else { Ok(i + size) }
}

/// Returns the range of a vector with a length field of size bytes.
fn vector(msg: &[u8], i: usize, size: usize) -> Result<Range<usize>, Malformed> {
    let start = fixed(msg, i, size)?;
    let end = start + number(&msg[i..start]);
    if end > msg.len() { refuse("field_overrun", i) } else { Ok(start..end) }
}
