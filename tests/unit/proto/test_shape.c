/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/shape.h"

static bool can_have_a_shape(enum proto_type type)
{
    return type == PROTO_LIST || type == PROTO_MAP;
}

static void shape_members_have_names_of_their_own_and_a_meaning(void **state)
{
    (void)state;
    for (unsigned i = PROTO_SHAPE_NONE + 1; i < PROTO_SHAPE_COUNT; i++) {
        const struct proto_shape_info *shape = proto_shape_info((enum proto_shape)i);
        assert_true(shape->member_count > 0);
        for (size_t m = 0; m < shape->member_count; m++) {
            const struct proto_field_info *member = &shape->members[m];
            assert_int_equal(member->name_bytes, strlen(member->name));
            assert_true(member->name_bytes > 0 && member->help[0] != '\0');
            for (size_t before = 0; before < m; before++) {
                assert_string_not_equal(member->name, shape->members[before].name);
            }
            if (shape->of[m] != PROTO_SHAPE_NONE) {
                assert_true(can_have_a_shape(member->type));
            }
        }
    }
}

static void shape_names_are_told_apart(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROTO_SHAPE_COUNT; i++) {
        for (unsigned before = 0; before < i; before++) {
            assert_string_not_equal(proto_shape_info((enum proto_shape)i)->name,
                                    proto_shape_info((enum proto_shape)before)->name);
        }
    }
}

/* Marks what the shape's members have. */
static void reach(enum proto_shape shape, bool *reached)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    if (reached[shape]) {
        return;
    }
    reached[shape] = true;
    for (size_t m = 0; m < info->member_count; m++) {
        reach(info->of[m], reached);
    }
}

static void shape_each_stands_in_some_request_or_reply(void **state)
{
    (void)state;
    bool reached[PROTO_SHAPE_COUNT] = {false};
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < ops[i].request_count + ops[i].reply_count; f++) {
            bool reply = f >= ops[i].request_count;
            size_t field = reply ? f - ops[i].request_count : f;
            enum proto_shape shape = proto_shape_of(&ops[i], reply, field);
            const struct proto_field_info *info =
                reply ? &ops[i].reply[field] : &ops[i].request[field];
            if (shape != PROTO_SHAPE_NONE) {
                assert_true(can_have_a_shape(info->type));
            }
            /* What is a list of maps says of what; only the figures are described elsewhere. */
            else if (info->type == PROTO_LIST || info->type == PROTO_MAP) {
                assert_int_equal(ops[i].op, PROTO_OP_STATS);
            }
            reach(shape, reached);
        }
    }
    for (unsigned i = 0; i < PROTO_SHAPE_COUNT; i++) {
        assert_true(reached[i]);
    }
}

static void shape_positions_are_those_of_the_table(void **state)
{
    (void)state;
    const struct proto_shape_info *account = proto_shape_info(PROTO_SHAPE_ACCOUNT);
    assert_string_equal(account->members[PROTO_M_ACCOUNT_ID].name, "id");
    assert_string_equal(account->members[PROTO_M_ACCOUNT_TIME].name, "time");
    assert_int_equal(account->of[PROTO_M_ACCOUNT_VALUES], PROTO_SHAPE_VALUES);
    assert_int_equal(
        proto_shape_of(proto_op_find(PROTO_OP_ACCOUNT_PUT), false, PROTO_Q_ACCOUNT_PUT_ACCOUNTS),
        PROTO_SHAPE_ACCOUNT);
    assert_int_equal(proto_shape_of(proto_op_find(PROTO_OP_SCORE), true, PROTO_A_SCORE_FIT),
                     PROTO_SHAPE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_members_have_names_of_their_own_and_a_meaning),
        cmocka_unit_test(shape_names_are_told_apart),
        cmocka_unit_test(shape_each_stands_in_some_request_or_reply),
        cmocka_unit_test(shape_positions_are_those_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
