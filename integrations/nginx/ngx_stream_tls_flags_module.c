/* tls_flag_client_auth in stream, as in http. */
#include "ngx_tls_flags.h"

#include <ngx_stream.h>

#if nginx_version >= 1025005
#error "in stream, nginx 1.25.5 and newer choose a server block by its name, which this module does not"
#endif

extern ngx_module_t ngx_stream_tls_flags_module;

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	ngx_connection_t *c = ngx_ssl_get_connection(ssl);
	ngx_stream_session_t *s = c->data;
	const ngx_tls_flags_conf_t *conf = ngx_stream_get_module_srv_conf(s, ngx_stream_tls_flags_module);
	return ngx_tls_flags_client_hello(c, conf->policy, alert);
}

static ngx_int_t variable(ngx_stream_session_t *s, ngx_stream_variable_value_t *v, uintptr_t which)
{
	return ngx_tls_flags_variable(s->connection, s->connection->pool, v, which);
}

static ngx_stream_variable_t variables[] = {
	{ngx_string("tls_flags"), NULL, variable, NGX_TLS_FLAGS_SENT, 0, 0},
	{ngx_string("tls_request_mtls"), NULL, variable, NGX_TLS_FLAGS_REQUEST_MTLS, 0, 0},
	ngx_stream_null_variable,
};

static ngx_int_t add_variables(ngx_conf_t *cf)
{
	for (ngx_stream_variable_t *v = variables; v->name.len > 0; v++) {
		ngx_stream_variable_t *added = ngx_stream_add_variable(cf, &v->name, v->flags);
		if (added == NULL)
			return NGX_ERROR;
		added->get_handler = v->get_handler;
		added->data = v->data;
	}
	return NGX_OK;
}

static ngx_int_t init(ngx_conf_t *cf)
{
	ngx_stream_core_main_conf_t *main = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_core_module);
	ngx_stream_core_srv_conf_t **servers = main->servers.elts;
	for (ngx_uint_t i = 0; i < main->servers.nelts; i++) {
		ngx_stream_conf_ctx_t *ctx = servers[i]->ctx;
		ngx_stream_ssl_conf_t *ssl = ctx->srv_conf[ngx_stream_ssl_module.ctx_index];
		ngx_tls_flags_conf_t *conf = ctx->srv_conf[ngx_stream_tls_flags_module.ctx_index];
		const ngx_tls_flags_server_t server = {"stream", ssl->ssl.ctx, ssl->protocols, ssl->verify, ssl->verify_depth, ssl->client_certificate, ssl->crl};
		if (ssl->ssl.ctx == NULL || conf->mode == NGX_TLS_FLAGS_OFF)
			continue;
		if (ngx_tls_flags_set_policy(cf, conf, &server) != NGX_OK || ngx_tls_flags_install(cf, ssl->ssl.ctx, on_client_hello) != NGX_OK)
			return NGX_ERROR;
	}
	return NGX_OK;
}

static ngx_command_t commands[] = {
	{ngx_string("tls_flag_client_auth"), NGX_STREAM_MAIN_CONF | NGX_STREAM_SRV_CONF | NGX_CONF_TAKE1, ngx_conf_set_enum_slot, NGX_STREAM_SRV_CONF_OFFSET,
	 offsetof(ngx_tls_flags_conf_t, mode), ngx_tls_flags_modes},
	{ngx_string("tls_flag_client_certificate"), NGX_STREAM_MAIN_CONF | NGX_STREAM_SRV_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot, NGX_STREAM_SRV_CONF_OFFSET,
	 offsetof(ngx_tls_flags_conf_t, certificate), NULL},
	ngx_null_command,
};

static ngx_stream_module_t context = {add_variables, init, NULL, NULL, ngx_tls_flags_create, ngx_tls_flags_merge};

ngx_module_t ngx_stream_tls_flags_module = {
	NGX_MODULE_V1, &context, commands, NGX_STREAM_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING,
};
