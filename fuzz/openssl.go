//go:build openssl && cgo

package fuzz

/*
#cgo pkg-config: openssl
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

struct seen {
	int called;
	unsigned char random[32];
	const unsigned char *session_id, *suites, *compression;
	size_t session_id_len, suites_len, compression_len;
	unsigned char copy[3 * 65536];
	int types[65536];
	size_t types_len;
	char reason[256];
};

static int on_hello(SSL *ssl, int *alert, void *arg) {
	struct seen *s = arg;
	const unsigned char *p;
	unsigned char *to = s->copy;
	int *types;
	size_t n;
	s->called = 1;
	if (SSL_client_hello_get0_random(ssl, &p) == 32)
		memcpy(s->random, p, 32);
	s->session_id_len = SSL_client_hello_get0_session_id(ssl, &p);
	s->session_id = memcpy(to, p, s->session_id_len);
	to += s->session_id_len;
	s->suites_len = SSL_client_hello_get0_ciphers(ssl, &p);
	s->suites = memcpy(to, p, s->suites_len);
	to += s->suites_len;
	s->compression_len = SSL_client_hello_get0_compression_methods(ssl, &p);
	s->compression = memcpy(to, p, s->compression_len);
	if (SSL_client_hello_get1_extensions_present(ssl, &types, &n) && n <= 65536) {
		memcpy(s->types, types, n * sizeof *types);
		s->types_len = n;
		OPENSSL_free(types);
	}
	return SSL_CLIENT_HELLO_ERROR;
}

static void offer(const unsigned char *data, size_t len, struct seen *s) {
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_client_hello_cb(ctx, on_hello, s);
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new_mem_buf(data, (int)len), *out = BIO_new(BIO_s_null());
	SSL_set_bio(ssl, in, out);
	SSL_accept(ssl);
	ERR_error_string_n(ERR_peek_error(), s->reason, sizeof s->reason);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
}
*/
import "C"

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// openSSLHello is what OpenSSL tells its ClientHello callback.
type openSSLHello struct {
	random, sessionID, suites, compression []byte
	types                                  []uint16
	reason                                 string // of a refusal
}

// openSSL gives a message to a server of OpenSSL; ok is whether it comes to the callback.
func openSSL(msg []byte) (h openSSLHello, ok bool) {
	stream := assembletest.InRecords(msg, nil)
	if len(stream) == 0 {
		return h, false
	}
	data := C.CBytes(stream)
	defer C.free(data)
	seen := (*C.struct_seen)(C.calloc(1, C.sizeof_struct_seen))
	defer C.free(unsafe.Pointer(seen))
	C.offer((*C.uchar)(data), C.size_t(len(stream)), seen)
	view := func(p *C.uchar, n C.size_t) []byte { return C.GoBytes(unsafe.Pointer(p), C.int(n)) }
	h = openSSLHello{
		random: C.GoBytes(unsafe.Pointer(&seen.random), 32), sessionID: view(seen.session_id, seen.session_id_len),
		suites: view(seen.suites, seen.suites_len), compression: view(seen.compression, seen.compression_len),
	}
	h.reason = C.GoString(&seen.reason[0])
	for _, t := range seen.types[:seen.types_len] {
		h.types = append(h.types, uint16(t))
	}
	return h, seen.called != 0
}

// checkAgainstOpenSSL compares what clienthello and the ClientHello callback of OpenSSL
// 3 make of one message. These differences are known and meant:
//
//   - OpenSSL reports only extensions that it knows, and does not see duplicates of
//     others; RFC 9846, Section 4.3 forbids them all.
//   - cipher_suites of odd length or none, and no compression methods: OpenSSL looks
//     after the callback; RFC 9846, Section 4.2.2 rules them out.
//   - OpenSSL refuses before the callback extensions that it knows and that belong into
//     other messages ("bad extension"), and versions whose major number is not 3. Both
//     are judged elsewhere here, if at all.
//   - A ClientHello that does not end with its record is unexpected_message there; here
//     the assembler counts what trails.
func checkAgainstOpenSSL(msg []byte) error {
	hello, n, err := clienthello.Parse(msg)
	if err == nil {
		msg = msg[:n]
	}
	theirs, accepted := openSSL(msg)
	switch {
	case err != nil && accepted:
		switch err {
		case extension.ErrDuplicateExtension, extension.ErrCipherSuitesEmpty, extension.ErrCipherSuitesOdd,
			extension.ErrCompressionMethodsEmpty, extension.ErrPreSharedKeyNotLast:
			return nil
		}
		return fmt.Errorf("OpenSSL accepts what is refused at %d: %w", n, err)
	case err != nil:
		return nil
	case !accepted:
		if hello.LegacyVersion()>>8 != 3 || len(msg) > 1<<16 || strings.HasSuffix(theirs.reason, "::bad extension") {
			return nil
		}
		return fmt.Errorf("OpenSSL refuses what is accepted: %s", theirs.reason)
	}
	var suites []byte
	for s := range hello.CipherSuites().All() {
		suites = append(suites, byte(s>>8), byte(s))
	}
	if !bytes.Equal(theirs.random, hello.Random()) || !bytes.Equal(theirs.sessionID, hello.LegacySessionID()) ||
		!bytes.Equal(theirs.suites, suites) || !bytes.Equal(theirs.compression, hello.LegacyCompressionMethods()) {
		return fmt.Errorf("random, session id, cipher suites or compression methods differ from OpenSSL's")
	}
	var types []uint16
	for e := range hello.Extensions().All() {
		if slices.Contains(theirs.types, uint16(e.Type)) {
			types = append(types, uint16(e.Type))
		}
	}
	if !slices.Equal(types, theirs.types) {
		return fmt.Errorf("extensions %v here, %v in OpenSSL", types, theirs.types)
	}
	return nil
}
