/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

/* Of net_test_ping. */
#define FRAME_BYTES ((uint64_t)PROTO_HEADER_BYTES + 4)

static void server_answers_on_every_worker_of_one_free_port(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    net_test_start(&echo, &options);
    assert_int_not_equal(net_server_port(echo.server), 0);
    assert_int_equal(net_server_workers(echo.server), 2);
    int fds[32];
    for (uint32_t i = 0; i < 32; i++) {
        fds[i] = net_test_connect(&echo);
        net_test_ping(fds[i], i);
    }
    net_wait_for(net_test_counters(&echo).bytes_out == 32 * FRAME_BYTES);
    struct net_counters counters = net_test_counters(&echo);
    assert_int_equal(counters.connections_accepted, 32);
    assert_int_equal(counters.connections_open, 32);
    assert_int_equal(counters.frames_in, 32);
    assert_int_equal(counters.frames_out, 32);
    assert_int_equal(counters.bytes_in, 32 * FRAME_BYTES);
    for (unsigned i = 0; i < 32; i++) {
        close(fds[i]);
    }
    net_wait_for(net_test_counters(&echo).connections_open == 0);
    assert_int_equal(net_test_counters(&echo).closed_peer, 32);
    net_wait_for(net_test_counters(&echo).bytes_held == 0);
    net_echo_stop(&echo, 1000);
    assert_int_equal(atomic_load(&echo.workers_started), 2);
    assert_int_equal(atomic_load(&echo.workers_stopped), 2);
    assert_int_equal(atomic_load(&echo.conns_seen), 32);
    assert_int_equal(atomic_load(&echo.conns_closed), 32);
    assert_true(atomic_load(&echo.rests) <= atomic_load(&echo.turns));
}

static void server_rests_once_after_the_last_turn_and_again_after_the_next(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    for (unsigned round = 1; round <= 3; round++) {
        net_test_ping(fd, round);
        net_wait_for(atomic_load(&echo.rests) == round);
    }
    net_test_sleep_ms(600); /* more than two sweeps without a turn: no further rest */
    assert_int_equal(atomic_load(&echo.rests), 3);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static size_t never_called(void *context, void *worker, struct net_conn *conn,
                           const struct proto_frame *frames, size_t count, struct proto_writer *out)
{
    (void)context, (void)worker, (void)conn, (void)frames, (void)count, (void)out;
    abort();
}

static void server_can_be_destroyed_without_a_start(void **state)
{
    (void)state;
    struct net_options options = net_test_options(3);
    struct net_handler handler = {.on_frames = never_called};
    struct proto_fault fault;
    struct net_server *server = net_server_create(&options, &handler, &fault);
    assert_non_null(server);
    assert_int_not_equal(net_server_port(server), 0);
    net_server_destroy(server);
    net_server_destroy(NULL);
}

static void *refuse_the_second(void *context, unsigned worker_index, struct proto_fault *fault)
{
    if (worker_index == 1) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for this worker");
        return NULL;
    }
    return context;
}

static void count_stop(void *context, void *worker)
{
    assert_ptr_equal(worker, context);
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void server_does_not_start_where_one_worker_cannot(void **state)
{
    (void)state;
    atomic_uint stopped = 0;
    struct net_options options = net_test_options(3);
    struct net_handler handler = {.context = &stopped,
                                  .on_frames = never_called,
                                  .on_worker_start = refuse_the_second,
                                  .on_worker_stop = count_stop};
    struct proto_fault fault = {0};
    struct net_server *server = net_server_create(&options, &handler, &fault);
    assert_non_null(server);
    assert_false(net_server_start(server, &fault));
    assert_int_equal(fault.code, PROTO_NO_MEMORY);
    assert_string_equal(fault.message, "no memory for this worker");
    assert_int_equal(atomic_load(&stopped), 2);
    net_server_destroy(server);
}

static void server_destroyed_while_it_serves_cuts_its_connections(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    net_test_ping(fd, 1);
    assert_true(net_peer_request(fd, NET_ECHO_HOLD, 2, proto_span_text("x")));
    net_wait_for(net_test_counters(&echo).requests_pending == 1);
    net_echo_stop(&echo, 0);
    assert_true(net_peer_closed(fd));
    close(fd);
}

static void counters_have_names_and_are_all_in_the_table(void **state)
{
    (void)state;
    size_t count = 0;
    const struct net_counter_info *infos = net_counter_infos(&count);
    assert_int_equal(count, sizeof(struct net_counters) / sizeof(uint64_t));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(infos[i].offset, i * sizeof(uint64_t));
        assert_true(strlen(infos[i].name) > 0 && strlen(infos[i].help) > 0);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(infos[i].name, infos[j].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_answers_on_every_worker_of_one_free_port),
        cmocka_unit_test(server_rests_once_after_the_last_turn_and_again_after_the_next),
        cmocka_unit_test(server_can_be_destroyed_without_a_start),
        cmocka_unit_test(server_does_not_start_where_one_worker_cannot),
        cmocka_unit_test(server_destroyed_while_it_serves_cuts_its_connections),
        cmocka_unit_test(counters_have_names_and_are_all_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
