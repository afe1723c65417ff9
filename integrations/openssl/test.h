/* Handshakes in memory, for the tests. */
#ifndef TEST_H
#define TEST_H
#include "tlsflags_openssl.h"

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

extern struct pair site, authority_a, authority_b, client_a, client_b;
void make_certificates(void);
void free_certificates(void);

/* A server of two names: b.example has an SSL_CTX of its own. */
struct server {
	int version, tickets, own; /* own: an application with all callbacks of its own */
	const char *groups;        /* NULL: those of OpenSSL */
	enum tlsflags_mode mode;
	struct pair *authority;    /* of both names; NULL ignores the flag */
	int asks, psk;             /* asks everybody; has external PSKs */
	const char *raw;           /* what it sends in CertificateRequest, without the library, or NULL */
	size_t raw_len;
	struct tlsflags_chooser chooser;
	SSL_CTX *ctx, *other;
};

void start(struct server *s);
void stop(struct server *s);

struct client {
	const char *name;
	int flag;           /* 1: sends the flag; 2: would if it had a certificate */
	struct pair *pair;  /* NULL: gives no certificate */
	/* What it sends instead, in both hellos; NULL for nothing. */
	const char *raw[2];
	size_t raw_len[2];
	unsigned raw_type;
	int psk;
};

struct outcome {
	int done, reused, asked, flagged, acknowledged, identity, early, early_identity;
	int answers; /* code points in CertificateRequest to a raw client: 1 for 62, 2 for 0xfe01 */
	int alert; /* the one sent, or -1 */
	SSL_SESSION *session; /* the client's newest, or NULL */
};

/* Makes a handshake; in, which may be NULL, is resumed, and early sends early data. */
struct outcome shake(struct server *s, const struct client *c, SSL_SESSION *in, int early);

/* Ends the program, with what the test is about, if ok is 0. */
void check(int ok, const char *what);
extern int checks;
/* Bits of those callbacks of an application of its own that ran since start: client_hello,
 * verify, cert, ticket. */
extern int called;
#endif
