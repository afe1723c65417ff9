/* Gives the raw seeds in a folder to servers of OpenSSL and of GnuTLS, and counts the
 * ClientHellos that each reads. Fails if one of them reads less than a tenth of a kind: many
 * inputs are malformed or fragments, but the others must be what their folder says.
 * usage: seeds FOLDER */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <ftw.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"tls-stream", "client_hello", "extension_data", "dtls-datagram"};
enum { TLS_STREAM, CLIENT_HELLO, EXTENSION_DATA, DTLS_DATAGRAM };

static int kind, files, read_by_openssl, read_by_gnutls;
static SSL_CTX *contexts[2]; /* TLS, DTLS */
static unsigned char input[1 << 19];
static size_t length, at;

static int openssl_hello(SSL *ssl, int *alert, void *arg)
{
	(void)ssl, (void)alert, (void)arg;
	read_by_openssl++;
	return SSL_CLIENT_HELLO_ERROR;
}

static void give_openssl(void)
{
	SSL *ssl = SSL_new(contexts[kind == DTLS_DATAGRAM]);
	BIO *in = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(in, -1);
	BIO_write(in, input, (int)length);
	SSL_set_bio(ssl, in, BIO_new(BIO_s_null()));
	SSL_accept(ssl);
	ERR_clear_error();
	SSL_free(ssl);
}

static int gnutls_hello(gnutls_session_t session)
{
	(void)session;
	read_by_gnutls++;
	return GNUTLS_E_APPLICATION_ERROR_MIN;
}

static ssize_t pull(gnutls_transport_ptr_t session, void *data, size_t n)
{
	if (at == length) {
		gnutls_transport_set_errno(session, EAGAIN);
		return -1;
	}
	if (n > length - at)
		n = length - at;
	memcpy(data, input + at, n);
	at += n;
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t session, unsigned ms)
{
	(void)session, (void)ms;
	return at < length;
}

static ssize_t push(gnutls_transport_ptr_t session, const void *data, size_t n)
{
	(void)session, (void)data;
	return (ssize_t)n;
}

static void give_gnutls(void)
{
	gnutls_session_t session;
	gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | (kind == DTLS_DATAGRAM ? GNUTLS_DATAGRAM : 0));
	gnutls_set_default_priority(session);
	gnutls_transport_set_ptr(session, session);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_push_function(session, push);
	gnutls_handshake_set_post_client_hello_function(session, gnutls_hello);
	at = 0;
	int result;
	do
		result = gnutls_handshake(session);
	while (result < 0 && !gnutls_error_is_fatal(result) && result != GNUTLS_E_AGAIN);
	gnutls_deinit(session);
}

static void shift(size_t n, const void *start)
{
	memmove(input + n, input, length);
	memcpy(input, start, n);
	length += n;
}

/* put_in_hello makes a ClientHello of extension_data. */
static void put_in_hello(unsigned type)
{
	unsigned char body[2 + 32 + 1 + 8 + 6] = {3, 3};
	unsigned char *p = body + 2 + 32 + 1;
	size_t n = length;
	memcpy(p, "\0\4\x13\1\xc0\x2b\1\0", 8); /* two suites, one compression method */
	p += 8;
	unsigned char end[] = {(n + 4) >> 8, n + 4, type >> 8, type, n >> 8, n};
	memcpy(p, end, sizeof end);
	shift(sizeof body, body);
	unsigned char header[] = {1, length >> 16, length >> 8, length};
	shift(sizeof header, header);
}

/* put_in_records makes a stream of a message. */
static void put_in_records(void)
{
	const size_t most = 1 << 14;
	size_t records = (length + most - 1) / most;
	for (size_t i = records; i-- > 0;) { /* the last one first, so that nothing is in the way */
		size_t from = i * most, n = length - from < most ? length - from : most;
		unsigned char header[] = {22, 3, 1, n >> 8, n};
		unsigned char *to = input + from + i * sizeof header;
		memmove(to + sizeof header, input + from, n);
		memcpy(to, header, sizeof header);
	}
	length += 5 * records;
}

static int give(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	if (type != FTW_F)
		return 0;
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return -1;
	length = fread(input, 1, sizeof input / 2, file);
	fclose(file);
	if (kind == EXTENSION_DATA) {
		const char *folder = path + where->base - 1;
		while (folder[-1] != '/')
			folder--;
		if (length > 60000)
			return 0;
		put_in_hello((unsigned)atoi(folder));
	}
	if (kind == CLIENT_HELLO || kind == EXTENSION_DATA)
		put_in_records();
	files++;
	give_openssl();
	give_gnutls();
	return 0;
}

int main(int argc, char **argv)
{
	int failed = argc != 2;
	contexts[0] = SSL_CTX_new(TLS_server_method());
	contexts[1] = SSL_CTX_new(DTLS_server_method());
	for (int i = 0; i < 2; i++)
		SSL_CTX_set_client_hello_cb(contexts[i], openssl_hello, NULL);
	printf("%-16s %6s %8s %8s\n", "hellos", "inputs", "OpenSSL", "GnuTLS");
	for (kind = 0; !failed && kind < 4; kind++) {
		char folder[4096];
		snprintf(folder, sizeof folder, "%s/%s", argv[1], kinds[kind]);
		files = read_by_openssl = read_by_gnutls = 0;
		if (nftw(folder, give, 16, 0) != 0) {
			perror(folder);
			return 1;
		}
		printf("%-16s %6d %8d %8d\n", kinds[kind], files, read_by_openssl, read_by_gnutls);
		failed = files == 0 || 10 * read_by_openssl < files || 10 * read_by_gnutls < files;
	}
	for (int i = 0; i < 2; i++)
		SSL_CTX_free(contexts[i]);
	return failed;
}
