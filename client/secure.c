/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL moves its records over the socket through a BIO that never waits and raises no SIGPIPE.
 * A server whose certificate does not hold is told with what is wrong with it; one that wants a
 * certificate says so only after the handshake, in its first record. */
#include "client/secure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct client_trust {
    SSL_CTX *ssl;
    BIO_METHOD *method;
};

struct client_secure {
    SSL *ssl;
    int fd;
    char reason[160];
};

static const char *library_reason(const char *otherwise)
{
    unsigned long code = ERR_peek_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    return text == NULL ? otherwise : text;
}

static int later(BIO *bio, ssize_t count, bool reads)
{
    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        reads ? BIO_set_retry_read(bio) : BIO_set_retry_write(bio);
    }
    return (int)count;
}

static int socket_read(BIO *bio, char *to, int room)
{
    const struct client_secure *secure = BIO_get_data(bio);
    return later(bio, recv(secure->fd, to, (size_t)room, MSG_DONTWAIT), true);
}

static int socket_write(BIO *bio, const char *from, int bytes)
{
    const struct client_secure *secure = BIO_get_data(bio);
    return later(bio, send(secure->fd, from, (size_t)bytes, MSG_DONTWAIT | MSG_NOSIGNAL), false);
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method_create(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "link");
    if (method != NULL && (BIO_meth_set_read(method, socket_read) != 1 ||
                           BIO_meth_set_write(method, socket_write) != 1 ||
                           BIO_meth_set_ctrl(method, socket_control) != 1)) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

/* What stands for a file where the machine's own list is meant. */
static const char *const MACHINE = "the machine's list";

static bool refuse(struct proto_fault *fault, const char *option, const char *path)
{
    return proto_fault_set(fault, PROTO_USAGE, option, "%s cannot be used: %s", path,
                           path == MACHINE || access(path, R_OK) == 0
                               ? library_reason("it is not PEM")
                               : strerror(errno));
}

static bool files_load(SSL_CTX *ssl, const char *ca, const char *certificate, const char *key,
                       struct proto_fault *fault)
{
    if (ca == NULL ? SSL_CTX_set_default_verify_paths(ssl) != 1
                   : SSL_CTX_load_verify_file(ssl, ca) != 1) {
        return refuse(fault, "options.tls_ca", ca == NULL ? MACHINE : ca);
    }
    if ((certificate == NULL) != (key == NULL)) {
        return proto_fault_set(fault, PROTO_USAGE, "options.tls_key",
                               "a certificate and its key go together");
    }
    if (certificate == NULL) {
        return true;
    }
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1) {
        return refuse(fault, "options.tls_certificate", certificate);
    }
    return (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(ssl) == 1) ||
           refuse(fault, "options.tls_key", key);
}

struct client_trust *client_trust_create(const char *ca, const char *certificate, const char *key,
                                         struct proto_fault *fault)
{
    struct client_trust *trust = calloc(1, sizeof *trust);
    ERR_clear_error();
    if (trust != NULL) {
        trust->ssl = SSL_CTX_new(TLS_client_method());
        trust->method = method_create();
    }
    if (trust == NULL || trust->ssl == NULL || trust->method == NULL ||
        SSL_CTX_set_min_proto_version(trust->ssl, TLS1_3_VERSION) != 1) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for TLS");
        client_trust_destroy(trust);
        return NULL;
    }
    SSL_CTX_set_verify(trust->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(trust->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    bool good = files_load(trust->ssl, ca, certificate, key, fault);
    ERR_clear_error();
    if (good) {
        return trust;
    }
    client_trust_destroy(trust);
    return NULL;
}

void client_trust_destroy(struct client_trust *trust)
{
    if (trust == NULL) {
        return;
    }
    SSL_CTX_free(trust->ssl);
    BIO_meth_free(trust->method);
    free(trust);
}

/* An address is compared with those of the certificate, a name with its names. */
static bool host_expect(SSL *ssl, const char *host)
{
    struct in6_addr address;
    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    /* SSL_set_tlsext_host_name with a cast that keeps compilers quiet: the name is only read. */
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    (void *)(uintptr_t)host) == 1;
}

struct client_secure *client_secure_create(const struct client_trust *trust, const char *host,
                                           int fd)
{
    struct client_secure *secure = calloc(1, sizeof *secure);
    if (secure == NULL) {
        return NULL;
    }
    secure->fd = fd;
    secure->ssl = SSL_new(trust->ssl);
    BIO *bio = BIO_new(trust->method);
    if (secure->ssl == NULL || bio == NULL || !host_expect(secure->ssl, host)) {
        BIO_free(bio);
        client_secure_destroy(secure);
        return NULL;
    }
    BIO_set_data(bio, secure);
    BIO_set_init(bio, 1);
    SSL_set_bio(secure->ssl, bio, bio);
    SSL_set_connect_state(secure->ssl);
    return secure;
}

void client_secure_destroy(struct client_secure *secure)
{
    if (secure == NULL) {
        return;
    }
    SSL_free(secure->ssl);
    free(secure);
}

enum client_shaken client_secure_shake(struct client_secure *secure, struct proto_fault *fault)
{
    ERR_clear_error();
    errno = 0;
    int code = SSL_do_handshake(secure->ssl);
    if (code == 1) {
        return CLIENT_SHAKEN;
    }
    int what = SSL_get_error(secure->ssl, code);
    if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
        return what == SSL_ERROR_WANT_READ ? CLIENT_SHAKES_IN : CLIENT_SHAKES_OUT;
    }
    long verdict = SSL_get_verify_result(secure->ssl);
    if (verdict != X509_V_OK) {
        proto_fault_set(fault, PROTO_CONNECT, "", "its certificate does not hold: %s",
                        X509_verify_cert_error_string(verdict));
    } else {
        proto_fault_set(fault, PROTO_CONNECT, "", "TLS: %s",
                        library_reason(errno != 0 ? strerror(errno) : "the server went away"));
    }
    ERR_clear_error();
    return CLIENT_SHAKE_FAILED;
}

/* What a call of OpenSSL that moved nothing means for who knows send and recv. */
static ssize_t moved_nothing(struct client_secure *secure, int code)
{
    int error = errno;
    switch (SSL_get_error(secure->ssl, code)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        errno = error;
        return error == 0 ? 0 : -1; /* 0: the end without a word of it */
    default:
        break;
    }
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return 0;
    }
    snprintf(secure->reason, sizeof secure->reason, "TLS: %s",
             library_reason("the session has failed"));
    ERR_clear_error();
    errno = EPROTO;
    return -1;
}

ssize_t client_secure_send(struct client_secure *secure, struct proto_span bytes)
{
    size_t sent = 0;
    ERR_clear_error();
    errno = 0;
    int code = SSL_write_ex(secure->ssl, bytes.data, bytes.bytes, &sent);
    if (code == 1) {
        return (ssize_t)sent;
    }
    ssize_t nothing = moved_nothing(secure, code);
    if (nothing == 0) {
        errno = EPIPE;
    }
    return -1;
}

ssize_t client_secure_recv(struct client_secure *secure, uint8_t *to, size_t room)
{
    size_t got = 0;
    ERR_clear_error();
    errno = 0;
    int code = SSL_read_ex(secure->ssl, to, room, &got);
    return code == 1 ? (ssize_t)got : moved_nothing(secure, code);
}

const char *client_secure_reason(const struct client_secure *secure)
{
    return secure->reason;
}

bool client_secure_waits(const struct client_secure *secure)
{
    return SSL_pending(secure->ssl) > 0;
}
