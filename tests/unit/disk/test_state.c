/* SPDX-License-Identifier: Apache-2.0 */
/* The state, the format and sealed values: everything small that carries a check. */
#include "tests/unit/store/store_fixture.h"

static struct disk_state a_state(void)
{
    struct disk_state state = {.txn = 9, .seq = 5, .slots = 7, .active = 3, .row_bytes = 128};
    state.sums[DISK_TABLE_SWITCH] = (struct disk_sum){.count = 2, .digest = UINT64_MAX};
    return state;
}

static void a_state_comes_back_as_it_was(void **unused)
{
    (void)unused;
    struct disk_state state = a_state();
    struct disk_state back;
    struct proto_fault fault;
    uint8_t bytes[DISK_STATE_BYTES];
    disk_state_encode(&state, bytes);
    assert_true(disk_state_decode((struct proto_span){bytes, sizeof bytes}, 9, &back, &fault));
#define X(offset, bits, name, meaning) assert_true(back.name == state.name);
#include "server/disk/state.def"
#undef X
    assert_memory_equal(back.sums, state.sums, sizeof state.sums);
}

static void a_state_with_a_flipped_bit_or_of_another_transaction_is_refused(void **unused)
{
    (void)unused;
    struct disk_state state = a_state();
    struct disk_state back;
    struct proto_fault fault;
    uint8_t bytes[DISK_STATE_BYTES];
    disk_state_encode(&state, bytes);
    struct proto_span span_of = {bytes, sizeof bytes};
    assert_false(disk_state_decode(span_of, 8, &back, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_false(disk_state_decode((struct proto_span){bytes, sizeof bytes - 1}, 9, &back, &fault));
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(disk_state_decode(span_of, 9, &back, &fault));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(disk_state_decode(span_of, 9, &back, &fault));
}

static void state_bytes_check(uint8_t *bytes, size_t count)
{
    disk_set_u64(bytes, disk_check(DISK_TABLE_META, DISK_STATE_KEY, bytes + 8, count - 8));
}

static void a_state_of_fewer_tables_has_nothing_in_the_others(void **unused)
{
    (void)unused;
    struct disk_state state = a_state();
    struct disk_state back;
    struct proto_fault fault;
    uint8_t bytes[DISK_STATE_BYTES];
    state.sums[DISK_TABLE_TAL].count = 3;
    state.sums[DISK_TABLE_VECTOR].count = 7;
    disk_state_encode(&state, bytes);
    state_bytes_check(bytes, DISK_STATE_BYTES_FIRST);
    assert_true(
        disk_state_decode((struct proto_span){bytes, DISK_STATE_BYTES_FIRST}, 9, &back, &fault));
    assert_int_equal(back.sums[DISK_TABLE_TAL].count, 3);
    assert_int_equal(back.sums[DISK_TABLE_VECTOR].count, 0);
}

static void a_state_of_before_there_were_definitions_keeps_the_rest(void **unused)
{
    (void)unused;
    struct disk_state state = a_state();
    struct disk_state back;
    struct proto_fault fault;
    uint8_t bytes[DISK_STATE_BYTES];
    state.terms = 5;
    state.metrics = 6;
    state.history_seq = 7;
    disk_state_encode(&state, bytes);
    state_bytes_check(bytes, DISK_STATE_BYTES_THIRD);
    assert_true(
        disk_state_decode((struct proto_span){bytes, DISK_STATE_BYTES_THIRD}, 9, &back, &fault));
    assert_int_equal(back.terms, 5);
    assert_int_equal(back.metrics, 0);
    assert_int_equal(back.history_seq, 7);
}

static void a_state_of_before_histories_came_in_pieces_has_put_none(void **unused)
{
    (void)unused;
    struct disk_state state = a_state();
    struct disk_state back;
    struct proto_fault fault;
    uint8_t bytes[DISK_STATE_BYTES];
    state.challenges = 4;
    state.history_runs = 5;
    disk_state_encode(&state, bytes);
    state_bytes_check(bytes, DISK_STATE_BYTES_FOURTH);
    assert_true(
        disk_state_decode((struct proto_span){bytes, DISK_STATE_BYTES_FOURTH}, 9, &back, &fault));
    assert_int_equal(back.challenges, 4);
    assert_int_equal(back.history_runs, 0);
}

static void a_state_with_tables_of_a_newer_build_is_refused(void **unused)
{
    (void)unused;
    struct disk_state state = a_state();
    struct disk_state back;
    struct proto_fault fault;
    uint8_t bytes[DISK_STATE_BYTES + 16] = {0};
    disk_state_encode(&state, bytes);
    bytes[DISK_STATE_BYTES] = 1;
    state_bytes_check(bytes, sizeof bytes);
    assert_false(disk_state_decode((struct proto_span){bytes, sizeof bytes}, 9, &back, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "newer"));
}

static void sums_follow_values_in_and_out(void **unused)
{
    (void)unused;
    struct disk_state state = {0};
    disk_sum_change(&state, DISK_TABLE_LOG, false, 0, true, 5);
    disk_sum_change(&state, DISK_TABLE_LOG, false, 0, true, 6);
    assert_int_equal(state.sums[DISK_TABLE_LOG].count, 2);
    assert_int_equal(state.sums[DISK_TABLE_LOG].digest, 5 ^ 6);
    disk_sum_change(&state, DISK_TABLE_LOG, true, 5, true, 7);
    disk_sum_change(&state, DISK_TABLE_LOG, true, 6, false, 0);
    assert_int_equal(state.sums[DISK_TABLE_LOG].count, 1);
    assert_int_equal(state.sums[DISK_TABLE_LOG].digest, 7);
}

static void a_sealed_value_opens_only_whole_and_in_its_place(void **unused)
{
    (void)unused;
    struct disk_sealed sealed = {.time_ms = -5, .a = 1, .b = 2, .text = span("because")};
    struct disk_sealed back;
    struct proto_fault fault;
    uint8_t bytes[64];
    size_t count = disk_seal_bytes(&sealed);
    disk_seal(DISK_TABLE_SWITCH, 4, &sealed, bytes);
    struct proto_span value = {bytes, count};
    assert_true(disk_unseal(DISK_TABLE_SWITCH, 4, value, &back, &fault));
    assert_int_equal(back.time_ms, -5);
    assert_int_equal(back.a, 1);
    assert_int_equal(back.b, 2);
    assert_true(proto_span_is(back.text, "because"));
    assert_false(disk_unseal(DISK_TABLE_SWITCH, 5, value, &back, &fault));
    assert_false(disk_unseal(DISK_TABLE_ICP, 4, value, &back, &fault));
    for (size_t bytes_left = 0; bytes_left < count; bytes_left++) {
        assert_false(disk_unseal(DISK_TABLE_SWITCH, 4, (struct proto_span){bytes, bytes_left},
                                 &back, &fault));
    }
    for (size_t bit = 0; bit < count * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(disk_unseal(DISK_TABLE_SWITCH, 4, value, &back, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_comes_back_as_it_was),
        cmocka_unit_test(a_state_with_a_flipped_bit_or_of_another_transaction_is_refused),
        cmocka_unit_test(a_state_of_fewer_tables_has_nothing_in_the_others),
        cmocka_unit_test(a_state_of_before_there_were_definitions_keeps_the_rest),
        cmocka_unit_test(a_state_of_before_histories_came_in_pieces_has_put_none),
        cmocka_unit_test(a_state_with_tables_of_a_newer_build_is_refused),
        cmocka_unit_test(sums_follow_values_in_and_out),
        cmocka_unit_test(a_sealed_value_opens_only_whole_and_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
