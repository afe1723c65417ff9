/* Gives the vectors of the header to the parser in consumers/c. */
#include "tlsflags.h"
#include "tlsflags_vectors.h"

#include <stdio.h>
#include <string.h>

static struct tlsflags got;

static bool check(const struct tlsflags_vector *v, const uint8_t *data, size_t n, long offset)
{
	bool hello = strcmp(v->kind, "client_hello") == 0;
	if (!(hello ? tlsflags_parse_client_hello : tlsflags_parse)(&got, data, n))
		return !v->valid && strcmp(got.code, v->code) == 0 && (long)got.offset == offset && got.alert == v->alert;
	return v->valid && (int)got.type == v->flags_extension && got.count == v->flags_count &&
	       memcmp(got.flags, v->flags, got.count * sizeof *v->flags) == 0;
}

int main(void)
{
	int count = 0, failed = 0;
	for (size_t i = 0; i < TLSFLAGS_VECTORS_COUNT; i++) {
		const struct tlsflags_vector *v = &tlsflags_vectors[i];
		if (strcmp(v->kind, "client_hello") != 0 && strcmp(v->kind, "tls_flags") != 0)
			continue;
		bool ok = true;
		if (v->prefixes_to == 0)
			ok = check(v, v->inputs->data, v->inputs->size, v->offset);
		else
			for (size_t n = v->prefixes_from; n <= v->prefixes_to; n++)
				ok = ok && check(v, v->inputs->data, n, (long)n);
		if (!ok)
			printf("%s: %s\n", v->id, v->clause);
		count++;
		failed += !ok;
	}
	printf("C header %s: %d of %d vectors pass\n", TLSFLAGS_VECTORS_VERSION, count - failed, count);
	return failed != 0;
}
