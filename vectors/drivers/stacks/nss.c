/* A server of NSS. */
#include "stack.h"
#include <cert.h>
#include <nspr.h>
#include <nss.h>
#include <pk11pub.h>
#include <secerr.h>
#include <ssl.h>
#include <sslproto.h>

static PRIOMethods methods;
static PRDescIdentity layer;
static CERTCertificate *certificates[2];
static SECKEYPrivateKey *keys[2];

static PRInt32 layer_read(PRFileDesc *fd, void *data, PRInt32 n)
{
	(void)fd;
	int got = take(data, (size_t)n);
	if (got < 0)
		PR_SetError(PR_WOULD_BLOCK_ERROR, 0);
	return got;
}

static PRInt32 layer_recv(PRFileDesc *fd, void *data, PRInt32 n, PRIntn flags, PRIntervalTime timeout)
{
	(void)flags, (void)timeout;
	return layer_read(fd, data, n);
}

static PRInt32 layer_write(PRFileDesc *fd, const void *data, PRInt32 n)
{
	(void)fd;
	return put(data, (size_t)n);
}

static PRInt32 layer_send(PRFileDesc *fd, const void *data, PRInt32 n, PRIntn flags, PRIntervalTime timeout)
{
	(void)flags, (void)timeout;
	return layer_write(fd, data, n);
}

static PRStatus layer_name(PRFileDesc *fd, PRNetAddr *address)
{
	(void)fd;
	memset(address, 0, sizeof *address);
	address->inet.family = PR_AF_INET;
	return PR_SUCCESS;
}

static PRStatus layer_close(PRFileDesc *fd)
{
	PR_DELETE(fd);
	return PR_SUCCESS;
}

static PRStatus layer_option(PRFileDesc *fd, PRSocketOptionData *data)
{
	(void)fd;
	data->value.non_blocking = PR_TRUE;
	return PR_SUCCESS;
}

/* der reads a file. */
static SECItem der(const char *name)
{
	static unsigned char data[2][8192];
	static int i;
	i = !i;
	FILE *f = fopen(name, "rb");
	if (f == NULL)
		fail("open a certificate");
	size_t n = fread(data[i], 1, sizeof data[i], f);
	fclose(f);
	return (SECItem){siDERCertBuffer, data[i], (unsigned)n};
}

static const char *start(void)
{
	if (NSS_NoDB_Init(NULL) != SECSuccess || NSS_SetDomesticPolicy() != SECSuccess)
		fail("start NSS");
	const char *names[][2] = {{"rsa.crt", "rsa.key"}, {"ecdsa.crt", "ecdsa.key"}};
	for (int i = 0; i < 2; i++) {
		SECItem text = der(names[i][0]);
		certificates[i] = CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &text, NULL, PR_FALSE, PR_TRUE);
		text = der(names[i][1]);
		SECItem nothing = {0};
		if (certificates[i] == NULL || PK11_ImportDERPrivateKeyInfoAndReturnKey(PK11_GetInternalSlot(), &text, &nothing, NULL, PR_FALSE, PR_FALSE, KU_ALL, &keys[i], NULL) != SECSuccess)
			fail("read the certificates");
	}
	layer = PR_GetUniqueIdentity("memory");
	methods = *PR_GetDefaultIOMethods();
	methods.read = layer_read;
	methods.recv = layer_recv;
	methods.write = layer_write;
	methods.send = layer_send;
	methods.getpeername = methods.getsockname = layer_name;
	methods.close = layer_close;
	methods.getsocketoption = layer_option;
	static char name[64];
	snprintf(name, sizeof name, "nss@%s", NSS_GetVersion());
	return name;
}

static int serve(int dtls)
{
	PRFileDesc *below = PR_CreateIOLayerStub(layer, &methods);
	PRFileDesc *fd = dtls ? DTLS_ImportFD(NULL, below) : SSL_ImportFD(NULL, below);
	SSL_OptionSet(fd, SSL_SECURITY, PR_TRUE);
	SSL_OptionSet(fd, SSL_HANDSHAKE_AS_SERVER, PR_TRUE);
	SSL_OptionSet(fd, SSL_NO_CACHE, PR_TRUE);
	for (int i = 0; i < 2; i++)
		SSL_ConfigServerCert(fd, certificates[i], keys[i], NULL, 0);
	SSL_ResetHandshake(fd, PR_TRUE);
	int waits;
	do
		waits = SSL_ForceHandshake(fd) != SECSuccess && PR_GetError() == PR_WOULD_BLOCK_ERROR;
	while (waits && !starved);
	size_t before_close = size;
	PR_Close(fd);
	size = before_close;
	return waits;
}
