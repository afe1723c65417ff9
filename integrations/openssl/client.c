/* A TLS client that sends request_mtls if it has a certificate.
 *
 *   client [-s SESSION] [-c CERT -k KEY] PORT CA NAME
 *
 * It fetches a page from PORT of 127.0.0.1, and prints whether the server acknowledged the
 * flag, and the page. It resumes the session in the file SESSION, if there is one, and
 * writes the newest session there. */
#define _POSIX_C_SOURCE 200809L
#include "tlsflags_openssl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

static const char *session_file;

static void die(const char *what)
{
	fprintf(stderr, "client: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static int save(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	FILE *f = session_file == NULL ? NULL : fopen(session_file, "w");
	if (f != NULL) {
		PEM_write_SSL_SESSION(f, session);
		fclose(f);
	}
	return 0;
}

static void restore(SSL *ssl)
{
	FILE *f = session_file == NULL ? NULL : fopen(session_file, "r");
	if (f == NULL)
		return;
	SSL_SESSION *session = PEM_read_SSL_SESSION(f, NULL, NULL, NULL);
	fclose(f);
	if (session != NULL)
		SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
}

static int dial(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		die("cannot connect");
	return fd;
}

int main(int argc, char **argv)
{
	const char *cert = NULL, *key = NULL;
	char request[512], page[4096];
	int option, n, all = 0;
	while ((option = getopt(argc, argv, "s:c:k:")) != -1)
		switch (option) {
		case 's': session_file = optarg; break;
		case 'c': cert = optarg; break;
		case 'k': key = optarg; break;
		default: return 2;
		}
	if (argc - optind != 3)
		die("usage: client [-s SESSION] [-c CERT -k KEY] PORT CA NAME");
	const char *name = argv[optind + 2];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || !SSL_CTX_load_verify_locations(ctx, argv[optind + 1], NULL) || !tlsflags_client_install(ctx, TLSFLAGS_REQUEST_MTLS))
		die("cannot start");
	if (cert != NULL && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 || key == NULL || SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		die("cannot use the certificate");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, save);
	SSL *ssl = SSL_new(ctx);
	int fd = dial(atoi(argv[optind]));
	if (ssl == NULL || !SSL_set_fd(ssl, fd) || !SSL_set_tlsext_host_name(ssl, name) || !SSL_set1_host(ssl, name))
		die("cannot start");
	restore(ssl);
	if (SSL_connect(ssl) != 1)
		die("handshake failed");
	n = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %.255s\r\nConnection: close\r\n\r\n", name);
	SSL_write(ssl, request, n);
	while (all < (int)sizeof page - 1 && (n = SSL_read(ssl, page + all, (int)sizeof page - 1 - all)) > 0)
		all += n;
	page[all] = 0;
	if (all == 0)
		die("no answer"); /* TLS 1.3 refuses a certificate after the client's handshake */
	const char *body = strstr(page, "\r\n\r\n");
	printf("acknowledged=%d %s", tlsflags_acknowledged(ssl), body == NULL ? page : body + 4);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return 0;
}
