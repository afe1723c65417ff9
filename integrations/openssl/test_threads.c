/* Threads that share an SSL_CTX and policies, which are replaced in between. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, HANDSHAKES = 100 };

static SSL_CTX *server_ctx, *client_ctx;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static TLSFLAGS_POLICY *current;

static TLSFLAGS_POLICY *new_policy(void)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	sk_X509_push(list, authority_a.cert);
	TLSFLAGS_POLICY *p = tlsflags_policy_new(TLSFLAGS_REQUEST, TLSFLAGS_REQUEST_MTLS, list, NULL, 0);
	sk_X509_free(list);
	return p;
}

static TLSFLAGS_POLICY *choose(SSL *ssl, const char *name, void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	TLSFLAGS_POLICY *p = tlsflags_same_policy(ssl, name, current);
	pthread_mutex_unlock(&lock);
	return p;
}

static void reload(void)
{
	TLSFLAGS_POLICY *p = new_policy();
	pthread_mutex_lock(&lock);
	TLSFLAGS_POLICY *old = current;
	current = p;
	pthread_mutex_unlock(&lock);
	tlsflags_policy_free(old);
}

static void *work(void *arg)
{
	size_t *identities = arg;
	for (int i = 0; i < HANDSHAKES; i++) {
		SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
		BIO *a, *b;
		BIO_new_bio_pair(&a, 0, &b, 0);
		SSL_set_bio(server, a, a);
		SSL_set_bio(client, b, b);
		SSL_set_accept_state(server);
		SSL_set_connect_state(client);
		for (int j = 0; j < 5; j++) {
			SSL_do_handshake(client);
			SSL_do_handshake(server);
		}
		*identities += tlsflags_identity(server) != NULL;
		SSL_free(server);
		SSL_free(client);
		if (i % 10 == 0)
			reload();
	}
	return NULL;
}

int main(void)
{
	static const struct tlsflags_chooser chooser = {choose, NULL};
	pthread_t threads[THREADS];
	size_t identities[THREADS] = {0}, all = 0;
	make_certificates();
	current = new_policy();
	server_ctx = SSL_CTX_new(TLS_server_method());
	client_ctx = SSL_CTX_new(TLS_client_method());
	check(SSL_CTX_use_certificate(server_ctx, site.cert) && SSL_CTX_use_PrivateKey(server_ctx, site.key) && SSL_CTX_use_certificate(client_ctx, client_a.cert) &&
	          SSL_CTX_use_PrivateKey(client_ctx, client_a.key) && tlsflags_server_install(server_ctx, &chooser) && tlsflags_client_install(client_ctx, TLSFLAGS_REQUEST_MTLS),
	      "start");
	for (int i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, work, &identities[i]) == 0, "thread");
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all += identities[i];
	}
	check(all == THREADS * HANDSHAKES, "identities");
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	tlsflags_policy_free(current);
	free_certificates();
	printf("openssl: %zu handshakes of %d threads\n", all, THREADS);
	return 0;
}
