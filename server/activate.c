/* SPDX-License-Identifier: Apache-2.0 */
/* The environment says how many sockets there are; each must listen, gets its place by name and
 * kind, and no place twice. What is not as it should be closes them all. */
#include "server/activate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/span.h"
#include "server/base/loopback.h"

enum { FIRST = 3, MOST = 16 };

static bool refuse(struct proto_fault *fault, const char *field, int fd, const char *what)
{
    return proto_fault_set(fault, PROTO_BAD_CONFIG, field, "descriptor %d %s", fd, what);
}

static bool number(const char *text, long *value)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *value = strtol(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* The name of the i-th socket; empty if it has none. */
static struct proto_span name_at(const char *names, int index)
{
    const char *at = names != NULL ? names : "";
    for (int i = 0; i < index && *at != '\0'; i++) {
        at += strcspn(at, ":");
        at += *at == ':';
    }
    return (struct proto_span){(const uint8_t *)at, strcspn(at, ":")};
}

static int *place_of(struct server_sockets *sockets, struct proto_span name, int family)
{
    if (family == AF_UNIX) {
        return &sockets->local;
    }
    return proto_span_is(name, "http")   ? &sockets->http
           : proto_span_is(name, "icps") ? &sockets->tls
                                         : &sockets->tcp;
}

static bool take_one(struct server_sockets *sockets, int fd, struct proto_span name,
                     struct proto_fault *fault)
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof address;
    int listens = 0;
    int type = 0;
    socklen_t int_bytes = sizeof listens;
    if (getsockname(fd, (struct sockaddr *)&address, &bytes) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_bytes) != 0 || type != SOCK_STREAM ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_bytes) != 0 || !listens) {
        return refuse(fault, "LISTEN_FDS", fd,
                      "is no socket that listens: ListenStream= with Accept=no makes one");
    }
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6 &&
        address.ss_family != AF_UNIX) {
        return refuse(fault, "LISTEN_FDS", fd, "is neither of the internet nor a Unix socket");
    }
    int *place = place_of(sockets, name, address.ss_family);
    if (*place != 0) {
        return refuse(fault, "LISTEN_FDNAMES", fd,
                      "is a second socket for the same: one each for the protocol, icps, http and "
                      "a Unix socket");
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return proto_fault_set(fault, PROTO_IO, "LISTEN_FDS", "descriptor %d: %s", fd,
                               strerror(errno));
    }
    *place = fd;
    return true;
}

bool server_sockets_take(struct server_sockets *sockets, struct proto_fault *fault)
{
    const char *count_text = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    long pid;
    long count;
    *sockets = (struct server_sockets){0};
    if (count_text == NULL || !number(getenv("LISTEN_PID"), &pid) || pid != (long)getpid()) {
        return true; /* for another process, or nobody */
    }
    if (!number(count_text, &count) || count > MOST) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "LISTEN_FDS",
                               "'%.32s' is no number of sockets from 0 to %d", count_text, MOST);
    }
    for (int i = 0; i < count; i++) {
        if (!take_one(sockets, FIRST + i, name_at(names, i), fault)) {
            server_sockets_close(sockets);
            return false;
        }
    }
    return true;
}

static bool is_reached(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } address = {.room = {0}};
    char text[INET6_ADDRSTRLEN] = "";
    socklen_t bytes = sizeof address;
    if (fd == 0 || getsockname(fd, &address.any, &bytes) != 0 || address.any.sa_family == AF_UNIX) {
        return false;
    }
    const void *from = address.any.sa_family == AF_INET6 ? (const void *)&address.v6.sin6_addr
                                                         : (const void *)&address.v4.sin_addr;
    return inet_ntop(address.any.sa_family, from, text, sizeof text) == NULL ||
           !base_is_loopback(text);
}

bool server_sockets_reach(const struct server_sockets *sockets, bool open,
                          struct proto_fault *fault)
{
    const int all[] = {sockets->tcp, sockets->tls, sockets->http};
    for (size_t i = 0; open && i < sizeof all / sizeof *all; i++) {
        if (is_reached(all[i])) {
            return refuse(fault, "LISTEN_FDS", all[i],
                          "is an address that others can reach: give admin_token or tokens_file, "
                          "for without them everybody may do everything");
        }
    }
    return true;
}

void server_sockets_close(struct server_sockets *sockets)
{
    const int all[] = {sockets->tcp, sockets->tls, sockets->local, sockets->http};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] != 0) {
            close(all[i]);
        }
    }
    *sockets = (struct server_sockets){0};
}
