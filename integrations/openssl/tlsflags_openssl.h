/* The TLS flag request_mtls (draft-jhoyla-req-mtls-flag, editors' copy) in programs with
 * OpenSSL 1.1.1 or newer. A server asks those clients for a certificate that set the flag,
 * and nobody else; a client sets it if it has a certificate. The parser is tlsflags.c of
 * the test vectors. TLS 1.3 only: in TLS 1.2 the flag is ignored.
 *
 * The flag proves nothing: decide by tlsflags_identity alone. */
#ifndef TLSFLAGS_OPENSSL_H
#define TLSFLAGS_OPENSSL_H
#include <openssl/ssl.h>
#ifdef __cplusplus
extern "C" {
#endif

enum { TLSFLAGS_REQUEST_MTLS = 80 }; /* experimental: no number is registered yet */

enum tlsflags_mode {
	TLSFLAGS_REQUEST, /* a flagged client without a certificate is served */
	TLSFLAGS_REQUIRE  /* it is refused with certificate_required */
};

/* What a server does with flagged clients. It does not change; threads may share it. */
typedef struct tlsflags_policy TLSFLAGS_POLICY;

/* Returns a policy with one reference, or NULL if there is no memory or an argument is out
 * of range. flag is the number of request_mtls, 0 to 2039. authorities are those that
 * verify flagged clients, and are copied; NULL takes what the SSL has. id is the session id
 * context that the application gave to SSL_CTX_set_session_id_context, 0 to 32 bytes. */
TLSFLAGS_POLICY *tlsflags_policy_new(enum tlsflags_mode mode, unsigned flag, STACK_OF(X509) *authorities, const unsigned char *id, size_t id_len);
int tlsflags_policy_up_ref(TLSFLAGS_POLICY *policy); /* 1, or 0 on failure */
void tlsflags_policy_free(TLSFLAGS_POLICY *policy);  /* NULL is ignored */
/* The authorities, or NULL if it has none of its own. Before the first connection, revocation
 * lists and parameters may be added. */
X509_STORE *tlsflags_policy_store(const TLSFLAGS_POLICY *policy);

/* Chooses the policy for a server name, which is in lower case, or NULL if the client sent
 * none. choose returns a reference, which the caller frees, or NULL to ignore the flag as a
 * server does that does not know the extension. */
struct tlsflags_chooser {
	TLSFLAGS_POLICY *(*choose)(SSL *ssl, const char *name, void *arg);
	void *arg;
};
/* A choose function that returns arg, a policy, for every name. */
TLSFLAGS_POLICY *tlsflags_same_policy(SSL *ssl, const char *name, void *arg);

/* Server, for an SSL_CTX whose client_hello callback is free: sets it, and adds the extensions.
 * Call it for every SSL_CTX that a servername callback may choose, with the same chooser,
 * which must outlive them. Returns 1, or 0 on failure. */
int tlsflags_server_install(SSL_CTX *ctx, const struct tlsflags_chooser *chooser);

/* Server, for applications with a client_hello callback of their own: add the extensions to
 * every SSL_CTX (1, or 0 on failure), then call the other from the callback of every SSL_CTX.
 *
 * tlsflags_client_hello returns what a client_hello callback returns. It separates the
 * sessions of flagged clients by policy and name, so nothing after it may set the session id
 * context or the number of tickets. Call it once for each ClientHello, also in a callback
 * that returns SSL_CLIENT_HELLO_RETRY at times, and not on an SSL that SSL_clear made
 * ready for another connection: that fails. An SSL that asks everybody keeps its own settings. */
int tlsflags_server_extensions(SSL_CTX *ctx);
int tlsflags_client_hello(SSL *ssl, TLSFLAGS_POLICY *policy, int *alert);
/* Writes the server name of the ClientHello to name, in lower case, and returns its length,
 * or 0 if there is none. Only for client_hello callbacks. */
size_t tlsflags_server_name(SSL *ssl, char name[256]);

/* Server: whether the client set the flag under a policy that does not ignore it, and whether
 * this handshake asked for that reason. On resumption nobody is asked. */
int tlsflags_flagged(const SSL *ssl);
int tlsflags_asked(const SSL *ssl);
/* Server: the policy of the last ClientHello, valid as long as the SSL; NULL if there is none. */
const TLSFLAGS_POLICY *tlsflags_policy(const SSL *ssl);
/* The verified certificate of a flagged client after the handshake, valid as long as the
 * session; NULL if there is none, and during early data. */
X509 *tlsflags_identity(const SSL *ssl);

/* Client: sends the flag if SSL_get_certificate has a certificate, or if the application says
 * that a callback will give one. Returns 1, or 0 on failure. */
int tlsflags_client_install(SSL_CTX *ctx, unsigned flag);
int tlsflags_client_has_certificate(SSL *ssl, int has);
int tlsflags_acknowledged(const SSL *ssl); /* whether the server asked because of the flag */
#ifdef __cplusplus
}
#endif
#endif
