/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture holds every reply of every test against its description: here it is shown faults of
 * each kind, and must find them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

static struct proto_writer request;

static bool looks_right(enum proto_op op, const char *reply, bool progress,
                        struct proto_fault *fault)
{
    *fault = (struct proto_fault){.code = PROTO_OK};
    return rpc_fixture_look(proto_op_find((uint8_t)op), rpc_request_json(&request, reply), progress,
                            fault);
}

#define JOB_ROW                                                                                    \
    "\"job\":1,\"op\":\"scrub\",\"state\":\"ended\",\"stage\":\"\",\"done\":1.0,\"icp\":0,"        \
    "\"error\":\"\",\"started\":1"

static void a_reply_that_is_not_as_described_is_found(void **state)
{
    (void)state;
    static const struct {
        enum proto_op op;
        const char *reply;
        const char *way;
    } planted[] = {
        {PROTO_OP_PING, "{}", "time"},
        {PROTO_OP_PING, "[1]", ""},
        {PROTO_OP_PING, "{\"time\":\"now\"}", "time"},
        {PROTO_OP_PING, "{\"time\":-1}", "time"},
        {PROTO_OP_PING, "{\"time\":null}", "time"},
        {PROTO_OP_PING, "{\"time\":1,\"clock\":2}", "clock"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":{}}", "jobs"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[7]}", "jobs[0]"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW "}]}", "jobs[0].ended"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":\"2\"}]}", "jobs[0].ended"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":2},{}]}", "jobs[1].job"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":2,\"end\":2}]}", "jobs[0].end"},
    };
    struct proto_fault fault;
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        if (looks_right(planted[i].op, planted[i].reply, false, &fault)) {
            fail_msg("%s passes", planted[i].reply);
        }
        if (strcmp(fault.field, planted[i].way) != 0) {
            fail_msg("%s: '%s', not '%s'", planted[i].reply, fault.field, planted[i].way);
        }
    }
    assert_true(looks_right(PROTO_OP_PING, "{\"time\":1}", false, &fault));
    assert_true(
        looks_right(PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":2}]}", false, &fault));
    assert_true(looks_right(PROTO_OP_PING, "{}", true, &fault)); /* of a frame of progress */
    assert_false(looks_right(PROTO_OP_PING, "{\"clock\":1}", true, &fault));
}

/* What a count that was taken before its entries comes to. */
static void a_count_that_is_not_that_of_the_entries_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
    } planted[] = {
        {"\x81\xa4jobs\x91", 7},              /* one job that never comes */
        {"\x82\xa4jobs\x90", 7},              /* one pair that never comes */
        {"\x81\xa4jobs\x90\xa4more\xc0", 13}, /* one pair too many */
        {"\x82\xa4jobs\x90\xa4jobs\x90", 13}, /* one pair twice */
        {"\x81\xa4jobs\x90\xc0", 8},          /* a value that belongs to nothing */
        {"", 0},
    };
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        struct proto_span reply = {(const uint8_t *)planted[i].bytes, planted[i].count};
        struct proto_fault fault = {.code = PROTO_OK};
        if (rpc_fixture_look(proto_op_find(PROTO_OP_JOB_LIST), reply, false, &fault)) {
            fail_msg("planted count %zu passes", i);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    proto_writer_init(&request);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_that_is_not_as_described_is_found),
        cmocka_unit_test(a_count_that_is_not_that_of_the_entries_is_found),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
