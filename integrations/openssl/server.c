/* A TLS server that honours request_mtls, to try and to copy from.
 *
 *   server [-p PORT] [-k KEYS] [-n] [-e BYTES] [-g GROUPS] [-v 1.2] CERT KEY NAME:MODE:AUTHORITIES...
 *
 * NAME is a server name, or * for all others; MODE is request or require; CERT, KEY and
 * AUTHORITIES are files in PEM. -k takes the keys of tickets from a file of 80 bytes, -n
 * has no tickets, -e accepts early data. It prints its port on 127.0.0.1, answers one
 * client after the other with one line about the connection, reads its files again on each
 * line of standard input, and ends with it. */
#define _POSIX_C_SOURCE 200809L
#include "tlsflags_openssl.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

enum { NAMES = 16 };

static const unsigned char id[] = "tlsflags demo";
static const char *keys, *groups;
static int port, no_tickets, early, only_12;
static char **files; /* CERT, KEY and the names */

struct names {
	int count;
	char name[NAMES][256];
	TLSFLAGS_POLICY *policy[NAMES];
};

static void die(const char *what)
{
	fprintf(stderr, "server: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static STACK_OF(X509) *read_certificates(const char *path)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	FILE *f = fopen(path, "r");
	X509 *x;
	if (list == NULL || f == NULL)
		die(path);
	while ((x = PEM_read_X509(f, NULL, NULL, NULL)) != NULL)
		sk_X509_push(list, x);
	ERR_clear_error(); /* the end of the file is an error */
	fclose(f);
	if (sk_X509_num(list) == 0)
		die(path);
	return list;
}

static void read_names(struct names *n)
{
	for (n->count = 0; files[2 + n->count] != NULL && n->count < NAMES; n->count++) {
		char mode[16], path[1024];
		if (sscanf(files[2 + n->count], "%255[^:]:%15[^:]:%1023[^\n]", n->name[n->count], mode, path) != 3 ||
		    (strcmp(mode, "request") != 0 && strcmp(mode, "require") != 0))
			die("a name is NAME:request|require:AUTHORITIES");
		STACK_OF(X509) *list = read_certificates(path);
		n->policy[n->count] = tlsflags_policy_new(strcmp(mode, "require") == 0 ? TLSFLAGS_REQUIRE : TLSFLAGS_REQUEST, TLSFLAGS_REQUEST_MTLS, list, id, sizeof id - 1);
		sk_X509_pop_free(list, X509_free);
		if (n->policy[n->count] == NULL)
			die(path);
	}
}

static TLSFLAGS_POLICY *choose(SSL *ssl, const char *name, void *arg)
{
	const struct names *n = arg;
	for (int i = 0; i < n->count; i++)
		if (strcmp(n->name[i], "*") == 0 || (name != NULL && strcmp(n->name[i], name) == 0))
			return tlsflags_same_policy(ssl, name, n->policy[i]);
	return NULL;
}

static SSL_CTX *load(const struct tlsflags_chooser *chooser)
{
	unsigned char key[80];
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	read_names(chooser->arg);
	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, files[0]) != 1 || SSL_CTX_use_PrivateKey_file(ctx, files[1], SSL_FILETYPE_PEM) != 1 ||
	    !SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1) || !tlsflags_server_install(ctx, chooser))
		die("cannot use the certificate");
	if (keys != NULL) {
		FILE *f = fopen(keys, "rb");
		if (f == NULL || fread(key, 1, sizeof key, f) != sizeof key || !SSL_CTX_set_tlsext_ticket_keys(ctx, key, sizeof key))
			die(keys);
		fclose(f);
		OPENSSL_cleanse(key, sizeof key);
	}
	if (no_tickets)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (only_12)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_early_data(ctx, (uint32_t)early);
	if (groups != NULL && !SSL_CTX_set1_groups_list(ctx, groups))
		die(groups);
	return ctx;
}

static void unload(SSL_CTX *ctx, struct names *n)
{
	SSL_CTX_free(ctx);
	for (int i = 0; i < n->count; i++)
		tlsflags_policy_free(n->policy[i]);
}

/* Reads a request to its empty line, in any number of pieces. Early data is not answered before
 * the handshake ends. */
static int handshake(SSL *ssl, char *request, size_t size)
{
	size_t n = 0, all = 0;
	int r = SSL_READ_EARLY_DATA_SUCCESS;
	while (early > 0 && r == SSL_READ_EARLY_DATA_SUCCESS && all < size) {
		r = SSL_read_early_data(ssl, request + all, size - all, &n);
		all += n;
	}
	if (r == SSL_READ_EARLY_DATA_ERROR || SSL_accept(ssl) != 1)
		return 0;
	while (all < 4 || (all < size && memcmp(request + all - 4, "\r\n\r\n", 4) != 0)) {
		if (!SSL_read_ex(ssl, request + all, size - all, &n))
			return 0;
		all += n;
	}
	return 1;
}

static void serve(SSL_CTX *ctx, int fd)
{
	const struct timeval limit = {5, 0};
	char request[4096], subject[256] = "", answer[512];
	SSL *ssl = SSL_new(ctx);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (ssl != NULL && SSL_set_fd(ssl, fd) && handshake(ssl, request, sizeof request)) {
		X509 *x = tlsflags_identity(ssl);
		if (x != NULL)
			X509_NAME_oneline(X509_get_subject_name(x), subject, sizeof subject);
		int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nflagged=%d asked=%d resumed=%d verify=%s dn=%s\n", tlsflags_flagged(ssl),
		                 tlsflags_asked(ssl), SSL_session_reused(ssl), x == NULL ? "NONE" : "SUCCESS", subject);
		SSL_write(ssl, answer, n);
		SSL_shutdown(ssl);
		shutdown(fd, SHUT_WR);
		while (read(fd, request, sizeof request) > 0) /* or what is unread would reset the connection */
			;
	}
	SSL_free(ssl);
	ERR_clear_error();
	close(fd);
}

static int listen_on(int number)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)number)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 16) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("cannot listen");
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	static struct names names;
	const struct tlsflags_chooser chooser = {choose, &names};
	int option;
	char line[64];
	while ((option = getopt(argc, argv, "p:k:ne:g:v:")) != -1)
		switch (option) {
		case 'p': port = atoi(optarg); break;
		case 'k': keys = optarg; break;
		case 'n': no_tickets = 1; break;
		case 'e': early = atoi(optarg); break;
		case 'g': groups = optarg; break;
		case 'v': only_12 = strcmp(optarg, "1.2") == 0; break;
		default: return 2;
		}
	if (argc - optind < 3)
		die("usage: server [-p PORT] [-k KEYS] [-n] [-e BYTES] [-g GROUPS] [-v 1.2] CERT KEY NAME:MODE:AUTHORITIES...");
	files = argv + optind;
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX *ctx = load(&chooser);
	int listener = listen_on(port);
	for (;;) {
		struct pollfd fds[] = {{listener, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
		if (poll(fds, 2, -1) < 0)
			break;
		if (fds[1].revents != 0) {
			if (read(STDIN_FILENO, line, sizeof line) <= 0)
				break;
			unload(ctx, &names);
			ctx = load(&chooser);
			puts("loaded");
			fflush(stdout);
		}
		if (fds[0].revents != 0)
			serve(ctx, accept(listener, NULL, NULL));
	}
	unload(ctx, &names);
	close(listener);
	return 0;
}
