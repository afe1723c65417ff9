/* A server of mbedTLS 2.28. */
#include "stack.h"
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/version.h>

static mbedtls_ssl_config configs[2];
static mbedtls_x509_crt certificates[2];
static mbedtls_pk_context keys[2];
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;
static mbedtls_ssl_cookie_ctx cookies;

static int receive(void *context, unsigned char *data, size_t n)
{
	(void)context;
	int got = take(data, n);
	return got < 0 ? MBEDTLS_ERR_SSL_WANT_READ : got;
}

static int send_bytes(void *context, const unsigned char *data, size_t n)
{
	(void)context;
	return put(data, n);
}

static void set_timer(void *context, uint32_t intermediate, uint32_t final)
{
	(void)context, (void)intermediate, (void)final;
}

static int get_timer(void *context)
{
	(void)context;
	return 0;
}

static const char *start(void)
{
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random_source);
	mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0);
	mbedtls_ssl_cookie_init(&cookies);
	mbedtls_ssl_cookie_setup(&cookies, mbedtls_ctr_drbg_random, &random_source);
	const char *names[] = {"rsa.pem", "ecdsa.pem"};
	for (int i = 0; i < 2; i++) {
		mbedtls_x509_crt_init(&certificates[i]);
		mbedtls_pk_init(&keys[i]);
		if (mbedtls_x509_crt_parse_file(&certificates[i], names[i]) != 0 || mbedtls_pk_parse_keyfile(&keys[i], names[i], NULL) != 0)
			fail("read the certificates");
	}
	for (int i = 0; i < 2; i++) {
		mbedtls_ssl_config_init(&configs[i]);
		mbedtls_ssl_config_defaults(&configs[i], MBEDTLS_SSL_IS_SERVER, i, MBEDTLS_SSL_PRESET_DEFAULT);
		mbedtls_ssl_conf_rng(&configs[i], mbedtls_ctr_drbg_random, &random_source);
		mbedtls_ssl_conf_own_cert(&configs[i], &certificates[0], &keys[0]);
		mbedtls_ssl_conf_own_cert(&configs[i], &certificates[1], &keys[1]);
		mbedtls_ssl_conf_dtls_cookies(&configs[i], mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check, &cookies);
	}
	static char name[64];
	snprintf(name, sizeof name, "mbedtls@%s", MBEDTLS_VERSION_STRING);
	return name;
}

static int serve(int dtls)
{
	mbedtls_ssl_context ssl;
	mbedtls_ssl_init(&ssl);
	mbedtls_ssl_setup(&ssl, &configs[dtls]);
	mbedtls_ssl_set_client_transport_id(&ssl, (const unsigned char *)"client", 6);
	mbedtls_ssl_set_bio(&ssl, NULL, send_bytes, receive, NULL);
	mbedtls_ssl_set_timer_cb(&ssl, NULL, set_timer, get_timer);
	int result;
	do
		result = mbedtls_ssl_handshake(&ssl);
	while (result == MBEDTLS_ERR_SSL_WANT_READ && !starved);
	mbedtls_ssl_free(&ssl);
	return result == MBEDTLS_ERR_SSL_WANT_READ;
}
