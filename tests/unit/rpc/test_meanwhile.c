/* SPDX-License-Identifier: Apache-2.0 */
/* What lists and figures are made of changes while they are written: connections come and go,
 * requests are recorded, accounts, events, identity entries, lists and versions are written by
 * others. Every reply must be whole all the same: a count that is taken before its entries, from
 * what others change, is one that the fixture finds sooner or later (its controls are in
 * test_replies). Asked in rounds, not for a time; TSan sees the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "server/base/clock.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 400, ROUNDS = 25, UNDER_WAY_MOST = 32 };

static struct rpc_fixture fixture;

/* Others on the same engine: requests of their own, whose replies nobody reads, and connections of
 * the fixture's own server. */
struct others {
    pthread_t thread;
    struct rpc *rpc;
    struct rpc_worker *worker;
    struct rpc_worker *visitor; /* of the fixture's; counts in the block of its worker */
    struct base_metrics *metrics;
    struct rpc_session session;
    struct proto_writer request;
    struct proto_writer out;
    _Atomic unsigned under_way;
    _Atomic unsigned written;
    _Atomic bool stop;
};

static struct others others;

static void passed_by(void *context, struct rpc_ticket ticket, struct proto_span frames, bool final)
{
    struct others *all = context;
    (void)ticket;
    free((void *)(uintptr_t)frames.data);
    if (final) {
        atomic_fetch_sub(&all->under_way, 1);
        atomic_fetch_add(&all->written, 1);
    }
}

static void stats_none(void *context, struct proto_writer *out)
{
    (void)context;
    proto_write_map(out, 0);
}

/* Sends one request and waits for nothing. */
static void send_to(struct rpc_worker *worker, struct rpc_session *session, enum proto_op op,
                    const char *text)
{
    struct proto_span payload = rpc_request_json(&others.request, text);
    struct proto_frame frame = {.header = {.payload_bytes = (uint32_t)payload.bytes,
                                           .version = 1,
                                           .code = (uint8_t)op,
                                           .request_id = 1},
                                .payload = payload};
    struct rpc_batch batch = {
        .session = session, .frames = &frame, .count = 1, .out_room = SIZE_MAX, .out = &others.out};
    proto_writer_reset(&others.out);
    while (atomic_load(&others.under_way) >= UNDER_WAY_MOST) {
        sched_yield();
    }
    atomic_fetch_add(&others.under_way, 1);
    if (rpc_serve(worker, &batch) == 0) {
        atomic_fetch_sub(&others.under_way, 1);
    }
}

static void write_turn(unsigned turn)
{
    static const struct {
        enum proto_op op;
        const char *request; /* with the number of the turn */
    } writes[] = {
        {PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[{\"id\":\"a1\",\"keys\":[\"crm:n%u\"],"
                                 "\"values\":{\"employees\":%u}}]}"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"n%u\",\"values\":{\"employees\":%u}}],"
                               "\"import_id\":\"i\"}"},
        {PROTO_OP_EVENT_APPEND,
         "{\"events\":[{\"account\":\"a1\",\"type\":\"touch\",\"id\":\"t%u\","
         "\"time\":%u}]}"},
        {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"link\",\"account\":\"a2\",\"other\":\"n%u\","
                            "\"reason\":\"turn %u\"}]}"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"l%u\",\"k\":3,\"note\":\"turn %u\"}"},
        {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i%u\",\"name\":\"turn %u\"}"},
        {PROTO_OP_ICP_ACTIVATE, "{\"icp\":1,\"operation\":\"s%u\",\"reason\":\"turn %u\"}"},
    };
    size_t at = turn % (sizeof writes / sizeof *writes);
    char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, writes[at].request, turn, turn);
#pragma GCC diagnostic pop
    send_to(others.worker, &others.session, writes[at].op, text);
}

static void *others_run(void *context)
{
    (void)context;
    for (unsigned turn = 0; !atomic_load(&others.stop); turn++) {
        struct rpc_session visit = {0};
        char name[48];
        rpc_session_open(fixture.rpc, &visit, "127.0.0.1:1");
        (void)snprintf(name, sizeof name, "{\"client\":\"visitor/%u\"}", turn);
        send_to(others.visitor, &visit, PROTO_OP_HELLO, name);
        write_turn(turn);
        rpc_session_close(fixture.rpc, &visit);
    }
    return NULL;
}

static void others_begin(void)
{
    struct proto_fault fault = {0};
    struct base_clock clock = base_clock_system();
    others.metrics = base_metrics_create(1 + RPC_EXTRA_BLOCKS);
    struct rpc_options options = {
        .engine = fixture.engine,
        .lookalike = fixture.lookalike,
        .dispute = fixture.dispute,
        .metrics = others.metrics,
        .workers = 1,
        .now_ns = clock.now_ns,
        .now_context = clock.context,
        .post = passed_by,
        .post_context = &others,
        .stats_write = stats_none,
    };
    assert_non_null(others.metrics);
    proto_writer_init(&others.request);
    proto_writer_init(&others.out);
    others.rpc = rpc_create(&options, &fault);
    assert_non_null(others.rpc);
    others.worker = rpc_worker_create(others.rpc, 0, &fault);
    others.visitor = rpc_worker_create(fixture.rpc, 0, &fault);
    assert_true(others.worker && others.visitor);
    assert_int_equal(pthread_create(&others.thread, NULL, others_run, NULL), 0);
}

static void others_end(void)
{
    atomic_store(&others.stop, true);
    assert_int_equal(pthread_join(others.thread, NULL), 0);
    while (atomic_load(&others.under_way) > 0) {
        sched_yield();
    }
    rpc_session_close(others.rpc, &others.session);
    rpc_worker_destroy(others.worker);
    rpc_worker_destroy(others.visitor);
}

static void replies_are_whole_while_others_change_what_they_tell(void **state)
{
    (void)state;
    static const struct {
        enum proto_op op;
        const char *request;
    } asked[] = {
        {PROTO_OP_HELLO, "{}"},
        {PROTO_OP_CLIENT_LIST, "{}"},
        {PROTO_OP_MONITOR, "{\"after\":1}"},
        {PROTO_OP_SLOW_LOG, "{}"},
        {PROTO_OP_AUDIT, "{\"limit\":20}"},
        {PROTO_OP_JOB_LIST, "{}"},
        {PROTO_OP_ICP_LIST, "{}"},
        {PROTO_OP_TAL_LIST, "{}"},
        {PROTO_OP_IMPORT_LIST, "{\"limit\":20}"},
        {PROTO_OP_IDENTITY_LIST, "{\"id\":\"a2\"}"},
        {PROTO_OP_IDENTITY_LIST, "{\"limit\":20}"},
        {PROTO_OP_ACCOUNT_GET, "{\"id\":\"a1\"}"},
        {PROTO_OP_ACCOUNT_HISTORY, "{\"id\":\"a1\"}"},
        {PROTO_OP_TIMELINE, "{\"id\":\"a1\"}"},
        {PROTO_OP_LIFECYCLE, "{\"id\":\"a1\"}"},
        {PROTO_OP_EVENT_QUERY, "{\"members\":[\"type\"]}"},
        {PROTO_OP_FILTER, "{\"filter\":\"employees > 0\",\"fields\":[\"employees\"],\"limit\":9}"},
        {PROTO_OP_ICP_WHAT_IF, "{\"icp\":1,\"by\":\"industry\"}"},
        {PROTO_OP_SCORE, "{\"id\":\"a1\",\"reasons\":3}"},
        {PROTO_OP_EXPLAIN, "{\"id\":\"a1\"}"},
        {PROTO_OP_SIMILAR_PLAN, "{}"},
    };
    struct proto_writer request;
    struct proto_arg args[PROTO_ARGS_MAX];
    proto_writer_init(&request);
    others_begin();
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            rpc_fixture_ask(&fixture, (uint8_t)asked[i].op,
                            rpc_request_json(&request, asked[i].request), args);
        }
    }
    while (atomic_load(&others.written) < ROUNDS) {
        sched_yield(); /* else nothing has been seen to change */
    }
    others_end();
    proto_writer_fini(&request);
}

static int setup(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_session_open(fixture.rpc, &fixture.session, "127.0.0.1:4273");
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc_fixture_close(&fixture);
    rpc_destroy(others.rpc); /* a lane may have ended with it a moment ago */
    base_metrics_destroy(others.metrics);
    proto_writer_fini(&others.request);
    proto_writer_fini(&others.out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_whole_while_others_change_what_they_tell),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
