/* Runs tlsflags.c on the vectors.
 *
 *   run FOLDER     on the files that FOLDER/index.tsv lists
 *   run --answer   speaks the protocol of "tlsflags vectors run", in TSV */
#include "tlsflags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUT = 1 << 18, MAX_LINE = 2 * MAX_INPUT + 1024 };

/* The columns of index.tsv. A question has the first four. */
enum { ID, KIND, ENTRY, INPUT, PREFIXES, RESULT, CODE, OFFSET, ALERT, ALTERNATIVES, TYPE, FLAGS, CLAUSE, COLUMNS };

static char line[MAX_LINE];
static uint8_t input[MAX_INPUT];
static struct tlsflags verdict;

/* Reads the next line into columns; false at the end. */
static bool read_line(FILE *f, char *columns[COLUMNS])
{
	if (fgets(line, sizeof line, f) == NULL)
		return false;
	line[strcspn(line, "\r\n")] = 0;
	char *rest = line;
	for (int i = 0; i < COLUMNS; i++) {
		columns[i] = rest;
		rest += strcspn(rest, "\t");
		if (*rest == '\t')
			*rest++ = 0;
	}
	return true;
}

/* Gives n bytes of input to a parser, and writes the answer as the columns from RESULT to
 * FLAGS, without the alternatives. */
static void answer(const char *entry, size_t n, char *out)
{
	/* A copy of the right size lets tools see a read beyond the end. */
	uint8_t *copy = malloc(n > 0 ? n : 1);
	memcpy(copy, input, n);
	bool ok = strcmp(entry, "handshake") == 0 ? tlsflags_parse_client_hello(&verdict, copy, n) : tlsflags_parse(&verdict, copy, n);
	free(copy);
	if (!ok) {
		sprintf(out, "invalid\t%s\t%zu\t%d\t\t", verdict.code, verdict.offset, verdict.alert);
		return;
	}
	out += sprintf(out, "valid\t\t\t\t%u\t%s", verdict.type, verdict.count == 0 ? "-" : "");
	for (size_t i = 0; i < verdict.count; i++)
		out += sprintf(out, i > 0 ? ",%d" : "%d", verdict.flags[i]);
}

static bool known(char *columns[COLUMNS])
{
	return strcmp(columns[KIND], "tls_flags") == 0 || strcmp(columns[KIND], "client_hello") == 0;
}

static size_t read_file(const char *folder, const char *id)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s.bin", folder, id);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		exit(2);
	}
	size_t n = fread(input, 1, sizeof input, f);
	fclose(f);
	return n;
}

static char got[1 << 14], want[1 << 14];

/* Checks n bytes of input; the offset is that of the index, or n for a prefix. */
static bool check(char *c[COLUMNS], size_t n, const char *offset)
{
	answer(c[ENTRY], n, got);
	snprintf(want, sizeof want, "%s\t%s\t%s\t%s\t%s\t%s", c[RESULT], c[CODE], offset, c[ALERT], c[TYPE], c[FLAGS]);
	if (strcmp(got, want) == 0)
		return true;
	printf("%s: got [%s], want [%s] (%s)\n", c[ID], got, want, c[CLAUSE]);
	return false;
}

static bool check_all(char *c[COLUMNS], const char *folder)
{
	size_t n = read_file(folder, c[ID]), from, to;
	if (sscanf(c[PREFIXES], "%zu-%zu", &from, &to) != 2)
		return check(c, n, c[OFFSET]);
	for (n = from; n <= to; n++) {
		char offset[32];
		snprintf(offset, sizeof offset, "%zu", n);
		if (!check(c, n, offset))
			return false;
	}
	return true;
}

static int run(const char *folder)
{
	char path[1024], *columns[COLUMNS];
	snprintf(path, sizeof path, "%s/index.tsv", folder);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		return 2;
	}
	int count = 0, passed = 0;
	read_line(f, columns); /* the names of the columns */
	while (read_line(f, columns)) {
		if (!known(columns))
			continue;
		count++;
		passed += check_all(columns, folder);
	}
	fclose(f);
	printf("c: %d of %d vectors pass\n", passed, count);
	return passed == count ? 0 : 1;
}

/* Reads hexadecimal digits into input, and returns the number of bytes. */
static size_t read_hex(const char *hex)
{
	size_t n = 0;
	for (; n < sizeof input && hex[0] != 0 && hex[1] != 0; hex += 2) {
		char digits[] = {hex[0], hex[1], 0};
		input[n++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

static int serve(void)
{
	/* A test has the columns id, kind, entry and, in hexadecimal, input. */
	char *columns[COLUMNS];
	while (read_line(stdin, columns)) {
		if (known(columns))
			answer(columns[ENTRY], read_hex(columns[INPUT]), got);
		else
			strcpy(got, "skipped");
		printf("%s\t%s\n", columns[ID], got);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER|--answer\n", argv[0]);
		return 2;
	}
	return strcmp(argv[1], "--answer") == 0 ? serve() : run(argv[1]);
}
