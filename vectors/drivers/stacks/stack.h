/* What the drivers in C share. A driver defines start and serve, and reads and writes
 * with take and put. Each line of standard input is a connection: "tls" or "dtls", a tab,
 * and what the client sends, in hexadecimal, with commas between datagrams. The answer is
 * a line: "wrote" and the first bytes that the server writes, "waits" or "closes". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* start reads ecdsa and rsa (.pem, or .crt and .key in DER) from the current folder, and
 * returns the name and version of the stack. */
static const char *start(void);

/* serve runs a server until it has written, or has read everything. It returns whether
 * the server waits for more. */
static int serve(int dtls);

static unsigned char input[1 << 20], written[16];
static char line[2 * sizeof input];
static size_t ends[4096], pieces, piece, at, size;
static int dtls, starved;

/* take reads from the stream, or one datagram. It returns -1 at the end. */
static int take(void *data, size_t n)
{
	while (piece < pieces && at == ends[piece])
		piece++;
	if (piece == pieces || (dtls && size > 0)) {
		starved = 1;
		return -1;
	}
	size_t rest = ends[piece] - at;
	if (n > rest)
		n = rest;
	memcpy(data, input + at, n);
	at += dtls ? rest : n;
	return (int)n;
}

static int put(const void *data, size_t n)
{
	size_t kept = n < sizeof written - size ? n : sizeof written - size;
	memcpy(written + size, data, kept);
	size += kept;
	return (int)n;
}

static void fail(const char *what)
{
	fprintf(stderr, "cannot %s\n", what);
	exit(1);
}

int main(void)
{
	puts(start());
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		dtls = line[0] == 'd';
		starved = 0;
		pieces = piece = at = size = 0;
		size_t n = 0;
		for (const char *p = strchr(line, '\t') + 1; *p != 0; p++) {
			if (pieces == sizeof ends / sizeof *ends || n == sizeof input)
				fail("hold so much input");
			if (*p == ',' || *p == '\n') {
				ends[pieces++] = n;
				continue;
			}
			char digits[] = {p[0], p[1], 0};
			input[n++] = (unsigned char)strtoul(digits, NULL, 16);
			p++;
		}
		int waits = serve(dtls);
		fputs(size > 0 ? "wrote " : waits ? "waits" : "closes", stdout);
		for (size_t i = 0; i < size; i++)
			printf("%02x", written[i]);
		putchar('\n');
		fflush(stdout);
	}
	return 0;
}
