/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, poll with a timeout in microseconds: what has come for a client waits in its pair's
 * buffer until it is due. A pair holds one batch at a time; while it waits nothing more is read. */
#include "bench/client/client_delay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client_delay_pair {
    int client; /* -1: the place is free */
    int server;
    uint8_t bytes[CLIENT_DELAY_BYTES];
    size_t count;
    int64_t due_us;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int socket_make(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void pair_close(struct client_delay_pair *pair)
{
    close(pair->client);
    close(pair->server);
    pair->client = pair->server = -1;
}

static void pair_open(struct client_delay *delay)
{
    int fd = accept4(delay->listener, NULL, NULL, SOCK_CLOEXEC);
    struct sockaddr_in backend = loopback(delay->backend);
    int server = socket_make();
    int on = 1;
    for (size_t i = 0; i < CLIENT_DELAY_PAIRS_MAX; i++) {
        struct client_delay_pair *pair = &delay->pairs[i];
        if (pair->client >= 0) {
            continue;
        }
        if (fd < 0 || connect(server, (struct sockaddr *)&backend, sizeof backend) != 0) {
            break;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        pair->client = fd;
        pair->server = server;
        pair->count = 0;
        return;
    }
    close(fd);
    close(server);
}

static void requests_move(struct client_delay_pair *pair)
{
    uint8_t bytes[CLIENT_DELAY_BYTES];
    ssize_t got = recv(pair->client, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0 || send(pair->server, bytes, (size_t)got, MSG_NOSIGNAL) != got) {
        pair_close(pair);
    }
}

static void replies_take(struct client_delay_pair *pair, int64_t delay_us)
{
    ssize_t got = recv(pair->server, pair->bytes, sizeof pair->bytes, MSG_DONTWAIT);
    if (got <= 0) {
        pair_close(pair);
        return;
    }
    pair->count = (size_t)got;
    pair->due_us = now_us() + delay_us;
}

static void replies_give(struct client_delay_pair *pair)
{
    if (send(pair->client, pair->bytes, pair->count, MSG_NOSIGNAL) != (ssize_t)pair->count) {
        pair_close(pair);
    }
    pair->count = 0;
}

static int64_t watch(struct client_delay *delay, struct pollfd *watched)
{
    int64_t next_us = now_us() + 10000;
    for (size_t i = 0; i < CLIENT_DELAY_PAIRS_MAX; i++) {
        const struct client_delay_pair *pair = &delay->pairs[i];
        if (pair->client >= 0 && pair->count > 0 && pair->due_us < next_us) {
            next_us = pair->due_us;
        }
        watched[2 * i] = (struct pollfd){.fd = pair->client, .events = POLLIN};
        watched[2 * i + 1] =
            (struct pollfd){.fd = pair->count == 0 ? pair->server : -1, .events = POLLIN};
    }
    watched[2 * CLIENT_DELAY_PAIRS_MAX] = (struct pollfd){.fd = delay->listener, .events = POLLIN};
    return next_us;
}

static void *delay_run(void *context)
{
    struct client_delay *delay = context;
    struct pollfd watched[2 * CLIENT_DELAY_PAIRS_MAX + 1];
    (void)prctl(PR_SET_TIMERSLACK, 1000UL); /* nanoseconds: 50 µs would be a twentieth of it all */
    while (!atomic_load(&delay->is_over)) {
        int64_t left_us = watch(delay, watched) - now_us();
        const struct timespec wait = {.tv_nsec = left_us > 0 ? (long)left_us * 1000 : 0};
        (void)ppoll(watched, 2 * CLIENT_DELAY_PAIRS_MAX + 1, &wait, NULL);
        for (size_t i = 0; i < CLIENT_DELAY_PAIRS_MAX; i++) {
            struct client_delay_pair *pair = &delay->pairs[i];
            if (pair->client >= 0 && watched[2 * i].revents != 0) {
                requests_move(pair);
            }
            if (pair->client >= 0 && watched[2 * i + 1].revents != 0) {
                replies_take(pair, delay->delay_us);
            }
            if (pair->client >= 0 && pair->count > 0 && now_us() >= pair->due_us) {
                replies_give(pair);
            }
        }
        if (watched[2 * CLIENT_DELAY_PAIRS_MAX].revents != 0) {
            pair_open(delay);
        }
    }
    return NULL;
}

bool client_delay_start(struct client_delay *delay, uint16_t backend, int64_t delay_us)
{
    *delay = (struct client_delay){.backend = backend, .delay_us = delay_us};
    delay->pairs = calloc(CLIENT_DELAY_PAIRS_MAX, sizeof *delay->pairs);
    delay->listener = socket_make();
    struct sockaddr_in address = loopback(0);
    socklen_t bytes = sizeof address;
    if (delay->pairs == NULL || delay->listener < 0 ||
        bind(delay->listener, (struct sockaddr *)&address, bytes) != 0 ||
        listen(delay->listener, CLIENT_DELAY_PAIRS_MAX) != 0 ||
        getsockname(delay->listener, (struct sockaddr *)&address, &bytes) != 0) {
        return false;
    }
    delay->port = ntohs(address.sin_port);
    for (size_t i = 0; i < CLIENT_DELAY_PAIRS_MAX; i++) {
        delay->pairs[i].client = delay->pairs[i].server = -1;
    }
    return pthread_create(&delay->thread, NULL, delay_run, delay) == 0;
}

void client_delay_stop(struct client_delay *delay)
{
    atomic_store(&delay->is_over, true);
    pthread_join(delay->thread, NULL);
    for (size_t i = 0; i < CLIENT_DELAY_PAIRS_MAX; i++) {
        if (delay->pairs[i].client >= 0) {
            pair_close(&delay->pairs[i]);
        }
    }
    close(delay->listener);
    free(delay->pairs);
}
