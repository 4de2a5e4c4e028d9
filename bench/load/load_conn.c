/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool connect_to(int fd, const struct load_target *target)
{
    if (target->path != NULL) {
        struct sockaddr_un local = {.sun_family = AF_UNIX};
        size_t bytes = strlen(target->path);
        if (bytes >= sizeof local.sun_path) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(local.sun_path, target->path, bytes);
        return connect(fd, (struct sockaddr *)&local, sizeof local) == 0;
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(target->port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1;
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
}

bool load_conn_open(struct load_conn *conn, const struct load_stream *stream,
                    struct proto_fault *fault)
{
    conn->fd =
        socket(stream->target.path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0 || !connect_to(conn->fd, &stream->target)) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: cannot connect: %s", stream->wire->name,
                               strerror(errno));
    }
    conn->greeting_left = stream->wire->greeting_bytes;
    if (load_stream_is_open(stream)) {
        conn->ring = stream->traffic->count < LOAD_OUTSTANDING_MAX ? stream->traffic->count
                                                                   : LOAD_OUTSTANDING_MAX;
        conn->meant_ns = calloc(conn->ring, sizeof *conn->meant_ns);
        if (conn->meant_ns == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a connection");
        }
    }
    return true;
}

void load_conn_close(struct load_conn *conn)
{
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    free(conn->partial);
    free(conn->meant_ns);
}

bool load_conn_queue(struct load_conn *conn, const struct load_traffic *traffic)
{
    const uint8_t *at = traffic->bytes + traffic->offsets[conn->next];
    size_t bytes = traffic->offsets[conn->next + 1] - traffic->offsets[conn->next];
    if (conn->unsent_bytes == 0) {
        conn->unsent = at;
    } else if (conn->unsent + conn->unsent_bytes != at) {
        return false;
    }
    conn->unsent_bytes += bytes;
    conn->next = (conn->next + 1) & (traffic->count - 1);
    conn->outstanding++;
    return true;
}

bool load_conn_send(struct load_conn *conn, struct proto_fault *fault)
{
    while (conn->unsent_bytes > 0) {
        ssize_t count =
            send(conn->fd, conn->unsent, conn->unsent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0 && errno == EAGAIN) {
            return true;
        }
        if (count < 0) {
            return proto_fault_set(fault, PROTO_IO, "", "cannot send: %s", strerror(errno));
        }
        conn->unsent += count;
        conn->unsent_bytes -= (size_t)count;
    }
    return true;
}

bool load_conn_keep(struct load_conn *conn, const uint8_t *data, size_t bytes,
                    struct proto_fault *fault)
{
    if (bytes > conn->partial_capacity) {
        uint8_t *larger = realloc(conn->partial, bytes * 2);
        if (larger == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a reply");
        }
        conn->partial = larger;
        conn->partial_capacity = bytes * 2;
    }
    if (bytes > 0) {
        memcpy(conn->partial, data, bytes);
    }
    conn->partial_bytes = bytes;
    return true;
}
