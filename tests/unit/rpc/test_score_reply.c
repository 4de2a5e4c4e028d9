/* SPDX-License-Identifier: Apache-2.0 */
/* Explained scores: the short way against the ordinary one, byte by byte, and both against the
 * document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/rpc/rpc_fixture.h"

#define ACCOUNTS 600

static struct rpc_fixture fixture;

/* Takes values from some accounts and lets those of others be old, so that fields are missing and
 * stale (employees, after 30 days). */
static void accounts_spoil(void)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_writer request;
    proto_writer_init(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "accounts");
    proto_write_array(&request, 2 * (ACCOUNTS / 3));
    for (unsigned i = 0; i < ACCOUNTS / 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%u", 3 * i);
        proto_write_map(&request, 2);
        proto_write_text(&request, "id");
        proto_write_text(&request, id);
        proto_write_text(&request, "values");
        proto_write_map(&request, 2);
        proto_write_text(&request, i % 2 ? "industry" : "tech");
        proto_write_nil(&request);
        proto_write_text(&request, "employees"); /* else the old value would not be taken */
        proto_write_nil(&request);
        proto_write_map(&request, 3);
        proto_write_text(&request, "id");
        proto_write_text(&request, id);
        proto_write_text(&request, "time");
        proto_write_uint(&request, 1000);
        proto_write_text(&request, "values");
        proto_write_map(&request, 1);
        proto_write_text(&request, "employees");
        proto_write_uint(&request, 10 + i);
    }
    rpc_fixture_ask(&fixture, PROTO_OP_ACCOUNT_PATCH, proto_writer_span(&request), args);
    proto_writer_fini(&request);
}

/* A patch leaves the row to be made by the next fold; the short way needs it. */
static void rows_await(void)
{
    struct timespec rest = {0, 10000000};
    struct proto_fault fault;
    struct store *store = engine_store(fixture.engine);
    struct store_view *view = store_view_open(store, &fault);
    bool ready = false;
    for (unsigned i = 0; i < 3000 && !ready; i++) {
        struct store_stats stats;
        store_stats(store, &stats);
        ready = stats.index_ready != 0 && store_view_refresh(view, &fault) &&
                store_view_rows_slots(view) >= ACCOUNTS;
        nanosleep(&rest, NULL);
    }
    assert_true(ready);
    store_view_close(view);
}

static int setup(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    accounts_spoil();
    rpc_fixture_learn(&fixture);
    rows_await();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc_fixture_close(&fixture);
    return 0;
}

/* {"id", "reasons"}, and with `icp` too what only the ordinary handler reads. */
static struct proto_span request_make(struct proto_writer *request, unsigned account,
                                      unsigned reasons, bool ordinary)
{
    char id[16];
    snprintf(id, sizeof id, "a%u", account);
    proto_writer_reset(request);
    proto_write_map(request, ordinary ? 3 : 2);
    proto_write_text(request, "id");
    proto_write_text(request, id);
    proto_write_text(request, "reasons");
    proto_write_uint(request, reasons);
    if (ordinary) {
        proto_write_text(request, "icp");
        proto_write_uint(request, 1);
    }
    return proto_writer_span(request);
}

static void the_short_way_and_the_ordinary_one_give_the_same_bytes(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 2, 3, 8, 9, 127};
    struct proto_writer request;
    struct proto_writer kept;
    proto_writer_init(&request);
    proto_writer_init(&kept);
    for (unsigned account = 0; account < ACCOUNTS + 5; account++) {
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            struct proto_span reply;
            uint8_t status =
                rpc_fixture_call(&fixture, PROTO_OP_SCORE,
                                 request_make(&request, account, counts[c], false), &reply);
            assert_int_equal(status, account < ACCOUNTS ? PROTO_OK : PROTO_NOT_FOUND);
            proto_writer_reset(&kept);
            proto_write_raw(&kept, reply);
            assert_int_equal(rpc_fixture_call(&fixture, PROTO_OP_SCORE,
                                              request_make(&request, account, counts[c], true),
                                              &reply),
                             status);
            assert_int_equal(reply.bytes, kept.bytes);
            assert_memory_equal(reply.data, kept.data, kept.bytes);
        }
    }
    proto_writer_fini(&kept);
    proto_writer_fini(&request);
}

static int64_t reasons_sum(struct proto_span list, size_t *count)
{
    struct proto_fault fault = {0};
    struct proto_reader reader;
    int64_t sum = 0;
    int64_t last = INT64_MAX;
    proto_reader_init(&reader, list, &fault);
    *count = proto_read_array(&reader);
    for (size_t i = 0; i < *count; i++) {
        assert_int_equal(proto_read_map(&reader), 3);
        assert_true(proto_span_is(proto_read_str(&reader), "field"));
        assert_true(proto_read_str(&reader).bytes > 0);
        assert_true(proto_span_is(proto_read_str(&reader), "value"));
        assert_true(proto_read_str(&reader).bytes > 0);
        assert_true(proto_span_is(proto_read_str(&reader), "contribution"));
        int64_t contribution = proto_read_int(&reader);
        int64_t size = contribution < 0 ? -contribution : contribution;
        assert_true(size > 0 && size <= last);
        last = size;
        sum += contribution;
        proto_reader_leave(&reader);
    }
    assert_true(proto_reader_end(&reader));
    return sum;
}

static bool lists(const struct proto_arg *arg, const char *name)
{
    struct proto_fault fault = {0};
    struct proto_reader reader;
    bool found = false;
    proto_reader_init(&reader, arg->value, &fault);
    for (size_t left = proto_read_array(&reader); left > 0; left--) {
        found = proto_span_is(proto_read_str(&reader), name) || found;
    }
    return found;
}

static void an_explanation_adds_up_and_tells_what_is_missing_and_stale(void **state)
{
    (void)state;
    struct proto_writer request;
    proto_writer_init(&request);
    for (unsigned account = 0; account < ACCOUNTS; account++) {
        struct proto_arg args[PROTO_ARGS_MAX];
        size_t count;
        char id[16];
        snprintf(id, sizeof id, "a%u", account);
        rpc_fixture_ask(&fixture, PROTO_OP_SCORE,
                        request_make(&request, account, 1 + account % 4, false), args);
        int64_t sum = reasons_sum(args[PROTO_A_SCORE_REASONS].value, &count);
        assert_true(count <= 2 * (1 + account % 4));
        assert_int_equal(args[PROTO_A_SCORE_INTERCEPT].integer + sum +
                             args[PROTO_A_SCORE_REST].integer,
                         args[PROTO_A_SCORE_RAW].integer);
        assert_true(proto_span_is(args[PROTO_A_SCORE_ID].text, id));
        assert_true(args[PROTO_A_SCORE_FIT_LOW].number <= args[PROTO_A_SCORE_FIT_HIGH].number);
        bool spoilt = account % 3 == 0;
        bool odd = account / 3 % 2 == 1;
        assert_int_equal(lists(&args[PROTO_A_SCORE_MISSING], "industry"), spoilt && odd);
        assert_int_equal(lists(&args[PROTO_A_SCORE_MISSING], "tech"), spoilt && !odd);
        assert_int_equal(lists(&args[PROTO_A_SCORE_STALE], "employees"), spoilt);
        assert_false(args[PROTO_A_SCORE_UNKNOWN].present);
    }
    proto_writer_fini(&request);
}

/* A group is looked up as one; what it writes beyond the room is bounded all the same. */
static void many_reasons_end_a_run_early(void **state)
{
    (void)state;
    enum { FRAMES = 64 };
    static const struct {
        unsigned reasons;
        size_t done;
    } cases[] = {{127, 5}, {3, FRAMES}};
    for (size_t c = 0; c < 2; c++) {
        struct proto_frame frames[FRAMES] = {0};
        struct proto_writer requests[FRAMES];
        for (unsigned i = 0; i < FRAMES; i++) {
            proto_writer_init(&requests[i]);
            frames[i].payload = request_make(&requests[i], i, cases[c].reasons, false);
            frames[i].header = (struct proto_header){.version = 1, .code = PROTO_OP_SCORE};
        }
        struct rpc_batch batch = {.session = &fixture.session,
                                  .frames = frames,
                                  .count = FRAMES,
                                  .out_room = 100,
                                  .out = &fixture.out};
        proto_writer_reset(&fixture.out);
        assert_int_equal(rpc_serve(fixture.worker, &batch), 0);
        assert_int_equal(batch.done, cases[c].done);
        for (unsigned i = 0; i < FRAMES; i++) {
            proto_writer_fini(&requests[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_short_way_and_the_ordinary_one_give_the_same_bytes),
        cmocka_unit_test(an_explanation_adds_up_and_tells_what_is_missing_and_stale),
        cmocka_unit_test(many_reasons_end_a_run_early),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
