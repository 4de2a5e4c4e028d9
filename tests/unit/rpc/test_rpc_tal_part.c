/* SPDX-License-Identifier: Apache-2.0 */
/* Lists over the wire: what is frozen beside the members, part by part, where one account stands,
 * and that a verdict and the work by week are refused or insufficient where nothing is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct proto_writer request;
static struct proto_arg args[PROTO_ARGS_MAX];

static uint8_t refused(uint8_t op, struct proto_span asked)
{
    struct proto_span payload;
    return rpc_fixture_call(&fixture, op, asked, &payload);
}

static void member_put(const char *name, const char *text)
{
    proto_write_text(&request, name);
    proto_write_text(&request, text);
}

static struct proto_span build_of(const char *name, double hold_out, bool sampled)
{
    proto_writer_reset(&request);
    proto_write_map(&request, sampled ? 5 : 4);
    member_put("name", name);
    member_put("seed", "monday");
    proto_write_text(&request, "k");
    proto_write_uint(&request, 40);
    proto_write_text(&request, "hold_out");
    proto_write_f64(&request, hold_out);
    if (sampled) {
        proto_write_text(&request, "sample");
        proto_write_uint(&request, 100);
    }
    return proto_writer_span(&request);
}

static int open_fixture(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 600);
    rpc_fixture_learn(&fixture);
    proto_writer_init(&request);
    rpc_fixture_ask(&fixture, PROTO_OP_TAL_BUILD, build_of("list", .25, true), args);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

static struct proto_span part_of(const char *part, bool names)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 2U + names + (part != NULL));
    member_put("name", "list");
    proto_write_text(&request, "limit");
    proto_write_uint(&request, 10);
    if (part != NULL) {
        member_put("part", part);
    }
    if (names) {
        proto_write_text(&request, "names");
        proto_write_bool(&request, true);
    }
    return proto_writer_span(&request);
}

static uint64_t count_of(const char *part)
{
    rpc_fixture_ask(&fixture, PROTO_OP_TAL_GET, part_of(part, false), args);
    return args[PROTO_A_TAL_GET_COUNT].uint;
}

static void a_build_says_what_it_froze(void **state)
{
    (void)state;
    rpc_fixture_ask(&fixture, PROTO_OP_TAL_BUILD, build_of("second", 0, false), args);
    assert_int_equal(args[PROTO_A_TAL_BUILD_COUNT].uint, 40);
    assert_int_equal(args[PROTO_A_TAL_BUILD_HELD_OUT].uint, 0);
    assert_int_equal(args[PROTO_A_TAL_BUILD_JUST_MISSED].uint, 40);
    assert_int_equal(args[PROTO_A_TAL_BUILD_SAMPLE].uint, 40); /* as many as k */
    assert_true(proto_span_is(args[PROTO_A_TAL_BUILD_SEED].text, "monday"));
}

static void parts_are_given_by_their_names(void **state)
{
    (void)state;
    assert_int_equal(count_of(NULL), 40);
    assert_int_equal(count_of("members"), 40);
    assert_int_equal(count_of("just-missed"), 40);
    assert_int_equal(count_of("sample"), 100);
    uint64_t held = count_of("hold-out");
    assert_in_range(held, 1, 25);
    rpc_fixture_ask(&fixture, PROTO_OP_TAL_GET, part_of("hold-out", true), args);
    assert_int_equal(args[PROTO_A_TAL_GET_COUNT].uint, held);
    assert_int_equal(refused(PROTO_OP_TAL_GET, part_of("others", false)), PROTO_BAD_FIELD);
}

static struct proto_span account_of(const char *id)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 2);
    member_put("name", "list");
    member_put("id", id);
    return proto_writer_span(&request);
}

/* Every account of the store is in exactly one place, as many of each as the parts say. */
static void each_account_stands_in_one_place(void **state)
{
    static const char *const words[] = {"member", "held-out", "just-missed", "none"};
    uint64_t counts[4] = {0};
    uint64_t sampled = 0;
    (void)state;
    for (int i = 0; i < 600; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "a%d", i);
        rpc_fixture_ask(&fixture, PROTO_OP_TAL_ACCOUNT, account_of(id), args);
        sampled += args[PROTO_A_TAL_ACCOUNT_SAMPLED].flag;
        assert_int_equal(args[PROTO_A_TAL_ACCOUNT_DRAW].text.bytes, 16);
        bool lower = proto_span_compare(args[PROTO_A_TAL_ACCOUNT_DRAW].text,
                                        args[PROTO_A_TAL_ACCOUNT_BELOW].text) < 0;
        for (size_t w = 0; w < 4; w++) {
            bool is = proto_span_is(args[PROTO_A_TAL_ACCOUNT_PART].text, words[w]);
            counts[w] += is;
            assert_true(!is || w > 1 || lower == (w == 1));
        }
        bool frozen = args[PROTO_A_TAL_ACCOUNT_ENTRY].present;
        assert_int_equal(frozen, !proto_span_is(args[PROTO_A_TAL_ACCOUNT_PART].text, "none") ||
                                     args[PROTO_A_TAL_ACCOUNT_SAMPLED].flag);
    }
    assert_int_equal(counts[0] + counts[1], 40);
    assert_int_equal(counts[1], count_of("hold-out"));
    assert_int_equal(counts[2], 40);
    assert_int_equal(counts[0] + counts[1] + counts[2] + counts[3], 600);
    assert_int_equal(sampled, 100);
}

static struct proto_span erosion_of(const char *name)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 2);
    member_put("name", name);
    proto_write_text(&request, "committed");
    proto_write_f64(&request, .5);
    return proto_writer_span(&request);
}

static void work_that_nobody_told_is_no_evidence(void **state)
{
    (void)state;
    assert_int_equal(refused(PROTO_OP_EROSION, erosion_of("list")), PROTO_NO_EVIDENCE);
    assert_int_equal(refused(PROTO_OP_EROSION, erosion_of("nosuch")), PROTO_NOT_FOUND);
}

static struct proto_span verdict_of(const char *name, const char *policy)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 2);
    member_put("name", name);
    member_put("policy", policy);
    return proto_writer_span(&request);
}

static void a_verdict_wants_a_list_a_policy_and_a_case(void **state)
{
    static const char policy[] =
        "{\"policy\": 1, \"name\": \"won\", \"moment\": \"stage:created\", \"maturity\": \"9 "
        "days\","
        " \"archetypes\": [{\"name\": \"good\", \"when\": [{\"event\": \"outcome:won\"}]}]}";
    (void)state;
    assert_int_equal(refused(PROTO_OP_VERDICT, verdict_of("list", policy)), PROTO_NO_EVIDENCE);
    assert_int_equal(refused(PROTO_OP_VERDICT, verdict_of("nosuch", policy)), PROTO_NOT_FOUND);
    assert_int_equal(refused(PROTO_OP_VERDICT, verdict_of("list", "{}")), PROTO_BAD_DOCUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_says_what_it_froze),
        cmocka_unit_test(parts_are_given_by_their_names),
        cmocka_unit_test(each_account_stands_in_one_place),
        cmocka_unit_test(work_that_nobody_told_is_no_evidence),
        cmocka_unit_test(a_verdict_wants_a_list_a_policy_and_a_case),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
