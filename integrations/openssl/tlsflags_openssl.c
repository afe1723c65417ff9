#include "tlsflags_openssl.h"

#include "tlsflags.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

enum { FLAGS = 62, FLAGS_EXPERIMENTAL = 0xfe01, LAST_FLAG = 2039 };

struct tlsflags_policy {
	enum tlsflags_mode mode;
	unsigned flag;
	X509_STORE *store; /* NULL: no authorities of its own */
	STACK_OF(X509_NAME) *names;
	unsigned char authorities[SHA256_DIGEST_LENGTH];
	unsigned char id[SSL_MAX_SID_CTX_LENGTH];
	size_t id_len;
	int references;
	CRYPTO_RWLOCK *lock;
};

/* What an SSL has in its ex_data. */
struct state {
	TLSFLAGS_POLICY *policy; /* NULL: the flag is ignored */
	unsigned char sent[SHA256_DIGEST_LENGTH]; /* digest of the client's flags extensions */
	unsigned type;      /* of the extension that counts, or 0 */
	int flagged, malformed, asked;
	int bound;          /* the session id context is ours */
	size_t tickets;     /* their number, before it became 0 */
	int (*verify)(int, X509_STORE_CTX *); /* the application's */
	int has_certificate, acknowledged;    /* client */
	unsigned char data[1 + 255];          /* that this side sends */
};

static int state_index = -1;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static void free_state(void *parent, void *p, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	(void)parent, (void)data, (void)index, (void)argl, (void)argp;
	struct state *s = p;
	if (s != NULL)
		tlsflags_policy_free(s->policy);
	free(s);
}

/* SSL_dup would share the state, and free it twice. */
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static int forget(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **p, int index, long argl, void *argp)
#else
static int forget(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void *p, int index, long argl, void *argp)
#endif
{
	(void)to, (void)from, (void)index, (void)argl, (void)argp;
	*(void **)p = NULL;
	return 1;
}

static void make_index(void)
{
	state_index = SSL_get_ex_new_index(0, NULL, NULL, forget, free_state);
}

static struct state *get_state(const SSL *ssl)
{
	return state_index < 0 ? NULL : SSL_get_ex_data(ssl, state_index);
}

static struct state *make_state(SSL *ssl)
{
	struct state *s = get_state(ssl);
	if (s != NULL)
		return s;
	s = calloc(1, sizeof *s);
	if (s != NULL && !SSL_set_ex_data(ssl, state_index, s)) {
		free(s);
		return NULL;
	}
	return s;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_DIGEST_LENGTH);
}

/* The digest does not depend on the order of the authorities. */
static int add_authorities(TLSFLAGS_POLICY *p, STACK_OF(X509) *authorities)
{
	int n = sk_X509_num(authorities), ok = 0;
	unsigned char (*digests)[SHA256_DIGEST_LENGTH] = calloc(n > 0 ? (size_t)n : 1, sizeof *digests);
	p->store = X509_STORE_new();
	p->names = sk_X509_NAME_new_null();
	if (digests == NULL || p->store == NULL || p->names == NULL)
		goto end;
	for (int i = 0; i < n; i++) {
		X509 *x = sk_X509_value(authorities, i);
		X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));
		if (name == NULL || !sk_X509_NAME_push(p->names, name)) {
			X509_NAME_free(name);
			goto end;
		}
		if (!X509_STORE_add_cert(p->store, x) || !X509_digest(x, EVP_sha256(), digests[i], NULL))
			goto end;
	}
	qsort(digests, (size_t)n, sizeof *digests, compare);
	ok = EVP_Digest(digests, (size_t)n * sizeof *digests, p->authorities, NULL, EVP_sha256(), NULL);
end:
	free(digests);
	return ok;
}

TLSFLAGS_POLICY *tlsflags_policy_new(enum tlsflags_mode mode, unsigned flag, STACK_OF(X509) *authorities, const unsigned char *id, size_t id_len)
{
	if (flag > LAST_FLAG || mode > TLSFLAGS_REQUIRE || id_len > SSL_MAX_SID_CTX_LENGTH)
		return NULL;
	TLSFLAGS_POLICY *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->mode = mode;
	p->flag = flag;
	p->references = 1;
	p->id_len = id_len;
	if (id_len > 0)
		memcpy(p->id, id, id_len);
	p->lock = CRYPTO_THREAD_lock_new();
	if (p->lock == NULL || (authorities != NULL && !add_authorities(p, authorities))) {
		tlsflags_policy_free(p);
		return NULL;
	}
	return p;
}

int tlsflags_policy_up_ref(TLSFLAGS_POLICY *p)
{
	int n;
	return CRYPTO_atomic_add(&p->references, 1, &n, p->lock);
}

void tlsflags_policy_free(TLSFLAGS_POLICY *p)
{
	int n = 0;
	if (p == NULL || (p->lock != NULL && (!CRYPTO_atomic_add(&p->references, -1, &n, p->lock) || n > 0)))
		return;
	X509_STORE_free(p->store);
	sk_X509_NAME_pop_free(p->names, X509_NAME_free);
	CRYPTO_THREAD_lock_free(p->lock);
	free(p);
}

X509_STORE *tlsflags_policy_store(const TLSFLAGS_POLICY *p)
{
	return p->store;
}

TLSFLAGS_POLICY *tlsflags_same_policy(SSL *ssl, const char *name, void *arg)
{
	(void)ssl, (void)name;
	return arg != NULL && tlsflags_policy_up_ref(arg) ? arg : NULL;
}

/* Whether bytes are a valid tls_flags, and in has whether they have the flag. */
static int parse_flags(const unsigned char *data, size_t len, unsigned flag, int *has)
{
	struct tlsflags v;
	*has = 0;
	if (!tlsflags_parse(&v, data, len))
		return 0;
	*has = len > 1 + flag / 8 && (data[1 + flag / 8] >> flag % 8 & 1) != 0;
	return 1;
}

/* ServerNameList of RFC 6066, Section 3. OpenSSL refuses what this takes for no name. */
size_t tlsflags_server_name(SSL *ssl, char name[256])
{
	const unsigned char *p;
	size_t n;
	name[0] = 0;
	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) || n < 5 || n > 5 + 255 ||
	    ((size_t)p[0] << 8 | p[1]) != n - 2 || p[2] != TLSEXT_NAMETYPE_host_name ||
	    ((size_t)p[3] << 8 | p[4]) != n - 5 || memchr(p + 5, 0, n - 5) != NULL)
		return 0;
	p += 5;
	n -= 5;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] - 'A' + 'a' : p[i]);
	name[n] = 0;
	return n;
}

/* Reads the extensions of the ClientHello. If both code points are there, 62 counts. */
static int read_hello(SSL *ssl, struct state *s, unsigned char sent[SHA256_DIGEST_LENGTH])
{
	static const unsigned types[] = {FLAGS, FLAGS_EXPERIMENTAL};
	unsigned char digests[2][1 + SHA256_DIGEST_LENGTH] = {{0}};
	for (int i = 0; i < 2; i++) {
		const unsigned char *p;
		size_t n;
		int has;
		if (!SSL_client_hello_get0_ext(ssl, types[i], &p, &n))
			continue;
		digests[i][0] = 1;
		if (!EVP_Digest(p, n, digests[i] + 1, NULL, EVP_sha256(), NULL))
			return 0;
		if (!parse_flags(p, n, s->policy->flag, &has))
			s->malformed = 1;
		if (s->type == 0) {
			s->type = types[i];
			s->flagged = has;
		}
	}
	return EVP_Digest(digests, sizeof digests, sent, NULL, EVP_sha256(), NULL);
}

/* The session id context of flagged clients depends on nothing but settings and the name, so
 * that it is the same in other processes and after a restart. */
static int bind_sessions(SSL *ssl, const TLSFLAGS_POLICY *p)
{
	static const char label[] = "tlsflags sessions 1";
	unsigned char in[sizeof label + 1 + SSL_MAX_SID_CTX_LENGTH + 3 + SHA256_DIGEST_LENGTH + 256], id[SHA256_DIGEST_LENGTH];
	char name[256];
	size_t n = sizeof label, name_len = tlsflags_server_name(ssl, name);
	memcpy(in, label, n);
	in[n++] = (unsigned char)p->id_len;
	memcpy(in + n, p->id, p->id_len);
	n += p->id_len;
	in[n++] = (unsigned char)p->mode;
	in[n++] = (unsigned char)(p->flag >> 8);
	in[n++] = (unsigned char)p->flag;
	memcpy(in + n, p->authorities, sizeof p->authorities);
	n += sizeof p->authorities;
	memcpy(in + n, name, name_len);
	n += name_len;
	return EVP_Digest(in, n, id, NULL, EVP_sha256(), NULL) && SSL_set_session_id_context(ssl, id, sizeof id);
}

static int fail(int *alert, int description)
{
	*alert = description;
	return SSL_CLIENT_HELLO_ERROR;
}

int tlsflags_client_hello(SSL *ssl, TLSFLAGS_POLICY *policy, int *alert)
{
	unsigned char finished[1], sent[SHA256_DIGEST_LENGTH];
	if (SSL_get_finished(ssl, finished, sizeof finished) > 0)
		return SSL_CLIENT_HELLO_SUCCESS; /* a renegotiation of TLS 1.2 */
	struct state *s = make_state(ssl);
	int second = SSL_get_pending_cipher(ssl) != NULL; /* the first ClientHello decided about it */
	if (s == NULL || (s->bound && !second) || (policy != NULL && !tlsflags_policy_up_ref(policy)))
		return fail(alert, SSL_AD_INTERNAL_ERROR);
	TLSFLAGS_POLICY *before = s->policy;
	s->policy = policy;
	s->type = 0;
	s->flagged = s->malformed = s->asked = 0;
	int known = before != NULL;
	tlsflags_policy_free(before);
	if (policy == NULL)
		return SSL_CLIENT_HELLO_SUCCESS;
	if (!read_hello(ssl, s, sent))
		return fail(alert, SSL_AD_INTERNAL_ERROR);
	/* RFC 9846, Section 4.2.2: the extension may not change after HelloRetryRequest. */
	if (second && known && memcmp(sent, s->sent, sizeof sent) != 0)
		return fail(alert, SSL_AD_ILLEGAL_PARAMETER);
	memcpy(s->sent, sent, sizeof sent);
	if (!s->flagged)
		return SSL_CLIENT_HELLO_SUCCESS;
	/* No ticket for who gives no certificate: with one, nobody would ask again. */
	if (!s->bound)
		s->tickets = SSL_get_num_tickets(ssl);
	s->bound = 1;
	if (!bind_sessions(ssl, policy) || !SSL_set_num_tickets(ssl, 0))
		return fail(alert, SSL_AD_INTERNAL_ERROR);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int verify(int ok, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct state *s = ssl == NULL ? NULL : get_state(ssl);
	if (s == NULL)
		return ok;
	ok = s->verify == NULL ? ok : s->verify(ok, ctx);
	/* The certificate at depth 0 is the last one. */
	if (ok && X509_STORE_CTX_get_error_depth(ctx) == 0 && X509_STORE_CTX_get_error(ctx) == X509_V_OK)
		SSL_set_num_tickets(ssl, s->tickets);
	return ok;
}

static int ask(SSL *ssl, struct state *s)
{
	if (!s->flagged || s->asked || SSL_session_reused(ssl))
		return 1;
	const TLSFLAGS_POLICY *p = s->policy;
	int mode = SSL_get_verify_mode(ssl);
	if (SSL_get_verify_callback(ssl) != verify)
		s->verify = SSL_get_verify_callback(ssl);
	if ((mode & SSL_VERIFY_PEER) == 0 && p->store != NULL) {
		STACK_OF(X509_NAME) *names = SSL_dup_CA_list(p->names);
		if (names == NULL || !SSL_set1_verify_cert_store(ssl, p->store)) {
			sk_X509_NAME_pop_free(names, X509_NAME_free);
			return 0;
		}
		SSL_set0_CA_list(ssl, names);
	}
	SSL_set_verify(ssl, mode | SSL_VERIFY_PEER | (p->mode == TLSFLAGS_REQUIRE ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), verify);
	s->asked = 1;
	return 1;
}

static int parse_on_server(SSL *ssl, struct state *s, int *alert)
{
	if (s == NULL || s->policy == NULL)
		return 1;
	if (s->malformed) {
		*alert = SSL_AD_ILLEGAL_PARAMETER;
		return 0;
	}
	/* A resumed session with a certificate goes on; one of an external PSK does not. */
	if (s->flagged && SSL_session_reused(ssl) && SSL_SESSION_get0_peer(SSL_get_session(ssl)) != NULL)
		SSL_set_num_tickets(ssl, s->tickets);
	return 1;
}

/* The flag may come back in a CertificateRequest alone, and only to a client that sent it. */
static int parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)type, (void)x, (void)chain;
	struct state *s = get_state(ssl);
	int has;
	if (context == SSL_EXT_CLIENT_HELLO)
		return parse_on_server(ssl, s, alert);
	if (parse_flags(in, len, (unsigned)(size_t)arg, &has)) {
		if (!has)
			return 1;
		if (context == SSL_EXT_TLS1_3_CERTIFICATE_REQUEST && s != NULL && s->flagged) {
			s->acknowledged = 1;
			return 1;
		}
	}
	*alert = SSL_AD_ILLEGAL_PARAMETER;
	return 0;
}

/* Nothing goes into EncryptedExtensions. OpenSSL makes them after all callbacks of the
 * application, and decides about CertificateRequest after that. */
static int add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)x, (void)chain;
	struct state *s = make_state(ssl);
	unsigned flag = (unsigned)(size_t)arg; /* of a client */
	if (s == NULL || (context == SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS && !ask(ssl, s))) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return -1;
	}
	if (context == SSL_EXT_CLIENT_HELLO) {
		s->flagged = s->has_certificate || SSL_get_certificate(ssl) != NULL;
		s->acknowledged = 0;
		if (!s->flagged)
			return 0;
	} else if (context == SSL_EXT_TLS1_3_CERTIFICATE_REQUEST && s->asked && s->type == type)
		flag = s->policy->flag;
	else
		return 0;
	memset(s->data, 0, sizeof s->data);
	s->data[0] = (unsigned char)(flag / 8 + 1);
	s->data[1 + flag / 8] = (unsigned char)(1 << flag % 8);
	*out = s->data;
	*len = 2 + flag / 8;
	return 1;
}

static int add_extension(SSL_CTX *ctx, unsigned type, unsigned contexts, unsigned flag)
{
	contexts |= SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_NEW_SESSION_TICKET | SSL_EXT_TLS1_3_ONLY;
	return CRYPTO_THREAD_run_once(&once, make_index) && state_index >= 0 &&
	       SSL_CTX_add_custom_ext(ctx, type, contexts, add, NULL, (void *)(size_t)flag, parse, (void *)(size_t)flag);
}

int tlsflags_server_extensions(SSL_CTX *ctx)
{
	return add_extension(ctx, FLAGS, SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS, 0) && add_extension(ctx, FLAGS_EXPERIMENTAL, SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS, 0);
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	const struct tlsflags_chooser *c = arg;
	char name[256];
	TLSFLAGS_POLICY *policy = c->choose(ssl, tlsflags_server_name(ssl, name) > 0 ? name : NULL, c->arg);
	int result = tlsflags_client_hello(ssl, policy, alert);
	tlsflags_policy_free(policy);
	return result;
}

int tlsflags_server_install(SSL_CTX *ctx, const struct tlsflags_chooser *chooser)
{
	if (!tlsflags_server_extensions(ctx))
		return 0;
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, (void *)chooser);
	return 1;
}

int tlsflags_flagged(const SSL *ssl)
{
	const struct state *s = get_state(ssl);
	return s != NULL && s->flagged && SSL_version(ssl) == TLS1_3_VERSION;
}

const TLSFLAGS_POLICY *tlsflags_policy(const SSL *ssl)
{
	const struct state *s = get_state(ssl);
	return s == NULL ? NULL : s->policy;
}

int tlsflags_asked(const SSL *ssl)
{
	const struct state *s = get_state(ssl);
	return s != NULL && s->asked;
}

X509 *tlsflags_identity(const SSL *ssl)
{
	if (!SSL_is_server(ssl) || !tlsflags_flagged(ssl) || !SSL_is_init_finished(ssl) || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	return SSL_SESSION_get0_peer(SSL_get_session(ssl));
}

int tlsflags_client_install(SSL_CTX *ctx, unsigned flag)
{
	return flag <= LAST_FLAG && add_extension(ctx, FLAGS, 0, flag);
}

int tlsflags_client_has_certificate(SSL *ssl, int has)
{
	struct state *s = make_state(ssl);
	if (s != NULL)
		s->has_certificate = has;
	return s != NULL;
}

int tlsflags_acknowledged(const SSL *ssl)
{
	const struct state *s = get_state(ssl);
	return s != NULL && s->acknowledged;
}
