/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connected(int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct timeval limit = {.tv_sec = NET_PEER_SECONDS};
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        connect(fd, address, bytes) == 0) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static int tcp(unsigned port, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (fd >= 0 && receive_bytes > 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    return connected(fd, (const struct sockaddr *)&address, sizeof address);
}

int net_peer_tcp(unsigned port)
{
    return tcp(port, 0);
}

int net_peer_tcp_small(unsigned port, int bytes)
{
    return tcp(port, bytes);
}

int net_peer_local(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                     (const struct sockaddr *)&address, sizeof address);
}

size_t net_peer_frame(uint8_t *out, uint8_t code, uint32_t id, struct proto_span payload)
{
    struct proto_header header = {.payload_bytes = (uint32_t)payload.bytes,
                                  .version = PROTO_VERSION,
                                  .code = code,
                                  .request_id = id};
    proto_header_encode(&header, out);
    if (payload.bytes > 0) {
        memcpy(out + PROTO_HEADER_BYTES, payload.data, payload.bytes);
    }
    return PROTO_HEADER_BYTES + payload.bytes;
}

bool net_peer_send(int fd, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    while (bytes > 0) {
        ssize_t sent = send(fd, at, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        at += sent;
        bytes -= (size_t)sent;
    }
    return true;
}

bool net_peer_request(int fd, uint8_t code, uint32_t id, struct proto_span payload)
{
    uint8_t *frame = malloc(PROTO_HEADER_BYTES + payload.bytes);
    bool ok = frame != NULL && net_peer_send(fd, frame, net_peer_frame(frame, code, id, payload));
    free(frame);
    return ok;
}

bool net_peer_read(int fd, void *data, size_t bytes)
{
    uint8_t *at = data;
    while (bytes > 0) {
        ssize_t got = recv(fd, at, bytes, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

bool net_peer_reply(int fd, struct proto_header *header, struct proto_span *payload)
{
    uint8_t head[PROTO_HEADER_BYTES];
    if (!net_peer_read(fd, head, sizeof head)) {
        return false;
    }
    proto_header_decode(head, header);
    if ((header->flags & PROTO_FLAG_REPLY) == 0 || header->payload_bytes > PROTO_FRAME_BYTES_MAX) {
        return false;
    }
    uint8_t *data = malloc((size_t)header->payload_bytes + 1);
    bool ok = data != NULL && net_peer_read(fd, data, header->payload_bytes);
    if (ok && payload != NULL) {
        *payload = (struct proto_span){data, header->payload_bytes};
    } else {
        free(data);
    }
    return ok;
}

bool net_peer_closed(int fd)
{
    uint8_t byte;
    ssize_t got;
    do {
        got = recv(fd, &byte, 1, 0);
    } while (got < 0 && errno == EINTR);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}
