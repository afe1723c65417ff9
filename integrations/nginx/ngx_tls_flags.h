/* What the modules for http and stream share: directives, policies, variables. */
#ifndef NGX_TLS_FLAGS_H
#define NGX_TLS_FLAGS_H
#include <ngx_config.h>
#include <ngx_core.h>

#include "tlsflags_openssl.h"

enum { NGX_TLS_FLAGS_OFF, NGX_TLS_FLAGS_ON, NGX_TLS_FLAGS_REQUIRE };
enum { NGX_TLS_FLAGS_SENT, NGX_TLS_FLAGS_REQUEST_MTLS }; /* variables */

/* The configuration of a server block. */
typedef struct {
	ngx_uint_t mode;
	ngx_str_t certificate;   /* file of the authorities, or "" */
	TLSFLAGS_POLICY *policy; /* NULL if the flag is ignored */
} ngx_tls_flags_conf_t;

/* What nginx's own directives say about the server block. */
typedef struct {
	const char *kind; /* "http" or "stream" */
	SSL_CTX *ctx;
	ngx_uint_t protocols, verify, verify_depth;
	ngx_str_t client_certificate, crl;
} ngx_tls_flags_server_t;

extern ngx_conf_enum_t ngx_tls_flags_modes[];

void *ngx_tls_flags_create(ngx_conf_t *cf);
char *ngx_tls_flags_merge(ngx_conf_t *cf, void *parent, void *child);
/* Makes the policy of a server block; a mode that is off has none. */
ngx_int_t ngx_tls_flags_set_policy(ngx_conf_t *cf, ngx_tls_flags_conf_t *conf, const ngx_tls_flags_server_t *server);
/* Adds the extensions and a client_hello callback to the SSL_CTX of a server block. */
ngx_int_t ngx_tls_flags_install(ngx_conf_t *cf, SSL_CTX *ctx, SSL_client_hello_cb_fn callback);
/* What such a callback does, when it knows the policy. */
int ngx_tls_flags_client_hello(ngx_connection_t *c, TLSFLAGS_POLICY *policy, int *alert);
ngx_int_t ngx_tls_flags_variable(ngx_connection_t *c, ngx_pool_t *pool, ngx_variable_value_t *v, uintptr_t which);
#endif
