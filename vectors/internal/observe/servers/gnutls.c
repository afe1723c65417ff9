/* A GnuTLS server. It reads a stream from each line, in hexadecimal, and answers with a
 * line: "waits" or "done", and the first bytes that the server writes. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char input[1 << 18];
static char line[2 * sizeof input + 2];
static size_t length, at;
static unsigned char written[64];
static size_t size;

static ssize_t pull(gnutls_transport_ptr_t session, void *data, size_t n)
{
	if (at == length) {
		gnutls_transport_set_errno(session, EAGAIN);
		return -1;
	}
	if (n > length - at)
		n = length - at;
	memcpy(data, input + at, n);
	at += n;
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t session, unsigned ms)
{
	(void)session;
	(void)ms;
	return at < length;
}

static ssize_t push(gnutls_transport_ptr_t session, const void *data, size_t n)
{
	(void)session;
	size_t kept = n < sizeof written - size ? n : sizeof written - size;
	memcpy(written + size, data, kept);
	size += kept;
	return (ssize_t)n;
}

static void answer(gnutls_certificate_credentials_t credentials)
{
	gnutls_session_t session;
	gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_ptr(session, session);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_push_function(session, push);
	at = size = 0;
	int result;
	do
		result = gnutls_handshake(session);
	while (result < 0 && !gnutls_error_is_fatal(result) && result != GNUTLS_E_AGAIN);
	int waits = result == GNUTLS_E_AGAIN && size == 0;
	if (result < 0 && result != GNUTLS_E_AGAIN && size == 0)
		gnutls_alert_send_appropriate(session, result);
	fputs(waits ? "waits " : "done ", stdout);
	for (size_t i = 0; i < size; i++)
		printf("%02x", written[i]);
	putchar('\n');
	fflush(stdout);
	gnutls_deinit(session);
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_certificate_allocate_credentials(&credentials);
	for (int i = 1; i < argc; i++)
		if (gnutls_certificate_set_x509_key_file(credentials, argv[i], argv[i], GNUTLS_X509_FMT_PEM) < 0) {
			fprintf(stderr, "cannot read %s\n", argv[i]);
			return 1;
		}
	printf("gnutls@%s\n", gnutls_check_version(NULL));
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		length = 0;
		for (const char *p = line; p[0] > ' ' && p[1] > ' '; p += 2) {
			char digits[] = {p[0], p[1], 0};
			input[length++] = (unsigned char)strtoul(digits, NULL, 16);
		}
		answer(credentials);
	}
	return 0;
}
