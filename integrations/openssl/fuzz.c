/* A libFuzzer target: the parser on any bytes, and a handshake with the bytes as the
 * extension, which has to end as the parser says. */
#include "test.h"

#include "tlsflags.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct server server = {.version = TLS1_3_VERSION, .authority = &authority_a};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	make_certificates();
	start(&server);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tlsflags v;
	const char *raw = size > 0 ? (const char *)data : "";
	tlsflags_parse_client_hello(&v, data, size);
	if (size > 1000)
		return 0;
	int valid = tlsflags_parse(&v, data, size), flag = 0;
	for (size_t i = 0; i < v.count; i++)
		flag |= v.flags[i] == TLSFLAGS_REQUEST_MTLS;
	struct client c = {.name = "a.example", .pair = &client_a, .raw = {raw, raw}, .raw_len = {size, size}, .raw_type = 62};
	struct outcome o = shake(&server, &c, NULL, 0);
	SSL_SESSION_free(o.session);
	if (o.done != valid || o.flagged != flag || o.asked != flag || o.identity != flag || (!valid && o.alert != SSL_AD_ILLEGAL_PARAMETER))
		abort();
	return 0;
}
