/* Tries what sessions of a server that honours request_mtls let clients do.
 *
 *   matrix [OPTIONS] HOST:PORT CA NAME SAME OTHER BOT BOT2
 *
 * CA verifies the server. Clients with the certificate BOT may authenticate at the server
 * names NAME and SAME, those with BOT2 at OTHER, which has another authority. Files are in
 * PEM; BOT and BOT2 have the certificate and its key. The server answers each connection
 * with "verify=RESULT dn=NAME", the name up to the end of the line: SUCCESS and a name for a
 * client that authenticated, anything else and "" or "-" for all others. OTHER may be "-".
 *
 *   -a          flagged clients see the flag acknowledged
 *   -r ALERT    a flagged client without a certificate is refused with this alert
 *   -n          SAME may resume the sessions of NAME
 *   -k          sessions are resumed after a reload and a restart
 *   -o          sessions of flagged clients are never resumed
 *   -l COMMAND  reloads the server, -s COMMAND restarts it
 *   -t COMMAND  gives NAME the authority of BOT2, the next time its own back
 *   -c COUNT    instead, 100 clients at once make this many connections in random order, and
 *               repeat those that a server loses when it reloads
 *   -p          all of these are plain
 *
 * A command returns when the server has done it. Pairs of connections are made in TLS 1.3
 * and 1.2; the second offers the session of the first. Whoever gave no certificate never
 * gets an identity, plain clients are never asked, and nobody is in TLS 1.2. */
#define _POSIX_C_SOURCE 200809L
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

enum { FLAGS = 62, CLIENTS = 100 };
static const unsigned char flag[] = {11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}; /* flag 80 */

/* A certificate of a client. */
struct bot {
	X509 *cert;
	EVP_PKEY *key;
	char name[256]; /* its common name */
};

static int acknowledges, across, keeps, never, refused, load, only_plain;
static const char *reload, *restart, *toggle;
static char host[256], *port;
static const char *authority, *names[3]; /* of the server */
static struct bot bots[2];
static int connections;

enum name { NAME, SAME, OTHER };
enum kind { PLAIN, FLAGGED, EMPTY /* flagged, without a certificate */ };

/* What a client sends, and what it gets. */
struct client {
	enum kind kind;
	enum name name;
	struct bot *bot;
	int version, no_tickets;
};
struct outcome {
	int done, alert, asked, acknowledged, resumed, foreign;
	char answer[1024], verify[64], dn[256];
	SSL_SESSION *session;
	const struct client *client;
};

static void die(const char *what)
{
	fprintf(stderr, "matrix: %s\n", what);
	ERR_print_errors_fp(stderr);
	_exit(1); /* other threads still use OpenSSL */
}

static int add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)type, (void)x, (void)chain, (void)alert, (void)arg;
	const struct outcome *o = SSL_get_app_data(ssl);
	*out = flag;
	*len = sizeof flag;
	return context == SSL_EXT_CLIENT_HELLO && o->client->kind != PLAIN;
}

static int parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)type, (void)x, (void)chain, (void)alert, (void)arg;
	struct outcome *o = SSL_get_app_data(ssl);
	if (context == SSL_EXT_TLS1_3_CERTIFICATE_REQUEST)
		o->acknowledged = len == sizeof flag && memcmp(in, flag, len) == 0 ? 1 : -1;
	return 1;
}

/* The names of the authorities in CertificateRequest are those of the server name. */
static int names_fit(SSL *ssl, const struct bot *mine)
{
	const STACK_OF(X509_NAME) *list = SSL_get0_peer_CA_list(ssl);
	int found = 0;
	for (int i = 0; i < sk_X509_NAME_num(list); i++)
		for (int b = 0; b < 2; b++)
			if (X509_NAME_cmp(sk_X509_NAME_value(list, i), X509_get_issuer_name(bots[b].cert)) == 0)
				found |= &bots[b] == mine ? 1 : 2;
	return found == 1;
}

static int on_request(SSL *ssl, X509 **x, EVP_PKEY **key)
{
	struct outcome *o = SSL_get_app_data(ssl);
	o->asked = 1;
	o->foreign = !names_fit(ssl, o->client->bot);
	if (o->client->kind == EMPTY)
		return 0;
	*x = o->client->bot->cert;
	*key = o->client->bot->key;
	return X509_up_ref(*x) && EVP_PKEY_up_ref(*key);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct outcome *o = SSL_get_app_data(ssl);
	SSL_SESSION_free(o->session);
	o->session = session;
	return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct outcome *o = SSL_get_app_data(ssl);
	if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		o->alert = value & 0xff;
}

static SSL_CTX *new_context(const struct client *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || !SSL_CTX_load_verify_locations(ctx, authority, NULL) || !SSL_CTX_set_min_proto_version(ctx, c->version) || !SSL_CTX_set_max_proto_version(ctx, c->version) ||
	    !SSL_CTX_add_custom_ext(ctx, FLAGS, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, add, NULL, NULL, parse, NULL))
		die("cannot start");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_client_cert_cb(ctx, on_request);
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	if (c->no_tickets)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	return ctx;
}

static int dial(void)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	if (getaddrinfo(host, port, &hints, &list) != 0)
		die(host);
	int fd = socket(list->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0)
		die("cannot connect");
	freeaddrinfo(list);
	return fd;
}

/* Takes what is between a label and the first of some characters out of the answer. */
static void take(char *to, size_t size, const char *answer, const char *label, const char *end)
{
	const char *p = strstr(answer, label);
	if (p == NULL)
		die("the server's answer has no verify=RESULT dn=NAME");
	p += strlen(label);
	snprintf(to, size, "%.*s", (int)strcspn(p, end), p);
}

static void exchange(SSL *ssl, struct outcome *o)
{
	char request[512];
	int n = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", names[o->client->name]), all = 0;
	SSL_write(ssl, request, n);
	while (all < (int)sizeof o->answer - 1 && (n = SSL_read(ssl, o->answer + all, (int)sizeof o->answer - 1 - all)) > 0)
		all += n;
	o->done = all > 0; /* TLS 1.3 refuses a certificate after the client's handshake */
	if (!o->done)
		return;
	take(o->verify, sizeof o->verify, o->answer, "verify=", " ;\r\n");
	take(o->dn, sizeof o->dn, o->answer, "dn=", "\r\n");
}

static struct outcome connect_as(const struct client *c, SSL_SESSION *session)
{
	struct outcome o = {.client = c};
	SSL_CTX *ctx = new_context(c);
	SSL *ssl = SSL_new(ctx);
	int fd = dial();
	const char *name = names[c->name];
	if (ssl == NULL || !SSL_set_app_data(ssl, &o) || !SSL_set_fd(ssl, fd) || !SSL_set_tlsext_host_name(ssl, name) || !SSL_set1_host(ssl, name) || (session != NULL && !SSL_set_session(ssl, session)))
		die("cannot start");
	if (SSL_connect(ssl) == 1) {
		o.resumed = SSL_session_reused(ssl);
		exchange(ssl, &o);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	close(fd);
	return o;
}

static void report(const struct outcome *o, const char *which)
{
	static const char *const kinds[] = {"plain", "flagged", "flagged without a certificate"};
	fprintf(stderr, "%s: %s, %s, TLS 1.%d, tickets %d: done=%d alert=%d asked=%d acknowledged=%d resumed=%d foreign=%d verify=%s dn=%s\n", which, kinds[o->client->kind], names[o->client->name],
	        o->client->version == TLS1_3_VERSION ? 3 : 2, !o->client->no_tickets, o->done, o->alert, o->asked, o->acknowledged, o->resumed, o->foreign, o->verify, o->dn);
}

/* Whether the answer gives the identity of bot, or of nobody if it is NULL. */
static int is(const struct outcome *o, const struct bot *bot)
{
	if (bot == NULL)
		return strcmp(o->verify, "SUCCESS") != 0 && (o->dn[0] == 0 || strcmp(o->dn, "-") == 0);
	return strcmp(o->verify, "SUCCESS") == 0 && strstr(o->dn, bot->name) != NULL;
}

/* Whether an outcome is that of a handshake without resumption. */
static int full(const struct outcome *o)
{
	const struct client *c = o->client;
	int old = c->version != TLS1_3_VERSION, flagged = c->kind != PLAIN && !old;
	if (o->resumed || o->asked != flagged || o->foreign || o->acknowledged != (acknowledges && flagged))
		return 0;
	if (flagged && c->kind == EMPTY && refused)
		return !o->done && o->alert == refused;
	return o->done && is(o, flagged && c->kind == FLAGGED ? c->bot : NULL);
}

enum action { NONE, RELOAD, RESTART, TOGGLE };

static const struct row {
	const char *what;
	enum kind first;
	enum action action;
	enum kind second;
	enum name one, two;
} rows[] = {
	{"plain, plain", PLAIN, NONE, PLAIN, NAME, NAME},
	{"plain, flagged", PLAIN, NONE, FLAGGED, NAME, NAME},
	{"plain, flagged without a certificate", PLAIN, NONE, EMPTY, NAME, NAME},
	{"flagged, plain", FLAGGED, NONE, PLAIN, NAME, NAME},
	{"flagged, flagged", FLAGGED, NONE, FLAGGED, NAME, NAME},
	{"flagged without a certificate, flagged", EMPTY, NONE, FLAGGED, NAME, NAME},
	{"flagged without a certificate, again", EMPTY, NONE, EMPTY, NAME, NAME},
	{"flagged without a certificate, plain", EMPTY, NONE, PLAIN, NAME, NAME},
	{"other name", FLAGGED, NONE, FLAGGED, NAME, SAME},
	{"other name, and back", FLAGGED, NONE, FLAGGED, SAME, NAME},
	{"other name, without a certificate", EMPTY, NONE, EMPTY, NAME, SAME},
	{"other name, plain first", PLAIN, NONE, FLAGGED, NAME, SAME},
	{"other authority", FLAGGED, NONE, FLAGGED, NAME, OTHER},
	{"other authority, and back", FLAGGED, NONE, FLAGGED, OTHER, NAME},
	{"other authority, without a certificate", FLAGGED, NONE, EMPTY, NAME, OTHER},
	{"other authority, plain", FLAGGED, NONE, PLAIN, NAME, OTHER},
	{"plain, reload, flagged", PLAIN, RELOAD, FLAGGED, NAME, NAME},
	{"flagged, reload, plain", FLAGGED, RELOAD, PLAIN, NAME, NAME},
	{"flagged, reload, flagged", FLAGGED, RELOAD, FLAGGED, NAME, NAME},
	{"flagged without a certificate, reload, flagged", EMPTY, RELOAD, FLAGGED, NAME, NAME},
	{"plain, restart, flagged", PLAIN, RESTART, FLAGGED, NAME, NAME},
	{"flagged, restart, plain", FLAGGED, RESTART, PLAIN, NAME, NAME},
	{"flagged, restart, flagged", FLAGGED, RESTART, FLAGGED, NAME, NAME},
	{"flagged, restart, other authority", FLAGGED, RESTART, FLAGGED, NAME, OTHER},
	{"flagged, other authority of the same name", FLAGGED, TOGGLE, FLAGGED, NAME, NAME},
	{"flagged, other authority of the same name, no certificate", FLAGGED, TOGGLE, EMPTY, NAME, NAME},
};

/* Whether the second outcome is allowed. Only sessions of the same kind, name and authority
 * may be resumed; one without a flag has nothing to lose under another name. */
static int allowed(const struct row *r, const struct outcome *two)
{
	int old = two->client->version != TLS1_3_VERSION, flagged = r->second != PLAIN;
	int may = !flagged ? r->first == PLAIN : r->first == FLAGGED && r->action != TOGGLE && (r->one == r->two || (across && r->one != OTHER && r->two != OTHER));
	int must = may && r->one == r->two && !never && (r->action == NONE || keeps);
	if (old)
		may = 1, must = 0;
	if (!two->resumed)
		return !must && full(two);
	if (!may || (never && flagged && !old) || two->asked || two->acknowledged || !two->done)
		return 0;
	return is(two, flagged && !old ? two->client->bot : NULL);
}

static void run(enum action action)
{
	const char *const commands[] = {NULL, reload, restart, toggle};
	if (commands[action] != NULL && system(commands[action]) != 0)
		die(commands[action]);
}

/* Ends the program if two outcomes are not allowed. */
static void settle(const char *what, struct outcome *one, struct outcome *two, int ok)
{
	if (!ok) {
		fprintf(stderr, "matrix: %s\n", what);
		report(one, "first");
		report(two, "second");
		_exit(1);
	}
	SSL_SESSION_free(one->session);
	SSL_SESSION_free(two->session);
	connections += 2;
}

static void try_row(const struct row *r, int version, int no_tickets)
{
	if ((r->action == RELOAD && reload == NULL) || (r->action == RESTART && restart == NULL) || (r->action == TOGGLE && toggle == NULL))
		return;
	if (names[OTHER][0] == '-' && (r->one == OTHER || r->two == OTHER))
		return;
	const struct client a = {r->first, r->one, &bots[r->one == OTHER], version, no_tickets},
	                    b = {r->second, r->two, &bots[r->two == OTHER || r->action == TOGGLE], version, no_tickets};
	struct outcome one = connect_as(&a, NULL);
	run(r->action);
	struct outcome two = connect_as(&b, one.session);
	if (r->action == TOGGLE)
		run(TOGGLE);
	settle(r->what, &one, &two, full(&one) && allowed(r, &two));
}

/* A certificate of an authority of another name is worth nothing. */
static void try_stranger(void)
{
	const struct client c = {FLAGGED, NAME, &bots[1], TLS1_3_VERSION, 0}, again = {FLAGGED, NAME, &bots[0], TLS1_3_VERSION, 0};
	struct outcome one = connect_as(&c, NULL);
	struct outcome two = connect_as(&again, one.session);
	settle("certificate of another authority", &one, &two, one.asked && (!one.done || is(&one, NULL)) && full(&two));
}

/* Each connection offers the session of the last one, whose server may have reloaded. */
static void *client(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;
	struct client last = {PLAIN, NAME, &bots[0], TLS1_3_VERSION, 0};
	struct outcome before = {.client = &last};
	enum kind kind = PLAIN; /* of the handshake that the session is from */
	for (int i = 0; i < load / CLIENTS; i++) {
		struct client c = last;
		if (!only_plain) {
			int n = rand_r(&seed);
			c.kind = n % 3;
			c.name = n / 3 % (names[OTHER][0] == '-' ? 2 : 3);
			c.bot = &bots[c.name == OTHER];
			c.version = n / 9 % 8 > 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
		}
		const struct row r = {"load", kind, RELOAD, c.kind, last.name, c.name};
		SSL_SESSION *session = last.version == c.version && !only_plain ? before.session : NULL;
		struct outcome o = connect_as(&c, session);
		for (int tries = 0; tries < 20 && !o.done && o.alert == 0; tries++) {
			SSL_SESSION_free(o.session);
			o = connect_as(&c, session);
		}
		if (!allowed(&r, &o)) {
			report(&before, "before");
			report(&o, "then");
			die("load");
		}
		SSL_SESSION_free(before.session);
		before = o;
		last = c;
		kind = o.resumed ? kind : c.kind;
		before.client = &last;
	}
	SSL_SESSION_free(before.session);
	return NULL;
}

static void try_load(void)
{
	pthread_t threads[CLIENTS];
	keeps = 0;
	for (size_t i = 0; i < CLIENTS; i++)
		if (pthread_create(&threads[i], NULL, client, (void *)i) != 0)
			die("cannot start clients");
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	connections = load / CLIENTS * CLIENTS;
}

static struct bot read_bot(const char *path)
{
	struct bot b;
	FILE *f = fopen(path, "r");
	if (f == NULL || (b.cert = PEM_read_X509(f, NULL, NULL, NULL)) == NULL)
		die(path);
	rewind(f);
	b.key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (b.key == NULL || X509_NAME_get_text_by_NID(X509_get_subject_name(b.cert), NID_commonName, b.name, sizeof b.name) <= 0)
		die(path);
	return b;
}

static void read_options(int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "ar:nkol:s:t:c:p")) != -1)
		switch (option) {
		case 'a': acknowledges = 1; break;
		case 'r': refused = atoi(optarg); break;
		case 'n': across = 1; break;
		case 'k': keeps = 1; break;
		case 'o': never = 1; break;
		case 'l': reload = optarg; break;
		case 's': restart = optarg; break;
		case 't': toggle = optarg; break;
		case 'c': load = atoi(optarg); break;
		case 'p': only_plain = 1; break;
		default: exit(2);
		}
	char **rest = argv + optind;
	if (argc - optind != 7 || strlen(rest[0]) >= sizeof host || (port = strrchr(strcpy(host, rest[0]), ':')) == NULL)
		die("usage: matrix [-a] [-r ALERT] [-n] [-k] [-o] [-l COMMAND] [-s COMMAND] [-t COMMAND] [-c COUNT [-p]] HOST:PORT CA NAME SAME OTHER BOT BOT2");
	*port++ = 0;
	authority = rest[1];
	memcpy(names, rest + 2, sizeof names);
	bots[0] = read_bot(rest[5]);
	bots[1] = read_bot(rest[6]);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (load > 0)
		try_load();
	for (size_t i = 0; load == 0 && i < sizeof rows / sizeof *rows; i++) {
		try_row(&rows[i], TLS1_3_VERSION, 0);
		try_row(&rows[i], TLS1_2_VERSION, 0);
		if (rows[i].action == NONE)
			try_row(&rows[i], TLS1_2_VERSION, 1);
	}
	if (load == 0)
		try_stranger();
	for (int i = 0; i < 2; i++) {
		X509_free(bots[i].cert);
		EVP_PKEY_free(bots[i].key);
	}
	printf("matrix: %d connections pass\n", connections);
	return 0;
}
