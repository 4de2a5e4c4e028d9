/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's BIO over the memory of a session: it reads what was fed, or says that there is nothing
 * yet; it writes behind what is to be sent. */
#include <stdlib.h>

#include "server/tls/tls_parts.h"

static int bytes_read(BIO *bio, char *to, int room)
{
    struct tls_session *session = BIO_get_data(bio);
    size_t bytes = session->in.bytes < (size_t)room ? session->in.bytes : (size_t)room;
    BIO_clear_retry_flags(bio);
    if (bytes == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, session->in.data, bytes);
    session->in.data += bytes;
    session->in.bytes -= bytes;
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
