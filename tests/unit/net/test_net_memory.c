/* SPDX-License-Identifier: Apache-2.0 */
/* Makes each allocation of the network layer (and of proto beneath it) fail in turn: the linker
 * puts these functions in place of malloc, calloc and realloc for everything that is linked
 * statically. */
#include "tests/unit/net/net_fixture.h"

/* More than any of the runs below allocates. */
#define FAILURES_MAX 400

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

/* Allocations until one fails; 0 = none does. */
static atomic_uint countdown;

static bool fails_now(void)
{
    unsigned left = atomic_load(&countdown);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
            return left == 1;
        }
    }
    return false;
}

void *__wrap_malloc(size_t bytes)
{
    return fails_now() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails_now() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails_now() ? NULL : __real_realloc(old, bytes);
}

static void server_that_finds_no_memory_is_refused_whole(void **state)
{
    (void)state;
    struct net_options options = net_test_options(3);
    unsigned refused = 0;
    for (unsigned nth = 1; nth < FAILURES_MAX; nth++) {
        static struct net_echo echo;
        struct proto_fault fault = {0};
        atomic_store(&countdown, nth);
        bool ok = net_echo_start(&echo, &options, &fault);
        bool was_reached = atomic_exchange(&countdown, 0) == 0;
        if (ok) {
            net_echo_stop(&echo, 0);
        } else {
            assert_true(was_reached);
            assert_int_equal(fault.code, PROTO_NO_MEMORY);
            refused++;
        }
        if (!was_reached) {
            break;
        }
    }
    assert_int_equal(refused, 2 + 3 * 2); /* server, workers, and two buffers of each */
}

/* One visit with something of everything. Replies may be missing: the connection then closes. */
static void visit(const struct net_echo *echo)
{
    uint8_t bytes[4096];
    uint32_t large = 300000;
    struct proto_span large_span = {(const uint8_t *)&large, sizeof large};
    size_t count = net_peer_frame(bytes, 2, 1, proto_span_text("now"));
    count += net_peer_frame(bytes + count, NET_ECHO_LATER, 2, proto_span_text("later"));
    count += net_peer_frame(bytes + count, NET_ECHO_LARGE, 3, large_span);
    count += net_peer_frame(bytes + count, NET_ECHO_LARGE_LATER, 4, large_span);
    count += net_peer_frame(bytes + count, NET_ECHO_PROGRESS, 5, proto_span_text("p"));
    memset(bytes + count, 0, PROTO_HEADER_BYTES); /* of version 0, and then a part of a good one */
    count += PROTO_HEADER_BYTES;
    count += net_peer_frame(bytes + count, 2, 6, proto_span_text("in two pieces")) - 5;
    int fd = net_peer_tcp_small(net_server_port(echo->server), 4096);
    if (fd < 0) {
        return;
    }
    bool ok = net_peer_send(fd, bytes, count);
    net_test_sleep_ms(2);
    ok = ok && net_peer_send(fd, "ieces", 5);
    struct proto_header header;
    for (unsigned i = 0; ok && i < 10; i++) { /* seven replies and three of progress */
        ok = net_peer_reply(fd, &header, NULL);
    }
    close(fd);
}

static void connection_that_finds_no_memory_closes_and_the_server_goes_on(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.idle_ms = 200; /* a reply that the poster could not make is awaited in vain */
    net_test_start(&echo, &options);
    unsigned nth = 1;
    for (bool was_reached = true; was_reached && nth < FAILURES_MAX; nth++) {
        atomic_store(&countdown, nth);
        visit(&echo);
        was_reached = atomic_exchange(&countdown, 0) == 0;
        int fd = net_test_connect(&echo);
        net_test_ping(fd, nth);
        close(fd);
    }
    print_message("%u allocations failed in turn\n", nth - 1);
    assert_true(nth > 10 && nth < FAILURES_MAX);
    net_wait_for(net_test_counters(&echo).connections_open == 0);
    net_wait_for(net_test_counters(&echo).bytes_held == 0);
    assert_int_equal(net_test_counters(&echo).requests_pending, 0);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_that_finds_no_memory_is_refused_whole),
        cmocka_unit_test(connection_that_finds_no_memory_closes_and_the_server_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
