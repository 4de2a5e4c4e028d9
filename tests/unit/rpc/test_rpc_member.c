/* SPDX-License-Identifier: Apache-2.0 */
/* Members of maps are written under the names of shape.def, in the forms of its types, and what the
 * table does not know as that type ends the program instead of reaching a client. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/request.h"
#include "server/rpc/rpc_member.h"

/* What a reader by the shape's own table makes of what was written. */
static void decoded(struct proto_writer *out, enum proto_shape shape, struct proto_arg *args)
{
    struct proto_fault fault = {0};
    const struct proto_shape_info *info = proto_shape_info(shape);
    assert_true(proto_writer_ok(out));
    assert_true(proto_fields_decode(info->members, info->member_count, proto_writer_span(out), args,
                                    &fault));
}

static void member_of_a_job_is_read_back_by_its_shape(void **state)
{
    (void)state;
    struct proto_writer out;
    struct proto_arg args[PROTO_ARGS_MAX];
    proto_writer_init(&out);
    proto_write_map(&out, 9);
    rpc_member_uint(&out, RPC_MEMBER(JOB, JOB), 7);
    rpc_member_text(&out, RPC_MEMBER(JOB, OP), "icp-learn");
    rpc_member_text(&out, RPC_MEMBER(JOB, STATE), "running");
    rpc_member_str(&out, RPC_MEMBER(JOB, STAGE), proto_span_text("splitting"));
    rpc_member_number(&out, RPC_MEMBER(JOB, DONE), 0.25);
    rpc_member_uint(&out, RPC_MEMBER(JOB, ICP), UINT32_MAX);
    rpc_member_text(&out, RPC_MEMBER(JOB, ERROR), "");
    rpc_member_int(&out, RPC_MEMBER(JOB, STARTED), 1712345678901);
    rpc_member_int(&out, RPC_MEMBER(JOB, ENDED), -1);
    decoded(&out, PROTO_SHAPE_JOB, args);
    assert_int_equal(args[PROTO_M_JOB_JOB].uint, 7);
    assert_true(proto_span_is(args[PROTO_M_JOB_OP].text, "icp-learn"));
    assert_true(proto_span_is(args[PROTO_M_JOB_STATE].text, "running"));
    assert_true(proto_span_is(args[PROTO_M_JOB_STAGE].text, "splitting"));
    assert_true(args[PROTO_M_JOB_DONE].number == 0.25);
    assert_int_equal(args[PROTO_M_JOB_ICP].uint, UINT32_MAX);
    assert_int_equal(args[PROTO_M_JOB_ERROR].text.bytes, 0);
    assert_int_equal(args[PROTO_M_JOB_STARTED].integer, 1712345678901);
    assert_int_equal(args[PROTO_M_JOB_ENDED].integer, -1);
    proto_writer_fini(&out);
}

static void member_of_any_type_takes_what_there_is(void **state)
{
    (void)state;
    struct proto_writer out;
    struct proto_arg args[PROTO_ARGS_MAX];
    proto_writer_init(&out);
    proto_write_map(&out, 4);
    rpc_member_text(&out, RPC_MEMBER(DIFFERENCE, FIELD), "industry");
    rpc_member_number(&out, RPC_MEMBER(DIFFERENCE, PART), 0.5);
    rpc_member_str(&out, RPC_MEMBER(DIFFERENCE, VALUE), proto_span_text("Software"));
    rpc_member(&out, RPC_MEMBER(DIFFERENCE, EXAMPLE_VALUE));
    proto_write_nil(&out);
    decoded(&out, PROTO_SHAPE_DIFFERENCE, args);
    assert_true(args[PROTO_M_DIFFERENCE_VALUE].present);
    assert_true(args[PROTO_M_DIFFERENCE_EXAMPLE_VALUE].present);
    proto_writer_fini(&out);
}

static void member_that_is_a_flag_is_a_boolean(void **state)
{
    (void)state;
    struct proto_writer out;
    proto_writer_init(&out);
    rpc_member_flag(&out, RPC_MEMBER(TAL, CURRENT), true);
    struct proto_span written = proto_writer_span(&out);
    assert_true(proto_span_equal(written, (struct proto_span){(const uint8_t *)"\xa7"
                                                                               "current\xc3",
                                                              9}));
    proto_writer_fini(&out);
}

/* How a child ends that writes a value of another type than the table's. */
static int end_of(void (*wrong)(struct proto_writer *out))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct proto_writer out;
        proto_writer_init(&out);
        if (freopen("/dev/null", "w", stderr) != NULL) { /* the assertion's own words */
            wrong(&out);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void text_as_number(struct proto_writer *out)
{
    rpc_member_number(out, RPC_MEMBER(JOB, STATE), 1);
}

static void flag_as_uint(struct proto_writer *out)
{
    rpc_member_uint(out, RPC_MEMBER(VERSION, ACTIVE), 1);
}

static void number_as_number(struct proto_writer *out)
{
    rpc_member_number(out, RPC_MEMBER(VERSION, AUC), 1);
}

static void member_of_another_type_is_a_bug(void **state)
{
    (void)state;
    assert_int_equal(end_of(text_as_number), SIGABRT);
    assert_int_equal(end_of(flag_as_uint), SIGABRT);
    assert_int_equal(end_of(number_as_number), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_of_a_job_is_read_back_by_its_shape),
        cmocka_unit_test(member_of_any_type_takes_what_there_is),
        cmocka_unit_test(member_that_is_a_flag_is_a_boolean),
        cmocka_unit_test(member_of_another_type_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
