/* SPDX-License-Identifier: Apache-2.0 */
/* What every test of the network begins with: an echo server on a free port of the loopback, with
 * deadlines that only those tests shorten that are about them. Include it first. */
#ifndef TESTS_UNIT_NET_NET_FIXTURE_H
#define TESTS_UNIT_NET_NET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/net/net_echo.h"
#include "tests/unit/net/net_peer.h"

/* Rounds of net_wait_for; enough for a machine that is a hundred times too busy. */
#define NET_WAIT_ROUNDS 10000

static inline struct net_options net_test_options(unsigned workers)
{
    struct net_options options;
    net_options_default(&options);
    options.port = 0;
    options.workers = workers;
    return options;
}

/* Zeroed memory; a test without any cannot say anything. */
static inline void *net_test_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static inline void net_test_start(struct net_echo *echo, const struct net_options *options)
{
    struct proto_fault fault = {0};
    signal(SIGPIPE, SIG_IGN);
    if (!net_echo_start(echo, options, &fault)) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
}

static inline int net_test_connect(const struct net_echo *echo)
{
    int fd = net_peer_tcp(net_server_port(echo->server));
    assert_true(fd >= 0);
    return fd;
}

static inline struct net_counters net_test_counters(const struct net_echo *echo)
{
    struct net_counters counters;
    net_server_counters(echo->server, &counters);
    return counters;
}

static inline void net_test_sleep_ms(unsigned ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* Waits until the condition holds; the test fails if it never does. */
#define net_wait_for(condition)                                                                    \
    do {                                                                                           \
        unsigned rounds = 0;                                                                       \
        while (!(condition) && rounds++ < NET_WAIT_ROUNDS)                                         \
            net_test_sleep_ms(5);                                                                  \
        assert_true(condition);                                                                    \
    } while (0)

/* One request and its reply on a good connection. */
static inline void net_test_ping(int fd, uint32_t id)
{
    struct proto_header header;
    struct proto_span payload;
    assert_true(net_peer_request(fd, 2, id, proto_span_text("ping")));
    assert_true(net_peer_reply(fd, &header, &payload));
    assert_int_equal(header.request_id, id);
    assert_int_equal(header.code, PROTO_OK);
    assert_true(proto_span_is(payload, "ping"));
    free((uint8_t *)(uintptr_t)payload.data);
}

static inline void net_test_expect(int fd, unsigned code, uint32_t id)
{
    struct proto_header header;
    assert_true(net_peer_reply(fd, &header, NULL));
    assert_int_equal(header.code, code);
    assert_int_equal(header.request_id, id);
}

#endif
