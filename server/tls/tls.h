/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3 over bytes: what came from a peer goes in, plain bytes come out, and the other way round.
 * No sockets: the caller reads and writes (OpenSSL on BIOs of memory). The only one to include
 * OpenSSL on the server's side.
 *
 * A context is a certificate with its key and, where clients must show a certificate too, who may
 * sign theirs and which names they may have. A session is one connection. Handshakes cost a
 * signature (ECDSA P-256 some 50 us, RSA 2048 bits 700 us of processor time), so tls_session_shake
 * may be called on another thread than the rest, while nobody else uses the session.
 *
 * Bounds: TLS 1.3 only; a peer's certificates take at most TLS_PEER_BYTES_MAX; no early data, no
 * compression. Buffers of a session that is at rest are given back (SSL_MODE_RELEASE_BUFFERS).
 * OpenSSL, whose first state of a session takes 46 KiB, is asked for one only when the first record
 * is whole, and is given whole records: whoever sends half of one has what he sent held for him,
 * and no more. A first record, which is a client's hello, has TLS_HELLO_BYTES_MAX at most.
 * Ownership: a context is counted, sessions hold one; texts of options are borrowed for the call.
 * Errors: a fault with PROTO_BAD_CONFIG and the option for a context, a sentence of OpenSSL's for a
 * session. Threads: a context from any, a session from one at a time. Source: RFC 8446, RFC 6125
 * (names of clients are compared with the alternative names of the certificate alone). */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <sys/types.h>

#include "proto/fault.h"
#include "proto/span.h"

enum {
    TLS_PEER_BYTES_MAX = 32768, /* of certificates that a client shows */
    TLS_RECORD_BYTES = 16384,   /* of plain bytes in one record, RFC 8446 5.1 */
    TLS_HELLO_BYTES_MAX = 8192, /* of a client's first record; those of browsers have 2 KiB */
    /* What OpenSSL 3.0 keeps for a session until hands are shaken, and afterwards at rest. */
    TLS_SHAKING_BYTES = 48 << 10,
    TLS_SHAKEN_BYTES = 16 << 10,
};

struct tls_context;
struct tls_session;

struct tls_options {
    const char *certificate; /* file: PEM, the chain from the server's own upwards */
    const char *key;         /* file: PEM, without a password, nobody else's to read */
    const char *clients;     /* file: PEM of who signs clients; "": clients show none */
    const char *names;       /* alternative names that a client may have, with commas between; "":
                              * whatever was signed */
};

/* NULL with *fault, which names the option and what is wrong with its file. */
struct tls_context *tls_context_create(const struct tls_options *options,
                                       struct proto_fault *fault);
struct tls_context *tls_context_share(struct tls_context *context);
void tls_context_drop(struct tls_context *context); /* NULL is allowed */

/* NULL: no memory. */
struct tls_session *tls_session_create(struct tls_context *context);
void tls_session_destroy(struct tls_session *session); /* NULL is allowed */

/* Bytes from the peer, borrowed until tls_session_hold, behind those that are held; false: no
 * memory. */
bool tls_session_feed(struct tls_session *session, struct proto_span bytes);
/* Copies of them what was not needed yet; false: no memory. */
bool tls_session_hold(struct tls_session *session);
/* Whether tls_session_shake or _read may get on without more being fed. */
bool tls_session_waits(const struct tls_session *session);
/* What the session holds, about. */
size_t tls_session_bytes(const struct tls_session *session);

enum tls_shaken { TLS_SHAKEN, TLS_SHAKES, TLS_SHAKE_FAILED };
/* As far as what was fed allows. There may be bytes for the peer after each call, also after one
 * that failed: they tell it why. */
enum tls_shaken tls_session_shake(struct tls_session *session, struct proto_fault *fault);

/* Plain bytes into `to`: how many; 0: none before more is fed; -1: the peer says that it is at its
 * end; -2: what came is not what a peer of this session sends, see *fault. */
ssize_t tls_session_read(struct tls_session *session, uint8_t *to, size_t room,
                         struct proto_fault *fault);
/* All of `plain` as records for the peer; false: no memory, or the session is not shaken. */
bool tls_session_write(struct tls_session *session, struct proto_span plain);
/* Tells the peer that no more will come. */
void tls_session_end(struct tls_session *session);

/* What is to be sent, valid until the next call for this session; tls_session_sent forgets it. */
struct proto_span tls_session_out(const struct tls_session *session);
void tls_session_sent(struct tls_session *session);

#endif
