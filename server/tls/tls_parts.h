/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of server/tls: what a session takes from its context, and what a BIO sees of a session.
 * Ownership, errors and threads: as tls.h says; the method is its context's. */
#ifndef TLS_TLS_PARTS_H
#define TLS_TLS_PARTS_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "server/tls/tls.h"

struct tls_context {
    atomic_uint holders;
    SSL_CTX *ssl;
    BIO_METHOD *bytes; /* a BIO over the memory of a session (tls_bytes.c) */
    char *names;       /* as in tls_options; NULL: any */
};

struct tls_session {
    struct tls_context *context;
    SSL *ssl;             /* NULL until the first record is whole */
    size_t record_left;   /* of the record that OpenSSL is reading */
    struct proto_span in; /* fed and not yet asked for: the caller's, or within `held` */
    uint8_t *held;
    uint8_t *out;
    size_t out_bytes, out_room;
};

/* tls_bytes.c; NULL: no memory. */
BIO_METHOD *tls_bytes_method(void);
/* How many of the bytes that were fed OpenSSL may see: those of the record that it reads, or of a
 * next one that is whole, or of what is none. */
size_t tls_bytes_ready(const struct tls_session *session);
/* Payload of the record at the front of the bytes; false: there is no record, or less than its
 * header. */
bool tls_bytes_record(struct proto_span bytes, size_t *payload_bytes);

#endif
