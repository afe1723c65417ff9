// A client on OpenSSL that sends an extension of its own, which s_client
// cannot. It makes one handshake and leaves.
//
//	flagclient tls|dtls PORT SERVERNAME TYPE DATA [DATA_OF_SECOND_HELLO]
//
// TYPE is decimal, DATA hexadecimal. GROUPS and MTU in the environment set the
// groups it offers and the link MTU it assumes in DTLS.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct extension {
	unsigned char *data[2]; // for the first and for later ClientHellos
	long length[2];
	int hellos;
};

static int add(SSL *ssl, unsigned int type, unsigned int context, const unsigned char **out, size_t *outlen, X509 *x,
	       size_t chainidx, int *alert, void *arg)
{
	struct extension *e = arg;
	int i = e->hellos++ == 0 ? 0 : 1;
	*out = e->data[i];
	*outlen = e->length[i];
	return 1;
}

static int parse(SSL *ssl, unsigned int type, unsigned int context, const unsigned char *in, size_t inlen, X509 *x,
		 size_t chainidx, int *alert, void *arg)
{
	return 1;
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s failed\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: %s tls|dtls PORT SERVERNAME TYPE DATA [DATA_OF_SECOND_HELLO]\n", argv[0]);
		return 2;
	}
	int dtls = strcmp(argv[1], "dtls") == 0;
	struct extension e = {0};
	for (int i = 0; i < 2; i++) {
		e.data[i] = OPENSSL_hexstr2buf(argv[i == 1 && argc > 6 ? 6 : 5], &e.length[i]);
		check(e.data[i] != NULL, "reading DATA");
	}

	SSL_CTX *ctx = SSL_CTX_new(dtls ? DTLS_client_method() : TLS_client_method());
	check(ctx != NULL, "SSL_CTX_new");
	check(SSL_CTX_add_custom_ext(ctx, atoi(argv[4]), SSL_EXT_CLIENT_HELLO, add, NULL, &e, parse, NULL), "SSL_CTX_add_custom_ext");
	if (getenv("GROUPS"))
		check(SSL_CTX_set1_groups_list(ctx, getenv("GROUPS")), "GROUPS");

	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, dtls ? SOCK_DGRAM : SOCK_STREAM, 0);
	check(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
	BIO *bio = dtls ? BIO_new_dgram(fd, BIO_NOCLOSE) : BIO_new_socket(fd, BIO_NOCLOSE);
	if (dtls)
		BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &to);

	SSL *ssl = SSL_new(ctx);
	check(ssl != NULL, "SSL_new");
	SSL_set_tlsext_host_name(ssl, argv[3]);
	SSL_set_bio(ssl, bio, bio);
	if (dtls && getenv("MTU")) {
		SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
		check(DTLS_set_link_mtu(ssl, atoi(getenv("MTU"))), "MTU");
	}
	check(SSL_connect(ssl) == 1, "SSL_connect");
	SSL_shutdown(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return 0;
}
