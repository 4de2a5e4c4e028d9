/* SPDX-License-Identifier: Apache-2.0 */
/* explain over the wire: a reply that adds up, with the accounts behind each bin, and what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/shape.h"
#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct proto_writer request;
static struct proto_arg args[PROTO_ARGS_MAX];

static int open_fixture(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 600);
    rpc_fixture_learn(&fixture);
    proto_writer_init(&request);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

/* id, and one more member that is a number if its name is given. */
static struct proto_span request_make(const char *id, const char *name, uint64_t number)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1U + (name != NULL));
    proto_write_text(&request, "id");
    proto_write_text(&request, id);
    if (name != NULL) {
        proto_write_text(&request, name);
        proto_write_uint(&request, number);
    }
    return proto_writer_span(&request);
}

static void member_read(struct proto_reader *reader, enum proto_shape shape, struct proto_arg *row)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    struct proto_fault fault = {0};
    assert_true(proto_fields_decode(info->members, info->member_count, proto_read_any(reader), row,
                                    &fault));
}

/* The bins of a shape: one of them is the account's, with the contribution itself. */
static void shape_check(const struct proto_arg *part, size_t most)
{
    struct proto_reader bins;
    struct proto_fault fault = {0};
    struct proto_arg bin[PROTO_ARGS_MAX];
    proto_reader_init(&bins, part[PROTO_M_CONTRIBUTION_SHAPE].value, &fault);
    size_t count = proto_read_array(&bins);
    size_t here = 0;
    assert_true(count > 0 && count <= most);
    for (size_t i = 0; i < count; i++) {
        member_read(&bins, PROTO_SHAPE_SHAPE_BIN, bin);
        if (bin[PROTO_M_SHAPE_BIN_HERE].flag) {
            here++;
            assert_true(bin[PROTO_M_SHAPE_BIN_CONTRIBUTION].integer ==
                        part[PROTO_M_CONTRIBUTION_CONTRIBUTION].integer);
        }
    }
    assert_int_equal(here, 1);
}

static void a_reply_adds_up_and_shows_what_stands_behind_it(void **state)
{
    (void)state;
    struct proto_arg part[PROTO_ARGS_MAX];
    struct proto_reader parts;
    struct proto_fault fault = {0};
    rpc_fixture_ask(&fixture, PROTO_OP_EXPLAIN, request_make("a17", "around", 1), args);
    int64_t sum = args[PROTO_A_EXPLAIN_INTERCEPT].integer;
    uint64_t accounts = args[PROTO_A_EXPLAIN_ACCOUNTS].uint;
    size_t shapes = 0;
    proto_reader_init(&parts, args[PROTO_A_EXPLAIN_CONTRIBUTIONS].value, &fault);
    size_t count = proto_read_array(&parts);
    assert_true(count > 2);
    for (size_t i = 0; i < count; i++) {
        member_read(&parts, PROTO_SHAPE_CONTRIBUTION, part);
        sum += part[PROTO_M_CONTRIBUTION_CONTRIBUTION].integer;
        assert_true(part[PROTO_M_CONTRIBUTION_ACCOUNTS].present);
        assert_true(part[PROTO_M_CONTRIBUTION_ACCOUNTS].uint <= accounts);
        assert_true(part[PROTO_M_CONTRIBUTION_OUTCOMES].uint <=
                    part[PROTO_M_CONTRIBUTION_ACCOUNTS].uint);
        assert_true(part[PROTO_M_CONTRIBUTION_RATE_LOW].number <=
                    part[PROTO_M_CONTRIBUTION_RATE_HIGH].number);
        if (part[PROTO_M_CONTRIBUTION_SHAPE].present) {
            shapes++;
            shape_check(part, 3);
        }
    }
    assert_true(sum == args[PROTO_A_EXPLAIN_RAW].integer);
    assert_true(shapes > 0 && shapes <= 5);
    struct proto_span outcome = args[PROTO_A_EXPLAIN_OUTCOME].text;
    assert_true(proto_span_equal(outcome, proto_span_text("won = 1")));
}

static void values_alone_are_explained_and_strange_names_told(void **state)
{
    (void)state;
    proto_writer_reset(&request);
    proto_write_map(&request, 2);
    proto_write_text(&request, "values");
    proto_write_map(&request, 2);
    proto_write_text(&request, "industry");
    proto_write_text(&request, "Shipping");
    proto_write_text(&request, "shoe_size");
    proto_write_uint(&request, 45);
    proto_write_text(&request, "changes");
    proto_write_uint(&request, 1);
    rpc_fixture_ask(&fixture, PROTO_OP_EXPLAIN, proto_writer_span(&request), args);
    struct proto_reader reader;
    struct proto_fault fault = {0};
    assert_false(args[PROTO_A_EXPLAIN_FOUND].flag);
    assert_false(args[PROTO_A_EXPLAIN_ID].present);
    proto_reader_init(&reader, args[PROTO_A_EXPLAIN_UNSEEN].value, &fault);
    assert_int_equal(proto_read_array(&reader), 1);
    assert_true(proto_span_equal(proto_read_str(&reader), proto_span_text("industry")));
    proto_reader_init(&reader, args[PROTO_A_EXPLAIN_UNKNOWN].value, &fault);
    assert_int_equal(proto_read_array(&reader), 1);
    assert_true(proto_span_equal(proto_read_str(&reader), proto_span_text("shoe_size")));
    proto_reader_init(&reader, args[PROTO_A_EXPLAIN_UP].value, &fault);
    assert_true(proto_read_array(&reader) <= 1);
}

static void what_cannot_be_explained_is_refused(void **state)
{
    (void)state;
    struct proto_span payload;
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_EXPLAIN, request_make("nobody", NULL, 0), &payload),
        PROTO_NOT_FOUND);
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_EXPLAIN, request_make("a1", "icp", 99), &payload),
        PROTO_NOT_FOUND);
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_EXPLAIN, request_make("a1", "around", 9), &payload),
        PROTO_BAD_FIELD);
    proto_writer_reset(&request);
    proto_write_map(&request, 0);
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_EXPLAIN, proto_writer_span(&request), &payload),
        PROTO_MISSING_FIELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_adds_up_and_shows_what_stands_behind_it),
        cmocka_unit_test(values_alone_are_explained_and_strange_names_told),
        cmocka_unit_test(what_cannot_be_explained_is_refused),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
