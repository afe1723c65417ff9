/* A server of GnuTLS. */
#include "stack.h"
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

static gnutls_certificate_credentials_t credentials;

static ssize_t pull(gnutls_transport_ptr_t session, void *data, size_t n)
{
	int got = take(data, n);
	if (got < 0)
		gnutls_transport_set_errno(session, EAGAIN);
	return got;
}

static int pull_timeout(gnutls_transport_ptr_t session, unsigned ms)
{
	(void)session, (void)ms;
	starved |= at == ends[pieces - 1];
	return !starved;
}

static ssize_t push(gnutls_transport_ptr_t session, const void *data, size_t n)
{
	(void)session;
	return put(data, n);
}

static const char *start(void)
{
	gnutls_certificate_allocate_credentials(&credentials);
	for (const char **name = (const char *[]){"ecdsa.pem", "rsa.pem", NULL}; *name != NULL; name++)
		if (gnutls_certificate_set_x509_key_file(credentials, *name, *name, GNUTLS_X509_FMT_PEM) < 0)
			fail("read the certificates");
	static char name[64];
	snprintf(name, sizeof name, "gnutls@%s", gnutls_check_version(NULL));
	return name;
}

static int serve(int dtls)
{
	gnutls_session_t session;
	gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | (dtls ? GNUTLS_DATAGRAM : 0));
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_ptr(session, session);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_push_function(session, push);
	/* GNUTLS_E_AGAIN also comes between records. */
	int result;
	do
		result = gnutls_handshake(session);
	while (result < 0 && !gnutls_error_is_fatal(result) && !starved);
	if (result < 0 && gnutls_error_is_fatal(result) && size == 0)
		gnutls_alert_send_appropriate(session, result);
	gnutls_deinit(session);
	return result == GNUTLS_E_AGAIN;
}
