#include "ngx_tls_flags.h"

#include "tlsflags.h"

#include <openssl/pem.h>

ngx_conf_enum_t ngx_tls_flags_modes[] = {
	{ngx_string("off"), NGX_TLS_FLAGS_OFF},
	{ngx_string("on"), NGX_TLS_FLAGS_ON},
	{ngx_string("require"), NGX_TLS_FLAGS_REQUIRE},
	{ngx_null_string, 0},
};

/* Of the flags that a client sent, an ngx_str_t in the ex_data of its SSL. The modules stay
 * loaded, so that one number serves all configurations. */
static int sent_index = -1;

void *ngx_tls_flags_create(ngx_conf_t *cf)
{
	ngx_tls_flags_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
	if (conf != NULL)
		conf->mode = NGX_CONF_UNSET_UINT;
	return conf;
}

char *ngx_tls_flags_merge(ngx_conf_t *cf, void *parent, void *child)
{
	ngx_tls_flags_conf_t *prev = parent, *conf = child;
	ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_TLS_FLAGS_OFF);
	ngx_conf_merge_str_value(conf->certificate, prev->certificate, "");
	return NGX_CONF_OK;
}

/* Returns NULL, and says why, if the file has no certificates or something else. */
static STACK_OF(X509) *read_certificates(ngx_conf_t *cf, const char *file)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	BIO *bio = BIO_new_file(file, "r");
	X509 *x = NULL;
	if (list != NULL && bio != NULL)
		while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL && sk_X509_push(list, x))
			;
	unsigned long e = ERR_peek_last_error();
	int end = x == NULL && sk_X509_num(list) > 0 && ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	if (end) {
		ERR_clear_error();
		return list;
	}
	ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "cannot read certificates of authorities from \"%s\": it has to be in PEM", file);
	sk_X509_pop_free(list, X509_free);
	return NULL;
}

/* The id of the sessions: flagged clients are asked again when a setting changes by which
 * their certificates are verified. */
static int make_id(unsigned char id[EVP_MAX_MD_SIZE], unsigned *len, const ngx_tls_flags_server_t *server, const char *crl)
{
	unsigned char buf[4096];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	BIO *bio = crl[0] == 0 ? BIO_new(BIO_s_mem()) : BIO_new_file(crl, "r");
	int ok = md != NULL && bio != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && EVP_DigestUpdate(md, server->kind, ngx_strlen(server->kind)) &&
	         EVP_DigestUpdate(md, &server->verify, sizeof server->verify) && EVP_DigestUpdate(md, &server->verify_depth, sizeof server->verify_depth);
	for (int n; ok && (n = BIO_read(bio, buf, sizeof buf)) > 0;)
		ok = EVP_DigestUpdate(md, buf, (size_t)n);
	ok = ok && EVP_DigestFinal_ex(md, id, len);
	BIO_free(bio);
	EVP_MD_CTX_free(md);
	return ok;
}

/* Adds the revocation lists of ssl_crl, as nginx does for its own verification. */
static int add_lists(X509_STORE *store, const char *crl)
{
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	return lookup != NULL && X509_load_crl_file(lookup, crl, X509_FILETYPE_PEM) > 0 && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

static void free_policy(void *policy)
{
	tlsflags_policy_free(policy);
}

ngx_int_t ngx_tls_flags_set_policy(ngx_conf_t *cf, ngx_tls_flags_conf_t *conf, const ngx_tls_flags_server_t *server)
{
	unsigned char id[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	ngx_str_t file = conf->certificate.len > 0 && server->verify == 0 ? conf->certificate : server->client_certificate, crl = server->crl;
	if (conf->mode == NGX_TLS_FLAGS_OFF)
		return NGX_OK;
	if (file.len == 0) {
		ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "no tls_flag_client_certificate or ssl_client_certificate for tls_flag_client_auth");
		return NGX_ERROR;
	}
	if ((server->protocols & NGX_SSL_TLSv1_3) == 0)
		ngx_log_error(NGX_LOG_WARN, cf->log, 0, "tls_flag_client_auth has no effect without TLSv1.3 in ssl_protocols");
	if (conf->certificate.len > 0 && server->verify != 0)
		ngx_log_error(NGX_LOG_WARN, cf->log, 0, "tls_flag_client_certificate has no effect with ssl_verify_client, which asks all clients");
	ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
	if (cleanup == NULL || ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK || (crl.len > 0 && ngx_conf_full_name(cf->cycle, &crl, 1) != NGX_OK))
		return NGX_ERROR;
	const char *crl_file = crl.len > 0 ? (char *)crl.data : "";
	STACK_OF(X509) *list = read_certificates(cf, (char *)file.data);
	if (list == NULL)
		return NGX_ERROR;
	if (make_id(id, &len, server, crl_file))
		conf->policy = tlsflags_policy_new(conf->mode == NGX_TLS_FLAGS_REQUIRE ? TLSFLAGS_REQUIRE : TLSFLAGS_REQUEST, TLSFLAGS_REQUEST_MTLS, list, id, len);
	sk_X509_pop_free(list, X509_free);
	cleanup->data = conf->policy;
	cleanup->handler = free_policy;
	if (conf->policy == NULL || (crl.len > 0 && !add_lists(tlsflags_policy_store(conf->policy), crl_file))) {
		ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "cannot use \"%V\" and \"%V\" for tls_flag_client_auth", &file, &crl);
		return NGX_ERROR;
	}
	/* In servers that ask everybody, nginx sets the depth, and refuses the requests of those
	 * whose certificate its verify callback let pass. */
	if (server->verify == 0) {
		SSL_CTX_set_verify(server->ctx, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_verify_depth(server->ctx, (int)server->verify_depth);
	}
	return NGX_OK;
}

ngx_int_t ngx_tls_flags_install(ngx_conf_t *cf, SSL_CTX *ctx, SSL_client_hello_cb_fn callback)
{
	if (sent_index < 0)
		sent_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (sent_index < 0 || !tlsflags_server_extensions(ctx)) {
		ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "cannot add the extension tls_flags");
		return NGX_ERROR;
	}
	SSL_CTX_set_client_hello_cb(ctx, callback, NULL);
	return NGX_OK;
}

/* Keeps the flags that the client sent, for the variable. */
static int keep_sent(ngx_connection_t *c)
{
	static const unsigned types[] = {62, 0xfe01};
	SSL *ssl = c->ssl->connection;
	const unsigned char *data;
	size_t len;
	ngx_str_t *sent = NULL;
	for (int i = 0; i < 2 && sent == NULL; i++) {
		if (!SSL_client_hello_get0_ext(ssl, types[i], &data, &len) || len == 0)
			continue;
		sent = ngx_palloc(c->pool, sizeof *sent + len);
		if (sent == NULL)
			return 0;
		sent->data = (u_char *)(sent + 1);
		sent->len = len;
		ngx_memcpy(sent->data, data, len);
	}
	/* After HelloRetryRequest, those of the first ClientHello are there. */
	return sent == SSL_get_ex_data(ssl, sent_index) || SSL_set_ex_data(ssl, sent_index, sent);
}

int ngx_tls_flags_client_hello(ngx_connection_t *c, TLSFLAGS_POLICY *policy, int *alert)
{
	if (!keep_sent(c)) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	return tlsflags_client_hello(c->ssl->connection, policy, alert);
}

/* The numbers of the flags, with commas between. */
static ngx_int_t list_flags(ngx_str_t *list, ngx_pool_t *pool, const ngx_str_t *sent)
{
	struct tlsflags v;
	if (sent == NULL || !tlsflags_parse(&v, sent->data, sent->len))
		return NGX_OK;
	u_char *p = ngx_pnalloc(pool, v.count * sizeof "2039,");
	if (p == NULL)
		return NGX_ERROR;
	list->data = p;
	for (size_t i = 0; i < v.count; i++)
		p = ngx_sprintf(p, "%s%ud", i > 0 ? "," : "", (unsigned)v.flags[i]);
	list->len = (size_t)(p - list->data);
	return NGX_OK;
}

ngx_int_t ngx_tls_flags_variable(ngx_connection_t *c, ngx_pool_t *pool, ngx_variable_value_t *v, uintptr_t which)
{
	ngx_str_t value = ngx_null_string;
	if (c->ssl != NULL && sent_index >= 0) {
		if (which == NGX_TLS_FLAGS_SENT) {
			if (list_flags(&value, pool, SSL_get_ex_data(c->ssl->connection, sent_index)) != NGX_OK)
				return NGX_ERROR;
		} else if (tlsflags_flagged(c->ssl->connection))
			value = (ngx_str_t)ngx_string("1");
	}
	v->data = value.data;
	v->len = (unsigned)value.len;
	v->valid = 1;
	v->no_cacheable = 0;
	v->not_found = value.len == 0;
	return NGX_OK;
}
