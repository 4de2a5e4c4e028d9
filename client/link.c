/* SPDX-License-Identifier: Apache-2.0 */
/* The way of one connection. Happy path: a name is looked up (numeric ones at once), the addresses
 * are tried in turn, the socket becomes writable, hello goes out, its reply makes the link ready,
 * and from then on bytes move both ways. Failure paths: no address, every address refuses, the
 * limit passes, the greeting is refused, the peer closes, talks garbage or says nothing more; each
 * ends in a loss with its reason. */
#include "client/link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/greet.h"

/* Silence after which a ping is sent, at most. */
#define PROBE_GAP_MS_MAX 4000

const char *client_host_text(const struct client_host *host, char *text, size_t text_bytes)
{
    const struct client_uri *uri = &host->uri;
    if (uri->is_unix) {
        snprintf(text, text_bytes, "%s", uri->path);
    } else {
        snprintf(text, text_bytes, strchr(uri->host, ':') != NULL ? "[%s]:%u" : "%s:%u", uri->host,
                 uri->port);
    }
    return text;
}

void client_log(const struct client_settings *settings, enum icp_log_level level,
                const char *format, ...)
{
    if (settings->on_log == NULL) {
        return;
    }
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    settings->on_log(settings->log_context, level, message);
}

struct client_link *client_link_create(const struct client_settings *settings,
                                       struct client_host *host, int epoll_fd, uint32_t *ids)
{
    struct client_link *link = client_memory_grow(&settings->allocator, NULL, sizeof *link);
    if (link == NULL) {
        return NULL;
    }
    *link =
        (struct client_link){.settings = settings, .host = host, .epoll_fd = epoll_fd, .fd = -1};
    client_pipeline_init(&link->pipeline, settings->in_flight_max, settings->buffer_bytes_max,
                         settings->checksum);
    link->pipeline.allocator = &settings->allocator;
    link->pipeline.ids = ids;
    link->pipeline.id_oldest = *ids;
    return link;
}

static void addresses_free(struct client_link *link)
{
    if (link->addresses != NULL) {
        freeaddrinfo(link->addresses);
    }
    link->addresses = link->address_next = NULL;
}

static void socket_close(struct client_link *link)
{
    if (link->fd < 0) {
        return;
    }
    /* A child process may still hold the socket, and then closing alone would leave it watched. */
    if (link->epoll_fd >= 0) {
        (void)epoll_ctl(link->epoll_fd, EPOLL_CTL_DEL, link->fd, NULL);
    }
    client_secure_destroy(link->secure);
    link->secure = NULL;
    close(link->fd);
    link->fd = -1;
    link->watched = 0;
}

void client_link_destroy(struct client_link *link)
{
    if (link == NULL) {
        return;
    }
    socket_close(link);
    addresses_free(link);
    client_pipeline_fini(&link->pipeline);
    client_memory_free(link);
}

void client_link_lose(struct client_link *link, enum proto_error code, const char *reason)
{
    client_pipeline_lose(&link->pipeline, code, reason);
    socket_close(link);
}

void client_link_orphan(struct client_link *link)
{
    link->epoll_fd = -1;
    client_link_lose(link, PROTO_CLOSED, "the process has forked; its parent keeps the connection");
}

/* Connecting. */

static void connect_lose(struct client_link *link, enum proto_error code, const char *reason)
{
    char where[CLIENT_HOST_TEXT_BYTES];
    char text[sizeof where + 512];
    snprintf(text, sizeof text, "cannot connect to %s: %s",
             client_host_text(link->host, where, sizeof where), reason);
    client_link_lose(link, code, text);
}

static void watch(struct client_link *link, unsigned events)
{
    if (link->fd < 0 || events == link->watched) {
        return;
    }
    struct epoll_event event = {.events = events, .data.ptr = link};
    int what = link->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    link->watched = events;
    if (epoll_ctl(link->epoll_fd, what, link->fd, &event) != 0) {
        client_link_lose(link, PROTO_NO_MEMORY, strerror(errno));
    }
}

static void greet(struct client_link *link, int64_t now_ms)
{
    link->state = CLIENT_GREETING;
    link->heard_ms = now_ms;
    struct proto_fault fault = {.code = PROTO_OK};
    link->hello_id = client_greet_send(link, &fault);
    if (link->hello_id == 0) {
        client_link_lose(link, fault.code, fault.message);
    } else {
        client_link_push(link);
    }
}

static void secure_go_on(struct client_link *link, int64_t now_ms)
{
    struct proto_fault fault = {.code = PROTO_OK};
    switch (client_secure_shake(link->secure, &fault)) {
    case CLIENT_SHAKEN:
        greet(link, now_ms);
        break;
    case CLIENT_SHAKES_IN:
        watch(link, EPOLLIN);
        break;
    case CLIENT_SHAKES_OUT:
        watch(link, EPOLLOUT);
        break;
    case CLIENT_SHAKE_FAILED:
        connect_lose(link, PROTO_CONNECT, fault.message);
        break;
    }
}

static void connected(struct client_link *link, int64_t now_ms)
{
    int on = 1; /* a request must not wait for the acknowledgement of the one before */
    if (!link->host->uri.is_unix) {
        (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (!link->host->uri.is_secure) {
        greet(link, now_ms);
        return;
    }
    link->state = CLIENT_SECURING;
    link->heard_ms = now_ms;
    link->secure = client_secure_create(link->settings->trust, link->host->uri.host, link->fd);
    if (link->secure == NULL) {
        connect_lose(link, PROTO_NO_MEMORY, "no memory for TLS");
        return;
    }
    secure_go_on(link, now_ms);
}

/* Starts connecting to one address. Returns 0 or an errno value. */
static int socket_start(struct client_link *link, const struct sockaddr *address, socklen_t bytes,
                        int64_t now_ms)
{
    link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0) {
        return errno;
    }
    /* A Unix socket whose queue is full says EAGAIN: there is nothing to wait for. */
    int error = connect(link->fd, address, bytes) == 0 ? 0 : errno;
    if (error == EINPROGRESS || error == EINTR) {
        watch(link, EPOLLOUT);
        return link->fd < 0 ? ENOMEM : 0;
    }
    if (error != 0) {
        socket_close(link);
        return error;
    }
    connected(link, now_ms);
    return 0;
}

/* The next address that does not refuse at once. `error` is what the one before said. */
static void address_try(struct client_link *link, int error, int64_t now_ms)
{
    while (link->address_next != NULL) {
        const struct addrinfo *address = link->address_next;
        link->address_next = address->ai_next;
        link->address_until_ms =
            now_ms + (link->until_ms - now_ms) / (int64_t)link->addresses_left--;
        error = socket_start(link, address->ai_addr, address->ai_addrlen, now_ms);
        if (error == 0) {
            return;
        }
    }
    addresses_free(link);
    connect_lose(link, PROTO_CONNECT, strerror(error));
}

static void addresses_take(struct client_link *link, int failure, struct addrinfo *found,
                           int64_t now_ms)
{
    if (failure != 0) {
        connect_lose(link, PROTO_CONNECT, gai_strerror(failure));
        return;
    }
    link->state = CLIENT_CONNECTING;
    link->addresses = link->address_next = found;
    for (const struct addrinfo *next = found; next != NULL; next = next->ai_next) {
        link->addresses_left++;
    }
    address_try(link, EADDRNOTAVAIL, now_ms);
}

static void unix_start(struct client_link *link, int64_t now_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static_assert(sizeof address.sun_path > CLIENT_PATH_BYTES_MAX, "a path fits with its zero");
    memcpy(address.sun_path, link->host->uri.path, strlen(link->host->uri.path) + 1);
    link->state = CLIENT_CONNECTING;
    link->address_until_ms = link->until_ms;
    int error = socket_start(link, (const struct sockaddr *)&address, sizeof address, now_ms);
    if (error != 0) {
        connect_lose(link, PROTO_CONNECT, strerror(error));
    }
}

void client_link_start(struct client_link *link, int64_t now_ms, int64_t until_ms)
{
    link->started_ms = now_ms;
    link->until_ms = until_ms;
    if (link->host->uri.is_unix) {
        unix_start(link, now_ms);
        return;
    }
    char port[8];
    snprintf(port, sizeof port, "%u", link->host->uri.port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    if (getaddrinfo(link->host->uri.host, port, &hints, &found) == 0) {
        addresses_take(link, 0, found, now_ms);
        return;
    }
    link->state = CLIENT_RESOLVING;
    if (link->host->lookup == NULL) {
        link->host->lookup = client_lookup_start(link->settings->resolve, link->host->uri.host,
                                                 link->host->uri.port);
        if (link->host->lookup == NULL) {
            connect_lose(link, PROTO_CONNECT, "no thread could be started to look up the name");
            return;
        }
        /* No link: whoever wakes up looks at all of them. The descriptor goes with the lookup. */
        struct epoll_event event = {.events = EPOLLIN};
        (void)epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, client_lookup_fd(link->host->lookup),
                        &event);
    }
}

static void resolve_step(struct client_link *link, int64_t now_ms)
{
    struct client_lookup *lookup = link->host->lookup;
    int failure = 0;
    struct addrinfo *found = NULL;
    if (lookup == NULL) { /* another link of this host took the answer; ask again */
        client_link_start(link, link->started_ms, link->until_ms);
        return;
    }
    if (!client_lookup_is_done(lookup)) {
        return;
    }
    /* Before it is taken: after that its number may already be somebody else's. */
    (void)epoll_ctl(link->epoll_fd, EPOLL_CTL_DEL, client_lookup_fd(lookup), NULL);
    client_lookup_take(lookup, &failure, &found);
    link->host->lookup = NULL;
    addresses_take(link, failure, found, now_ms);
}

void client_link_step(struct client_link *link, int64_t now_ms)
{
    if (link->pipeline.lost || link->state == CLIENT_READY) {
        return;
    }
    if (link->state == CLIENT_RESOLVING) {
        resolve_step(link, now_ms);
    }
    if (link->pipeline.lost) {
        return;
    }
    if (link->state == CLIENT_CONNECTING && now_ms >= link->address_until_ms) {
        socket_close(link);
        address_try(link, ETIMEDOUT, now_ms);
    } else if (now_ms >= link->until_ms) {
        if (link->state == CLIENT_GREETING) {
            client_link_lose(link, PROTO_TIMEOUT, "the server did not greet in time");
        } else if (link->state == CLIENT_SECURING) {
            connect_lose(link, PROTO_TIMEOUT, "the server did not answer in TLS in time");
        } else {
            connect_lose(link, PROTO_CONNECT, "its name was not found in time");
        }
    }
}

/* Moving bytes. */

static bool is_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* A server that wants a certificate says so where its greeting should come. */
static void move_lose(struct client_link *link, int error)
{
    char reason[160];
    bool is_secure = link->secure != NULL && error == EPROTO;
    snprintf(reason, sizeof reason, "%s",
             is_secure ? client_secure_reason(link->secure) : strerror(error));
    if (is_secure && link->state == CLIENT_GREETING) {
        connect_lose(link, PROTO_CONNECT, reason);
    } else {
        client_link_lose(link, PROTO_CLOSED, reason);
    }
}

void client_link_push(struct client_link *link)
{
    if (link->fd < 0 || link->state < CLIENT_GREETING) {
        return;
    }
    struct proto_span output = client_pipeline_output(&link->pipeline);
    if (output.bytes > 0 && !link->is_deaf) {
        ssize_t sent = link->secure != NULL
                           ? client_secure_send(link->secure, output)
                           : send(link->fd, output.data, output.bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            client_pipeline_sent(&link->pipeline, (size_t)sent);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            link->is_deaf = true; /* what the server said before it closed tells more than EPIPE */
        } else if (!is_later(errno)) {
            move_lose(link, errno);
        }
    }
    size_t room_bytes = 0;
    (void)client_pipeline_room(&link->pipeline, &room_bytes);
    bool has_output = client_pipeline_output(&link->pipeline).bytes > 0 && !link->is_deaf;
    watch(link, (room_bytes > 0 ? EPOLLIN : 0) | (has_output ? EPOLLOUT : 0));
}

/* flags: MSG_DONTWAIT, or 0 to wait as long as the socket is set to. Returns whether bytes came. */
static bool input_read(struct client_link *link, int flags)
{
    size_t room_bytes = 0;
    uint8_t *room = client_pipeline_room(&link->pipeline, &room_bytes);
    if (room_bytes == 0) {
        return false;
    }
    ssize_t got = link->secure != NULL ? client_secure_recv(link->secure, room, room_bytes)
                                       : recv(link->fd, room, room_bytes, flags);
    if (got > 0) {
        client_pipeline_received(&link->pipeline, (size_t)got);
    } else if (got == 0 || errno == ECONNRESET) {
        link->is_finished = true;
        socket_close(link);
    } else if (!is_later(errno)) {
        move_lose(link, errno);
    }
    return got > 0;
}

static void input_move(struct client_link *link, int64_t now_ms)
{
    while (link->fd >= 0 && input_read(link, MSG_DONTWAIT)) {
        link->heard_ms = now_ms;
        if (link->secure == NULL) {
            break; /* of records there may be several, and the socket does not tell */
        }
    }
}

bool client_link_wait(struct client_link *link, int wait_ms, bool *heard)
{
    if (!client_link_ready(link) || link->fd < 0 || link->watched != EPOLLIN ||
        link->secure != NULL) {
        return false;
    }
    if (wait_ms != link->wait_ms) {
        /* A call to set the time costs as much as the one that is spared: only what comes again is
         * worth it. */
        bool is_again = wait_ms == link->wait_ms_seen;
        link->wait_ms_seen = wait_ms;
        const struct timeval time = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L};
        if (!is_again || setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0 ||
            fcntl(link->fd, F_SETFL, 0) != 0) {
            return false;
        }
        link->wait_ms = wait_ms;
    }
    *heard = input_read(link, 0);
    return true;
}

static void connect_finish(struct client_link *link, int64_t now_ms)
{
    int error = 0;
    socklen_t bytes = sizeof error;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) {
        error = errno;
    }
    if (error == 0) {
        addresses_free(link);
        connected(link, now_ms);
        return;
    }
    socket_close(link);
    address_try(link, error, now_ms);
}

void client_link_move(struct client_link *link, unsigned events, int64_t now_ms)
{
    if (link->fd < 0) {
        return;
    }
    if (link->state == CLIENT_CONNECTING) {
        connect_finish(link, now_ms);
        return;
    }
    if (link->state == CLIENT_SECURING) {
        secure_go_on(link, now_ms);
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        input_move(link, now_ms);
    }
    if ((events & EPOLLOUT) != 0) {
        client_link_push(link);
    }
}

void client_link_look(struct client_link *link, int64_t now_ms)
{
    if (link->fd >= 0 && link->state == CLIENT_READY) {
        input_move(link, now_ms);
    }
}

/* Requests and replies. */

uint32_t client_link_request(struct client_link *link, const struct client_request *request,
                             int64_t now_ms, struct proto_fault *fault)
{
    if (link->pipeline.pending_count == 0) {
        link->asked_ms = now_ms;
        link->probe_gap_ms = PROTO_QUIET_MS;
    }
    if (link->useless_ms == 0) {
        link->useless_ms = now_ms;
    }
    return client_pipeline_request(&link->pipeline, request, fault);
}

bool client_link_is_useless(const struct client_link *link, int64_t now_ms)
{
    return client_link_ready(link) && link->useless_ms != 0 && link->heard_ms > link->useless_ms &&
           now_ms - link->useless_ms >= CLIENT_USELESS_MS;
}

/* Something came in time. */
static void useful_note(struct client_link *link, bool more, int64_t now_ms)
{
    const struct client_pipeline *pipeline = &link->pipeline;
    size_t probes = link->probe_id != 0;
    bool is_awaited = pipeline->pending_count - pipeline->forgotten_count > probes;
    link->useless_ms = more || is_awaited ? now_ms : 0;
}

/* A reply that is whole; what had no room before may have it now. */
static bool reply_take(struct client_link *link, int64_t now_ms, struct client_reply *reply)
{
    while (!client_pipeline_next(&link->pipeline, reply)) {
        if (link->secure == NULL || link->pipeline.lost || !client_secure_waits(link->secure) ||
            !input_read(link, MSG_DONTWAIT)) {
            return false;
        }
        link->heard_ms = now_ms;
    }
    return true;
}

bool client_link_next(struct client_link *link, int64_t now_ms, struct client_reply *reply)
{
    while (reply_take(link, now_ms, reply)) {
        if (reply->id == link->hello_id) {
            client_greet_take(link, reply, now_ms);
        } else if (reply->id == link->probe_id) {
            link->probe_id = 0;
            useful_note(link, false, now_ms);
        } else {
            link->has_answered |= reply->fault.code == PROTO_OK;
            useful_note(link, reply->more, now_ms);
            return true;
        }
    }
    if (link->pipeline.lost) {
        socket_close(link);
    } else if (link->is_finished) {
        client_link_lose(link, PROTO_CLOSED, "the server closed the connection");
    }
    return false;
}

bool client_link_is_dead(struct client_link *link, int64_t now_ms, int64_t *wake_ms)
{
    size_t room_bytes = 0;
    if (!client_link_ready(link) || link->pipeline.pending_count == 0) {
        return false;
    }
    /* Where replies wait to be received, nothing is read, and nothing can be heard. */
    (void)client_pipeline_room(&link->pipeline, &room_bytes);
    if (room_bytes == 0) {
        return false;
    }
    /* Behind a large request nothing is read before it has had its turn on a lane of the server's,
     * a ping neither: its call's deadline is what ends the waiting. */
    if (link->pipeline.large_count > 0) {
        return false;
    }
    int64_t quiet_ms = link->heard_ms > link->asked_ms ? link->heard_ms : link->asked_ms;
    bool is_probed = link->probed_ms > quiet_ms;
    int64_t next_ms = is_probed ? link->probed_ms + PROTO_PING_MS : quiet_ms + link->probe_gap_ms;
    if (now_ms < next_ms) {
        *wake_ms = next_ms < *wake_ms ? next_ms : *wake_ms;
        return false;
    }
    if (is_probed) {
        return true;
    }
    const struct client_request ping = {.op = PROTO_OP_PING, .owner = link};
    struct proto_fault ignored = {0};
    if (link->probe_id == 0) {
        link->probe_id = client_pipeline_request(&link->pipeline, &ping, &ignored);
    }
    link->probed_ms = now_ms;
    if (link->probe_gap_ms < PROBE_GAP_MS_MAX) {
        link->probe_gap_ms *= 2;
    }
    next_ms = now_ms + PROTO_PING_MS;
    *wake_ms = next_ms < *wake_ms ? next_ms : *wake_ms;
    return false;
}
