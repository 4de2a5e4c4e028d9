/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that threads share: the bound, the order of those who wait, the deadline, and clients
 * that come back with requests in flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/icp_pool.h"
#include "tests/unit/client/fake_server.h"

static bool serve_pings(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    while (fake_read(fd, &request)) {
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping)) {
            return false;
        }
    }
    return true;
}

static const fake_script four[] = {serve_pings, serve_pings, serve_pings, serve_pings};

static void clients_are_made_when_needed_and_no_more_than_the_bound(void **state)
{
    (void)state;
    const struct icp_pool_options bound = {ICP_POOL_OPTIONS, .connections_max = 2};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, four, 2);
    struct icp_pool *pool = icp_pool_create(server.uri, NULL, &bound, &fault);
    assert_non_null(pool);
    assert_int_equal(icp_pool_state_read(pool).clients, 1);
    assert_int_equal(icp_pool_state_read(pool).connected, 1);
    assert_true(icp_pool_call(pool, ICP_OP_PING, NULL, 0, &reply));
    assert_int_equal(icp_pool_state_read(pool).clients, 1);
    struct icp_client *first = icp_pool_lend(pool, 0, &fault);
    struct icp_client *second = icp_pool_lend(pool, 0, &fault);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_true(icp_call(second, ICP_OP_PING, NULL, &reply));
    assert_null(icp_pool_lend(pool, 20, &fault));
    assert_int_equal(fault.code, ICP_TIMEOUT);
    assert_false(icp_pool_call(pool, ICP_OP_PING, NULL, 20, &reply));
    assert_int_equal(reply.fault.code, ICP_TIMEOUT);
    assert_int_equal(icp_pool_state_read(pool).lent, 2);
    icp_pool_give_back(pool, first);
    icp_pool_give_back(pool, second);
    assert_ptr_equal(icp_pool_lend(pool, 0, &fault), second); /* the warmest */
    icp_pool_give_back(pool, second);
    icp_reply_fini(&reply);
    icp_pool_destroy(pool);
    assert_true(fake_stop(&server));
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    const struct icp_pool_options many = {ICP_POOL_OPTIONS, .connections_max = 1000000};
    const struct icp_options quick = {ICP_OPTIONS, .connect_timeout_ms = 100};
    struct icp_fault fault;
    assert_null(icp_pool_create("icp://127.0.0.1:1", NULL, &many, &fault));
    assert_int_equal(fault.code, ICP_USAGE);
    assert_null(icp_pool_create("nonsense", NULL, NULL, &fault));
    assert_int_equal(fault.code, ICP_USAGE);
    assert_null(icp_pool_create("icp://127.0.0.1:1", &quick, NULL, &fault));
    assert_int_equal(fault.code, ICP_CONNECT);
}

/* Threads that wait are served in the order in which they came. */

struct waiting {
    struct icp_pool *pool;
    atomic_uint *next;
    unsigned order;
    pthread_t thread;
};

static void *wait_in_line(void *context)
{
    struct waiting *waiting = context;
    struct icp_fault fault;
    struct icp_client *client = icp_pool_lend(waiting->pool, 0, &fault);
    if (client == NULL) {
        return NULL;
    }
    waiting->order = atomic_fetch_add(waiting->next, 1);
    icp_pool_give_back(waiting->pool, client);
    return NULL;
}

static void threads_that_wait_are_served_in_order(void **state)
{
    (void)state;
    const struct icp_pool_options bound = {ICP_POOL_OPTIONS, .connections_max = 1};
    struct fake_server server;
    struct icp_fault fault;
    struct waiting waiting[5];
    atomic_uint next = 1;
    fake_start(&server, true, four, 1);
    struct icp_pool *pool = icp_pool_create(server.uri, NULL, &bound, &fault);
    assert_non_null(pool);
    struct icp_client *client = icp_pool_lend(pool, 0, &fault);
    for (unsigned i = 0; i < 5; i++) {
        waiting[i] = (struct waiting){.pool = pool, .next = &next};
        assert_int_equal(pthread_create(&waiting[i].thread, NULL, wait_in_line, &waiting[i]), 0);
        while (icp_pool_state_read(pool).waiting != i + 1) {
            fake_sleep_ms(1);
        }
    }
    icp_pool_give_back(pool, client);
    for (unsigned i = 0; i < 5; i++) {
        pthread_join(waiting[i].thread, NULL);
        assert_int_equal(waiting[i].order, i + 1);
    }
    assert_int_equal(icp_pool_state_read(pool).lent, 0);
    icp_pool_destroy(pool);
    assert_true(fake_stop(&server));
}

static void *call_many(void *context)
{
    struct waiting *waiting = context;
    struct icp_reply reply = {0};
    for (int i = 0; i < 200; i++) {
        waiting->order += icp_pool_call(waiting->pool, ICP_OP_PING, NULL, 0, &reply);
    }
    icp_reply_fini(&reply);
    return NULL;
}

static void many_threads_share_few_clients(void **state)
{
    (void)state;
    const struct icp_pool_options bound = {ICP_POOL_OPTIONS, .connections_max = 4};
    const struct icp_options options = {ICP_OPTIONS, .connect_later = true};
    struct fake_server server;
    struct icp_fault fault;
    struct waiting threads[12];
    fake_start(&server, true, four, 4);
    struct icp_pool *pool = icp_pool_create(server.uri, &options, &bound, &fault);
    assert_non_null(pool);
    for (size_t i = 0; i < 12; i++) {
        threads[i] = (struct waiting){.pool = pool};
        assert_int_equal(pthread_create(&threads[i].thread, NULL, call_many, &threads[i]), 0);
    }
    for (size_t i = 0; i < 12; i++) {
        pthread_join(threads[i].thread, NULL);
        assert_int_equal(threads[i].order, 200);
    }
    assert_true(icp_pool_state_read(pool).clients <= 4);
    icp_pool_destroy(pool);
    (void)fake_stop(&server); /* perhaps fewer than four were ever needed */
    assert_false(server.failed);
}

static void client_given_back_in_flight_starts_anew(void **state)
{
    (void)state;
    const struct icp_pool_options bound = {ICP_POOL_OPTIONS, .connections_max = 1};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, four, 2);
    struct icp_pool *pool = icp_pool_create(server.uri, NULL, &bound, &fault);
    struct icp_client *client = icp_pool_lend(pool, 0, &fault);
    assert_int_not_equal(icp_send(client, ICP_OP_PING, NULL, &fault), 0);
    icp_pool_give_back(pool, client);
    client = icp_pool_lend(pool, 0, &fault);
    assert_int_equal(icp_in_flight(client), 0);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_pool_give_back(pool, client);
    icp_reply_fini(&reply);
    icp_pool_destroy(pool);
    assert_true(fake_stop(&server));
}

static void score_of_a_pool_falls_back_too(void **state)
{
    (void)state;
    const struct icp_options options = {ICP_OPTIONS, .connect_later = true,
                                        .connect_timeout_ms = 50, .default_score = true,
                                        .default_fit = 12};
    const struct icp_pool_options bound = {ICP_POOL_OPTIONS, .connections_max = 1};
    struct icp_fault fault;
    struct icp_score score = {ICP_SCORE};
    const struct icp_query query = {ICP_QUERY, .id = "a1", .timeout_ms = 30};
    struct icp_pool *pool = icp_pool_create("icp://127.0.0.1:1", &options, &bound, &fault);
    assert_non_null(pool);
    assert_true(icp_pool_score(pool, &query, &score, &fault));
    assert_true(score.is_default && score.fit == 12);
    assert_int_equal(score.grade, 'D');
    assert_int_equal(fault.code, ICP_CONNECT);
    struct icp_client *client = icp_pool_lend(pool, 0, &fault);
    assert_true(icp_pool_score(pool, &query, &score, &fault)); /* there is none to lend */
    assert_true(score.is_default);
    assert_int_equal(fault.code, ICP_TIMEOUT);
    icp_pool_give_back(pool, client);
    icp_score_fini(&score);
    icp_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_made_when_needed_and_no_more_than_the_bound),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(threads_that_wait_are_served_in_order),
        cmocka_unit_test(many_threads_share_few_clients),
        cmocka_unit_test(client_given_back_in_flight_starts_anew),
        cmocka_unit_test(score_of_a_pool_falls_back_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
