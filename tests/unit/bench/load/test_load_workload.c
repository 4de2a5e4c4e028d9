/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/load/load_account.h"
#include "bench/load/load_workload.h"
#include "proto/request.h"

static struct load_workload parsed(const char *text)
{
    struct load_workload workload;
    struct proto_fault fault = {0};
    load_workload_default(&workload);
    if (!load_workload_parse(&workload, text, "test", &fault)) {
        fail_msg("%s", fault.message);
    }
    return workload;
}

static void settings_comments_and_blanks_are_read(void **state)
{
    (void)state;
    struct load_workload workload = parsed("# a comment\n\n  depth =  64 # more\nscore_id=1");
    assert_true(workload.depth == 64 && workload.score_id == 1 && workload.connections == 50);
}

static void a_bad_line_is_named_with_its_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"depth = 1\ndeep = 2", "depth = 1\ndepth = many",
                                      "depth = 1\ndepth = 0", "depth = 1\ndepth",
                                      "depth = 1\ndepth = nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct load_workload workload;
        struct proto_fault fault = {0};
        load_workload_default(&workload);
        assert_false(load_workload_parse(&workload, bad[i], "test.conf", &fault));
        assert_non_null(strstr(fault.message, "test.conf:2:"));
    }
}

/* Decodes every request by the server's own table and counts them by operation. */
static void requests_count(const struct load_traffic *traffic, unsigned counts[256])
{
    memset(counts, 0, 256 * sizeof *counts);
    for (uint32_t i = 0; i < traffic->count; i++) {
        struct proto_span bytes = {traffic->bytes + traffic->offsets[i],
                                   traffic->offsets[i + 1] - traffic->offsets[i]};
        struct proto_header header;
        struct proto_span payload;
        struct proto_fault fault = {0};
        struct proto_request request;
        size_t used;
        assert_int_equal(proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, false, &header, &payload,
                                           &used, &fault),
                         PROTO_FRAME_WHOLE);
        assert_int_equal(used, bytes.bytes);
        assert_int_equal(header.request_id, i);
        if (!proto_request_decode(proto_op_find(header.code), payload, &request, &fault)) {
            fail_msg("%s: %s", fault.field, fault.message);
        }
        counts[header.code]++;
    }
}

static void shares_are_kept_and_every_request_is_sound(void **state)
{
    (void)state;
    struct load_workload workload =
        parsed("score_id=40\nscore_email=20\nscore_unknown=10\nscore_inline=10\nscore_many=1\n"
               "ids=5\nsimilar=1\nupdate=14\nput=4\nreasons=2\nzipf=0.9");
    struct load_traffic traffic;
    struct proto_fault fault = {0};
    unsigned counts[256];
    assert_true(load_workload_traffic(&workload, 1000, LOAD_SEED, &traffic, &fault));
    assert_int_equal(traffic.count & (traffic.count - 1), 0);
    requests_count(&traffic, counts);
    double total = traffic.count;
    assert_true(counts[PROTO_OP_SCORE] / total > 0.78 && counts[PROTO_OP_SCORE] / total < 0.82);
    assert_true(counts[PROTO_OP_ACCOUNT_PATCH] / total > 0.13);
    assert_true(counts[PROTO_OP_ACCOUNT_PUT] > 0 && counts[PROTO_OP_SCORE_MANY] > 0);
    assert_true(counts[PROTO_OP_SIMILAR] > 0);
    load_traffic_fini(&traffic);
}

static void a_workload_that_asks_for_nothing_is_refused(void **state)
{
    (void)state;
    struct load_workload workload = parsed("");
    struct load_traffic traffic;
    struct proto_fault fault = {0};
    assert_false(load_workload_traffic(&workload, 1000, 1, &traffic, &fault));
}

static void every_shipped_workload_is_read(void **state)
{
    (void)state;
    static const char *const names[] = {"score_id",   "reasons",      "inline",
                                        "score_many", "lead_routing", "ingest",
                                        "mixed",      "write_1000",   "lookalike"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        struct load_workload workload;
        struct proto_fault fault = {0};
        snprintf(path, sizeof path, "%s/%s.conf", BENCH_WORKLOADS, names[i]);
        load_workload_default(&workload);
        if (!load_workload_load(&workload, path, &fault)) {
            fail_msg("%s", fault.message);
        }
    }
}

static void accounts_are_a_function_of_seed_and_number(void **state)
{
    (void)state;
    struct load_value a[LOAD_FIELDS];
    struct load_value b[LOAD_FIELDS];
    char id[LOAD_ID_BYTES + 1];
    unsigned won = 0;
    load_account_make(7, 42, a);
    load_account_make(7, 42, b);
    for (size_t i = 0; i < LOAD_FIELDS; i++) {
        assert_true(a[i].number == b[i].number && a[i].index == b[i].index);
    }
    for (uint64_t i = 0; i < 2000; i++) {
        load_account_make(7, i, a);
        won += a[LOAD_FIELDS - 1].flag;
    }
    assert_in_range(won, 200, 1000); /* both outcomes are there to learn from */
    load_account_id(42, id);
    assert_string_equal(id, "acct-00000042");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_comments_and_blanks_are_read),
        cmocka_unit_test(a_bad_line_is_named_with_its_number),
        cmocka_unit_test(shares_are_kept_and_every_request_is_sound),
        cmocka_unit_test(a_workload_that_asks_for_nothing_is_refused),
        cmocka_unit_test(every_shipped_workload_is_read),
        cmocka_unit_test(accounts_are_a_function_of_seed_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
