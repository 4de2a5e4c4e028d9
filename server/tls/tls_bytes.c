/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's BIO over the memory of a session: it reads what was fed, a record at a time, or says
 * that there is nothing yet; it writes behind what is to be sent. OpenSSL never waits in the midst
 * of a record, for which it would keep a buffer of the largest. */
#include <stdlib.h>

#include "server/tls/tls_parts.h"

enum {
    HEADER_BYTES = 5,
    TYPE_LEAST = 20, /* change_cipher_spec */
    TYPE_MOST = 23,  /* application_data */
    EXPANSION = 256, /* of a record by its cipher, at most */
};

bool tls_bytes_record(struct proto_span bytes, size_t *payload_bytes)
{
    if (bytes.bytes < HEADER_BYTES || bytes.data[0] < TYPE_LEAST || bytes.data[0] > TYPE_MOST) {
        return false;
    }
    *payload_bytes = (size_t)bytes.data[3] << 8 | bytes.data[4];
    return *payload_bytes <= TLS_RECORD_BYTES + EXPANSION;
}

size_t tls_bytes_ready(const struct tls_session *session)
{
    struct proto_span in = session->in;
    size_t payload_bytes;
    if (session->record_left > 0) {
        return in.bytes < session->record_left ? in.bytes : session->record_left;
    }
    if (tls_bytes_record(in, &payload_bytes)) {
        size_t whole = HEADER_BYTES + payload_bytes;
        return in.bytes >= whole ? whole : 0;
    }
    bool may_be_one = in.bytes < HEADER_BYTES &&
                      (in.bytes == 0 || (in.data[0] >= TYPE_LEAST && in.data[0] <= TYPE_MOST));
    return may_be_one ? 0 : in.bytes; /* OpenSSL says what is wrong with it */
}

static int bytes_read(BIO *bio, char *to, int room)
{
    struct tls_session *session = BIO_get_data(bio);
    size_t ready = tls_bytes_ready(session);
    size_t bytes = ready < (size_t)room ? ready : (size_t)room;
    BIO_clear_retry_flags(bio);
    if (bytes == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, session->in.data, bytes);
    session->in.data += bytes;
    session->in.bytes -= bytes;
    session->record_left = ready - bytes;
    return (int)bytes;
}

static int bytes_write(BIO *bio, const char *from, int bytes)
{
    struct tls_session *session = BIO_get_data(bio);
    size_t end = session->out_bytes + (size_t)bytes;
    BIO_clear_retry_flags(bio);
    if (end > session->out_room) {
        size_t room = end < session->out_room * 2 ? session->out_room * 2 : end;
        uint8_t *out = realloc(session->out, room);
        if (out == NULL) {
            return -1;
        }
        session->out = out;
        session->out_room = room;
    }
    memcpy(session->out + session->out_bytes, from, (size_t)bytes);
    session->out_bytes = end;
    return bytes;
}

static long bytes_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_bytes_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes");
    if (method != NULL && (BIO_meth_set_read(method, bytes_read) != 1 ||
                           BIO_meth_set_write(method, bytes_write) != 1 ||
                           BIO_meth_set_ctrl(method, bytes_control) != 1)) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}
