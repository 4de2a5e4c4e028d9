/* SPDX-License-Identifier: Apache-2.0 */
/* Binding. The sockets are made here, or were made by a service manager, and polled by their
 * worker, which accepts by itself: libuv's own listener accepts and closes connections in silence
 * when descriptors run out. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/net/net_worker.h"

#define SOCKET_FLAGS (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static bool refuse(struct proto_fault *fault, const char *option, const char *place,
                   const char *what)
{
    return proto_fault_set(fault, PROTO_BAD_CONFIG, option, "cannot listen on %s: %s", place, what);
}

/* What the system says of a place that cannot be had: taken by another, or wrongly configured. */
static bool refuse_bind(struct proto_fault *fault, const char *option, const char *place, int error)
{
    return error == EADDRINUSE
               ? proto_fault_set(fault, PROTO_LOCKED, option,
                                 "cannot listen on %s: another server has it", place)
               : refuse(fault, option, place, strerror(error));
}

/* A bound and listening socket, or -1 with errno. */
static int tcp_bind(const struct addrinfo *address, bool shared, int backlog)
{
    int fd = socket(address->ai_family, SOCKET_FLAGS, 0);
    if (fd < 0) {
        return -1;
    }
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, backlog) == 0) {
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The two families that can be listened on, seen as one. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static unsigned address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

static void address_set_port(struct sockaddr *address, unsigned port)
{
    if (address->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in *)(void *)address)->sin_port = htons((uint16_t)port);
    }
}

static unsigned bound_port(int fd)
{
    union address address = {.v6 = {0}};
    socklen_t bytes = sizeof address;
    return getsockname(fd, &address.any, &bytes) == 0 ? address_port(&address) : 0;
}

/* SO_REUSEPORT would let two servers share a port without a word. So the port is first claimed
 * without it, which fails if anyone listens there. Returns false with errno. */
static bool port_is_free(struct addrinfo *address)
{
    int fd = tcp_bind(address, false, 1);
    if (fd < 0) {
        return false;
    }
    address_set_port(address->ai_addr, bound_port(fd));
    close(fd);
    return true;
}

/* Binds the same port once for each worker; port 0 becomes the one that the first was given. */
static bool bind_all(struct net_server *server, struct addrinfo *address, enum net_kind kind)
{
    if (!port_is_free(address)) {
        return false;
    }
    bool shared = server->workers_count > 1;
    for (unsigned i = 0; i < server->workers_count; i++) {
        int fd = tcp_bind(address, shared, (int)server->options.backlog);
        if (fd < 0) {
            return false; /* those that are bound are closed by net_server_destroy */
        }
        struct net_worker *worker = &server->workers[i];
        (kind == NET_TLS ? &worker->tls : &worker->tcp)->fd = fd;
        *(kind == NET_TLS ? &server->tls_port : &server->port) = bound_port(fd);
    }
    return true;
}

/* Where to listen, and the options that say so. */
struct where {
    const char *host;
    unsigned port;
    const char *host_option, *port_option;
};

static bool listen_at(struct net_server *server, const struct where *where, enum net_kind kind,
                      struct proto_fault *fault)
{
    char place[320];
    char port[8];
    snprintf(place, sizeof place, "%.255s port %u", where->host, where->port);
    snprintf(port, sizeof port, "%u", where->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *address = NULL;
    int rc = getaddrinfo(where->host, port, &hints, &address);
    if (rc == EAI_MEMORY) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, where->host_option,
                               "no memory to look up %s", place);
    }
    if (rc != 0) {
        return refuse(fault, where->host_option, place, gai_strerror(rc));
    }
    bool ok = address->ai_family == AF_INET || address->ai_family == AF_INET6;
    if (!ok) {
        refuse(fault, where->host_option, place, "not an internet address");
    } else if (!(ok = bind_all(server, address, kind))) {
        refuse_bind(fault, errno == EADDRNOTAVAIL ? where->host_option : where->port_option, place,
                    errno);
    }
    freeaddrinfo(address);
    return ok;
}

bool net_listen_tcp(struct net_server *server, struct proto_fault *fault)
{
    const struct net_options *options = &server->options;
    struct where where = {options->host, options->port, "host", "port"};
    return listen_at(server, &where, NET_TCP, fault);
}

bool net_listen_tls(struct net_server *server, struct proto_fault *fault)
{
    const struct net_options *options = &server->options;
    struct where where = {options->tls_host, options->tls_port, "tls_host", "tls_port"};
    return listen_at(server, &where, NET_TLS, fault);
}

/* Whether someone answers on the Unix socket: 0 = nobody, else why the path cannot be taken. */
static int local_in_use(const struct sockaddr_un *address)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISSOCK(found.st_mode)) {
        return EEXIST;
    }
    int fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    if (fd < 0) {
        return errno;
    }
    int rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int error = rc == 0 || errno == EAGAIN ? EADDRINUSE : errno; /* EAGAIN: its backlog is full */
    close(fd);
    if (error != ECONNREFUSED) {
        return error;
    }
    return unlink(address->sun_path) == 0 ? 0 : errno; /* left behind by a server that is gone */
}

/* Between bind and listen nobody can connect, so the mode is right before anyone can. */
static int local_bind(struct net_server *server, int fd, const struct sockaddr_un *address)
{
    struct stat made;
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        return errno;
    }
    if (chmod(address->sun_path, (mode_t)server->options.socket_mode) != 0 ||
        stat(address->sun_path, &made) != 0 || listen(fd, (int)server->options.backlog) != 0) {
        return errno;
    }
    server->socket_device = made.st_dev;
    server->socket_inode = made.st_ino;
    return 0;
}

bool net_listen_local(struct net_server *server, struct proto_fault *fault)
{
    const char *path = server->options.socket_path;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof address.sun_path); /* net_options_check */
    memcpy(address.sun_path, path, strlen(path));
    int error = local_in_use(&address);
    if (error == EEXIST) {
        return refuse(fault, "socket_path", path, "it exists and is not a socket");
    }
    if (error != 0) {
        return refuse_bind(fault, "socket_path", path, error);
    }
    int fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    error = fd < 0 ? errno : local_bind(server, fd, &address);
    if (error != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return refuse_bind(fault, "socket_path", path, error);
    }
    server->workers[0].local.fd = fd;
    return true;
}

static struct net_listener *listener_of(struct net_worker *worker, enum net_kind kind)
{
    return kind == NET_UNIX ? &worker->local : kind == NET_TLS ? &worker->tls : &worker->tcp;
}

/* All workers poll the same socket: who comes first accepts, the others find nothing. */
bool net_listen_given(struct net_server *server, int fd, enum net_kind kind,
                      struct proto_fault *fault)
{
    listener_of(&server->workers[0], kind)->fd = fd;
    for (unsigned i = 1; i < server->workers_count && kind != NET_UNIX; i++) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            return proto_fault_set(fault, PROTO_IO, "", "no descriptor for a worker: %s",
                                   strerror(errno));
        }
        listener_of(&server->workers[i], kind)->fd = copy;
    }
    if (kind != NET_UNIX) {
        *(kind == NET_TLS ? &server->tls_port : &server->port) = bound_port(fd);
    }
    return true;
}

void net_listener_init(struct net_listener *listener, struct net_worker *worker, enum net_kind kind)
{
    listener->worker = worker;
    listener->fd = -1;
    listener->kind = kind;
}

bool net_listener_poll(struct net_listener *listener)
{
    if (listener->fd < 0) {
        return true;
    }
    if (uv_poll_init(&listener->worker->loop, &listener->poll, listener->fd) != 0) {
        return false;
    }
    listener->poll.data = listener;
    return true;
}

bool net_listener_start(struct net_listener *listener, uv_poll_cb on_ready)
{
    if (listener->fd < 0 || listener->polling) {
        return true;
    }
    listener->polling = uv_poll_start(&listener->poll, UV_READABLE, on_ready) == 0;
    return listener->polling;
}

/* Removes the path of the Unix socket unless another server has put its own there, or it is not
 * ours. */
static void remove_path(const struct net_server *server)
{
    struct stat found;
    const char *path = server->options.socket_path;
    if (server->socket_inode != 0 && lstat(path, &found) == 0 &&
        found.st_dev == server->socket_device && found.st_ino == server->socket_inode) {
        unlink(path);
    }
}

void net_listener_close(struct net_listener *listener)
{
    if (listener->fd < 0) {
        return;
    }
    if (listener->poll.data != NULL) {
        uv_poll_stop(&listener->poll);
    }
    listener->polling = false;
    if (listener->kind == NET_UNIX) {
        remove_path(listener->worker->server);
    }
    close(listener->fd);
    listener->fd = -1;
}
