/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>

#define SILENT ((size_t)1000)

static void accept_tells_connections_past_the_limit_that_it_is_busy(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    options.connections_max = 5;
    net_test_start(&echo, &options);
    int fds[5];
    for (uint32_t i = 0; i < 5; i++) {
        fds[i] = net_test_connect(&echo);
        net_test_ping(fds[i], i);
    }
    for (unsigned i = 0; i < 200; i++) { /* more than are kept for a farewell */
        int more = net_test_connect(&echo);
        net_test_expect(more, PROTO_BUSY, 0);
        assert_true(net_peer_closed(more));
        close(more);
    }
    net_wait_for(net_test_counters(&echo).connections_refused == 200);
    assert_int_equal(net_test_counters(&echo).connections_open, 5);
    close(fds[0]);
    net_wait_for(net_test_counters(&echo).connections_open == 4);
    fds[0] = net_test_connect(&echo);
    for (uint32_t i = 0; i < 5; i++) {
        net_test_ping(fds[i], i);
        close(fds[i]);
    }
    net_echo_stop(&echo, 1000);
}

static int socket_unconnected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = NET_PEER_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void connect_to(int fd, const struct net_echo *echo)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)net_server_port(echo->server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
}

static void accept_without_descriptors_tells_so_and_goes_on_when_there_are_some(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    net_test_ping(good, 1);
    int fds[10];
    for (unsigned i = 0; i < 10; i++) {
        fds[i] = socket_unconnected();
    }
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(good); /* the number that the server's next accept would get */
    close(lowest);
    struct rlimit none = {(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (unsigned i = 0; i < 10; i++) {
        connect_to(fds[i], &echo);
        net_test_expect(fds[i], PROTO_BUSY, 0);
        assert_true(net_peer_closed(fds[i]));
        net_test_ping(good, i);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(net_test_counters(&echo).accept_emfile, 10);
    assert_int_equal(net_test_counters(&echo).connections_accepted, 1);
    int again = net_test_connect(&echo);
    net_test_ping(again, 2);
    for (unsigned i = 0; i < 10; i++) {
        close(fds[i]);
    }
    close(again);
    close(good);
    net_echo_stop(&echo, 1000);
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void silent_connections_cost_little_and_harm_nobody(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    net_test_ping(good, 1);
    long before = resident_bytes();
    uint64_t held_before = net_test_counters(&echo).bytes_held;
    static int fds[SILENT];
    for (unsigned i = 0; i < SILENT; i++) {
        fds[i] = net_test_connect(&echo);
    }
    net_wait_for(net_test_counters(&echo).connections_open == SILENT + 1);
    net_test_ping(good, 2);
    uint64_t held = net_test_counters(&echo).bytes_held - held_before;
    long resident = resident_bytes() - before;
    print_message("%zu silent connections: %llu bytes held, resident memory grew by %ld bytes\n",
                  SILENT, (unsigned long long)held, resident);
    assert_true(held <= SILENT * 1024);
    assert_true(resident < 16L << 20); /* wide, for sanitizers; without them it is about 1 MiB */
    /* Each says one byte and waits: now a small buffer is held for each. */
    for (unsigned i = 0; i < SILENT; i++) {
        assert_true(net_peer_send(fds[i], "x", 1));
    }
    net_wait_for(net_test_counters(&echo).bytes_in >= SILENT);
    net_test_ping(good, 3);
    held = net_test_counters(&echo).bytes_held - held_before;
    print_message("%zu that sent one byte: %llu bytes held\n", SILENT, (unsigned long long)held);
    assert_true(held <= SILENT * 2048);
    for (unsigned i = 0; i < SILENT; i++) {
        close(fds[i]);
    }
    net_wait_for(net_test_counters(&echo).connections_open == 1);
    close(good);
    net_echo_stop(&echo, 1000);
}

static _Atomic uint64_t clock_ns;

static uint64_t clock_of_test(void *context)
{
    (void)context;
    return atomic_load(&clock_ns);
}

static void more_than_accepts_max_wait_while_others_are_served(void **state)
{
    (void)state;
    enum { MOST = 40, MORE = 120 };
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    options.accepts_max = MOST;
    options.now_ns = clock_of_test;
    atomic_store(&clock_ns, UINT64_C(1000000000));
    net_test_start(&echo, &options);
    int fds[MORE];
    fds[0] = net_test_connect(&echo);
    net_test_ping(fds[0], 1);
    for (unsigned i = 1; i < MORE; i++) {
        fds[i] = socket_unconnected();
        connect_to(fds[i], &echo); /* the backlog takes them all */
    }
    net_wait_for(net_test_counters(&echo).connections_accepted == MOST);
    uint64_t rests = net_test_counters(&echo).accept_rests;
    net_wait_for(net_test_counters(&echo).accept_rests > rests + 4); /* it looked again */
    assert_int_equal(net_test_counters(&echo).connections_accepted, MOST);
    net_test_ping(fds[0], 2);                         /* whoever is in is served */
    atomic_fetch_add(&clock_ns, UINT64_C(500000000)); /* half a second's worth */
    net_wait_for(net_test_counters(&echo).connections_accepted == MOST + MOST / 2);
    atomic_fetch_add(&clock_ns, UINT64_C(5000000000)); /* a rest saves up one second's, not five */
    net_wait_for(net_test_counters(&echo).connections_accepted == MOST + MOST / 2 + MOST);
    rests = net_test_counters(&echo).accept_rests;
    net_wait_for(net_test_counters(&echo).accept_rests > rests + 4);
    assert_int_equal(net_test_counters(&echo).connections_accepted, MOST + MOST / 2 + MOST);
    atomic_fetch_add(&clock_ns, UINT64_C(1000000000));
    net_wait_for(net_test_counters(&echo).connections_accepted == MORE);
    for (unsigned i = 0; i < MORE; i++) {
        net_test_ping(fds[i], i);
        close(fds[i]);
    }
    net_echo_stop(&echo, 1000);
}

static void waiting_connections_do_not_hold_up_a_drain(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.accepts_max = 1;
    options.now_ns = clock_of_test;
    atomic_store(&clock_ns, UINT64_C(1000000000));
    net_test_start(&echo, &options);
    int fds[3];
    fds[0] = net_test_connect(&echo);
    net_test_ping(fds[0], 1);
    for (unsigned i = 1; i < 3; i++) {
        fds[i] = socket_unconnected();
        connect_to(fds[i], &echo);
    }
    net_wait_for(net_test_counters(&echo).accept_rests > 0);
    net_echo_stop(&echo, 0);
    for (unsigned i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_tells_connections_past_the_limit_that_it_is_busy),
        cmocka_unit_test(accept_without_descriptors_tells_so_and_goes_on_when_there_are_some),
        cmocka_unit_test(silent_connections_cost_little_and_harm_nobody),
        cmocka_unit_test(more_than_accepts_max_wait_while_others_are_served),
        cmocka_unit_test(waiting_connections_do_not_hold_up_a_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
