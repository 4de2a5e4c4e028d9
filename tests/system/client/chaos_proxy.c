/* SPDX-License-Identifier: Apache-2.0 */
/* Each connection is a pair of sockets with a buffer each way. What is read for one side is kept
 * until it may leave: at once, later, byte by byte, cut short, or never. */
#include "tests/system/client/chaos_proxy.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/writer.h"

#define BUFFER_BYTES 16384
#define JUNK_BYTES_MAX 64
#define DELAY_MS_MAX 60
/* Of a hundred chunks, how many are cut, spoilt or half-closed while that is the mode. */
#define MISHAP_PERCENT 15

struct flow {
    uint8_t bytes[BUFFER_BYTES];
    size_t count;
    size_t sent;
    int64_t due_ms;
    size_t most; /* bytes that leave at a time; 0: all */
};

struct pair {
    int client; /* -1: the place is free */
    int server; /* -1: none, such as of a connection that is swallowed */
    bool is_swallowed;
    struct flow in;  /* client to server */
    struct flow out; /* server to client */
};

struct chaos_proxy {
    pthread_t thread;
    atomic_int mode;
    atomic_uint backend;
    atomic_bool is_over;
    _Atomic int64_t stood_ms;
    unsigned port;
    int listener; /* -1 while down */
    uint64_t random;
    struct pair pairs[CHAOS_PAIRS_MAX];
};

int64_t chaos_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t chaos_thread_stood_ms(int schedstat)
{
    char text[96] = "";
    unsigned long long ran = 0;
    unsigned long long stood = 0;
    if (pread(schedstat, text, sizeof text - 1, 0) <= 0 ||
        sscanf(text, "%llu %llu", &ran, &stood) != 2) {
        return 0;
    }
    return (int64_t)(stood / 1000000);
}

int64_t chaos_stood_ms(struct chaos_proxy *proxy)
{
    return atomic_load(&proxy->stood_ms);
}

const char *chaos_name(enum chaos_mode mode)
{
    static const char *const names[] = {
#define X(NAME, name, what) name,
        CHAOS_MODES(X)
#undef X
    };
    return names[mode];
}

static uint64_t draw(struct chaos_proxy *proxy, uint64_t below)
{
    proxy->random ^= proxy->random << 13;
    proxy->random ^= proxy->random >> 7;
    proxy->random ^= proxy->random << 17;
    return proxy->random % below;
}

static int socket_make(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    assert(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void listener_open(struct chaos_proxy *proxy)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)proxy->port)};
    socklen_t bytes = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    proxy->listener = socket_make();
    int bound = bind(proxy->listener, (struct sockaddr *)&address, bytes);
    int listening = listen(proxy->listener, 128);
    int named = getsockname(proxy->listener, (struct sockaddr *)&address, &bytes);
    assert(bound == 0 && listening == 0 && named == 0);
    proxy->port = ntohs(address.sin_port);
}

static void pair_close(struct pair *pair, bool is_reset)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (is_reset) {
        (void)setsockopt(pair->client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    close(pair->client);
    if (pair->server >= 0) {
        close(pair->server);
    }
    pair->client = pair->server = -1;
}

static void say_busy(int fd)
{
    struct proto_writer writer;
    struct proto_fault fault = {0};
    proto_writer_init(&writer);
    proto_fault_set(&fault, PROTO_BUSY, "", "every connection is taken");
    proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, 0);
    (void)!send(fd, writer.data, writer.bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    proto_writer_fini(&writer);
}

static int backend_open(struct chaos_proxy *proxy)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atomic_load(&proxy->backend))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket_make();
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static void accept_one(struct chaos_proxy *proxy, enum chaos_mode mode)
{
    int fd = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    struct pair *pair = NULL;
    for (size_t i = 0; i < CHAOS_PAIRS_MAX && pair == NULL; i++) {
        pair = proxy->pairs[i].client < 0 ? &proxy->pairs[i] : NULL;
    }
    if (fd < 0) {
        return;
    }
    if (mode == CHAOS_BUSY) {
        say_busy(fd);
    }
    int server =
        mode == CHAOS_BUSY || mode == CHAOS_SILENT || pair == NULL ? -1 : backend_open(proxy);
    if (pair == NULL || (server < 0 && mode != CHAOS_SILENT)) {
        close(fd);
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *pair = (struct pair){.client = fd, .server = server, .is_swallowed = server < 0};
}

/* What the mode does to a chunk that has come for the client. False: the pair is closed. */
static bool mishap(struct chaos_proxy *proxy, struct pair *pair, enum chaos_mode mode)
{
    struct flow *out = &pair->out;
    bool is_hit = draw(proxy, 100) < MISHAP_PERCENT;
    size_t part = out->count > 0 ? draw(proxy, out->count) : 0;
    uint8_t junk[JUNK_BYTES_MAX];
    size_t junk_bytes = 1 + draw(proxy, JUNK_BYTES_MAX - 1);
    switch (mode) {
    case CHAOS_DELAY:
        out->due_ms = chaos_now_ms() + (int64_t)draw(proxy, DELAY_MS_MAX);
        return true;
    case CHAOS_DRIBBLE:
        out->most = 1;
        return true;
    case CHAOS_CUT:
        if (!is_hit) {
            return true;
        }
        (void)!send(pair->client, out->bytes, part, MSG_NOSIGNAL | MSG_DONTWAIT);
        pair_close(pair, draw(proxy, 2) == 0);
        return false;
    case CHAOS_HALF_CLOSE:
        if (!is_hit) {
            return true;
        }
        (void)!send(pair->client, out->bytes, part, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)shutdown(pair->client, SHUT_WR);
        pair->is_swallowed = true;
        return true;
    case CHAOS_GARBAGE:
        if (!is_hit) {
            return true;
        }
        for (size_t i = 0; i < junk_bytes; i++) {
            junk[i] = (uint8_t)draw(proxy, 256);
        }
        (void)!send(pair->client, junk, junk_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        return true;
    case CHAOS_SILENT:
        pair->is_swallowed = true;
        return true;
    default:
        return true;
    }
}

/* Reads what a side has sent. False: it has ended. */
static bool flow_read(struct flow *flow, int fd)
{
    ssize_t got = recv(fd, flow->bytes, sizeof flow->bytes, MSG_DONTWAIT);
    if (got <= 0) {
        return false;
    }
    flow->count = (size_t)got;
    flow->sent = 0;
    flow->due_ms = 0;
    flow->most = 0;
    return true;
}

static bool flow_write(struct flow *flow, int fd)
{
    size_t left = flow->count - flow->sent;
    if (left == 0 || chaos_now_ms() < flow->due_ms) {
        return true;
    }
    if (flow->most > 0 && left > flow->most) {
        left = flow->most;
    }
    ssize_t sent = send(fd, flow->bytes + flow->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
        flow->sent += (size_t)sent;
    }
    if (flow->sent == flow->count) {
        flow->count = flow->sent = 0;
    }
    return sent >= 0;
}

static void pair_move(struct chaos_proxy *proxy, struct pair *pair, short client, short server,
                      enum chaos_mode mode)
{
    if (client != 0 && pair->in.count == 0 && !flow_read(&pair->in, pair->client)) {
        pair_close(pair, false);
        return;
    }
    if (pair->is_swallowed || mode == CHAOS_SILENT) {
        pair->is_swallowed = true;
        pair->in.count = 0;
        pair->out.count = 0;
        return;
    }
    if (server != 0 && pair->out.count == 0) {
        if (!flow_read(&pair->out, pair->server)) {
            pair_close(pair, false);
            return;
        }
        if (!mishap(proxy, pair, mode) || pair->is_swallowed) {
            return;
        }
    }
    if (!flow_write(&pair->in, pair->server) || !flow_write(&pair->out, pair->client)) {
        pair_close(pair, false);
    }
}

static void listener_keep(struct chaos_proxy *proxy, enum chaos_mode mode)
{
    if (mode == CHAOS_DOWN && proxy->listener >= 0) {
        close(proxy->listener);
        proxy->listener = -1;
        for (size_t i = 0; i < CHAOS_PAIRS_MAX; i++) {
            if (proxy->pairs[i].client >= 0) {
                pair_close(&proxy->pairs[i], false);
            }
        }
    } else if (mode != CHAOS_DOWN && proxy->listener < 0) {
        listener_open(proxy);
    }
}

static void *proxy_run(void *context)
{
    struct chaos_proxy *proxy = context;
    struct pollfd watched[2 * CHAOS_PAIRS_MAX + 1];
    int schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    while (!atomic_load(&proxy->is_over)) {
        atomic_store(&proxy->stood_ms, chaos_thread_stood_ms(schedstat));
        enum chaos_mode mode = (enum chaos_mode)atomic_load(&proxy->mode);
        listener_keep(proxy, mode);
        bool is_pending = false;
        for (size_t i = 0; i < CHAOS_PAIRS_MAX; i++) {
            struct pair *pair = &proxy->pairs[i];
            is_pending |= pair->client >= 0 && pair->in.count + pair->out.count > 0;
            watched[2 * i] =
                (struct pollfd){.fd = pair->in.count == 0 ? pair->client : -1, .events = POLLIN};
            watched[2 * i + 1] = (struct pollfd){
                .fd = pair->out.count == 0 && !pair->is_swallowed ? pair->server : -1,
                .events = POLLIN};
        }
        watched[2 * CHAOS_PAIRS_MAX] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
        (void)poll(watched, 2 * CHAOS_PAIRS_MAX + 1, is_pending ? 1 : 5);
        for (size_t i = 0; i < CHAOS_PAIRS_MAX; i++) {
            if (proxy->pairs[i].client >= 0) {
                pair_move(proxy, &proxy->pairs[i], watched[2 * i].revents,
                          watched[2 * i + 1].revents, mode);
            }
        }
        if (watched[2 * CHAOS_PAIRS_MAX].revents != 0) {
            accept_one(proxy, mode);
        }
    }
    close(schedstat);
    return NULL;
}

struct chaos_proxy *chaos_create(uint64_t seed)
{
    struct chaos_proxy *proxy = calloc(1, sizeof *proxy);
    assert(proxy != NULL);
    proxy->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    for (size_t i = 0; i < CHAOS_PAIRS_MAX; i++) {
        proxy->pairs[i].client = proxy->pairs[i].server = -1;
    }
    listener_open(proxy);
    int started = pthread_create(&proxy->thread, NULL, proxy_run, proxy);
    assert(started == 0);
    return proxy;
}

void chaos_destroy(struct chaos_proxy *proxy)
{
    atomic_store(&proxy->is_over, true);
    pthread_join(proxy->thread, NULL);
    for (size_t i = 0; i < CHAOS_PAIRS_MAX; i++) {
        if (proxy->pairs[i].client >= 0) {
            pair_close(&proxy->pairs[i], false);
        }
    }
    if (proxy->listener >= 0) {
        close(proxy->listener);
    }
    free(proxy);
}

unsigned chaos_port(const struct chaos_proxy *proxy)
{
    return proxy->port;
}

void chaos_set(struct chaos_proxy *proxy, enum chaos_mode mode)
{
    atomic_store(&proxy->mode, (int)mode);
}

void chaos_backend(struct chaos_proxy *proxy, unsigned port)
{
    atomic_store(&proxy->backend, port);
}
