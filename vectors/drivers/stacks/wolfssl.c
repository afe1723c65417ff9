/* A server of wolfSSL. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include "stack.h"

static WOLFSSL_CTX *contexts[2];

static int io_receive(WOLFSSL *ssl, char *data, int n, void *context)
{
	(void)ssl, (void)context;
	int got = take(data, (size_t)n);
	return got < 0 ? WOLFSSL_CBIO_ERR_WANT_READ : got;
}

static int io_send(WOLFSSL *ssl, char *data, int n, void *context)
{
	(void)ssl, (void)context;
	return put(data, (size_t)n);
}

static const char *start(void)
{
	wolfSSL_Init();
	contexts[0] = wolfSSL_CTX_new(wolfSSLv23_server_method());
#ifdef WOLFSSL_DTLS
	contexts[1] = wolfSSL_CTX_new(wolfDTLSv1_2_server_method());
#endif
	for (int i = 0; i < 2 && contexts[i] != NULL; i++) {
		/* A context has one certificate. */
		if (wolfSSL_CTX_use_certificate_file(contexts[i], "rsa.pem", WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
		    wolfSSL_CTX_use_PrivateKey_file(contexts[i], "rsa.pem", WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
			fail("read the certificates");
		wolfSSL_SetIORecv(contexts[i], io_receive);
		wolfSSL_SetIOSend(contexts[i], io_send);
	}
	static char name[64];
	snprintf(name, sizeof name, "wolfssl@%s", wolfSSL_lib_version());
	return name;
}

static int serve(int dtls)
{
	if (contexts[dtls] == NULL)
		fail("serve DTLS: this wolfSSL is built without it");
	WOLFSSL *ssl = wolfSSL_new(contexts[dtls]);
	if (dtls)
		wolfSSL_dtls_set_using_nonblock(ssl, 1);
	int error;
	do
		error = wolfSSL_get_error(ssl, wolfSSL_accept(ssl));
	while (error == WOLFSSL_ERROR_WANT_READ && !starved);
	wolfSSL_free(ssl);
	return error == WOLFSSL_ERROR_WANT_READ;
}
