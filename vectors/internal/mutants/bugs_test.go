//go:build mutants

package mutants

// A bug is a change of one place in a parser, and a vector that catches it.
type bug struct {
	name, file, old, new string
	caughtBy             string
}

const (
	code     = "extension/code.go"
	flags    = "extension/flags.go"
	list     = "extension/list.go"
	exchange = "rules/rules.go"
	walkers  = "handshake/handshake.go"
	hello    = "clienthello/clienthello.go"
	vector   = "internal/wire/vector.go"
	bodies   = "clienthello/bodies.go"
	lists    = "clienthello/bodies_lists.go"
	records  = "clienthello/assemble/records.go"
	quic     = "clienthello/assemble/quic.go"
	frames   = "clienthello/assemble/quic_frames.go"
	keys     = "clienthello/assemble/quic_keys.go"
	packets  = "clienthello/assemble/quic_packet.go"
	dtls     = "clienthello/assemble/dtls.go"
	pieces   = "clienthello/assemble/pieces.go"
	client   = "vectors/internal/check/client.go"
	server   = "vectors/internal/check/server.go"
)

var bugs = []bug{
	{"bit order reversed in Has", flags, "s.octets[i]>>(f&7)&1", "s.octets[i]>>(7-f&7)&1", "flags/every/0"},
	{"bit order reversed in All", flags, "i*8 + bits.TrailingZeros8(o)", "i*8 + bits.LeadingZeros8(o)", "flags/every/0"},
	{"octet order reversed", flags, "i := int(f >> 3)", "i := len(s.octets) - 1 - int(f>>3)", "flags/every/0"},
	{"empty data accepted", flags, "if len(data) == 0 {\n\t\treturn Flags{}, 0, ErrFlagsEmptyData\n\t}", "if len(data) == 0 {\n\t\treturn Flags{}, 0, nil\n\t}", "flags/empty-data"},
	{"empty vector accepted", flags, "return Flags{}, 0, ErrFlagsEmptyVector", "return Flags{}, 0, nil", "flags/empty-vector/alone"},
	{"trailing bytes accepted", flags, "case end < len(data):", "case end+1 < len(data):", "flags/trailing-bytes/zero"},
	{"offset of trailing bytes", flags, "return Flags{}, end, ErrFlagsTrailingBytes", "return Flags{}, 0, ErrFlagsTrailingBytes", "flags/trailing-bytes/zero"},
	{"inner length signed", flags, "n := int(data[0])", "n := int(int8(data[0]))", "flags/every/1016"},
	{"inner length in 8 bits", flags, "end := 1 + n", "end := int(uint8(1 + n))", "flags/every/2032"},
	{"trailing zero accepted", flags, "return Flags{}, n, ErrFlagsTrailingZero", "return Flags{octets}, end, nil", "flags/trailing-zero/flag-8"},
	{"all zero taken for trailing zero", flags, "return Flags{}, n, ErrFlagsAllZero", "return Flags{}, n, ErrFlagsTrailingZero", "flags/all-zero/1"},
	{"only 64 flags counted", flags, "for _, o := range s.octets {", "for _, o := range s.octets[:min(len(s.octets), 8)] {", "flags/every/64"},
	{"alert of all zero", code, "\"no flag is set\", AlertIllegalParameter", "\"no flag is set\", AlertDecodeError", "flags/all-zero/1"},
	{"alert of duplicates", code, "AlertIllegalParameter, AlertDecodeError, \"RFC 9846, Section 4.3\"}", "AlertDecodeError, AlertIllegalParameter, \"RFC 9846, Section 4.3\"}", "hello/duplicate/grease"},
	{"alert of a wrong type", code, "\"the handshake message has another type\", AlertUnexpectedMessage", "\"the handshake message has another type\", AlertDecodeError", "hello/header/type-0"},
	{"alert of unrequested flags", code, "AlertUnsupportedExtension, AlertIllegalParameter", "AlertIllegalParameter, AlertUnsupportedExtension", "messages/unrequested/server-hello/other-type-2"},

	{"no filter of known duplicates", list, "if low&bit != 0 {", "if false {", "hello/duplicate/padding"},
	{"no filter of unknown duplicates", list, "if high&bit != 0 && contains(block[:i], t) {", "if false {", "hello/duplicate/grease"},
	{"every hit of the filter a duplicate", list, "if high&bit != 0 && contains(block[:i], t) {", "if high&bit != 0 {", "hello/block/count-62"},
	{"no duplicates after the filter", list, "case has(t):", "case false:", "hello/duplicate/after-64-of-last"},
	{"types before the filter forgotten", list, "for e := range (List{block: l.block[:i]}).All() {", "for e := range (List{}).All() {", "hello/duplicate/after-64-of-last"},
	{"pre_shared_key anywhere", list, "} else if m == ClientHello && next < len(block) {", "} else if false {", "hello/pre-shared-key/first"},
	{"pre_shared_key anywhere after the filter", list, "case t == PreSharedKey && m == ClientHello && next < len(l.block):", "case false:", "hello/pre-shared-key/after-70"},
	{"pre_shared_key last in every message", list, "} else if m == ClientHello && next < len(block) {", "} else if next < len(block) && m != ClientHello {", "hello/pre-shared-key/first"},
	{"experimental type overrides", list, "if t == TLSFlagsExperimental && low&(1<<TLSFlags) == 0 {", "if t == TLSFlagsExperimental {", "hello/both-types/registered-first"},
	{"experimental type unknown", list, "if t == TLSFlagsExperimental && low&(1<<TLSFlags) == 0 {", "if false {", "hello/set/experimental/0"},
	{"extension length in 16 bits", list, "next := i + headerLen + size\n\t\tif next > len(block) {", "next := int(uint16(i + headerLen + size))\n\t\tif next > len(block) {", "hello/overflow/last-extension-65528"},
	{"stray bytes in the block accepted", list, "if len(rest) < headerLen {\n\t\t\treturn List{}, offset + i, ErrStrayBytes", "if len(rest) < headerLen {\n\t\t\treturn l, len(l.block), nil", "hello/block/stray-1"},
	{"offset of an overrun", list, "return List{}, offset + i + 2, ErrExtensionOverrun\n\t\t}\n\t\tcount++", "return List{}, offset + i, ErrExtensionOverrun\n\t\t}\n\t\tcount++", "hello/block/length-one-less"},

	{"unsolicited flags accepted", exchange, "if !offered.Has(f) {", "if false {", "messages/unsolicited/server-hello/other-2"},
	{"unrequested extension accepted", exchange, "if !requested && answers.Has(m) {", "if !requested && false {", "messages/unrequested/server-hello/other-type-2"},
	{"client Certificate answers the ClientHello", exchange, "if m == extension.Certificate && s == handshake.FromClient {\n\t\treturn h.Request\n\t}", "", "messages/answer/client-certificate/all-2"},
	{"known flags anywhere", exchange, "case !info.Messages.Has(m):", "case false:", "messages/known/server-hello/request-mtls-2"},
	{"second hello not compared", exchange, "if had != has || !bytes.Equal(was.Data, is.Data) {", "if had != has || false && !bytes.Equal(was.Data, is.Data) {", "messages/second-hello/other-2"},
	{"second hello may add flags", exchange, "if had != has || !bytes.Equal(was.Data, is.Data) {", "if had && has && !bytes.Equal(was.Data, is.Data) {", "messages/second-hello/added-2"},
	{"later CertificateEntries not judged", exchange, "if v := h.check(m.Kind(), e, o.flags, o.requested); !v.OK() {\n\t\t\treturn v\n\t\t}", "return h.check(m.Kind(), e, o.flags, o.requested)", "messages/certificates/client-certificate/unsolicited-behind-good-2"},
	{"HelloRetryRequest not told apart", walkers, "kind = extension.HelloRetryRequest", "kind = extension.ServerHello", "messages/second-hello/added-2"},
	{"empty ticket accepted", walkers, "c.Vector(2, 1, 1)\n\tlist := c.extensions()", "c.Vector(2, 0, 1)\n\tlist := c.extensions()", "messages/framing/new-session-ticket/no-ticket-2"},
	{"session_id_echo of any length", walkers, "if c.Left() > 0 && c.msg[c.At()] > maxSessionID {", "if false {", "messages/framing/server-hello/session-id-33-2"},

	{"message type not looked at", hello, "if len(msg) > 0 && msg[0] != typeClientHello {", "if false {", "hello/header/type-0"},
	{"message length not limited", hello, "if length > maxLength {", "if length > maxLength+1<<24 {", "hello/header/length-131397"},
	{"message length limited too much", hello, "if length > maxLength {", "if length >= maxLength {", "hello/largest/message"},
	{"session_id of 33 bytes", hello, "maxSessionID    = 32", "maxSessionID    = 33", "hello/session-id/33"},
	{"session_id of any length", hello, "if n > maxSessionID {", "if false {", "hello/session-id/33"},
	{"session_id of at most 31 bytes", hello, "if n > maxSessionID {", "if n >= maxSessionID {", "hello/shape/go"},
	{"no cipher suite", hello, "return ClientHello{}, i, extension.ErrCipherSuitesEmpty", "return ClientHello{}, i, extension.ErrFieldOverrun", "hello/cipher-suites/empty"},
	{"half a cipher suite", hello, "case n%2 != 0:", "case false:", "hello/cipher-suites/odd-1"},
	{"no compression method", hello, "return ClientHello{}, i, extension.ErrCompressionMethodsEmpty", "n = 0", "hello/compression/empty"},
	{"no block refused", hello, "case 0:\n\t\treturn h, end, nil", "case 0:\n\t\treturn ClientHello{}, i, extension.ErrFieldOverrun", "hello/block/none"},
	{"one stray byte accepted", hello, "case 1:\n\t\treturn ClientHello{}, i, extension.ErrStrayBytes", "case 1:\n\t\treturn h, end, nil", "hello/cut/block-half-length"},
	{"stray bytes after the block accepted", hello, "if i += n; i < end {", "if i += n; false {", "hello/block/length-zero"},
	{"truncated by one accepted as overrun", hello, "if len(msg) < end {\n\t\treturn nil, len(msg), extension.ErrTruncated", "if len(msg) < end {\n\t\treturn nil, len(msg), extension.ErrFieldOverrun", "hello/truncated/4"},
	{"cookie read as the next field", hello, "i += 1 + int(msg[i])\n\t}", "i++\n\t}", "dtls/hellos/cookie-1"},

	{"empty vectors accepted", vector, "case n == 0 && least != 0:", "case false:", "bodies/malformed/cookie/none"},
	{"half elements accepted", vector, "case n < least || n%element != 0:", "case n < least:", "bodies/malformed/supported-groups/odd"},
	{"length in 16 bits", vector, "case n > len(data)-lengthSize:", "case int(uint16(lengthSize+n)) > len(data):", "bodies/overflow/alpn-65534"},
	{"as many binders as one likes", lists, "if count != 0 {", "if count > 0 {", "bodies/malformed/pre-shared-key/two-binders"},
	{"limit of 63 bytes", bodies, "if limit < 64 {", "if limit < 63 {", "bodies/malformed/record-size-limit/63"},
	{"two host names", lists, "if seen[nameType/64]>>(nameType%64)&1 != 0 {", "if false {", "bodies/malformed/server-name/two-host-names"},

	{"record version looked at", records, "if b != 3 && r.records == 0 {", "if b != 3 {", "records/versions/second-0200-2"},
	{"record of 16,384 bytes refused", records, "case length > maxRecord:\n\t\treturn refused(extension.ErrRecordOverflow, at)", "case length >= maxRecord:\n\t\treturn refused(extension.ErrRecordOverflow, at)", "records/faults/too-large"},
	{"empty record accepted", records, "case length == 0:\n\t\treturn refused(extension.ErrRecordEmpty, at)", "case length < 0:\n\t\treturn refused(extension.ErrRecordEmpty, at)", "records/faults/empty-first"},
	{"SSLv2 hello not told", records, "if r.records == 0 && !r.again && r.header[0]&0x80 != 0 {", "if false {", "records/faults/sslv2"},
	{"memory off by one", records, "case r.length > len(r.memory):", "case r.length >= len(r.memory):", "records/limits/memory-fits"},

	{"QUIC v2 with the salt of v1", keys, `\x0d\xed\xe3\xde`, `\x38\x76\x2c\xf7`, "quic/packets/v2-2"},
	{"packet number of one byte only", keys, "at = numberAt + int(scratch[0]&3) + 1", "at = numberAt + 1", "quic/packets/number-2-2"},
	{"header protection masks five bits", keys, "k.mask[0] & 0x0f", "k.mask[0] & 0x1f", "quic/frames/two-2"},
	{"ACK with ECN as without", frames, "if ecn {\n\t\tfields += 3\n\t}", "", "quic/frames/ack-ecn-2"},
	{"STREAM frames skipped", frames, "return refused(extension.ErrFrameType, start)", "return Result{}", "quic/faults/frame-stream-2"},
	{"other connection IDs read", quic, "case !bytes.Equal(p.dcid, dcid):", "case false && !bytes.Equal(p.dcid, dcid):", "quic/coalesced/other-dcid-2"},
	{"no new keys after a Retry", quic, "q.previous.len > 0 && q.previous == dcid || !p.mayBeFirst()", "q.keys.aead != nil", "quic/retry/v1-after-half-2"},
	{"types of v1 in v2", packets, "(b[0]>>4 - v.initial) & 3", "(b[0]>>4 - v.initial&0) & 3", "quic/packets/v2-2"},
	{"overlap not compared", pieces, "if !bytes.Equal(data[:n], p.data[offset:offset+n]) {", "if false {", "dtls/faults/changed"},

	{"fragment length ignored", dtls, "case offset == 0 && len(body) == length:", "case offset == 0:", "dtls/fragments/gap"},
	{"other length accepted", dtls, "case length != d.length:", "case false:", "dtls/faults/other-length"},
	{"fragment beyond the end accepted", dtls, "case offset+len(body) > length:\n\t\treturn refused(extension.ErrFragmentOverrun, at+6)\n\tcase !d", "case false:\n\t\treturn refused(extension.ErrFragmentOverrun, at+6)\n\tcase !d", "dtls/faults/beyond-end-second"},
	{"epoch ignored", dtls, "case header[0] == recordHandshake && epoch == 0 && length <= maxRecord:", "case header[0] == recordHandshake && length <= maxRecord:", "dtls/foreign/epoch-1"},
	{"message_seq ignored", dtls, "if seq == d.seq {", "if true {", "dtls/fragments/other-message-between"},

	{"request under TLS 1.2", server, "honored := s.TLS13 && s.Offered && s.Honor", "honored := s.Offered && s.Honor", "request-mtls/request/draft-02/tls12-2"},
	{"request on resumption", server, "case s.Resumed:", "case false:", "request-mtls/request/draft-02/resumed-2"},
	{"never acknowledged", server, "return AcknowledgedRequest\n", "return PlainRequest\n", "request-mtls/request/editors-copy/offered-2"},
	{"bad_certificate in every text", server, "case s.Draft == Draft02 && s.Offered:", "case s.Offered:", "request-mtls/empty-certificate/editors-copy/offered-required-2"},
	{"flag accepted unasked", client, "if m == extension.CertificateRequest && c.Offered {", "if m == extension.CertificateRequest {", "request-mtls/answer/editors-copy/not-offered-flag-2"},
}
