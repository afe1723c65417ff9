#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

struct pair site, authority_a, authority_b, client_a, client_b;
int checks, called;

static const unsigned char app_id[] = "an application";

void check(int ok, const char *what)
{
	checks++;
	if (ok)
		return;
	printf("FAIL: %s\n", what);
	ERR_print_errors_fp(stdout);
	exit(1);
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
	check(c != NULL && EVP_PKEY_keygen_init(c) > 0 && EVP_PKEY_keygen(c, &key) > 0, "key");
	EVP_PKEY_CTX_free(c);
	return key;
}

/* The certificate is valid in all of time, so that the tests need no clock. */
static void make(struct pair *p, const char *name, const struct pair *issuer)
{
	if (issuer == NULL)
		issuer = p;
	p->key = new_key();
	p->cert = X509_new();
	X509_set_version(p->cert, 0);
	ASN1_INTEGER_set(X509_get_serialNumber(p->cert), 1);
	check(ASN1_TIME_set_string(X509_getm_notBefore(p->cert), "19700101000000Z") &&
	          ASN1_TIME_set_string(X509_getm_notAfter(p->cert), "99991231235959Z"),
	      "validity");
	X509_set_pubkey(p->cert, p->key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(p->cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(p->cert, X509_get_subject_name(issuer->cert));
	check(X509_sign(p->cert, issuer->key, NULL) > 0, "signature");
}

void make_certificates(void)
{
	make(&site, "site", NULL);
	make(&authority_a, "authority a", NULL);
	make(&authority_b, "authority b", NULL);
	make(&client_a, "client a", &authority_a);
	make(&client_b, "client b", &authority_b);
}

void free_certificates(void)
{
	struct pair *all[] = {&site, &authority_a, &authority_b, &client_a, &client_b};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		X509_free(all[i]->cert);
		EVP_PKEY_free(all[i]->key);
	}
}

/* A cache that workers share, with tickets off: the newest sessions, in DER. */
static struct {
	unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH], der[4096];
	unsigned id_len;
	int len;
} cache[64];
static int cached;

static int cache_new(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	unsigned n, i = (unsigned)cached++ % 64;
	const unsigned char *id = SSL_SESSION_get_id(session, &n);
	unsigned char *out = cache[i].der;
	check(i2d_SSL_SESSION(session, NULL) <= (int)sizeof cache[i].der, "size of a session");
	memcpy(cache[i].id, id, n);
	cache[i].id_len = n;
	cache[i].len = i2d_SSL_SESSION(session, &out);
	return 0;
}

static SSL_SESSION *cache_get(SSL *ssl, const unsigned char *id, int n, int *copy)
{
	(void)ssl;
	*copy = 0;
	for (int i = 0; i < 64; i++) {
		const unsigned char *in = cache[i].der;
		if (n > 0 && cache[i].id_len == (unsigned)n && memcmp(cache[i].id, id, (size_t)n) == 0)
			return d2i_SSL_SESSION(NULL, &in, cache[i].len);
	}
	return NULL;
}

static SSL_SESSION *psk_session(SSL *ssl)
{
	static const unsigned char key[48] = {7}, suite[] = {0x13, 0x02};
	SSL_SESSION *s = SSL_SESSION_new();
	check(s != NULL && SSL_SESSION_set1_master_key(s, key, sizeof key) && SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, suite)) &&
	          SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION),
	      "PSK");
	return s;
}

static int psk_find(SSL *ssl, const unsigned char *id, size_t n, SSL_SESSION **out)
{
	*out = n == 3 && memcmp(id, "psk", 3) == 0 ? psk_session(ssl) : NULL;
	return 1;
}

static int psk_use(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *n, SSL_SESSION **out)
{
	(void)md;
	*out = psk_session(ssl);
	*id = (const unsigned char *)"psk";
	*n = 3;
	return 1;
}

/* The callbacks of an application that has all of its own. */

static int own_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct server *s = arg;
	char name[256];
	size_t n = tlsflags_server_name(ssl, name);
	TLSFLAGS_POLICY *p = s->chooser.choose(ssl, n > 0 ? name : NULL, s->chooser.arg);
	int result = tlsflags_client_hello(ssl, p, alert);
	tlsflags_policy_free(p);
	called |= 1;
	return result;
}

static int own_verify(int ok, X509_STORE_CTX *ctx)
{
	(void)ctx;
	called |= 2;
	return ok;
}

/* As in nginx, verification is set again by each name, and by the cert callback. */
static int servername(SSL *ssl, int *alert, void *arg)
{
	struct server *s = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert;
	if (name != NULL && strcmp(name, "b.example") == 0)
		SSL_set_SSL_CTX(ssl, s->other);
	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(SSL_get_SSL_CTX(ssl)), SSL_CTX_get_verify_callback(SSL_get_SSL_CTX(ssl)));
	return SSL_TLSEXT_ERR_OK;
}

static int own_cert(SSL *ssl, void *arg)
{
	(void)arg;
	called |= 4;
	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(SSL_get_SSL_CTX(ssl)), SSL_CTX_get_verify_callback(SSL_get_SSL_CTX(ssl)));
	return 1;
}

static int own_ticket(SSL *ssl, void *arg)
{
	(void)ssl, (void)arg;
	called |= 8;
	return 1;
}

static SSL_TICKET_RETURN own_ticket_read(SSL *ssl, SSL_SESSION *session, const unsigned char *key, size_t n, SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl, (void)session, (void)key, (void)n, (void)arg;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static int sent_alert;

static void info(const SSL *ssl, int where, int value)
{
	(void)ssl;
	if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && value >> 8 == 2)
		sent_alert = value & 0xff;
}

static int server_add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)ssl, (void)type, (void)context, (void)x, (void)chain, (void)alert;
	const struct server *s = arg;
	*out = (const unsigned char *)s->raw;
	*len = s->raw_len;
	return 1;
}

static SSL_CTX *server_ctx(struct server *s)
{
	static unsigned char keys[80] = "the same keys in every server";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	check(ctx != NULL && SSL_CTX_use_certificate(ctx, site.cert) && SSL_CTX_use_PrivateKey(ctx, site.key), "server");
	SSL_CTX_set_max_proto_version(ctx, s->version);
	SSL_CTX_set_session_id_context(ctx, app_id, sizeof app_id - 1);
	SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof keys);
	if (!s->tickets)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, cache_new);
	SSL_CTX_sess_set_get_cb(ctx, cache_get);
	SSL_CTX_set_max_early_data(ctx, 1024);
	/* OpenSSL drops sessions whose early data may be replayed; here the cache does not. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
	SSL_CTX_set_info_callback(ctx, info);
	SSL_CTX_set_tlsext_servername_callback(ctx, servername);
	SSL_CTX_set_tlsext_servername_arg(ctx, s);
	if (s->groups != NULL)
		SSL_CTX_set1_groups_list(ctx, s->groups);
	if (s->asks) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority_b.cert);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	if (s->psk || s->own)
		SSL_CTX_set_psk_find_session_callback(ctx, psk_find);
	if (s->raw != NULL) {
		SSL_CTX_add_custom_ext(ctx, 62, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, server_add, NULL, s, NULL, NULL);
		return ctx;
	}
	if (!s->own) {
		check(tlsflags_server_install(ctx, &s->chooser), "install");
		return ctx;
	}
	check(tlsflags_server_extensions(ctx), "extensions");
	SSL_CTX_set_client_hello_cb(ctx, own_client_hello, s);
	SSL_CTX_set_cert_cb(ctx, own_cert, NULL);
	SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), own_verify);
	SSL_CTX_set_session_ticket_cb(ctx, own_ticket, own_ticket_read, NULL);
	return ctx;
}

void start(struct server *s)
{
	s->chooser.choose = tlsflags_same_policy;
	s->chooser.arg = NULL;
	if (s->authority != NULL) {
		STACK_OF(X509) *list = sk_X509_new_null();
		sk_X509_push(list, s->authority->cert);
		s->chooser.arg = tlsflags_policy_new(s->mode, TLSFLAGS_REQUEST_MTLS, list, app_id, sizeof app_id - 1);
		check(s->chooser.arg != NULL, "policy");
		sk_X509_free(list);
	}
	s->ctx = server_ctx(s);
	s->other = server_ctx(s);
	called = 0;
}

void stop(struct server *s)
{
	SSL_CTX_free(s->ctx);
	SSL_CTX_free(s->other);
	tlsflags_policy_free(s->chooser.arg);
}

/* A client that sends bytes as they are. */
static const struct client *raw;
static int raw_sent, raw_answers;

static int raw_add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)ssl, (void)context, (void)x, (void)chain, (void)alert, (void)arg;
	if (type != raw->raw_type)
		return 0;
	int i = raw_sent++ > 0;
	*out = (const unsigned char *)raw->raw[i];
	*len = raw->raw_len[i];
	return *out != NULL;
}

static int raw_parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)ssl, (void)context, (void)in, (void)len, (void)x, (void)chain, (void)alert, (void)arg;
	raw_answers |= type == 62 ? 1 : 2;
	return 1;
}

static SSL_SESSION *newest;

static int client_new(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(newest);
	newest = session;
	return 1;
}

static SSL_CTX *client_ctx(const struct client *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	/* SSL_CTX_free spoils the sessions in its own cache. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, client_new);
	SSL_CTX_set_info_callback(ctx, info);
	SSL_CTX_set1_groups_list(ctx, "X25519:P-384");
	if (c->pair != NULL)
		check(SSL_CTX_use_certificate(ctx, c->pair->cert) && SSL_CTX_use_PrivateKey(ctx, c->pair->key), "client");
	if (c->psk)
		SSL_CTX_set_psk_use_session_callback(ctx, psk_use);
	if (c->raw_type != 0) {
		raw = c;
		raw_sent = raw_answers = 0;
		for (int i = 0; i < 2; i++)
			SSL_CTX_add_custom_ext(ctx, i ? 0xfe01 : 62, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, raw_add, NULL, NULL, raw_parse, NULL);
	} else if (c->flag)
		check(tlsflags_client_install(ctx, TLSFLAGS_REQUEST_MTLS), "client");
	return ctx;
}

static int failed(SSL *ssl, int result)
{
	int e = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, result);
	return e == SSL_ERROR_SSL || e == SSL_ERROR_SYSCALL;
}

struct outcome shake(struct server *s, const struct client *c, SSL_SESSION *in, int early)
{
	struct outcome o = {0};
	SSL_CTX *ctx = client_ctx(c);
	SSL *server = SSL_new(s->ctx), *client = SSL_new(ctx);
	BIO *a, *b;
	char buf[16];
	size_t n;
	sent_alert = -1;
	newest = NULL;
	BIO_new_bio_pair(&a, 1 << 16, &b, 1 << 16);
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	SSL_set_tlsext_host_name(client, c->name);
	if (c->flag == 1 && c->pair == NULL)
		check(tlsflags_client_has_certificate(client, 1), "has certificate");
	if (in != NULL) {
		SSL_SESSION_set1_hostname(in, c->name);
		SSL_set_session(client, in);
		if (early && SSL_SESSION_get_max_early_data(in) > 0) {
			SSL_write_early_data(client, "x", 1, &n);
			o.early = SSL_read_early_data(server, buf, sizeof buf, &n) == SSL_READ_EARLY_DATA_SUCCESS;
			o.early_identity = tlsflags_identity(server) != NULL;
			while (o.early && SSL_read_early_data(server, buf, sizeof buf, &n) == SSL_READ_EARLY_DATA_SUCCESS)
				;
		}
	}
	for (int i = 0; i < 10 && !(o.done = SSL_is_init_finished(client) && SSL_is_init_finished(server)); i++) {
		int x = SSL_do_handshake(client), y = SSL_do_handshake(server);
		if (failed(client, x) || failed(server, y)) {
			SSL_do_handshake(client);
			break;
		}
	}
	if (o.done) {
		SSL_write(server, "x", 1);
		SSL_read(client, buf, sizeof buf); /* the tickets come first */
	}
	o.reused = SSL_session_reused(server);
	o.asked = tlsflags_asked(server);
	o.flagged = tlsflags_flagged(server);
	check(!o.done || tlsflags_policy(server) == s->chooser.arg, "policy of the connection");
	o.acknowledged = tlsflags_acknowledged(client);
	o.identity = tlsflags_identity(server) != NULL;
	o.answers = raw_answers;
	o.alert = sent_alert;
	o.session = newest;
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return o;
}
