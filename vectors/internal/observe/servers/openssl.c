/* An OpenSSL server. It reads a stream from each line, in hexadecimal, and answers with a
 * line: "waits" or "done", and the first bytes that the server writes. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char input[1 << 18];
static char line[2 * sizeof input + 2];

static void answer(SSL_CTX *ctx, size_t n)
{
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, in, out);
	SSL_set_accept_state(ssl);
	BIO_set_mem_eof_return(in, -1);
	BIO_write(in, input, (int)n);
	ERR_clear_error();
	int result = SSL_do_handshake(ssl);
	unsigned char written[64];
	int size = BIO_read(out, written, sizeof written);
	int waits = size <= 0 && SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
	fputs(waits ? "waits " : "done ", stdout);
	for (int i = 0; i < size; i++)
		printf("%02x", written[i]);
	putchar('\n');
	fflush(stdout);
	SSL_free(ssl);
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	for (int i = 1; i < argc; i++)
		if (SSL_CTX_use_certificate_file(ctx, argv[i], SSL_FILETYPE_PEM) != 1 || SSL_CTX_use_PrivateKey_file(ctx, argv[i], SSL_FILETYPE_PEM) != 1) {
			ERR_print_errors_fp(stderr);
			return 1;
		}
	printf("openssl@%s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		size_t n = 0;
		for (const char *p = line; p[0] > ' ' && p[1] > ' '; p += 2) {
			char digits[] = {p[0], p[1], 0};
			input[n++] = (unsigned char)strtoul(digits, NULL, 16);
		}
		answer(ctx, n);
	}
	return 0;
}
