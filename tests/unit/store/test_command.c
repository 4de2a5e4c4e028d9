/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdlib.h>

static struct proto_span batch_span(const struct store_batch *batch)
{
    return (struct proto_span){batch->data, batch->bytes};
}

static struct store_batch *batch_of_every_kind(void)
{
    struct made made;
    struct proto_fault fault;
    uint16_t removed[] = {3, 700};
    struct store_batch *batch = store_batch_create();
    make_record(&made, "acme", NULL, 1, NULL);
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    assert_true(store_batch_patch(batch, made_span(&made), removed, 2, &fault));
    assert_true(store_batch_delete(batch, span("acme"), &fault));
    assert_true(batch_schema(batch, 9, span("{s}"), &fault));
    assert_true(batch_icp(batch, span("{i}"), true, span("r"), &fault));
    assert_true(store_batch_activate(batch, 5, span("a"), &fault));
    assert_true(store_batch_revert(batch, span("b"), &fault));
    return batch;
}

static void every_kind_comes_back_as_it_was_added(void **state)
{
    (void)state;
    struct store_batch *batch = batch_of_every_kind();
    struct store_command command;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t at = 0;
    for (int kind = STORE_COMMAND_PUT; kind <= STORE_COMMAND_REVERT; kind++) {
        assert_true(store_command_next(batch_span(batch), &at, &command, &fault));
        assert_int_equal(command.kind, kind);
        if (kind == STORE_COMMAND_PATCH) {
            assert_int_equal(disk_get_u16(command.extra.data + 2), 700);
        }
        if (kind == STORE_COMMAND_ICP) {
            assert_true(command.activate);
            assert_true(proto_span_is(command.text, "{i}"));
            assert_true(proto_span_is(command.extra, "r"));
        }
        if (kind == STORE_COMMAND_SCHEMA) {
            assert_int_equal(command.version, 9);
        }
    }
    assert_false(store_command_next(batch_span(batch), &at, &command, &fault));
    assert_int_equal(fault.code, PROTO_OK);
    assert_int_equal(at, batch->bytes);
    store_batch_destroy(batch);
}

static void a_patch_says_whether_it_may_create_and_has_a_date(void **state)
{
    (void)state;
    struct feature_record record = {.id = span("acme")};
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    struct store_command command;
    size_t at = 0;
    assert_true(store_batch_patch_record(batch, &record, NULL, 0, 0, &fault));
    assert_true(store_batch_patch_record(batch, &record, NULL, 0, STORE_PATCH_CREATE, &fault));
    assert_true(store_batch_patch_record(batch, &record, NULL, 0, STORE_PATCH_DATED, &fault));
    assert_true(store_batch_patch_record(batch, &record, NULL, 0,
                                         STORE_PATCH_CREATE | STORE_PATCH_DATED, &fault));
    for (unsigned flags = 0; flags < 4; flags++) {
        assert_true(store_command_next(batch_span(batch), &at, &command, &fault));
        assert_int_equal(command.kind, STORE_COMMAND_PATCH);
        assert_int_equal(command.patch, flags);
        assert_false(command.activate);
    }
    /* Of other commands only the first flag means something. */
    batch->data[1] = 4;
    at = 0;
    assert_false(store_command_next(batch_span(batch), &at, &command, &fault));
    store_batch_destroy(batch);
}

static void a_batch_that_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    struct store_batch *batch = batch_of_every_kind();
    size_t whole = 0;
    for (size_t bytes = 0; bytes < batch->bytes; bytes++) {
        /* A copy of the exact size, so that a sanitizer sees a read past it. */
        uint8_t *copy = malloc(bytes == 0 ? 1 : bytes);
        memcpy(copy, batch->data, bytes);
        struct store_command command;
        struct proto_fault fault = {.code = PROTO_OK};
        size_t at = 0;
        while (store_command_next((struct proto_span){copy, bytes}, &at, &command, &fault)) {
            continue;
        }
        assert_true((fault.code == PROTO_OK) == (at == bytes));
        whole += at == bytes;
        free(copy);
    }
    assert_int_equal(whole, 7); /* the ends of the commands, and nothing at all */
    store_batch_destroy(batch);
}

static void unknown_kinds_flags_and_reserved_bytes_are_refused(void **state)
{
    (void)state;
    struct store_batch *batch = batch_of_every_kind();
    static const struct {
        size_t at;
        uint8_t value;
    } wrongs[] = {
        {0, 0},   {0, STORE_COMMAND_LAST + 1}, {0, 255}, {1, 2}, {2, 1}, {3, 1}, {11, 255},
        {15, 255}};
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct store_command command;
        struct proto_fault fault = {.code = PROTO_OK};
        uint8_t kept = batch->data[wrongs[i].at];
        size_t at = 0;
        batch->data[wrongs[i].at] = wrongs[i].value;
        assert_false(store_command_next(batch_span(batch), &at, &command, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        batch->data[wrongs[i].at] = kept;
    }
    store_batch_destroy(batch);
}

static void what_is_not_a_record_is_refused_when_it_is_added(void **state)
{
    (void)state;
    struct made made;
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    make_record(&made, "acme", NULL, 1, "x");
    made.bytes[40] ^= 1;
    assert_false(store_batch_put(batch, made_span(&made), &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_false(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
    assert_false(store_batch_delete(batch, span(""), &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_int_equal(batch->bytes, 0);
    store_batch_destroy(batch);
}

static void documents_reasons_and_batches_have_limits(void **state)
{
    (void)state;
    struct proto_fault fault;
    uint8_t *large = calloc(1, PROTO_DOCUMENT_BYTES_MAX + 1);
    struct store_batch *batch = store_batch_create();
    assert_false(
        batch_schema(batch, 1, (struct proto_span){large, PROTO_DOCUMENT_BYTES_MAX + 1}, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    assert_false(store_batch_activate(
        batch, 1, (struct proto_span){large, STORE_REASON_BYTES_MAX + 1}, &fault));
    for (int i = 0; i < 4; i++) {
        assert_true(
            batch_schema(batch, 1, (struct proto_span){large, PROTO_DOCUMENT_BYTES_MAX}, &fault));
    }
    size_t bytes = batch->bytes;
    assert_false(
        batch_schema(batch, 1, (struct proto_span){large, PROTO_DOCUMENT_BYTES_MAX}, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    assert_int_equal(batch->bytes, bytes);
    store_batch_destroy(batch);
    free(large);
}

/* Encoded within the batch, whatever room was left, a record gives the bytes that it gives when it
 * comes encoded; one that cannot be encoded leaves the batch as it was. */
static void a_record_is_encoded_in_its_place(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint16_t removed[] = {3, 700};
    struct store_batch *here = store_batch_create();
    struct store_batch *there = store_batch_create();
    struct feature_value value = {.present = true, .type = FEATURE_NUMBER, .number = 1};
    for (size_t i = 0; i < 200; i++) {
        char id[100];
        uint8_t bytes[256];
        memset(id, 'x', sizeof id);
        struct feature_record record = {
            .id = {(const uint8_t *)id, 1 + i % sizeof id}, .values = &value, .value_slots = 1};
        struct proto_span encoded = {bytes, 0};
        encoded.bytes = feature_record_encode(&record, bytes, sizeof bytes, &fault);
        assert_true(store_batch_put(there, encoded, &fault));
        assert_true(store_batch_put_record(here, &record, &fault));
        assert_true(store_batch_patch(there, encoded, removed, 2, &fault));
        assert_true(store_batch_patch_record(here, &record, removed, 2, false, &fault));
        record.id.bytes = 0;
        assert_false(store_batch_put_record(here, &record, &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
    }
    assert_false(store_batch_patch_record(here, &(struct feature_record){.id = span("a")}, removed,
                                          UINT16_MAX + 1, false, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_true(proto_span_equal(batch_span(here), batch_span(there)));
    assert_int_equal(here->commands, there->commands);
    store_batch_destroy(here);
    store_batch_destroy(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_as_it_was_added),
        cmocka_unit_test(a_patch_says_whether_it_may_create_and_has_a_date),
        cmocka_unit_test(a_record_is_encoded_in_its_place),
        cmocka_unit_test(a_batch_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(unknown_kinds_flags_and_reserved_bytes_are_refused),
        cmocka_unit_test(what_is_not_a_record_is_refused_when_it_is_added),
        cmocka_unit_test(documents_reasons_and_batches_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
