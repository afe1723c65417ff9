/* tls_flag_client_auth in http: a server block asks those clients for a certificate that set
 * the TLS flag request_mtls. */
#include "ngx_tls_flags.h"

#include <ngx_http.h>

#if nginx_version >= 1029000
#error "nginx 1.29 and newer may have a client_hello callback of their own, which this module would replace"
#endif

extern ngx_module_t ngx_http_tls_flags_module;

static ngx_tls_flags_conf_t *conf_of(const ngx_http_core_srv_conf_t *server)
{
	return ngx_http_conf_get_module_srv_conf(server, ngx_http_tls_flags_module);
}

/* The server block that nginx chooses after this, in its servername callback. Names that it
 * would refuse or cut may lead to another one; check_server refuses their requests. */
static ngx_http_core_srv_conf_t *find_server(ngx_http_connection_t *hc, u_char *name, size_t len)
{
	ngx_http_virtual_names_t *names = hc->addr_conf->virtual_names;
	ngx_http_core_srv_conf_t *server = NULL;
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len > 0 && names != NULL) {
		server = ngx_hash_find_combined(&names->names, ngx_hash_key(name, len), name, len);
#if NGX_PCRE
		ngx_str_t host = {len, name};
		for (ngx_uint_t i = 0; server == NULL && i < names->nregex; i++)
			if (ngx_regex_exec(names->regex[i].regex->regex, &host, NULL, 0) >= 0)
				server = names->regex[i].server;
#endif
	}
	return server == NULL ? hc->addr_conf->default_server : server;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	ngx_connection_t *c = ngx_ssl_get_connection(ssl);
	char name[256];
	if (c->ssl->handshaked) {
		*alert = SSL_AD_NO_RENEGOTIATION;
		return SSL_CLIENT_HELLO_ERROR;
	}
	size_t len = tlsflags_server_name(ssl, name);
	return ngx_tls_flags_client_hello(c, conf_of(find_server(c->data, (u_char *)name, len))->policy, alert);
}

/* The certificate of a flagged client was verified by the authorities of the server name in
 * the handshake, and counts for nothing in another server block. */
static ngx_int_t check_server(ngx_http_request_t *r)
{
	ngx_connection_t *c = r->connection;
	const ngx_tls_flags_conf_t *conf = ngx_http_get_module_srv_conf(r, ngx_http_tls_flags_module);
	if (c->ssl == NULL || !tlsflags_flagged(c->ssl->connection) || tlsflags_policy(c->ssl->connection) == conf->policy)
		return NGX_DECLINED;
	ngx_log_error(NGX_LOG_INFO, c->log, 0, "client with the flag request_mtls asks for another server than in its handshake");
	return NGX_HTTP_MISDIRECTED_REQUEST;
}

static ngx_int_t variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t which)
{
	return ngx_tls_flags_variable(r->connection, r->pool, v, which);
}

static ngx_http_variable_t variables[] = {
	{ngx_string("tls_flags"), NULL, variable, NGX_TLS_FLAGS_SENT, 0, 0},
	{ngx_string("tls_request_mtls"), NULL, variable, NGX_TLS_FLAGS_REQUEST_MTLS, 0, 0},
	ngx_http_null_variable,
};

static ngx_int_t add_variables(ngx_conf_t *cf)
{
	for (ngx_http_variable_t *v = variables; v->name.len > 0; v++) {
		ngx_http_variable_t *added = ngx_http_add_variable(cf, &v->name, v->flags);
		if (added == NULL)
			return NGX_ERROR;
		added->get_handler = v->get_handler;
		added->data = v->data;
	}
	return NGX_OK;
}

static ngx_int_t init(ngx_conf_t *cf)
{
	ngx_http_core_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
	ngx_http_core_srv_conf_t **servers = main->servers.elts;
	ngx_uint_t i, used = 0;
	for (i = 0; i < main->servers.nelts; i++) {
		ngx_http_ssl_srv_conf_t *ssl = ngx_http_conf_get_module_srv_conf(servers[i], ngx_http_ssl_module);
		const ngx_tls_flags_server_t server = {"http", ssl->ssl.ctx, ssl->protocols, ssl->verify, ssl->verify_depth, ssl->client_certificate, ssl->crl};
		ngx_tls_flags_conf_t *conf = conf_of(servers[i]);
		if (ssl->ssl.ctx == NULL)
			continue;
		if (ngx_tls_flags_set_policy(cf, conf, &server) != NGX_OK)
			return NGX_ERROR;
		used |= conf->policy != NULL;
	}
	if (!used)
		return NGX_OK;
	/* All servers: the default server of an address reads the ClientHello, and another one
	 * writes CertificateRequest. */
	for (i = 0; i < main->servers.nelts; i++) {
		ngx_http_ssl_srv_conf_t *ssl = ngx_http_conf_get_module_srv_conf(servers[i], ngx_http_ssl_module);
		if (ssl->ssl.ctx != NULL && ngx_tls_flags_install(cf, ssl->ssl.ctx, on_client_hello) != NGX_OK)
			return NGX_ERROR;
	}
	ngx_http_handler_pt *handler = ngx_array_push(&main->phases[NGX_HTTP_POST_READ_PHASE].handlers);
	if (handler == NULL)
		return NGX_ERROR;
	*handler = check_server;
	return NGX_OK;
}

static ngx_command_t commands[] = {
	{ngx_string("tls_flag_client_auth"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_CONF_TAKE1, ngx_conf_set_enum_slot, NGX_HTTP_SRV_CONF_OFFSET,
	 offsetof(ngx_tls_flags_conf_t, mode), ngx_tls_flags_modes},
	{ngx_string("tls_flag_client_certificate"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot, NGX_HTTP_SRV_CONF_OFFSET,
	 offsetof(ngx_tls_flags_conf_t, certificate), NULL},
	ngx_null_command,
};

static ngx_http_module_t context = {add_variables, init, NULL, NULL, ngx_tls_flags_create, ngx_tls_flags_merge, NULL, NULL};

ngx_module_t ngx_http_tls_flags_module = {
	NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING,
};
