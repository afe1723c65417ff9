/*
 * One end of a TLS 1.3 handshake with OpenSSL, over standard input and output:
 *
 *   peer client|server SESSION-ID FLAGS EXPERIMENTAL [CERT KEY GROUPS]
 *
 * FLAGS and EXPERIMENTAL are the extension_data of types 62 and 0xfe01 in hexadecimal, or
 * - for none. A client sends them in its ClientHello, and a server in its
 * CertificateRequest. SESSION-ID is what the random number generator returns for each
 * request, so that a client has this legacy_session_id. After the handshake both echo
 * what they read. Each extension_data that arrives is printed on standard error.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

typedef struct {
    unsigned char data[512];
    size_t len;
    int present;
} bytes;

static bytes session;

static bytes unhex(const char *text) {
    bytes b = {{0}, 0, strcmp(text, "-") != 0};
    unsigned int octet;
    for (; b.present && sscanf(text, "%2x", &octet) == 1; text += 2)
        b.data[b.len++] = octet;
    return b;
}

static int constant(unsigned char *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = session.data[i % session.len];
    return 1;
}

static int ready(void) { return 1; }

static int add(SSL *ssl, unsigned int type, unsigned int context,
               const unsigned char **out, size_t *len, X509 *x, size_t chain,
               int *alert, void *arg) {
    bytes *b = arg;
    if (!b->present || !(context & (SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST)))
        return 0;
    *out = b->data;
    *len = b->len;
    return 1;
}

static int parse(SSL *ssl, unsigned int type, unsigned int context,
                 const unsigned char *in, size_t len, X509 *x, size_t chain,
                 int *alert, void *arg) {
    fprintf(stderr, "%u ", type);
    while (len-- > 0)
        fprintf(stderr, "%02x", *in++);
    fprintf(stderr, "\n");
    return 1;
}

static int accept_all(int ok, X509_STORE_CTX *store) { return 1; }

static int any_timestamps(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) *scts, void *arg) {
    return 1;
}

static int fail(const char *what) {
    fprintf(stderr, "%s failed: ", what);
    ERR_print_errors_fp(stderr);
    return 1;
}

int main(int argc, char **argv) {
    const unsigned int everywhere = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_SERVER_HELLO |
        SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS |
        SSL_EXT_TLS1_3_CERTIFICATE | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST |
        SSL_EXT_TLS1_3_NEW_SESSION_TICKET | SSL_EXT_TLS1_3_ONLY;
    RAND_METHOD fixed = {NULL, constant, NULL, NULL, constant, ready};
    static bytes flags, experimental, timestamps = {{0}, 0, 1};
    unsigned char buffer[1024];
    int n;

    if (argc < 5)
        return fail("usage");
    int client = strcmp(argv[1], "client") == 0;
    session = unhex(argv[2]);
    flags = unhex(argv[3]);
    experimental = unhex(argv[4]);
    SSL_CTX *ctx = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    if (!SSL_CTX_add_custom_ext(ctx, 62, everywhere, add, NULL, &flags, parse, NULL) ||
        !SSL_CTX_add_custom_ext(ctx, 0xfe01, everywhere, add, NULL, &experimental, parse, NULL))
        return fail("SSL_CTX_add_custom_ext");
    if (client) {
        RAND_set_rand_method(&fixed);
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2", 3);
        SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
        SSL_CTX_set_ct_validation_callback(ctx, any_timestamps, NULL);
    } else {
        if (argc != 8 || SSL_CTX_use_certificate_file(ctx, argv[5], SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(ctx, argv[6], SSL_FILETYPE_PEM) != 1)
            return fail("the certificate");
        SSL_CTX_set1_groups_list(ctx, argv[7]);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
        SSL_CTX_add_custom_ext(ctx, 18, SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
                               add, NULL, &timestamps, parse, NULL);
    }
    SSL *ssl = SSL_new(ctx);
    SSL_set_rfd(ssl, 0);
    SSL_set_wfd(ssl, 1);
    if (client)
        SSL_set_tlsext_host_name(ssl, "example.com");
    if ((client ? SSL_connect(ssl) : SSL_accept(ssl)) != 1)
        return fail("the handshake");
    while ((n = SSL_read(ssl, buffer, sizeof(buffer))) > 0)
        SSL_write(ssl, buffer, n);
    return fail("reading");
}
