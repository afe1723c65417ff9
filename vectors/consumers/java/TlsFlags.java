import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the TLS Flags extension, and the flags of a ClientHello.
 *
 * <p>draft-ietf-tls-tlsflags-16 and RFC 9846. Copy this file: CC0-1.0, no packages needed.
 */
final class TlsFlags {
    static final int TLS_FLAGS = 62;
    static final int TLS_FLAGS_EXPERIMENTAL = 0xfe01; // unregistered; used if 62 is absent
    private static final int PRE_SHARED_KEY = 41;
    private static final int MAX_BODY = 131396; // every field of a ClientHello at its largest

    /** The numbers of the flags that are set, and the type of the extension that holds them. */
    record Flags(List<Integer> numbers, int extension) {}

    /** The reason, the offset in the input, and the alert to send. */
    static final class Malformed extends Exception {
        // Framing faults of tls_flags have decode_error in RFC 9846, Section 4.3.
        private static final Set<String> ILLEGAL_PARAMETER = Set.of("duplicate_extension", "pre_shared_key_not_last",
                "empty_data", "empty_vector", "inner_too_long", "trailing_bytes", "all_zero", "trailing_zero");
        final String code;
        final int offset;
        final int alert;

        Malformed(String code, int offset) {
            super(code + " at offset " + offset);
            this.code = code;
            this.offset = offset;
            this.alert = ILLEGAL_PARAMETER.contains(code) ? 47 : code.equals("wrong_message_type") ? 10 : 50;
        }
    }

    private final byte[] data;
    private final int end;
    private int at; // next byte to read

    private TlsFlags(byte[] data, int start, int end) {
        this.data = data;
        this.at = start;
        this.end = end;
    }

    /** Reads extension_data. */
    static Flags parse(byte[] data) throws Malformed {
        return new TlsFlags(data, 0, data.length).flags(0);
    }

    /** Reads a ClientHello with its 4-byte header. */
    static Flags parseClientHello(byte[] message) throws Malformed {
        if (message.length > 0 && message[0] != 1) throw new Malformed("wrong_message_type", 0);
        if (message.length < 4) throw new Malformed("truncated", message.length);
        int length = number(message, 1, 3);
        if (length > MAX_BODY) throw new Malformed("message_too_large", 1);
        if (message.length < 4 + length) throw new Malformed("truncated", message.length);
        return new TlsFlags(message, 4, 4 + length).body();
    }

    private Flags flags(int extension) throws Malformed {
        // opaque flags<1..255>;
        int length = end - at;
        if (length == 0) throw new Malformed("empty_data", at);
        int n = data[at] & 0xff;
        if (n == 0) throw new Malformed("empty_vector", at);
        if (1 + n > length) throw new Malformed("inner_too_long", at);
        if (1 + n < length) throw new Malformed("trailing_bytes", at + 1 + n);
        List<Integer> numbers = new ArrayList<>();
        for (int f = 0; f < 8 * n; f++) {
            if ((data[at + 1 + f / 8] >> f % 8 & 1) != 0) numbers.add(f);
        }
        if (numbers.isEmpty()) throw new Malformed("all_zero", at + n);
        if (data[at + n] == 0) throw new Malformed("trailing_zero", at + n);
        return new Flags(numbers, extension);
    }

    private Flags body() throws Malformed {
        skip(2); // ProtocolVersion legacy_version;
        skip(32); // Random random;

        // opaque legacy_session_id<0..32>;
        if (at < end && (data[at] & 0xff) > 32) throw new Malformed("session_id_too_long", at);
        skipVector(1);

        // CipherSuite cipher_suites<2..2^16-2>;
        int suites = end - at < 2 ? -2 : number(data, at, 2);
        if (suites == 0) throw new Malformed("cipher_suites_empty", at);
        if (suites % 2 != 0) throw new Malformed("cipher_suites_odd", at);
        skipVector(2);

        // opaque legacy_compression_methods<1..2^8-1>;
        if (at < end && data[at] == 0) throw new Malformed("compression_methods_empty", at);
        skipVector(1);

        // Extension extensions<0..2^16-1>; absent in some hellos of TLS 1.2
        if (at == end) return new Flags(List.of(), 0);
        if (at + 1 == end) throw new Malformed("stray_bytes", at);
        int start = at + 2;
        skipVector(2);
        Map<Integer, TlsFlags> found = new TlsFlags(data, start, at).extensions();
        if (at < end) throw new Malformed("stray_bytes", at);
        for (int type : new int[] {TLS_FLAGS, TLS_FLAGS_EXPERIMENTAL}) {
            if (found.containsKey(type)) return found.get(type).flags(type);
        }
        return new Flags(List.of(), 0);
    }

    /** Returns the data of each extension of a ClientHello, by type. */
    private Map<Integer, TlsFlags> extensions() throws Malformed {
        Map<Integer, TlsFlags> found = new HashMap<>();
        while (at < end) {
            if (end - at < 4) throw new Malformed("stray_bytes", at);
            int type = number(data, at, 2);
            int next = at + 4 + number(data, at + 2, 2);
            if (next > end) throw new Malformed("extension_overrun", at + 2);
            if (found.put(type, new TlsFlags(data, at + 4, next)) != null) throw new Malformed("duplicate_extension", at);
            if (type == PRE_SHARED_KEY && next < end) throw new Malformed("pre_shared_key_not_last", next);
            at = next;
        }
        return found;
    }

    private void skip(int size) throws Malformed {
        if (size > end - at) throw new Malformed("field_overrun", at);
        at += size;
    }

    private void skipVector(int size) throws Malformed {
        int start = at;
        skip(size);
        int n = number(data, start, size);
        if (n > end - at) throw new Malformed("field_overrun", start);
        at += n;
    }

    private static int number(byte[] b, int i, int size) {
        int n = 0;
        for (int end = i + size; i < end; i++) n = n << 8 | b[i] & 0xff;
        return n;
    }
}
