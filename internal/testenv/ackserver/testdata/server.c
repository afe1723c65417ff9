/*
 * A TLS 1.3 server with OpenSSL that honours request_mtls (a flag of the TLS Flags
 * extension, by its number) and acknowledges it in its CertificateRequest, as
 * draft-jhoyla-req-mtls-flag (editors' copy), Section 3 asks.
 *
 *   server CERT KEY CA MODE FLAG
 *
 * It prints its port, serves clients on 127.0.0.1 one at a time, answers each with one
 * line, and ends with its standard input. The modes:
 *
 *   ack          asks a client that sets the flag, and acknowledges it
 *   silent       asks a client that sets the flag, without acknowledging it
 *   unsolicited  asks every client, and sends the flag to each
 *   malformed    as ack, with a flags vector that ends in a zero octet
 *   strict       as ack, and ends a handshake over flags that are malformed
 *   retry        as ack, with a HelloRetryRequest for P-384
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static const char *mode;
static size_t flag;
static int flag_index; /* of the SSL's ex_data: set if the client sent the flag */

static int is(const char *name) { return strcmp(mode, name) == 0; }

/* The extension_data of tls_flags: opaque flags<1..255>, the shortest encoding. */
static int well_formed(const unsigned char *in, size_t len) {
    return len >= 2 && in[0] == len - 1 && in[len - 1] != 0;
}

static int parse(SSL *ssl, unsigned int type, unsigned int context,
                 const unsigned char *in, size_t len, X509 *x, size_t chainidx,
                 int *alert, void *arg) {
    if (context != SSL_EXT_CLIENT_HELLO)
        return 1;
    if (!well_formed(in, len)) {
        *alert = SSL_AD_ILLEGAL_PARAMETER;
        return is("strict") ? 0 : 1;
    }
    if (in[0] > flag / 8 && (in[1 + flag / 8] >> (flag % 8) & 1) != 0) {
        SSL_set_ex_data(ssl, flag_index, (void *)(size_t)type);
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    }
    return 1;
}

static int add(SSL *ssl, unsigned int type, unsigned int context,
               const unsigned char **out, size_t *len, X509 *x, size_t chainidx,
               int *alert, void *arg) {
    static unsigned char data[1 + 255 + 1];
    size_t octets = flag / 8 + 1;
    size_t offered = (size_t)SSL_get_ex_data(ssl, flag_index);

    if (is("silent") || (is("unsolicited") ? type != 62 : offered != type))
        return 0;
    memset(data, 0, sizeof(data));
    data[1 + flag / 8] = 1 << (flag % 8);
    if (is("malformed"))
        octets++;
    data[0] = octets;
    *out = data;
    *len = 1 + octets;
    return 1;
}

static SSL_CTX *new_context(char **argv) {
    const unsigned int where = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST |
                               SSL_EXT_TLS1_3_ONLY;
    const unsigned int types[] = {62, 0xfe01};
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL || !SSL_CTX_use_certificate_chain_file(ctx, argv[1]) ||
        !SSL_CTX_use_PrivateKey_file(ctx, argv[2], SSL_FILETYPE_PEM) ||
        !SSL_CTX_load_verify_locations(ctx, argv[3], NULL))
        return NULL;
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(argv[3]));
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (is("unsolicited"))
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (is("retry"))
        SSL_CTX_set1_groups_list(ctx, "P-384");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!SSL_CTX_add_custom_ext(ctx, types[i], where, add, NULL, NULL, parse, NULL))
            return NULL;
    }
    return ctx;
}

static void serve(SSL_CTX *ctx, int fd) {
    const struct timeval limit = {5, 0};
    char request[4096];
    char answer[256];
    SSL *ssl = SSL_new(ctx);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
        X509 *cert = SSL_get0_peer_certificate(ssl);
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nflag %s, certificate %s\n",
                 SSL_get_ex_data(ssl, flag_index) != NULL ? "set" : "not set",
                 cert != NULL ? "given" : "not given");
        SSL_write(ssl, answer, strlen(answer));
        SSL_shutdown(ssl);
    }
    ERR_clear_error();
    SSL_free(ssl);
    close(fd);
}

int main(int argc, char **argv) {
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    SSL_CTX *ctx;

    if (argc != 6 || (flag = strtoul(argv[5], NULL, 10)) > 2039) {
        fprintf(stderr, "usage: server CERT KEY CA ack|silent|unsolicited|malformed|strict|retry FLAG\n");
        return 2;
    }
    mode = argv[4];
    flag_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if ((ctx = new_context(argv)) == NULL) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
        listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&addr, &len) != 0) {
        perror("listen");
        return 1;
    }
    printf("%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd fds[] = {{listener, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
            return 0;
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            serve(ctx, fd);
    }
}
