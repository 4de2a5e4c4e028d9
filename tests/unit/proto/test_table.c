/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void table_finds_every_operation_by_code_and_name(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    assert_true(count >= 19);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(proto_op_find((uint8_t)ops[i].op), &ops[i]);
        assert_ptr_equal(proto_op_find_name(ops[i].name), &ops[i]);
        assert_true(i == 0 || ops[i - 1].op < ops[i].op);
        assert_true(strlen(ops[i].help) > 0);
    }
}

static void table_knows_no_operation_for_other_codes_and_names(void **state)
{
    (void)state;
    size_t count = 0;
    (void)proto_ops(&count);
    size_t known = 0;
    for (unsigned code = 0; code < 256; code++) {
        known += proto_op_find((uint8_t)code) != NULL;
    }
    assert_int_equal(known, count);
    assert_null(proto_op_find(0));
    assert_null(proto_op_find_name(""));
    assert_null(proto_op_find_name("scor"));
}

static const char *const common[] = {
#define M(NAME, name, TYPE, unit, help) name,
#define R M
#include "proto/common.def"
#undef M
#undef R
};

static void fields_stand_under(const struct proto_op_info *op,
                               const struct proto_field_info *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* A row that names one operation but stands under the OP line of another. */
        assert_int_equal(fields[i].op, op->op);
        assert_int_equal(fields[i].name_bytes, strlen(fields[i].name));
        assert_true(strlen(fields[i].help) > 0);
        for (size_t j = 0; j < sizeof common / sizeof *common; j++) {
            assert_string_not_equal(fields[i].name, common[j]);
        }
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(fields[i].name, fields[j].name);
        }
    }
}

static void table_keeps_each_field_under_its_own_operation(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < count; i++) {
        fields_stand_under(&ops[i], ops[i].request, ops[i].request_count);
        fields_stand_under(&ops[i], ops[i].reply, ops[i].reply_count);
    }
}

static void table_positions_index_the_fields(void **state)
{
    (void)state;
    const struct proto_op_info *score = proto_op_find(PROTO_OP_SCORE);
    assert_string_equal(score->request[PROTO_Q_SCORE_ID].name, "id");
    assert_string_equal(score->request[PROTO_Q_SCORE_REASONS].name, "reasons");
    assert_string_equal(score->reply[PROTO_A_SCORE_ICP].name, "icp");
    assert_string_equal(score->reply[PROTO_A_SCORE_FIT_HIGH].name, "fit_high");
    assert_int_equal(score->reply_count, PROTO_A_SCORE_ENGAGEMENT + 1);
    assert_int_equal(proto_op_find(PROTO_OP_PING)->request_count, 0);
    assert_int_equal(score->request[PROTO_Q_SCORE_VALUES].type, PROTO_MAP);
    const struct proto_op_info *put = proto_op_find(PROTO_OP_ACCOUNT_PUT);
    assert_int_equal(put->request[PROTO_Q_ACCOUNT_PUT_ACCOUNTS].presence, PROTO_REQUIRED);
    assert_int_equal(put->role, PROTO_ROLE_WRITE);
    assert_int_equal(put->lane, PROTO_LANE_WRITE);
    assert_int_equal(put->retry, PROTO_RETRY_SAFE);
}

static void table_gives_internal_for_an_unknown_error(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_error_info *errors = proto_errors(&count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(proto_error_find((unsigned)errors[i].code), &errors[i]);
        assert_true(i == 0 || errors[i - 1].code < errors[i].code);
    }
    assert_int_equal(proto_error_find(199)->code, PROTO_INTERNAL);
    assert_int_equal(proto_error_find(256)->code, PROTO_INTERNAL);
    assert_int_equal(proto_error_find(UINT32_MAX)->code, PROTO_INTERNAL);
    assert_true(proto_error_find(PROTO_BUSY)->retryable);
    assert_false(proto_error_find(PROTO_BAD_FIELD)->retryable);
}

static void table_states_limits_with_unit_and_reason(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_limit_info *limits = proto_limits(&count);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        assert_true(limits[i].value > 0);
        assert_true(strlen(limits[i].unit) > 0 && strlen(limits[i].reason) > 0);
        found = found || (strcmp(limits[i].name, "frame_bytes_max") == 0 &&
                          limits[i].value == PROTO_FRAME_BYTES_MAX);
    }
    assert_true(found);
}

static void table_states_what_clients_wait_for(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_limit_info *rows = proto_patience(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(rows[i].unit, "ms");
        assert_true(rows[i].value > 0 && strlen(rows[i].reason) > 0);
    }
    assert_true(PROTO_HOST_COOL_MS_FIRST < PROTO_HOST_COOL_MS_MAX);
}

static void table_names_roles_types_and_lanes(void **state)
{
    (void)state;
    for (int role = PROTO_ROLE_NONE; role <= PROTO_ROLE_ADMIN; role++) {
        assert_string_not_equal(proto_role_name((enum proto_role)role), "unknown");
    }
    for (int type = PROTO_TEXT; type <= PROTO_ANY; type++) {
        assert_string_not_equal(proto_type_name((enum proto_type)type), "unknown");
    }
    for (int lane = PROTO_LANE_INLINE; lane <= PROTO_LANE_JOB; lane++) {
        assert_string_not_equal(proto_lane_name((enum proto_lane)lane), "unknown");
    }
}

static void table_states_the_keys_of_an_error_reply(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_field_info *fields = proto_fault_fields(&count);
    assert_int_equal(count, PROTO_F_COUNT);
    assert_string_equal(fields[PROTO_F_CODE].name, "code");
    assert_string_equal(fields[PROTO_F_RETRYABLE].name, "retryable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_finds_every_operation_by_code_and_name),
        cmocka_unit_test(table_knows_no_operation_for_other_codes_and_names),
        cmocka_unit_test(table_keeps_each_field_under_its_own_operation),
        cmocka_unit_test(table_positions_index_the_fields),
        cmocka_unit_test(table_gives_internal_for_an_unknown_error),
        cmocka_unit_test(table_states_limits_with_unit_and_reason),
        cmocka_unit_test(table_states_what_clients_wait_for),
        cmocka_unit_test(table_names_roles_types_and_lanes),
        cmocka_unit_test(table_states_the_keys_of_an_error_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
