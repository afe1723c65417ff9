/* A server of OpenSSL. */
#include "stack.h"
#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *contexts[2];
static BIO_METHOD *memory;

static int bio_read(BIO *bio, char *data, int n)
{
	BIO_clear_retry_flags(bio);
	int got = take(data, (size_t)n);
	if (got < 0)
		BIO_set_retry_read(bio);
	return got;
}

static int bio_write(BIO *bio, const char *data, int n)
{
	(void)bio;
	return put(data, (size_t)n);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static const char *start(void)
{
	contexts[0] = SSL_CTX_new(TLS_server_method());
	contexts[1] = SSL_CTX_new(DTLS_server_method());
	for (int i = 0; i < 2; i++)
		for (const char **name = (const char *[]){"ecdsa.pem", "rsa.pem", NULL}; *name != NULL; name++)
			if (SSL_CTX_use_certificate_file(contexts[i], *name, SSL_FILETYPE_PEM) != 1 || SSL_CTX_use_PrivateKey_file(contexts[i], *name, SSL_FILETYPE_PEM) != 1)
				fail("read the certificates");
	memory = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory");
	BIO_meth_set_read(memory, bio_read);
	BIO_meth_set_write(memory, bio_write);
	BIO_meth_set_ctrl(memory, bio_ctrl);
	static char name[64];
	snprintf(name, sizeof name, "openssl@%s", OpenSSL_version(OPENSSL_VERSION_STRING));
	return name;
}

static int serve(int dtls)
{
	SSL *ssl = SSL_new(contexts[dtls]);
	BIO *bio = BIO_new(memory);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(ssl, 1400);
	SSL_set_accept_state(ssl);
	int result, error;
	do {
		ERR_clear_error();
		result = SSL_do_handshake(ssl);
		error = SSL_get_error(ssl, result);
	} while (error == SSL_ERROR_WANT_READ && !starved);
	SSL_free(ssl);
	return error == SSL_ERROR_WANT_READ;
}
