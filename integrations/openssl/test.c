/* Tests of tlsflags_openssl.c, in memory: resumption, malformed flags, HelloRetryRequest,
 * both sides, both layers. */
#include "test.h"

#include <stdio.h>
#include <string.h>

static const struct client plain = {.name = "a.example", .pair = &client_a},
                           flagged = {.name = "a.example", .flag = 1, .pair = &client_a},
                           empty = {.name = "a.example", .flag = 1},
                           elsewhere = {.name = "b.example", .flag = 1, .pair = &client_a},
                           upper = {.name = "A.Example", .flag = 1, .pair = &client_a},
                           of_b = {.name = "a.example", .flag = 1, .pair = &client_b};

enum change { SAME, RELOAD, AUTHORITY, MODE, IGNORED };

/* One connection, then another that offers the session of the first. */
static const struct row {
	const char *what;
	const struct client *first, *second;
	enum change change; /* of the server in between */
	int reused, asked, identity; /* of the second connection */
} rows[] = {
	{"plain, plain", &plain, &plain, SAME, 1, 0, 0},
	{"plain, plain after a reload", &plain, &plain, RELOAD, 1, 0, 0},
	{"plain, plain under another authority", &plain, &plain, AUTHORITY, 1, 0, 0},
	{"plain, flagged", &plain, &flagged, SAME, 0, 1, 1},
	{"plain, flagged after a reload", &plain, &flagged, RELOAD, 0, 1, 1},
	{"plain, flagged without a certificate", &plain, &empty, SAME, 0, 1, 0},
	{"flagged, plain", &flagged, &plain, SAME, 0, 0, 0},
	{"flagged, plain after a reload", &flagged, &plain, RELOAD, 0, 0, 0},
	{"flagged, flagged", &flagged, &flagged, SAME, 1, 0, 1},
	{"flagged, flagged after a reload", &flagged, &flagged, RELOAD, 1, 0, 1},
	{"flagged, flagged with a name in upper case", &flagged, &upper, SAME, 1, 0, 1},
	{"flagged, flagged under another name", &flagged, &elsewhere, SAME, 0, 1, 1},
	{"flagged under another name, flagged", &elsewhere, &flagged, SAME, 0, 1, 1},
	{"flagged under another name, again", &elsewhere, &elsewhere, SAME, 1, 0, 1},
	{"flagged, flagged under another mode", &flagged, &flagged, MODE, 0, 1, 1},
	{"flagged, flagged under another authority", &flagged, &of_b, AUTHORITY, 0, 1, 1},
	{"flagged, flagged and ignored", &flagged, &flagged, IGNORED, 0, 0, 0},
	{"flagged without a certificate, flagged", &empty, &flagged, SAME, 0, 1, 1},
	{"flagged without a certificate, plain", &empty, &plain, SAME, 0, 0, 0},
	{"flagged without a certificate, again", &empty, &empty, SAME, 0, 1, 0},
};

static void resume(const struct row *r, struct server s, int early)
{
	char what[160];
	int old = s.version != TLS1_3_VERSION;
	s.authority = &authority_a;
	start(&s);
	struct outcome one = shake(&s, r->first, NULL, 0);
	if (r->change != SAME) {
		stop(&s);
		s.authority = r->change == AUTHORITY ? &authority_b : r->change == IGNORED ? NULL : &authority_a;
		s.mode = r->change == MODE ? TLSFLAGS_REQUIRE : s.mode;
		start(&s);
	}
	struct outcome two = shake(&s, r->second, one.session, early);
	snprintf(what, sizeof what, "%s, tickets %d, TLS 1.%d, own callbacks %d, early data %d: %d %d %d %d", r->what, s.tickets, old ? 2 : 3, s.own, early,
	         two.done, two.reused, two.asked, two.identity);
	check(one.done && two.done, what);
	if (old)
		check(!two.asked && !two.identity && !two.flagged && !one.asked && !one.acknowledged && !two.acknowledged, what);
	else {
		int flag = r->second->flag && r->change != IGNORED;
		check(two.reused == r->reused && two.asked == r->asked && two.identity == r->identity && two.acknowledged == r->asked && two.flagged == flag, what);
		check(!r->identity || two.session != NULL, what);
		check(two.early == (early && r->reused) && !two.early_identity, what);
	}
	SSL_SESSION_free(one.session);
	SSL_SESSION_free(two.session);
	stop(&s);
}

static void test_resumption(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int bits = 0; bits < 16; bits++) {
			struct server s = {.version = bits & 1 ? TLS1_2_VERSION : TLS1_3_VERSION, .tickets = bits >> 1 & 1, .own = bits >> 2 & 1};
			if ((bits & 9) != 9) /* no early data in TLS 1.2 */
				resume(&rows[i], s, bits >> 3);
		}
}

static struct outcome once(struct server s, struct client c)
{
	if (c.name == NULL)
		c.name = "a.example";
	start(&s);
	struct outcome o = shake(&s, &c, NULL, 0);
	SSL_SESSION_free(o.session);
	stop(&s);
	return o;
}

#define BYTES(s) {s, s}, {sizeof s - 1, sizeof s - 1}
#define FLAG "\x0b\0\0\0\0\0\0\0\0\0\0\x01"
static const struct server usual = {.version = TLS1_3_VERSION, .tickets = 1, .authority = &authority_a};

static void test_malformed(void)
{
	static const struct {
		const char *what, *raw[2];
		size_t len[2];
	} malformed[] = {
		{"empty data", BYTES("")},
		{"empty vector", BYTES("\0")},
		{"vector too long", BYTES("\x0c\0\0\0\0\0\0\0\0\0\0\x01")},
		{"trailing bytes", BYTES(FLAG "\xff")},
		{"all zero", BYTES("\x01\0")},
		{"all zero, many", BYTES("\x0b\0\0\0\0\0\0\0\0\0\0\0")},
		{"trailing zero", BYTES("\x0c\0\0\0\0\0\0\0\0\0\0\x01\0")},
	};
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
		struct client c = {.raw = {malformed[i].raw[0], malformed[i].raw[0]}, .raw_len = {malformed[i].len[0], malformed[i].len[0]}};
		for (int old = 0; old < 2; old++) {
			c.raw_type = old ? 0xfe01 : 62;
			struct outcome o = once(usual, c);
			check(!o.done && o.alert == SSL_AD_ILLEGAL_PARAMETER, malformed[i].what);
			struct server s = usual;
			s.authority = NULL;
			check(once(s, c).done, "malformed, and ignored");
			s = usual;
			s.version = TLS1_2_VERSION;
			check(once(s, c).done, "malformed in TLS 1.2");
		}
	}
}

static void test_retry(void)
{
	struct server s = usual;
	s.groups = "P-384";
	check(once(s, (struct client){.flag = 1, .pair = &client_a}).identity, "flag after HelloRetryRequest");
	check(once(s, (struct client){.pair = &client_a}).done, "no flag after HelloRetryRequest");
	static const struct {
		const char *what, *raw[2];
		size_t len[2];
	} changes[] = {
		{"flag added", {NULL, FLAG}, {0, 12}},
		{"flag removed", {FLAG, NULL}, {12, 0}},
		{"another flag added", {FLAG, "\x0b\x01\0\0\0\0\0\0\0\0\0\x01"}, {12, 12}},
		{"unknown flag changed", {"\x01\x01", "\x01\x02"}, {2, 2}},
	};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		for (int b = 0; b < 4; b++) {
			struct client c = {.name = b & 1 ? "b.example" : "a.example", .raw_type = 62, .raw = {changes[i].raw[0], changes[i].raw[1]}, .raw_len = {changes[i].len[0], changes[i].len[1]}};
			s.own = b >> 1;
			struct outcome o = once(s, c);
			check(!o.done && o.alert == SSL_AD_ILLEGAL_PARAMETER && !o.identity, changes[i].what);
		}
}

static void test_server(void)
{
	struct server s = usual;
	struct outcome o = once(s, (struct client){.flag = 1, .pair = &client_b});
	check(!o.done && o.asked, "certificate of another authority");
	o = once(s, (struct client){.raw = {"\x01\x01", "\x01\x01"}, .raw_len = {2, 2}, .raw_type = 62});
	check(o.done && !o.asked && !o.flagged, "another flag");
	o = once(s, (struct client){.raw = {FLAG, FLAG}, .raw_len = {12, 12}, .raw_type = 0xfe01});
	check(o.done && o.asked && o.answers == 2, "experimental code point");
	o = once(s, (struct client){.raw = {FLAG, FLAG}, .raw_len = {12, 12}, .raw_type = 62});
	check(o.done && o.asked && o.answers == 1, "code point 62");
	s.own = 1;
	check(once(s, (struct client){.flag = 1, .pair = &client_a}).identity && called == 15, "callbacks of an application");
	s.own = 0;
	s.mode = TLSFLAGS_REQUIRE;
	o = once(s, (struct client){.flag = 1});
	check(!o.done && o.alert == SSL_AD_CERTIFICATE_REQUIRED, "certificate required");
	o = once(s, (struct client){.pair = &client_a});
	check(o.done && !o.asked && !o.identity, "required, but not flagged");
	s.mode = TLSFLAGS_REQUEST;
	s.asks = 1;
	check(once(s, (struct client){.flag = 1, .pair = &client_b}).identity, "settings of a server that asks everybody");
	check(!once(s, (struct client){.flag = 1, .pair = &client_a}).done, "authorities of a server that asks everybody");
}

/* Without a revocation list, its check fails. */
static void test_store(void)
{
	struct server s = usual;
	start(&s);
	X509_STORE_set_flags(tlsflags_policy_store(s.chooser.arg), X509_V_FLAG_CRL_CHECK);
	struct outcome o = shake(&s, &flagged, NULL, 0);
	check(!o.done && o.asked, "parameters of a policy");
	SSL_SESSION_free(o.session);
	stop(&s);
}

static void test_client(void)
{
	static const struct {
		const char *what, *raw;
		size_t len;
		int flag, done, acknowledged;
	} answers[] = {
		{"acknowledged", FLAG, 12, 1, 1, 1},
		{"flag that was not offered", FLAG, 12, 2, 0, 0},
		{"another flag", "\x01\x01", 2, 1, 1, 0},
		{"another flag to a client without any", "\x01\x01", 2, 2, 1, 0},
		{"malformed", "\x01\0", 2, 1, 0, 0},
		{"empty", "", 0, 2, 0, 0},
	};
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct server s = {.version = TLS1_3_VERSION, .tickets = 1, .asks = 1, .raw = answers[i].raw, .raw_len = answers[i].len};
		struct outcome o = once(s, (struct client){.flag = answers[i].flag});
		check(o.done == answers[i].done && o.acknowledged == answers[i].acknowledged, answers[i].what);
		check(o.done || o.alert == SSL_AD_ILLEGAL_PARAMETER, answers[i].what);
	}
	struct outcome o = once(usual, (struct client){.flag = 2});
	check(o.done && !o.flagged && !o.asked, "a client without a certificate sends no flag");
}

static void test_psk(void)
{
	struct server s = usual;
	struct client c = {.name = "a.example", .flag = 1, .pair = &client_a, .psk = 1};
	s.psk = 1;
	start(&s);
	struct outcome o = shake(&s, &c, NULL, 0);
	check(o.done && o.reused && !o.asked && !o.identity, "an external PSK gives no identity");
	check(o.session == NULL, "an external PSK of a flagged client leads to no ticket");
	stop(&s);
}

/* An SSL is for one connection: settings of the last one would stay. */
static void test_reuse(void)
{
	struct server s = usual;
	start(&s);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *server = SSL_new(s.ctx);
	SSL_CTX_use_certificate(ctx, client_a.cert);
	SSL_CTX_use_PrivateKey(ctx, client_a.key);
	tlsflags_client_install(ctx, TLSFLAGS_REQUEST_MTLS);
	for (int i = 0; i < 2; i++) {
		SSL *client = SSL_new(ctx);
		BIO *a, *b;
		BIO_new_bio_pair(&a, 0, &b, 0);
		SSL_clear(server);
		SSL_set_bio(server, a, a);
		SSL_set_bio(client, b, b);
		SSL_set_accept_state(server);
		SSL_set_connect_state(client);
		for (int j = 0; j < 10; j++) {
			SSL_do_handshake(client);
			SSL_do_handshake(server);
		}
		check(SSL_is_init_finished(server) == (i == 0), "an SSL that is used again");
		SSL_free(client);
	}
	SSL_free(server);
	SSL_CTX_free(ctx);
	stop(&s);
}

/* A copy that shared the state would free it twice. */
static void test_copy(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	check(tlsflags_client_install(ctx, TLSFLAGS_REQUEST_MTLS), "install");
	SSL *ssl = SSL_new(ctx);
	check(tlsflags_client_has_certificate(ssl, 1), "has certificate");
	SSL *copy = SSL_dup(ssl);
	check(copy != NULL, "copy");
	SSL_free(copy);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void test_policy(void)
{
	check(tlsflags_policy_new(TLSFLAGS_REQUEST, 2040, NULL, NULL, 0) == NULL, "flag out of range");
	check(tlsflags_policy_new(TLSFLAGS_REQUEST, 80, NULL, NULL, 33) == NULL, "id out of range");
	TLSFLAGS_POLICY *p = tlsflags_policy_new(TLSFLAGS_REQUEST, 2039, NULL, NULL, 0);
	check(p != NULL && tlsflags_policy_up_ref(p) && tlsflags_policy_store(p) == NULL, "policy");
	tlsflags_policy_free(p);
	tlsflags_policy_free(p);
	tlsflags_policy_free(NULL);
}

int main(void)
{
	make_certificates();
	test_policy();
	test_resumption();
	test_malformed();
	test_retry();
	test_server();
	test_store();
	test_client();
	test_psk();
	test_reuse();
	test_copy();
	free_certificates();
	printf("openssl: %d checks pass\n", checks);
	return 0;
}
