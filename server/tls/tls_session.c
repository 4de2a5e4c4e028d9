/* SPDX-License-Identifier: Apache-2.0 */
/* Until the first record is whole a session is what was fed and nothing else. OpenSSL asks for
 * bytes of the peer and is given what was fed; it gives bytes for the peer, which are gathered
 * until somebody sends them. What it does not ask for stays where the caller has it, or is held as
 * a copy. Without memory for what it gives, the session is at its end. */
#include <openssl/err.h>
#include <stdlib.h>

#include "server/tls/tls_parts.h"

enum { OUT_KEEP_BYTES = 4096 }; /* a larger buffer is given back as soon as it was sent */

struct tls_session *tls_session_create(struct tls_context *context)
{
    struct tls_session *session = calloc(1, sizeof *session);
    if (session != NULL) {
        session->context = tls_context_share(context);
    }
    return session;
}

static bool session_begin(struct tls_session *session)
{
    BIO *bio = BIO_new(session->context->bytes);
    session->ssl = bio == NULL ? NULL : SSL_new(session->context->ssl);
    if (session->ssl == NULL) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_accept_state(session->ssl);
    return true;
}

void tls_session_destroy(struct tls_session *session)
{
    if (session == NULL) {
        return;
    }
    SSL_free(session->ssl);
    tls_context_drop(session->context);
    free(session->held);
    free(session->out);
    free(session);
}

bool tls_session_feed(struct tls_session *session, struct proto_span bytes)
{
    if (session->in.bytes == 0) {
        session->in = bytes;
        return true;
    }
    /* Some are held: both are, so that they lie in one piece. */
    uint8_t *both = malloc(session->in.bytes + bytes.bytes);
    if (both == NULL) {
        return false;
    }
    memcpy(both, session->in.data, session->in.bytes);
    memcpy(both + session->in.bytes, bytes.data, bytes.bytes);
    session->in = (struct proto_span){both, session->in.bytes + bytes.bytes};
    free(session->held);
    session->held = both;
    return true;
}

bool tls_session_hold(struct tls_session *session)
{
    if (session->in.bytes == 0) {
        free(session->held);
        session->held = NULL;
        session->in = (struct proto_span){0};
        return true;
    }
    uint8_t *held = malloc(session->in.bytes);
    if (held == NULL) {
        return false;
    }
    memcpy(held, session->in.data, session->in.bytes);
    free(session->held);
    session->held = held;
    session->in.data = held;
    return true;
}

/* Of a hello; known from its header. */
static bool is_too_large(const struct tls_session *session)
{
    size_t payload_bytes;
    return session->ssl == NULL && tls_bytes_record(session->in, &payload_bytes) &&
           payload_bytes > TLS_HELLO_BYTES_MAX;
}

bool tls_session_waits(const struct tls_session *session)
{
    return tls_bytes_ready(session) > 0 || is_too_large(session) ||
           (session->ssl != NULL && SSL_has_pending(session->ssl) == 1);
}

size_t tls_session_bytes(const struct tls_session *session)
{
    size_t state = session->ssl == NULL                      ? 0
                   : SSL_is_init_finished(session->ssl) == 1 ? TLS_SHAKEN_BYTES
                                                             : TLS_SHAKING_BYTES;
    return sizeof *session + state + session->in.bytes + session->out_room;
}

static bool fail(const char *what, struct proto_fault *fault)
{
    unsigned long code = ERR_peek_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    proto_fault_set(fault, PROTO_BAD_FRAME, "", "%s: %s", what,
                    text == NULL ? "the peer does not speak TLS 1.3" : text);
    ERR_clear_error();
    return false;
}

enum tls_shaken tls_session_shake(struct tls_session *session, struct proto_fault *fault)
{
    if (is_too_large(session)) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "", "a hello of more than %d bytes",
                        TLS_HELLO_BYTES_MAX);
        return TLS_SHAKE_FAILED;
    }
    if (session->ssl == NULL && tls_bytes_ready(session) == 0) {
        return TLS_SHAKES;
    }
    if (session->ssl == NULL && !session_begin(session)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a TLS session");
        return TLS_SHAKE_FAILED;
    }
    ERR_clear_error();
    int code = SSL_do_handshake(session->ssl);
    if (code == 1) {
        return TLS_SHAKEN;
    }
    if (SSL_get_error(session->ssl, code) == SSL_ERROR_WANT_READ) {
        return TLS_SHAKES;
    }
    fail("the handshake failed", fault);
    return TLS_SHAKE_FAILED;
}

ssize_t tls_session_read(struct tls_session *session, uint8_t *to, size_t room,
                         struct proto_fault *fault)
{
    size_t bytes = 0;
    ERR_clear_error();
    int code = SSL_read_ex(session->ssl, to, room, &bytes);
    if (code == 1) {
        return (ssize_t)bytes;
    }
    switch (SSL_get_error(session->ssl, code)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return -1;
    default:
        fail("a record cannot be read", fault);
        return -2;
    }
}

bool tls_session_write(struct tls_session *session, struct proto_span plain)
{
    size_t bytes = 0;
    ERR_clear_error();
    return session->ssl != NULL && SSL_is_init_finished(session->ssl) == 1 &&
           SSL_write_ex(session->ssl, plain.data, plain.bytes, &bytes) == 1;
}

void tls_session_end(struct tls_session *session)
{
    ERR_clear_error();
    if (session->ssl != NULL && SSL_is_init_finished(session->ssl) == 1) {
        (void)SSL_shutdown(session->ssl); /* 0: the peer has not said so yet, which is its affair */
    }
    ERR_clear_error();
}

struct proto_span tls_session_out(const struct tls_session *session)
{
    return (struct proto_span){session->out, session->out_bytes};
}

void tls_session_sent(struct tls_session *session)
{
    session->out_bytes = 0;
    if (session->out_room > OUT_KEEP_BYTES) {
        free(session->out);
        session->out = NULL;
        session->out_room = 0;
    }
}
